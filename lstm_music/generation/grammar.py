"""What may follow what: only music that is written and read back unchanged.

An offset has to lead to a point of the grid, or reading would move the note. Where every note is an event of its own, an
offset of 0 needs a higher pitch than the note before, because events of one onset are read in the order of their pitches.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.events import EventSpec
from lstm_music.encoding.shapes import Shapes, shapes_of
from lstm_music.encoding.vocabulary import SPECIAL_IDS, Vocabulary

MANY_STEPS = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Grammar:
    """The rules of one recipe's encoding as tables, and its `streams` in the order of the chain.

    `offset_steps` int32 [offset ids] is 0 for special ids, and so is `duration_steps` [duration ids]. `on_grid` bool [steps
    per quarter, offset ids] says which offset may follow in each phase of a quarter, `durations` bool [duration ids] how long
    an event may be; `ascending` whether notes of one onset have to ascend, in which case the ids of notes ascend with their
    pitches. `shapes` are those of the note ids.
    """

    streams: tuple[str, ...]
    steps_per_quarter: int
    offset_steps: npt.NDArray[np.int32]
    duration_steps: npt.NDArray[np.int32]
    on_grid: npt.NDArray[np.bool_]
    durations: npt.NDArray[np.bool_]
    ascending: bool
    shapes: Shapes


def make_grammar(spec: EventSpec, vocabularies: Mapping[str, Vocabulary], max_quarters: float = math.inf) -> Grammar:
    """Draw up the rules for an encoding and its vocabularies; nothing may last, or keep silent, for more than `max_quarters`.

    Where every value of a stream is longer, the shortest is allowed.
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
        _within(durations, max_quarters * grid.steps_per_quarter),
        ascending=spec.chords == "per_note",
        shapes=shapes_of(vocabularies["note"]),
    )


def _within(steps: npt.NDArray[np.int32], most: float) -> npt.NDArray[np.bool_]:
    """Say which ids stand for values of at most so many steps; the special ones stand for none."""
    values = steps[SPECIAL_IDS:]
    allowed = values <= max(most, values.min(initial=MANY_STEPS))
    return np.concatenate([np.zeros(SPECIAL_IDS, np.bool_), allowed])


def _steps(vocabulary: Vocabulary, spec: EventSpec) -> npt.NDArray[np.int32]:
    return np.array([0] * SPECIAL_IDS + [spec.grid.steps(value) for value in vocabulary.values], np.int32)
