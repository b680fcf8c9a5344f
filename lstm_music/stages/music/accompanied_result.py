"""What the loop made around given music → a result that holds the given notes as they were, and what is said of it."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.chords import PITCH_NAMES
from lstm_music.encoding.events import decode
from lstm_music.encoding.streams import PART, VELOCITY
from lstm_music.encoding.velocities import velocities
from lstm_music.encoding.vocabulary import steps_of
from lstm_music.generation.given import is_given
from lstm_music.generation.loop import Made
from lstm_music.midi.notes import PieceNotes, Tempo, TimeSignature
from lstm_music.midi.parts import Part, in_parts
from lstm_music.midi.titles import piece_title
from lstm_music.rendering.hands import HAND_NAMES
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.accompaniment import Accompanied

_WHOLE_NOTES = (4, 8, 16, 32, 64)
"""Denominators of the time signature of a pickup."""


def new_events(dataset: Dataset, given: Accompanied, made: Made) -> npt.NDArray[np.bool_]:
    """Say which events of a result are new, bool [events]."""
    return ~is_given(made.tokens, steps_of(dataset.vocabularies["offset"], dataset.events.grid), given.notes)


def with_given(dataset: Dataset, given: Accompanied, made: Made) -> PieceNotes:
    """Put the new events of a result beside the given notes, which keep their durations and velocities.

    Tempos and signatures are those of the given music. Without parts each hand has a track of its own.
    """
    grid, own = dataset.events.grid, given.events
    values = {
        stream: [vocabulary.value(token) for token in made.tokens[:, column].tolist()]
        for column, (stream, vocabulary) in enumerate(dataset.vocabularies.items())
    }
    events, has_parts = len(made.tokens), PART in values
    loud = velocities(values[VELOCITY]).tolist() if VELOCITY in values else [given.segment.velocity] * events
    lasting = [grid.steps(value) for value in values["duration"]]
    onsets = np.cumsum([grid.steps(value) for value in values["offset"]]).tolist()
    made_rows = zip(onsets, values["note"], lasting, loud, values.get(PART, [""] * events), strict=True)
    new = [row for row, is_new in zip(made_rows, new_events(dataset, given, made), strict=True) if is_new]
    kept = (own.note, own.duration_steps.tolist(), own.velocity.tolist(), own.part or [""] * len(own))
    rows = sorted([*new, *zip(own.onset_steps.tolist(), *kept, strict=True)], key=lambda row: int(row[0]))
    onset, note, duration, velocity, part = zip(*rows, strict=True)
    result = decode(
        note,
        np.diff(onset, prepend=0),
        duration,
        velocity,
        dataset.events,
        part=part if has_parts else None,
    )
    result = replace(result, **_signs(given.part.whole, result.ticks_per_quarter))
    return (
        result if has_parts else in_parts(result, [Part(name) for name in HAND_NAMES], _hands(dataset, given, result))
    )


def facts(dataset: Dataset, given: Accompanied, made: Made) -> dict[str, Any]:
    """Give the facts about the given part of a result: how likely the models find its notes stands apart."""
    is_new = new_events(dataset, given, made)
    nats = {"nats_per_event": made.nats[~is_new], "new_nats_per_event": made.nats[is_new]}
    return {
        "file": given.melody.file.name,
        "part": given.part.name,
        "notes": len(given.events),
        "title": piece_title(given.melody.file.name, given.part.whole),
        **{name: round(float(found.mean()), 4) if len(found) else None for name, found in nats.items()},
    }


def _hands(dataset: Dataset, given: Accompanied, result: PieceNotes) -> npt.NDArray[np.int64]:
    """Say which hand plays each note of a result, 0 for the right one; new notes lie below or above the given ones."""
    ticks = result.ticks_per_quarter // dataset.events.grid.steps_per_quarter
    pitches = [PITCH_NAMES.index(note) for note in given.events.note]
    own = {*zip((given.events.onset_steps * ticks).tolist(), pitches, strict=True)}
    notes = zip(result.notes["onset_ticks"].tolist(), result.notes["pitch"].tolist(), strict=True)
    is_given = np.array([note in own for note in notes], np.bool_)
    return (is_given if given.part.side == "above" else ~is_given).astype(np.int64)


def _signs(whole: PieceNotes, ticks_per_quarter: int) -> dict[str, Any]:
    """Give the tempos and signatures of given music in other ticks; those behind its last note stay, too."""

    def moved(tick: int) -> int:
        return round(tick * ticks_per_quarter / whole.ticks_per_quarter)

    tempos = [Tempo(moved(one.tick), one.microseconds_per_quarter) for one in whole.tempos] or [Tempo(0, 500_000)]
    meters = [replace(one, tick=moved(one.tick)) for one in with_pickup(whole)]
    keys = [replace(one, tick=moved(one.tick)) for one in whole.key_signatures]
    return {
        "tempos": tuple(tempos),
        "time_signatures": tuple(meters) or (TimeSignature(0, 4, 4),),
        "key_signatures": tuple(keys),
    }


def with_pickup(whole: PieceNotes) -> Sequence[TimeSignature]:
    """Give the time signatures of given music, with one for the pickup of a score: a MIDI file has no other sign of it."""
    signatures = whole.time_signatures
    if len(whole.bars) < 2 or not whole.bars[0].begins_at_ticks or len(signatures) == 0:
        return signatures
    length = whole.bars[1].tick - whole.bars[0].tick
    quarters = Fraction(length, whole.ticks_per_quarter)
    parts = next((parts for parts in _WHOLE_NOTES if (quarters * parts / 4).denominator == 1), None)
    if parts is None or any(0 < one.tick <= length for one in signatures):
        return signatures
    first = replace(signatures[0], tick=length)
    return (TimeSignature(0, int(quarters * parts / 4), parts), first, *signatures[1:])
