"""The echoes of each event as it is made: what `encoding.echoes` finds in a whole piece, event by event.

Of each event in memory there is kept how many events in a row, up to it, sounded like those up to the latest one: its run. Few
events have one, namely those that sound like the latest; so only these are looked at again.
Generation looks back at most `MOST_HEARD` events, and has nothing from before the prompt; on the held-out pieces
1.6 % of the melody's echoes and 1.2 % of the rhythm's come from farther back than that.
"""

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import (
    HIGHEST_INTERVAL,
    KINDS,
    LENGTHS,
    NO_HEIGHT,
    NO_INTERVAL,
    NOTE,
    pack,
    with_part,
)
from lstm_music.encoding.shapes import PITCHES, Shapes
from lstm_music.encoding.vocabulary import START

MOST_HEARD = 4096
"""The farthest echo, in events: beyond it, time would be lost."""

MELODY = KINDS.index("melody")

_REACHED = np.searchsorted(
    LENGTHS, np.arange(LENGTHS[-1] + 1), "right"
)  # by the length of a run: its position in `LENGTHS`

Ids = npt.NDArray[np.int64]


class Past:
    """What was heard in each output, the earliest event first; `hear` writes into it.

    `events` int32 [outputs, places, streams] has `count` events so far, and looks back at most `distances` of them. `keys`
    int64 [kinds, outputs, places] are those of `encoding.echoes.event_keys`. `heights` int32 [outputs, places + 1] are the
    pitches from which intervals are counted: at each place that before the event, so the latest is at `count`.
    """

    def __init__(self, outputs: int, places: int, streams: int, shapes: Shapes) -> None:
        self.shapes, self.is_pitched = shapes, shapes.is_pitched
        self.count, self.distances = 0, min(places, MOST_HEARD)
        self.events = np.zeros((outputs, places, streams), np.int32)
        self.heights = np.full((outputs, places + 1), NO_HEIGHT, np.int32)
        self.keys = np.zeros((len(KINDS), outputs, places), np.int64)
        self._runs = np.zeros(
            (len(KINDS) * outputs, places + 1), np.int32
        )  # each at the place after that where it ends
        self._row, self._place = np.zeros((2, 0), np.int64)  # of all runs

    def hear(self, event: npt.NDArray[np.int32]) -> None:
        """Remember an event, int32 [outputs, streams]."""
        here, before = self.count, self.heights[:, self.count]
        offset, note, duration, *part = event.T.astype(np.int64)
        shape, height = self.shapes.shape[note].astype(np.int64), self.shapes.lowest[note]
        interval, has_interval = height - before + HIGHEST_INTERVAL, before != NO_HEIGHT
        if part:
            is_pitched = self.is_pitched[note]
            shape, height = with_part(shape, part[0]), np.where(is_pitched, height, before)
            has_interval &= is_pitched
        self.events[:, here], self.heights[:, here + 1] = event, height
        self.keys[..., here] = pack(offset, duration, shape, np.where(has_interval, interval, NO_INTERVAL))
        self.count += 1
        self._run_on()

    def _run_on(self) -> None:
        """Find the runs up to the event just heard: those that go on are one longer."""
        here = self.count - 1
        start = max(here - self.distances, 0)
        keys = self.keys.reshape(len(self._runs), -1)
        row, place = are_at(keys[:, start:here] == keys[:, here, None])
        place += start + 1
        longer = self._runs[row, place - 1] + 1
        self._runs[self._row, self._place] = 0
        self._runs[row, place] = longer
        self._row, self._place = row, place

    def latest_echoes(self, ranks: int = 1) -> npt.NDArray[np.int32]:
        """Give the best echoes of the latest event, int32 [outputs, ranks · echo columns]."""
        outputs, _, streams = self.events.shape
        best = best_runs(self._row, self._place, self._runs[self._row, self._place], len(self._runs), ranks)
        places, lengths = (one.reshape(len(KINDS), outputs, ranks) for one in best)
        output = np.arange(outputs)[:, None]
        values = self.events[output, places]
        values[MELODY, ..., NOTE] = self._in_the_key_of_here(values[MELODY, ..., NOTE], output, places[MELODY])
        columns = np.empty((outputs, ranks, len(KINDS), streams + 1), np.int32)
        columns[..., :streams] = np.where(lengths[..., None] > 0, values, START).transpose(1, 2, 0, 3)
        columns[..., streams] = lengths.transpose(1, 2, 0)
        return columns.reshape(outputs, -1)

    def _in_the_key_of_here(self, notes: npt.NDArray[np.int32], output: Ids, places: Ids) -> npt.NDArray[np.int32]:
        """Move the notes at the places, int32 [outputs, ranks], as far as what stands before them is from the latest."""
        here, there = self.heights[:, self.count, None], self.heights[output, places]
        interval = np.where((here == NO_HEIGHT) | (there == NO_HEIGHT), 0, here - there)
        moved: npt.NDArray[np.int32] = self.shapes.ids[
            self.shapes.shape[notes], PITCHES + self.shapes.lowest[notes] + interval
        ]
        return moved


def begin(tokens: npt.NDArray[np.int32], more: int, shapes: Shapes) -> Past:
    """Begin with the events of the prompts, tokens [events, outputs, streams], which so many `more` will follow."""
    count, outputs, streams = tokens.shape
    past = Past(outputs, count + more, streams, shapes)
    for event in tokens:
        past.hear(event)
    return past


def are_at(are: npt.NDArray[np.bool_]) -> tuple[Ids, Ids]:
    """Give the rows and the columns where a table is true; several times as fast as `numpy.nonzero`."""
    counts = np.count_nonzero(are, axis=1)
    row = np.repeat(np.arange(len(are)), counts)
    return row, np.flatnonzero(are) - row * are.shape[1]


def best_runs(row: Ids, place: Ids, run: npt.NDArray[np.int32], rows: int, ranks: int) -> tuple[Ids, Ids]:
    """Choose the best runs of each of so many rows, given the row, the place and the length in events of each run.

    Give their places, and the positions of their lengths in `LENGTHS`; both int64 [rows, ranks], the longest run first, of
    equal ones the latest. Both are 0 where there is none.
    """
    found = np.zeros((2, rows, ranks), np.int64)
    if not len(row):
        return found[0], found[1]
    places = int(place.max()) + 1
    reached = _REACHED[np.minimum(run, LENGTHS[-1])]
    order = np.sort((row * (len(LENGTHS) + 1) + reached) * places + place)
    counts = np.bincount(row, minlength=rows)
    rank = np.arange(ranks)
    is_there = rank < counts[:, None]
    best = order[(np.cumsum(counts)[:, None] - 1 - rank)[is_there]]
    found[0, is_there], found[1, is_there] = best % places, best // places % (len(LENGTHS) + 1)
    return found[0], found[1]
