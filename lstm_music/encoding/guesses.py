"""Guesses: the values that the n-grams of the training pieces find likeliest for each event, as columns of its tokens.

The orders are blended from the lowest to the highest, in the predictive form of a Pitman-Yor process with one table a type (Teh
2006, "A hierarchical Bayesian language model based on Pitman-Yor processes"):

    p(id) = 1 / ids                                                                   before any order
    p(id) = (max(c(id) - d, 0) + (d · u + s) · p_of_lower_orders(id)) / (c + s)       for each order whose context is known

where c counts the context, c(id) with this id, u the different ids, d is the discount and s the strength. For a training piece
its own counts are taken off, so that it sees what a piece sees that was not counted. The `GUESSES` likeliest ids are kept, each
with its odds: ln p(id) less the logarithm of the mean p of all ids that are not kept, in steps of `ODDS_STEP`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import HIGHEST_INTERVAL, NO_HEIGHT, heights
from lstm_music.encoding.ngrams import INTERVALS, NO_VALUE, ORDERS, VALUE_BITS, Counts, Occasions, occasions
from lstm_music.encoding.shapes import PITCHES, Shapes
from lstm_music.encoding.streams import ALL_STREAMS, STREAMS, heard
from lstm_music.encoding.vocabulary import UNKNOWN

GUESSES = 16
"""How many values of each stream are kept; of `demo` all of them would be better by 0.005 nats per note, 8 worse by 0.015."""
ODDS_STEP = 0.125
MOST_ODDS = 127
SMOOTHING = {"offset": (0.5, 1.0), "note": (0.75, 3.0), "duration": (0.75, 3.0), "part": (0.5, 1.0)}
"""The discount and the strength of each stream, by the validation split of `demo` and of JSB (the part was not tuned):
benchmarks/guesses.py."""
LEAST_SHARE = 1e-5  # of p, that is left for the values that are not kept

_CELLS = 1 << 20  # of the table of probabilities in memory

PARTS = (
    *(f"guess_{number}" for number in range(1, GUESSES + 1)),
    *(f"guess_{number}_odds" for number in range(1, GUESSES + 1)),
    "guess_order",
)
"""What is kept of a stream: ids, their odds, and the number of orders up to the highest that is known, or 0."""


def guess_columns(streams: Iterable[str]) -> tuple[str, ...]:
    """Name the columns of the guesses, given the streams of the events."""
    return tuple(f"{stream}_{part}" for stream in heard(tuple(streams)) for part in PARTS)


GUESS_COLUMNS = guess_columns(STREAMS)
"""The names of the columns for events without parts."""

GUESSED = {f"{stream}_{part}": stream for stream in heard(ALL_STREAMS) for part in PARTS[:GUESSES]}
"""Column → the stream whose ids it holds."""

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def guess_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the number of ids of each column, given the number of ids of each stream."""
    others = [MOST_ODDS + 1] * GUESSES + [len(ORDERS) + 1]
    return {
        f"{stream}_{part}": size
        for stream in heard(tuple(sizes))
        for part, size in zip(PARTS, [sizes[stream]] * GUESSES + others, strict=True)
    }


def guess_tokens(tokens: Ids, shapes: Shapes, sizes: Mapping[str, int], table: Counts, *, is_counted: bool) -> Ids:
    """Return the guesses at each event of a piece, int64 [events, guess columns], from tokens [events, heard streams].

    The offset's are those for the next event, the others those for the event itself, given what is known of it. `is_counted`
    says whether the piece is in the table; its own counts are then taken off.
    """
    is_first = np.arange(len(tokens)) == 0
    before = np.where(is_first, NO_HEIGHT, np.roll(heights(tokens, shapes, is_first), 1))
    found = []
    for stream, occasion in occasions(tokens, shapes).items():
        own = occasion if is_counted else None
        found.append(
            _Guesser(stream, table, own, sizes[stream], shapes).guess(occasion.contexts, np.maximum(before, 0))
        )
    note = slice(len(PARTS), 2 * len(PARTS))
    result = np.concatenate(found, 1)
    result[before == NO_HEIGHT, note] = 0  # there is no pitch from which its interval is counted
    return result


