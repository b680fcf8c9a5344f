"""A music file of the user's as a prompt: its last events, or some of its bars, and what of it the models cannot read."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lstm_music.encoding.bars import bars_of
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.events import PieceEvents
from lstm_music.encoding.parts import PartReader
from lstm_music.encoding.streams import PART
from lstm_music.errors import RejectedInputError, SourceError
from lstm_music.generation.prompt import Prompt, cut_segment
from lstm_music.generation.spec import GenerationSpec
from lstm_music.generation.steering import read_bars
from lstm_music.midi.notes import Bar, PieceNotes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.text import printable
from lstm_music.midi.usable import require_music
from lstm_music.scores.mirex import read_mirex
from lstm_music.scores.reading import read_score
from lstm_music.scores.spec import Repeats
from lstm_music.sources.books import one_tune
from lstm_music.sources.entry import Refused, music_format
from lstm_music.sources.file import read_file
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.data.events import read_piece
from lstm_music.stages.music.segments import knows_drums

MIREX, RESULT = "mirex", "result"
"""Formats beside those of music files: a prompt of the MIREX task, and the MIDI file of a result, whose bars are known."""

EXTENSIONS = {"midi": "mid", "musicxml": "musicxml", "abc": "abc", "kern": "krn", MIREX: "json", RESULT: "mid"}
"""Of a copy of a file of each format."""

PIANOS = range(8)
FAMILIES = (  # of eight programs each, by General MIDI
    "pianos",
    "chromatic percussion",
    "organs",
    "guitars",
    "basses",
    "strings",
    "ensembles",
    "brass",
    "reeds",
    "pipes",
    "synth leads",
    "synth pads",
    "synth effects",
    "folk instruments",
    "percussive instruments",
    "sound effects",
)


@dataclass(frozen=True)
class PromptMidi:
    """A file of the user's to go on from: its name, bytes and format, and how often repeated bars of a score are read."""

    name: str
    data: bytes
    format: str
    repeats: Repeats = "once"

    @property
    def sha256(self) -> str:
        """The digest of its bytes."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def spec(self) -> dict[str, str]:
        """What of the file decides the music; a MIDI file has no signs of repetition."""
        has_signs = self.format != "midi" and self.repeats != "once"
        return {"name": self.name, "sha256": self.sha256, **({"repeats": self.repeats} if has_signs else {})}

    def read(self) -> PieceNotes:
        """Read its music; RejectedInputError if there is none."""
        if self.format == MIREX:
            return read_mirex(self.data)
        if self.format == RESULT:
            return _in_its_bars(read_midi(self.data))
        return (
            read_midi(self.data) if self.format == "midi" else read_score(self.data, self.format, repeats=self.repeats)
        )


def _in_its_bars(piece: PieceNotes) -> PieceNotes:
    """Give a result its bars, which begin with its file: no pickup has to be guessed."""
    signatures = piece.time_signatures
    if len(signatures) != 1 or signatures[0].tick:
        return piece  # its bars are those of the music that it accompanies
    bar = 4 * piece.ticks_per_quarter * signatures[0].numerator // signatures[0].denominator
    last = int(piece.notes["onset_ticks"].max(initial=0)) // bar
    return replace(piece, bars=tuple(Bar(number * bar, number + 1, 0, bar) for number in range(last + 1)))


def read_prompt_midi(path: Path, repeats: Repeats = "once") -> PromptMidi:
    """Read the file given by `--prompt-midi`, or a tune of a book, such as `book.abc/12`; `repeats` is the recipe's.

    Raises SourceError if it does not exist, if its extension is not one of music files, or if it is a whole book.
    """
    if path.is_dir():
        raise SourceError(f"{path}: expected a music file, got a folder; give one of its files")
    is_in_book = music_format(path.parent.name) == "abc" and path.parent.is_file()
    file, tune = (path.parent, path.name) if is_in_book else (path, "")
    form = music_format(file.name)
    if form is None:
        raise SourceError(f"{path}: not a music file by its extension; give a .mid file")
    read = read_file(file, printable(file.name))
    if isinstance(read, Refused):
        raise SourceError(f"{path}: {read.reason}; give the path of a music file")
    if form == "abc":
        read = one_tune(read, tune)
    return PromptMidi(read.name, read.data, form, repeats)


def read_music_of(dataset: Dataset, file: PromptMidi, purpose: str) -> PieceNotes:
    """Read a file of the user's; RejectedInputError if it has no music that these models can read, with the words `purpose`."""
    try:
        piece = file.read()
        require_music(piece, has_drums=knows_drums(dataset))
    except RejectedInputError as error:
        raise RejectedInputError(f"{file.name}: {error}; give a file with notes {purpose}") from error
    if dataset.events.reading != "exact" and file.format not in {"midi", RESULT}:
        raise RejectedInputError(f"{file.name}: is {file.format}, and these models read MIDI files; give a .mid file")
    return piece


