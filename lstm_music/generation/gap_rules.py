"""A gap in given music that is written anew: what was kept is heard as it is, and new notes begin in the gap alone.

The models read what comes before the gap as a prompt. In the gap new events are sampled, and what is kept of it (other parts, or
the other hand) is placed among them as given music is. Then the music behind the gap is given note for note, so that the loop
tells how likely the models find it after the new bars.

The gap ends exactly at its right barline: an offset that leads past it leads to the first note behind it. Some outputs can hold
the replaced notes instead of new ones; they tell how likely the same music is after those.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstm_music.encoding.streams import PART, STREAMS
from lstm_music.encoding.vocabulary import END
from lstm_music.generation.ending import NEVER, with_room
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
DURATION = STREAMS[2]


@dataclass(frozen=True, eq=False)
class GapMusic(GivenMusic):
    """The rules of a gap. All tables but `positions` and `rests` have a first axis: new notes are made, or replaced ones given.

    `replays` int32 [outputs] is 1 for outputs of the second kind.
    """

    gap: Gap
    replays: npt.NDArray[np.int32]

    @classmethod
    def around(
        cls,
        grammar: Grammar,
        gap: Gap,
        given: GivenNotes,
        replayed: GivenNotes,
        neighbours: GivenNotes,
        side: Side,
        replays: npt.NDArray[np.int32],
    ) -> "GapMusic":
        """Draw up the tables; `grammar` is that of new notes.

        `given` are the notes from the gap's start on that stay, `replayed` the same with those that are replaced. New notes lie
        on a `side` of the `neighbours`, which may sound from before the gap.
        """
        end, steps = given.end, np.arange(given.end + 1)
        is_free = (steps >= gap.start) & (steps < gap.stop)
        bound = zip(bounds(grammar, neighbours, side), _CLOSED, strict=True)
        low, high = (np.where(is_free, at, closed) for at, closed in bound)
        highest = np.where(is_free, highest_notes(grammar, low, high), _NONE)
        hops, lands = hops_to(grammar, given.onsets, end, highest > _NONE, gap.begin)
        own_hops, nowhere = hops_to(grammar, replayed.onsets, end, np.zeros(end + 1, np.bool_), gap.begin)
        notes = max(len(given.onsets), len(replayed.onsets))

        def and_closed(table: npt.NDArray[Any], value: int) -> npt.NDArray[np.int32]:
            return np.stack([table, np.full(end + 1, value)]).astype(np.int32)

        return cls(
            grammar=grammar,
            rows=np.stack([_rows(given, notes), _rows(replayed, notes)]),
            end=end,
            positions=given.positions.astype(np.int32),
            rests=given.rests.astype(np.int32),
            hops=_or_end(np.stack([hops, own_hops])),
            lands=np.stack([lands, nowhere]),
            highest=and_closed(highest, _NONE),
            low=and_closed(low, _CLOSED[0]),
            high=and_closed(high, _CLOSED[1]),
            at_once=int(_or_end(np.array(offset_of_nothing(grammar)))),
            gap=gap,
            replays=replays,
        )

    def allowed(self, stream: str, allowed: Any, following: Any, onset: Any, last: Any, is_given: Any) -> Any:
        """Say which ids may be sampled: behind the gap, and where replaced notes are given, those of given notes alone."""
        found = super().allowed(stream, allowed, following, onset, last, is_given)
        if stream == PART:
            is_free = self._at(self.lands, onset)[:, None]
            part = self._row(following)[:, 1:2]
            return tf.where(is_free, found, tf.range(allowed.shape[-1])[None] == part)
        if stream == DURATION:
            inside = with_room(allowed, tf.constant(self.grammar.duration_steps), self.gap.until - onset)
            return tf.where(is_given[:, None], allowed, inside)
        return found

    def _row(self, following: Any) -> Any:
        rows = self.rows.shape[1]
        place = tf.constant(self.replays) * rows + tf.minimum(following, rows - 1)
        return tf.gather(tf.constant(self.rows.reshape(-1, _COLUMNS)), place)

    def _at(self, table: npt.NDArray[Any], step: Any) -> Any:
        if table.ndim == 1:
            return super()._at(table, step)
        shape = [-1, *[1] * (len(step.shape) - 1)]
        place = tf.reshape(tf.constant(self.replays), shape) * (self.end + 1) + tf.minimum(step, self.end)
        return tf.gather(tf.constant(table.reshape(-1)), place)


def _or_end(offsets: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Let an output end, which leaves it out, where no offset leads on."""
    return np.where(offsets == _NONE, END, offsets)


def _rows(given: GivenNotes, notes: int) -> npt.NDArray[np.int32]:
    """Give the notes as rows, int32 [notes + 1, columns], with rows of no note behind them."""
    columns = (given.onsets, given.parts, given.notes, given.durations, given.velocities)
    own = np.stack(columns, 1)
    none = np.array([NEVER, *[_NONE] * (_COLUMNS - 1)])
    return np.concatenate([own, np.tile(none, (notes + 1 - len(own), 1))]).astype(np.int32)