class _Followers(NamedTuple):
    """What followed the contexts of one order: `row` [events] is that of each event's context, or -1 if it is not known.

    Each entry says that an id followed the context of a row so often: `of_row`, `ids` and `counts` are [entries].
    """

    row: Ids
    of_row: Ids
    ids: Ids
    counts: Ids


@dataclass(frozen=True, eq=False)
class _Guesser:
    """Guesses one stream of a piece, by a table and without what it counts of its `own`; the stream has `size` ids.

    Equal contexts are blended once. Where a context is not known no longer one is, so the events of each order are fewer.
    """

    stream: str
    table: Counts
    own: Occasions | None
    size: int
    shapes: Shapes

    def guess(self, contexts: Ids, before: Ids) -> Ids:
        """Return the guesses, int64 [events, parts]; `before` int64 [events] is the lowest pitch of the event before each."""
        step = max(1, _CELLS // self.size)
        guesses = np.zeros((len(contexts), len(PARTS)), np.int64)
        for start in range(0, len(contexts), step):
            part = slice(start, start + step)
            self._guess_part(guesses[part], contexts[part], before[part])
        return guesses

    def _guess_part(self, guesses: Ids, contexts: Ids, before: Ids) -> None:
        """Fill in the guesses of some events."""
        event, row = (
            np.arange(len(contexts)),
            np.zeros(len(contexts), np.int64),
        )  # those that are known, and where their p is
        p = np.full((1, self.size), 1 / self.size, np.float32)
        for order in range(len(ORDERS)):
            if not len(event):
                return
            found = self._followers(order, contexts[event, order], before[event])
            is_known = found.row >= 0
            if order:
                guesses[event[~is_known]] = _kept_of(p, row[~is_known], order)
            event, now = event[is_known], found.row[is_known]
            parent = np.zeros(int(now.max(initial=-1)) + 1, np.int64)
            parent[now] = row[is_known]
            p, row = self._blended(p[parent], found), now
        guesses[event] = _kept_of(p, row, len(ORDERS))

    def _blended(self, p: Floats, found: _Followers) -> Floats:
        """Blend p of the lower orders, float32 [rows, ids], with what followed."""
        passed_on, added = blend(self.stream, found.of_row, found.counts, len(p))
        p *= passed_on[:, None]
        p[found.of_row, found.ids] += added
        return p

    def _followers(self, order: int, contexts: Ids, before: Ids) -> _Followers:
        """Return what followed the context of each event in other pieces."""
        known, row = np.unique(contexts, return_inverse=True)
        number = self.table.find(known)
        start, stop = self.table.starts[number], self.table.starts[number + 1]
        of_row, entry = expanded(start, np.where(number < 0, 0, stop - start))
        values, counts = self.table.values[entry].astype(np.int64), self.table.counts[entry].astype(np.int64)
        if self.own is not None:
            counts -= _how_often(self.own.contexts[:, order], self.own.values, known, of_row, values)
            of_row, values, counts = (array[counts > 0] for array in (of_row, values, counts))
        if self.stream == "note":
            row, of_row, values, counts = self._in_keys(row * PITCHES + before, of_row, values, counts)
        is_id = values != UNKNOWN
        of_row, values, counts = (array[is_id] for array in (of_row, values, counts))
        is_followed = np.zeros(int(row.max(initial=-1)) + 1, np.bool_)
        is_followed[of_row] = True
        new = np.where(is_followed, np.cumsum(is_followed) - 1, -1)
        return _Followers(new[row], new[of_row], values, counts)

    def _in_keys(self, keyed: Ids, of_row: Ids, values: Ids, counts: Ids) -> tuple[Ids, Ids, Ids, Ids]:
        """Return rows and entries by context and key: notes that followed one context differ with the pitch before.

        `keyed` [events] are the row and that pitch. The values become ids.
        """
        distinct, row = np.unique(keyed, return_inverse=True)
        context, before = distinct // PITCHES, distinct % PITCHES
        first, stop = np.searchsorted(of_row, context), np.searchsorted(of_row, context, "right")
        of_keyed, entry = expanded(first, stop - first)
        return row, of_keyed, notes_of(values[entry], before[of_keyed], self.shapes), counts[entry]


def blend(stream: str, of_row: Ids, counts: Ids, rows: int) -> tuple[Floats, Floats]:
    """Return how much of p of the lower orders counts in each row, float32 [rows], and what each entry adds to its id's.

    Each entry says that an id followed the context of a row so often: `of_row` and `counts` are [entries].
    """
    discount, strength = map(np.float32, SMOOTHING[stream])
    times = counts.astype(np.float32)
    total = np.bincount(of_row, times, rows).astype(np.float32)
    different = np.bincount(of_row, minlength=rows).astype(np.float32)
    return (discount * different + strength) / (total + strength), (times - discount) / (total[of_row] + strength)


def notes_of(values: Ids, before: Ids, shapes: Shapes) -> Ids:
    """Return the ids of relative notes after the pitches `before`, int64; UNKNOWN for what the vocabulary lacks."""
    pitch = PITCHES + before + values % INTERVALS - HIGHEST_INTERVAL
    pitch = np.minimum(np.maximum(pitch, 0), 3 * PITCHES - 1)  # several times as fast as `clip` for a few values
    found: Ids = shapes.ids[values // INTERVALS, pitch].astype(np.int64)
    return found


def expanded(starts: Ids, lengths: Ids) -> tuple[Ids, Ids]:
    """Return the numbers from each start on, so many of each, and the index of the start that each belongs to."""
    index = np.repeat(np.arange(len(starts)), lengths)
    return index, np.arange(len(index)) + (starts - np.cumsum(lengths) + lengths)[index]


def _how_often(contexts: Ids, chosen: npt.NDArray[np.int32], known: Ids, of_row: Ids, values: Ids) -> Ids:
    """Return how often each value followed the context of its row in the piece itself, which chose values in contexts.

    `known` are the contexts of the rows, ascending; `of_row` and `values` ascend together.
    """
    if not len(of_row):
        return of_row
    row = np.minimum(np.searchsorted(known, contexts), len(known) - 1)
    is_here = (known[row] == contexts) & (chosen != NO_VALUE)
    entries, own = of_row << VALUE_BITS | values, row[is_here] << VALUE_BITS | chosen[is_here]
    place = np.searchsorted(entries, own)
    place = place[entries[np.minimum(place, len(entries) - 1)] == own]
    counts: Ids = np.bincount(place, minlength=len(entries))
    return counts


def _kept_of(p: Floats, rows: Ids, order: int) -> Ids:
    """Return what is kept of these rows of p [rows, ids], int64 [rows, parts]; it is found once for equal rows."""
    is_wanted = np.zeros(len(p), np.bool_)
    is_wanted[rows] = True
    place: Ids = np.cumsum(is_wanted) - 1
    return likeliest_of(p[is_wanted], order)[place[rows]]


def likeliest_of(p: Floats, order: int | Ids) -> Ids:
    """Return the likeliest ids of p [events, ids], their odds, and the order, int64 [events, parts]; odds of 0 have the id 0."""
    size, count = p.shape[1], min(GUESSES, p.shape[1])
    bits = (
        size.bit_length()
    )  # positive floats are in the order of their bits; of equal ones the first id is the likeliest
    marked = p.view(np.int32).astype(np.int64)
    marked <<= bits
    marked |= np.arange(size - 1, -1, -1)
    np.negative(marked, out=marked)  # the likeliest first
    best = np.partition(marked, count - 1, axis=1)[:, :count] if count < size else marked
    best = -np.sort(best, axis=1)
    ids = size - 1 - (best & ((1 << bits) - 1))
    likeliest = (best >> bits).astype(np.int32).view(np.float32)
    rest = np.maximum(1 - likeliest.sum(1), np.float32(LEAST_SHARE)) / max(size - GUESSES, 1)
    odds = np.rint(np.log(likeliest / rest[:, None]) / ODDS_STEP)
    odds = np.minimum(np.maximum(odds, 0), MOST_ODDS).astype(np.int64)
    kept = np.zeros((len(p), len(PARTS)), np.int64)
    kept[:, :count], kept[:, GUESSES : GUESSES + count], kept[:, -1] = np.where(odds > 0, ids, 0), odds, order
    return kept
