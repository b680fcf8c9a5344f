"""The measures of music in parts: the parts of a dataset, the ranges of their training notes, which of them are voices."""

from collections.abc import Iterable, Mapping
from typing import Any

from lstm_music.encoding.parts import player_of
from lstm_music.encoding.streams import PART
from lstm_music.evaluation.part_notes import PartNotes
from lstm_music.evaluation.part_statistics import PartCounts, Range, describe, joined
from lstm_music.evaluation.voice_leading import VoiceLeading, voice_leading
from lstm_music.midi.notes import PieceNotes
from lstm_music.stages.data.dataset import Dataset

PART_MEASURES_VERSION = 1
"""Part of the key of what holds these measures."""


def has_parts(dataset: Dataset) -> bool:
    """Whether the music of a dataset says who plays."""
    return PART in dataset.vocabularies


def in_parts(dataset: Dataset, piece: PieceNotes) -> PartNotes:
    """Take the notes of a piece that was made of tokens of a dataset with parts."""
    parts = dataset.vocabularies[PART].values
    return PartNotes.of(piece, {player_of(dataset.events.parts, part).name: part for part in parts})


def part_counts(dataset: Dataset, piece: PieceNotes) -> PartCounts:
    """Count in such a piece."""
    return PartCounts.of(in_parts(dataset, piece), piece.ticks_per_quarter)


def training_ranges(dataset: Dataset) -> dict[str, Range]:
    """Give the lowest and the highest training note of each part that has pitches."""
    pitches = {
        part: [pitch for note in notes for pitch in dataset.events.encoding.pitches(note)]
        for part, notes in dataset.notes_of_parts.items()
        if not player_of(dataset.events.parts, part).is_drum
    }
    return {part: (min(found), max(found)) for part, found in pitches.items() if found}


def voices_of(dataset: Dataset) -> tuple[str, ...]:
    """Give the parts that are voices, from the highest to the lowest.

    These are the parts of a recipe that lists them by name from the highest to the lowest: the middle of the range of each
    lies no higher than that of the one before. All others have none.
    """
    if dataset.events.parts != "names":
        return ()
    ranges = training_ranges(dataset)
    voices = tuple(part for part in dataset.vocabularies[PART].values if part in ranges)
    middles = [sum(ranges[part]) for part in voices]
    return voices if len(voices) > 1 and middles == sorted(middles, reverse=True) else ()


def describe_parts(dataset: Dataset, pieces: Iterable[PieceNotes]) -> dict[str, Any]:
    """Describe at least one piece as `part_statistics.describe` does, with `voice_leading` where there are voices."""
    notes = [(in_parts(dataset, piece), piece.ticks_per_quarter) for piece in pieces]
    found = describe(joined(PartCounts.of(own, ticks) for own, ticks in notes), training_ranges(dataset))
    if voices := voices_of(dataset):
        places = [dataset.vocabularies[PART].values.index(voice) for voice in voices]
        counted = sum((voice_leading(own, places) for own, _ in notes), VoiceLeading())
        found["voice_leading"] = {"chords": counted.chords, **counted.per_100_chords}
    return found


def parts_key(spec: Mapping[str, Any], *, is_in_parts: bool) -> dict[str, Any]:
    """Give the spec of a stage that measures music: with parts it says how they are measured, without it stays as it is."""
    return {**spec, "part_measures": PART_MEASURES_VERSION} if is_in_parts else dict(spec)