def segment_of_file(dataset: Dataset, prompt_midi: PromptMidi, spec: GenerationSpec) -> tuple[Prompt, list[str]]:
    """Take bars of a file of the user's, or its last events, or all of a shorter one; and sentences about what was left out.

    Raises RejectedInputError for a file without music, SourceError for bars that it does not have.
    """
    name, form = prompt_midi.name, "midi" if prompt_midi.format == RESULT else prompt_midi.format
    piece = read_music_of(dataset, prompt_midi, "to go on from")
    known = of_known_parts(dataset)
    events = read_piece(piece, known, name=name, form=form, raw=lambda: prompt_midi.data)
    if not len(events):
        raise RejectedInputError(f"{name}: these models read no event in it; give a longer piece")
    taken = _events_of_bars(piece, events, name, spec.prompt_bars) if spec.prompt_bars else None
    first, stop = taken or (max(len(events) - spec.prompt_events, 0), len(events))
    segment = cut_segment(
        piece,
        events,
        dataset.events,
        dataset.vocabularies,
        name=name,
        first=first,
        length=stop - first,
        knowledge=dataset.knowledge,
    )
    if taken:
        segment = _with_silent_bars(segment, piece, known, spec.prompt_bars)
    cut_warnings = [] if taken else _cut_warnings(segment, len(events))
    if form == MIREX and segment.replaced:
        unknown = (
            "a value of the prompt is" if segment.replaced == 1 else f"{segment.replaced} values of the prompt are"
        )
        cut_warnings.append(f"{name}: {unknown} unknown to these models, which hear the nearest one instead")
    return segment, [*cut_warnings, *file_warnings(piece, name, known)]


def _events_of_bars(piece: PieceNotes, events: PieceEvents, name: str, bars: str) -> tuple[int, int]:
    """Return the first event of some bars, and the one behind their last. Raises SourceError if no event begins in them.

    A file in MIDI ends with the bar of its last event, a score with its last bar.
    """
    first, last = read_bars(bars)
    taken = np.flatnonzero((events.bar >= first) & (events.bar <= last))
    end = max([int(events.bar.max()), *(bar.number for bar in piece.bars)])
    if not len(taken) or last > end:
        raise SourceError(
            f"--prompt-bars: expected bars of {name}, which has {events.bar.min()} to {end}, got {bars!r}"
        )
    return int(taken[0]), int(taken[-1]) + 1


def _with_silent_bars(segment: Prompt, piece: PieceNotes, known: EventSpec, bars: str) -> Prompt:
    """Let a prompt have all bars that were asked for, also first and last ones in which no event begins."""
    first, last = read_bars(bars)
    rest = (last - segment.bars[1]) * segment.bar_steps
    return replace(segment, bars=(max(first, bars_of(piece, known.grid)[0].number), last), rest_steps=rest)


def of_known_parts(dataset: Dataset) -> EventSpec:
    """Give the encoding in which notes of parts that the models do not know go to the most similar one."""
    if dataset.events.parts == "none":
        return dataset.events
    known = dataset.vocabularies[PART].values
    return EventSpec.model_validate({**dataset.events.model_dump(), "part_names": known, "other_parts": "merge"})


def _cut_warnings(segment: Prompt, events: int) -> list[str]:
    """Say that a prompt is only the end of its file."""
    if not segment.first:
        return []
    first, last = segment.bars
    end = f"the last {len(segment.tokens):,} of {events:,} events (bars {first} to {last})"
    return [f"{segment.name}: the prompt is {end}; --prompt-events {events} takes all"]


def file_warnings(piece: PieceNotes, name: str, spec: EventSpec) -> list[str]:
    """Say what of a file could not be read, and who plays the notes of what the models do not know."""
    if spec.part_reader is not None:
        return [f"{name}: {warning}" for warning in (*piece.warnings, *_replaced(spec.part_reader, piece))]
    drums = int(np.count_nonzero(piece.notes["is_drum"]))
    families = np.unique(piece.notes["program"][~piece.notes["is_drum"]] // len(PIANOS)).tolist()
    others = [FAMILIES[family] for family in families if family]
    warnings = [f"{name}: {warning}" for warning in piece.warnings]
    if others:
        warnings.append(
            f"{name}: the piano plays the notes of {_listed(others)}, because the models know one instrument"
        )
    if drums:
        warnings.append(f"{name}: {drums:,} drum {'note is' if drums == 1 else 'notes are'} left out")
    return warnings


def _replaced(reader: PartReader, piece: PieceNotes) -> Iterator[str]:
    for called, part, notes in reader.replaced(piece):
        if part:
            yield f"the {part} plays the {notes:,} {'note' if notes == 1 else 'notes'} of the {called}"
        else:
            yield f"{notes:,} {'note' if notes == 1 else 'notes'} of the {called} {'is' if notes == 1 else 'are'} left out"


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]
