"""Guesses: the values that the n-grams of the training pieces find likeliest for each event, as columns of its tokens.

The orders are blended from the lowest to the highest, in the predictive form of a Pitman-Yor process with one table a type (Teh
2006, "A hierarchical Bayesian language model based on Pitman-Yor processes"):

    p(id) = 1 / ids                                                                   before any order
    p(id) = (max(c(id) - d, 0) + (d · u + s) · p_of_lower_orders(id)) / (c + s)       for each order whose context is known

where c counts the context, c(id) with this id, u the different ids, d is the discount and s the strength. For a training piece
its own counts are taken off, so that it sees what a piece sees that was not counted. The `GUESSES` likeliest ids are kept, each
with its odds: ln p(id) less the logarithm of the mean p of all ids that are not kept, in steps of `ODDS_STEP`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import HIGHEST_INTERVAL
from lstm_music.encoding.ngrams import INTERVALS, ORDERS, Counts, occasions, of_piece
from lstm_music.encoding.shapes import PITCHES, Shapes
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import UNKNOWN

GUESSES = 16
"""How many values of each stream are kept; of `demo` all of them would be better by 0.005 nats per note, 8 worse by 0.015."""
ODDS_STEP = 0.125
MOST_ODDS = 127
SMOOTHING = {"offset": (0.5, 1.0), "note": (0.75, 3.0), "duration": (0.75, 3.0)}
"""The discount and the strength of each stream, by the validation split of `demo` and of JSB: benchmarks/guesses.py."""
LEAST_SHARE = 1e-5  # of p, that is left for the values that are not kept

_CELLS = 1 << 20  # of the table of probabilities in memory

PARTS = (
    *(f"guess_{number}" for number in range(1, GUESSES + 1)),
    *(f"guess_{number}_odds" for number in range(1, GUESSES + 1)),
    "guess_order",
)
"""What is kept of a stream: ids, their odds, and the number of orders up to the highest that is known, or 0."""

GUESS_COLUMNS = tuple(f"{stream}_{part}" for stream in STREAMS for part in PARTS)
GUESSED = {f"{stream}_{part}": stream for stream in STREAMS for part in PARTS[:GUESSES]}
"""Column → the stream whose ids it holds."""

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def guess_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the number of ids of each column, given the number of ids of each stream."""
    others = [MOST_ODDS + 1] * GUESSES + [len(ORDERS) + 1]
    return {
        f"{stream}_{part}": size
        for stream in STREAMS
        for part, size in zip(PARTS, [sizes[stream]] * GUESSES + others, strict=True)
    }


def guess_tokens(tokens: Ids, shapes: Shapes, sizes: Mapping[str, int], table: Counts, *, is_counted: bool) -> Ids:
    """Return the guesses at each event of a piece, int64 [events, guess columns], from stream tokens [events, streams].

    The offset's are those for the next event, the others those for the event itself, given what is known of it. `is_counted`
    says whether the piece is in the table; its own counts are then taken off.
    """
    lowest = shapes.lowest[tokens[:, STREAMS.index("note")]].astype(np.int64)
    before = np.roll(lowest, 1)
    found = []
    for stream, occasion in occasions(tokens, shapes).items():
        own = of_piece(occasion) if is_counted else None
        found.append(_Guesser(stream, table, own, sizes[stream], shapes).guess(occasion.contexts, before))
    note = slice(len(PARTS), 2 * len(PARTS))
    result = np.concatenate(found, 1)
    result[:1, note] = 0  # there is no note from which its interval is counted
    return result


