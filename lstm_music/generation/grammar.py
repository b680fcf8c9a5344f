"""Which value may follow which: only music that survives a write/read round trip, in the pitches of the training pieces.

An offset has to lead to a point of the grid, or reading would move the note. If every note is an event of its own, an offset of
0 needs a higher pitch than the note before, because events of one onset are read in the order of their pitches.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.chords import ChordEncoding
from lstm_music.encoding.events import EventSpec
from lstm_music.encoding.shapes import Shapes, shapes_of
from lstm_music.encoding.vocabulary import SPECIAL_IDS, Vocabulary

MANY_STEPS = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Grammar:
    """The rules of one recipe's encoding as tables, and its `streams` in the order of the chain.

    `offset_steps` int32 [offset ids] is 0 for special ids, and so is `duration_steps` [duration ids]. `on_grid` bool [steps
    per quarter, offset ids] says which offset may follow in each phase of a quarter, `notes` bool [note ids] which notes may
    be chosen, `durations` bool [duration ids] which durations. `ascending` says whether notes of one onset have to ascend; then
    the ids of notes ascend with their pitches. `shapes` are those of the note ids.
    """

    streams: tuple[str, ...]
    steps_per_quarter: int
    offset_steps: npt.NDArray[np.int32]
    duration_steps: npt.NDArray[np.int32]
    on_grid: npt.NDArray[np.bool_]
    notes: npt.NDArray[np.bool_]
    durations: npt.NDArray[np.bool_]
    ascending: bool
    shapes: Shapes


def make_grammar(
    spec: EventSpec, vocabularies: Mapping[str, Vocabulary], max_quarters: float = math.inf, *, any_pitch: bool = False
) -> Grammar:
    """Draw up the rules for an encoding and its vocabularies.

    No note and no silence lasts longer than `max_quarters`; if every value of a stream is longer, the shortest is allowed.
    Pitches lie within those of the training pieces, unless `any_pitch` allows all that the vocabulary has.
    """
    grid = spec.grid
    offsets, durations = (_steps(vocabularies[stream], spec) for stream in ("offset", "duration"))
    phases = np.arange(grid.steps_per_quarter)
    on_grid = grid.on_grid(phases[:, None] + offsets) & _within(offsets, max_quarters * grid.steps_per_quarter)
    return Grammar(
        tuple(vocabularies),
        grid.steps_per_quarter,
        offsets,
        durations,
        on_grid,
        _notes(vocabularies["note"], spec.encoding, any_pitch=any_pitch),
        _within(durations, max_quarters * grid.steps_per_quarter),
        ascending=spec.chords == "per_note",
        shapes=shapes_of(vocabularies["note"]),
    )


def training_range(notes: Vocabulary, encoding: ChordEncoding) -> tuple[int, int] | None:
    """Return the lowest and the highest pitch (MIDI numbers) of the training pieces; None if they hold no note.

    The vocabulary counts the values of the training pieces, without transpositions: those count 0. Values without octaves count
    as the pitches that the encoding writes for them.
    """
    pitches = [
        pitch
        for value, count in zip(notes.values, notes.counts, strict=True)
        if count
        for pitch in encoding.pitches(value)
    ]
    return (min(pitches), max(pitches)) if pitches else None


def _notes(vocabulary: Vocabulary, encoding: ChordEncoding, *, any_pitch: bool) -> npt.NDArray[np.bool_]:
    """Say which note ids may be chosen; the special ones may not."""
    span = None if any_pitch else training_range(vocabulary, encoding)
    lowest, highest = span or (0, 127)
    inside = [all(lowest <= pitch <= highest for pitch in encoding.pitches(value)) for value in vocabulary.values]
    return np.array([False] * SPECIAL_IDS + inside, np.bool_)


def _within(steps: npt.NDArray[np.int32], most: float) -> npt.NDArray[np.bool_]:
    """Say which ids stand for values of at most `most` steps; the special ones stand for none."""
    values = steps[SPECIAL_IDS:]
    allowed = values <= max(most, values.min(initial=MANY_STEPS))
    return np.concatenate([np.zeros(SPECIAL_IDS, np.bool_), allowed])


def _steps(vocabulary: Vocabulary, spec: EventSpec) -> npt.NDArray[np.int32]:
    return np.array([0] * SPECIAL_IDS + [spec.grid.steps(value) for value in vocabulary.values], np.int32)
