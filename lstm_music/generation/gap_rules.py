"""A gap in given music that is written anew: what was kept is heard as it is, and new notes begin in the gap alone.

The models read what comes before the gap as a prompt. In the gap new events are sampled, and what is kept of it (other parts, or
the other hand) is placed among them as given music is. Then the music behind the gap is given note for note, so that the loop
tells how likely the models find it after the new bars.

The gap ends exactly at its right barline: an offset that leads past it leads to the first note behind it. Outputs can differ in
what is given to them: some hold the replaced notes instead of new ones, and tell how likely the same music is after those; others
hold the first new notes of an earlier run, and go on from there. Each run has its own scripts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.streams import PART
from lstm_music.encoding.vocabulary import END
from lstm_music.generation.ending import NEVER
from lstm_music.generation.gap import Gap
from lstm_music.generation.given import (
    GivenMusic,
    GivenNotes,
    Side,
    bounds,
    highest_notes,
    hops_to,
    offset_of_nothing,
)
from lstm_music.generation.grammar import Grammar

_NONE = -1
_CLOSED = (127, -2)  # no pitch lies between
_COLUMNS = 5
_TABLES = ("rows", "hops", "lands", "highest", "low", "high")


@dataclass(frozen=True, eq=False)
class Script:
    """What is given to some outputs, sorted: `notes`, int64 [notes, (onset, part, note, duration, velocity)].

    New notes may begin from step `begin` on.
    """

    notes: npt.NDArray[np.int64]
    begin: int

    @classmethod
    def of(cls, given: GivenNotes, begin: int) -> "Script":
        """Give the notes of given music."""
        return cls(
            np.stack([given.onsets, given.parts, given.notes, given.durations, given.velocities], 1).astype(np.int64),
            begin,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class GapMusic(GivenMusic):
    """The rules of a gap. The first axis of all tables but `positions` and `rests` are scripts.

    `script_of` int32 [outputs] says which one each output has. New notes lie between pitches `inside` (low, high), int32 [steps].
    """

    gap: Gap
    script_of: npt.NDArray[np.int32]
    inside: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]

    @classmethod
    def around(
        cls,
        grammar: Grammar,
        gap: Gap,
        given: GivenNotes,
        neighbours: GivenNotes,
        side: Side,
        *,
        outputs: int,
        scripts: int,
        events: int,
    ) -> "GapMusic":
        """Make rules for so many outputs and scripts, each of at most so many events; `grammar` is that of new notes.

        `given` has the bars. New notes lie on a `side` of the `neighbours`, which may sound from before the gap.
        """
        steps = given.end + 1

        def table(kind: Any, *shape: int) -> npt.NDArray[Any]:
            return np.zeros((scripts, *shape), kind)

        return cls(
            grammar=grammar,
            rows=table(np.int32, events + 1, _COLUMNS),
            end=given.end,
            positions=given.positions.astype(np.int32),
            rests=given.rests.astype(np.int32),
            hops=table(np.int32, steps),
            lands=table(np.bool_, steps),
            highest=table(np.int32, steps),
            low=table(np.int32, steps),
            high=table(np.int32, steps),
            room=np.maximum(gap.until - np.arange(steps), 0).astype(np.int32),
            at_once=int(_or_end(np.array(offset_of_nothing(grammar)))),
            gap=gap,
            script_of=np.zeros(outputs, np.int32),
            inside=bounds(grammar, neighbours, side),
        )

    def give(self, scripts: Sequence[Script], script_of: npt.NDArray[np.int32]) -> None:
        """Give scripts to the outputs, as many as there is room for at most."""
        rooms = self.rows.shape[0]
        filled = [*scripts, *[scripts[-1]] * (rooms - len(scripts))]
        tables = {id(script): self._tables(script) for script in scripts}
        for name in _TABLES:
            getattr(self, name)[...] = np.stack([tables[id(script)][name] for script in filled])
        self.script_of[...] = script_of

    def allowed(self, stream: str, allowed: Any, following: Any, onset: Any, last: Any, is_given: Any) -> Any:
        """Say which ids may be sampled: where no new note may begin, those of given notes alone."""
        found = super().allowed(stream, allowed, following, onset, last, is_given)
        if stream == PART:
            is_free = self._at(self.lands, onset)[:, None]
            part = self._row(following)[:, 1:2]
            return np.where(is_free, found, np.arange(allowed.shape[-1])[None] == part)
        return found

    def _tables(self, script: Script) -> dict[str, npt.NDArray[Any]]:
        steps, rows = np.arange(self.end + 1), self.rows.shape[1]
        is_free = (steps >= script.begin) & (steps < self.gap.stop)
        low, high = (np.where(is_free, at, closed) for at, closed in zip(self.inside, _CLOSED, strict=True))
        highest = np.where(is_free, highest_notes(self.grammar, low, high), _NONE)
        hops, lands = hops_to(self.grammar, script.notes[:, 0], self.end, highest > _NONE, self.gap.begin)
        none = np.array([NEVER, *[_NONE] * (_COLUMNS - 1)])
        given = np.concatenate([script.notes, np.tile(none, (rows - len(script.notes), 1))])
        found = {"rows": given, "hops": _or_end(hops), "highest": highest, "low": low, "high": high}
        return {"lands": lands, **{name: table.astype(np.int32) for name, table in found.items()}}

    def _row(self, following: Any) -> Any:
        return self.rows[self.script_of, np.minimum(following, self.rows.shape[1] - 1)]

    def _at(self, table: Any, step: Any) -> Any:
        if table.ndim == 1:
            return super()._at(table, step)
        of_output = self.script_of.reshape([-1, *[1] * (step.ndim - 1)])
        return table[of_output, np.minimum(step, self.end)]


def _or_end(offsets: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Let an output end, which leaves it out, where no offset leads on."""
    return np.where(offsets == _NONE, END, offsets)