@dataclass(frozen=True, eq=False)
class _Guesser:
    """Guesses one stream of a piece, by a table and without the counts of its `own`; the stream has `size` ids."""

    stream: str
    table: Counts
    own: Counts | None
    size: int
    shapes: Shapes

    def guess(self, contexts: Ids, before: Ids) -> Ids:
        """Return the guesses, int64 [events, parts]; `before` int64 [events] is the lowest pitch of the event before each."""
        step = max(1, _CELLS // self.size)
        parts = [np.empty((0, len(PARTS)), np.int64)]
        for start in range(0, len(contexts), step):
            part = slice(start, start + step)
            parts.append(_kept(*self._blended(contexts[part], before[part])))
        return np.concatenate(parts)

    def _blended(self, contexts: Ids, before: Ids) -> tuple[Floats, Ids]:
        """Return p of each id, float32 [events, ids], and the number of orders up to the highest that is known, [events]."""
        discount, strength = map(np.float32, SMOOTHING[self.stream])
        p = np.full((len(contexts), self.size), 1 / self.size, np.float32)
        reached = np.zeros(len(contexts), np.int64)
        for number, of_order in enumerate(contexts.T, start=1):
            event, id_, count = self._followers(of_order, before)
            total = np.bincount(event, count, len(contexts)).astype(np.float32)
            different = np.bincount(event, minlength=len(contexts)).astype(np.float32)
            has = total > 0
            p[has] *= ((discount * different + strength) / (total + strength))[has, None]
            p[event, id_] += (count - discount) / (total[event] + strength)
            reached[has] = number
        return p, reached

    def _followers(self, contexts: Ids, before: Ids) -> tuple[Ids, Ids, Floats]:
        """Return what followed the context of each event in other pieces: the event, the id, and how often."""
        number = self.table.find(contexts)
        start, stop = self.table.starts[number], self.table.starts[number + 1]
        lengths = np.where(number < 0, 0, stop - start)
        event = np.repeat(np.arange(len(contexts)), lengths)
        entry = np.arange(len(event)) + np.repeat(start - np.cumsum(lengths) + lengths, lengths)
        value, count = self.table.values[entry].astype(np.int64), self.table.counts[entry].astype(np.int64)
        if self.own is not None and len(self.own.contexts):
            count -= _how_often(self.own, contexts[event], value)
        id_ = self._in_the_current_key(value, before[event]) if self.stream == "note" else value
        is_kept = (count > 0) & (id_ != UNKNOWN)
        return event[is_kept], id_[is_kept], count[is_kept].astype(np.float32)

    def _in_the_current_key(self, values: Ids, before: Ids) -> Ids:
        pitch = np.clip(PITCHES + before + values % INTERVALS - HIGHEST_INTERVAL, 0, 3 * PITCHES - 1)
        ids: Ids = self.shapes.ids[values // INTERVALS, pitch].astype(np.int64)
        return ids


def _how_often(own: Counts, contexts: Ids, values: Ids) -> Ids:
    """Return how often each value followed a context in the piece itself."""
    number = own.find(contexts)
    width = int(values.max(initial=0)) + 1
    known = np.repeat(np.arange(len(own.contexts)), np.diff(own.starts)) * width + np.minimum(own.values, width - 1)
    wanted = number * width + values
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    is_known = (number >= 0) & (known[place] == wanted) & (own.values[place] == values)
    return np.where(is_known, own.counts[place], 0)


def _kept(p: Floats, order: Ids) -> Ids:
    """Return the likeliest ids of p [events, ids], their odds, and the order, int64 [events, parts]; odds of 0 have the id 0."""
    size = p.shape[1]
    best = np.argsort(-p, axis=1, kind="stable")[:, :GUESSES]
    likeliest = np.take_along_axis(p, best, 1)
    rest = np.maximum(1 - likeliest.sum(1), np.float32(LEAST_SHARE)) / max(size - GUESSES, 1)
    odds = np.clip(np.rint(np.log(likeliest / rest[:, None]) / ODDS_STEP), 0, MOST_ODDS).astype(np.int64)
    odds[order == 0] = 0
    missing = np.zeros((len(p), GUESSES - best.shape[1]), np.int64)
    ids, odds = np.concatenate([best, missing], 1), np.concatenate([odds, missing], 1)
    return np.concatenate([np.where(odds > 0, ids, 0), odds, order[:, None]], 1)
