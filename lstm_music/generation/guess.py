"""The guesses of each event as it is made: what `encoding.guesses` finds in a whole piece, event by event.

All orders are looked up at once, because a context of many events is counted only where those of fewer are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import HIGHEST_INTERVAL, NO_HEIGHT, NO_INTERVAL, NOTE, PART_COLUMN
from lstm_music.encoding.guesses import Floats, blend, expanded, likeliest_of, notes_of
from lstm_music.encoding.ngrams import NO_KEY, ORDERS, Counts, context_hashes, relative_note
from lstm_music.encoding.shapes import Shapes
from lstm_music.encoding.streams import PART, STREAMS, heard
from lstm_music.encoding.vocabulary import UNKNOWN
from lstm_music.generation.echo import MELODY, Past

Ids = npt.NDArray[np.int64]


class Guesser:
    """Guesses by a table of n-grams, whose arrays may be memory-mapped; `sizes` are the numbers of ids of the streams."""

    def __init__(self, counts: Counts, shapes: Shapes, sizes: Mapping[str, int]) -> None:
        self._shapes, self._is_pitched, self._sizes = shapes, shapes.is_pitched, sizes
        self._has_parts = PART in sizes
        arrays = (counts.contexts, counts.starts, counts.values, counts.counts)
        self._contexts, self._starts, self._values, self._counts = map(np.asarray, arrays)
        known = {"offset": 0, PART: 1, "note": 1 + self._has_parts, "duration": 2 + self._has_parts}
        self._hashes = {stream: _hashing(stream, known[stream]) for stream in heard([*sizes])}

    def guess(self, stream: str, past: Past, current: npt.NDArray[np.int32]) -> Ids:
        """Give the guesses of a stream, int64 [outputs, parts], after `past`.

        `current` int32 [outputs, columns] is the event as far as it is known; for the offset, nothing of it is read.
        """
        height = past.heights[:, past.count].astype(np.int64)
        number = self._find(stream, self._known(stream, height, current), _latest_keys(past))
        p, order = self._blended(stream, number, np.maximum(height, 0))
        found = likeliest_of(p, order)
        is_guessed = order > 0
        if stream == STREAMS[NOTE]:  # there may be no pitch from which its interval is counted
            is_guessed &= height != NO_HEIGHT
        found[~is_guessed] = 0
        return found

    def _known(self, stream: str, height: Ids, current: npt.NDArray[np.int32]) -> Sequence[npt.NDArray[Any]]:
        """Give the values that are known of the event, each [outputs], as `ngrams.occasions` does."""
        if stream == STREAMS[0]:
            return ()
        offset, note = current[:, 0], current[:, NOTE]
        before = (offset, current[:, PART_COLUMN]) if self._has_parts and stream != PART else (offset,)
        if stream in (PART, STREAMS[NOTE]):
            return before
        has_interval = height != NO_HEIGHT
        if self._has_parts:
            has_interval &= self._is_pitched[note]
        interval = np.where(has_interval, self._shapes.lowest[note] - height + HIGHEST_INTERVAL, NO_INTERVAL)
        return *before, relative_note(self._shapes.shape[note].astype(np.int64), interval)

    def _find(self, stream: str, known: Sequence[npt.NDArray[Any]], keys: Ids) -> Ids:
        """Give the number of each context, int64 [orders, outputs], or -1; `keys` int64 [events, outputs] are the latest."""
        start, factors = self._hashes[stream]
        values = np.empty((len(known) + len(keys), keys.shape[1]), np.int64)
        values[len(known) :] = keys
        for place, value in enumerate(known):
            values[place] = value
        hashes = start + factors @ values
        if not len(self._contexts):
            return np.full(hashes.shape, -1)
        number = self._contexts.searchsorted(hashes)
        is_it = self._contexts[np.minimum(number, len(self._contexts) - 1)] == hashes
        return np.where(is_it, number, -1)

    def _blended(self, stream: str, number: Ids, before: Ids) -> tuple[Floats, Ids]:
        """Give p of each id, float32 [outputs, ids], and the number of orders up to the highest that is known.

        `number` int64 [orders, outputs] are the contexts. It is blended as in `encoding.guesses`, to the last bit.
        """
        size, (orders, outputs) = self._sizes[stream], number.shape
        of_row, ids, counts = self._followers(stream, number, before)
        passed_on, added = blend(stream, of_row, counts, number.size)
        cell = of_row % outputs * size + ids
        followers = np.bincount(of_row, minlength=number.size).reshape(number.shape)
        borders = [0, *followers.sum(1).cumsum().tolist()]
        p = np.full((outputs, size), 1 / size, np.float32)
        cells = p.reshape(-1)
        for start, stop, scale in zip(borders, borders[1:], passed_on.reshape(orders, outputs, 1), strict=False):
            if start == stop:
                break
            p *= scale
            cells[cell[start:stop]] += added[start:stop]
        return p, (followers > 0).sum(0)

    def _followers(self, stream: str, number: Ids, before: Ids) -> tuple[Ids, Ids, Ids]:
        """Give the row of each entry, an order of an output, its id, and how often it followed there."""
        number = number.reshape(-1)
        start = self._starts[number]
        of_row, entry = expanded(start, np.where(number < 0, 0, self._starts[number + 1] - start))
        ids, counts = self._values[entry].astype(np.int64), self._counts[entry]
        if stream == STREAMS[NOTE]:
            ids = notes_of(ids, before[of_row % len(before)], self._shapes)
        is_id = ids != UNKNOWN
        return of_row[is_id], ids[is_id], counts[is_id]


def _hashing(stream: str, known: int) -> tuple[Ids, Ids]:
    """Give `ngrams.context_hashes` as a start and as factors of the values, int64 [orders, 1] and [orders, values].

    The hashes are linear in all values: in what is known of the event, and in the keys of those before.
    """
    values = known + max(ORDERS)
    single = np.eye(values, 1 + values, 1, dtype=np.int64)  # nothing, then a 1 at each value
    found = np.stack(context_hashes(stream, [*single[:known]], [*single[known:]]))
    return found[:, :1], found[:, 1:] - found[:, :1]


def _latest_keys(past: Past) -> Ids:
    """Give the melody keys of the latest events, the latest first, int64 [events, outputs]."""
    latest = past.keys[MELODY, :, max(past.count - max(ORDERS), 0) : past.count].T[::-1]
    keys = np.full((max(ORDERS), latest.shape[1]), NO_KEY, np.int64)
    keys[: len(latest)] = latest
    return keys
