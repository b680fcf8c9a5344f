"""What may follow what: only music that is written and read back unchanged.

An offset has to lead to a point of the grid, or reading would move the note. Where every note is an event of its own, an
offset of 0 needs a higher pitch than the note before, because events of one onset are read in the order of their pitches.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.events import EventSpec
from lstm_music.encoding.vocabulary import SPECIAL_IDS, Vocabulary


@dataclass(frozen=True, eq=False)
class Grammar:
    """The rules of one recipe's encoding as tables.

    `offset_steps` int32 [offset ids] is 0 for special ids, and so is `duration_steps` [duration ids]. `on_grid` bool [steps
    per quarter, offset ids] says which offset may follow in each phase of a quarter; `ascending` whether notes of one onset
    have to ascend, in which case the ids of notes ascend with their pitches.
    """

    steps_per_quarter: int
    offset_steps: npt.NDArray[np.int32]
    duration_steps: npt.NDArray[np.int32]
    on_grid: npt.NDArray[np.bool_]
    ascending: bool


def make_grammar(spec: EventSpec, vocabularies: Mapping[str, Vocabulary]) -> Grammar:
    """Draw up the rules for an encoding and its vocabularies."""
    grid, offsets = spec.grid, vocabularies["offset"]
    steps = _steps(offsets, spec)
    phases = np.arange(grid.steps_per_quarter)
    on_grid = grid.on_grid(phases[:, None] + steps)
    on_grid[:, :SPECIAL_IDS] = False
    durations = _steps(vocabularies["duration"], spec)
    return Grammar(grid.steps_per_quarter, steps, durations, on_grid, ascending=spec.chords == "per_note")


def _steps(vocabulary: Vocabulary, spec: EventSpec) -> npt.NDArray[np.int32]:
    return np.array([0] * SPECIAL_IDS + [spec.grid.steps(value) for value in vocabulary.values], np.int32)
