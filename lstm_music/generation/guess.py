"""The guesses of each event as it is made: what `encoding.guesses` finds in a whole piece, event by event, compiled.

A context is found by the first bits of its hash: they lead to the few contexts of the table that begin with them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lstm_music.encoding.echoes import HIGHEST_INTERVAL, KINDS, NO_HEIGHT, NO_INTERVAL, NOTE, PART_COLUMN
from lstm_music.encoding.guesses import GUESSES, LEAST_SHARE, MOST_ODDS, ODDS_STEP, SMOOTHING
from lstm_music.encoding.ngrams import HASH_BITS, INTERVALS, ORDERS, Counts, context_hashes, relative_note
from lstm_music.encoding.shapes import PITCHES, Shapes
from lstm_music.encoding.streams import PART, STREAMS
from lstm_music.encoding.vocabulary import UNKNOWN
from lstm_music.generation.echo import NO_EVENT, NO_KEY, Past

FOLLOWERS_A_TURN = 16


class Table(NamedTuple):
    """A table of n-grams as tensors; `firsts` int32 [places + 1] is the first context of each place among the hashes."""

    contexts: Any
    firsts: Any
    starts: Any
    values: Any
    counts: Any


class Guesser:
    """Guesses by a table of n-grams; `table` is what a compiled function gets, and hands to `guess`."""

    def __init__(self, counts: Counts, shapes: Shapes, sizes: Mapping[str, int]) -> None:
        self._shapes, self._sizes = shapes, sizes
        self._bits, firsts = counts.place_bits, counts.firsts
        self._most_in_a_place = int(np.diff(firsts).max())
        self.table = Table(
            *map(
                tf.constant,
                (
                    _not_empty(np.asarray(counts.contexts)),
                    firsts,
                    np.asarray(counts.starts, np.int32),
                    _not_empty(np.asarray(counts.values)),
                    _not_empty(np.asarray(counts.counts)),
                ),
            )
        )

    def guess(self, stream: str, table: Table, past: Past, current: Any) -> Any:
        """Give the guesses of a stream, int32 [outputs, parts], after `past`.

        `current` int32 [outputs, columns] is the event as far as it is known; for the offset, nothing of it is read.
        """
        keys = past.keys[KINDS.index("melody")]
        missing = tf.fill([max(ORDERS), tf.shape(keys)[1]], tf.constant(NO_KEY, tf.int64))
        keys = tf.concat([keys, missing], 0)[: max(ORDERS)]
        height = self._height(past)
        hashes = context_hashes(stream, self._known(stream, past, height, current), tf.unstack(keys))
        p, order = self._blended(stream, table, self._find(table, tf.stack(hashes)), tf.maximum(height, 0))
        if stream == "note":  # there is no pitch from which its interval is counted
            order = tf.where(height == NO_HEIGHT, 0, order)
        return _kept(p, order)

    def _height(self, past: Past) -> Any:
        """Give the pitch from which the next interval is counted, int32 [outputs], or `NO_HEIGHT`."""
        if past.heights.shape[0]:
            return past.heights[0]
        before = past.events[0, :, NOTE]
        return tf.where(before == NO_EVENT, NO_HEIGHT, self._lowest(tf.maximum(before, 0)))

    def _known(self, stream: str, past: Past, height: Any, current: Any) -> Sequence[Any]:
        """Give the values that are known of the event, as `ngrams.occasions` does."""
        has_parts = past.events.shape[2] > len(STREAMS)
        columns = (0, *([PART_COLUMN] if has_parts else []))
        offset, *part = (tf.cast(current[:, column], tf.int64) for column in columns)
        if stream == STREAMS[0]:
            return ()
        if stream == PART:
            return (offset,)
        if stream == STREAMS[NOTE]:
            return (offset, *part)
        note = tf.cast(current[:, NOTE], tf.int64)
        interval = self._lowest(note) - height + HIGHEST_INTERVAL
        has_interval = height != NO_HEIGHT
        if has_parts:
            has_interval &= tf.gather(tf.constant(self._shapes.is_pitched), note)
        interval = tf.where(has_interval, interval, NO_INTERVAL)
        shape = tf.gather(tf.constant(self._shapes.shape), note)
        return offset, *part, tf.cast(relative_note(shape, interval), tf.int64)

    def _lowest(self, note: Any) -> Any:
        return tf.gather(tf.constant(self._shapes.lowest), note)

    def _blended(self, stream: str, table: Table, numbers: Any, before: Any) -> tuple[Any, Any]:
        """Give p of each id, float32 [outputs, ids], and the number of orders up to the highest that is known.

        `numbers` int32 [orders, outputs] are those of the contexts. Few contexts have many followers, so these are laid out by
        id `FOLLOWERS_A_TURN` at a time, in as many turns as the longest list among the outputs needs.
        """
        discount, strength = SMOOTHING[stream]
        size, outputs = (
            self._sizes[stream],
            before.shape[0],
        )  # no tensor: in loops, one output would have an unknown shape
        starts = tf.gather(table.starts, tf.maximum(numbers, 0))
        stops = tf.where(numbers >= 0, tf.gather(table.starts, tf.maximum(numbers, 0) + 1), starts)
        turns = (tf.reduce_max(stops - starts, 1) + FOLLOWERS_A_TURN - 1) // FOLLOWERS_A_TURN

        def of_order(order: Any, p: Any, reached: Any) -> tuple[Any, Any, Any]:
            start, stop = starts[order][:, None], stops[order][:, None]

            def turn(number: Any, counted: Any, total: Any, different: Any) -> tuple[Any, Any, Any, Any]:
                entries = start + FOLLOWERS_A_TURN * number + tf.range(FOLLOWERS_A_TURN)
                ids, counts = self._followers(stream, table, entries, entries < stop, before)
                seen = tf.maximum(counts - discount, 0.0)
                for place in range(FOLLOWERS_A_TURN):  # one after another, because XLA adds along an axis more slowly
                    is_it = ids[:, place, None] == tf.range(size)
                    counted += tf.where(is_it, seen[:, place, None], 0.0)
                total += tf.reduce_sum(counts, 1, keepdims=True)
                different += tf.reduce_sum(tf.cast(counts > 0, tf.float32), 1, keepdims=True)
                return number + 1, counted, total, different

            none = tf.zeros([outputs, 1])
            _, counted, total, different = tf.while_loop(
                lambda number, *_: number < turns[order], turn, (0, tf.zeros([outputs, size]), none, none)
            )
            has = total > 0
            to_lower = tf.where(has, (discount * different + strength) / (total + strength), 1.0)
            p = p * to_lower + counted / (total + strength)
            return order + 1, p, tf.where(has[:, 0], order + 1, reached)

        uniform = tf.fill([outputs, size], 1 / size)
        _, p, reached = tf.while_loop(
            lambda order, *_: order < len(ORDERS),
            of_order,
            (0, uniform, tf.zeros([outputs], tf.int32)),
            maximum_iterations=len(ORDERS),
        )
        return p, reached

    def _followers(self, stream: str, table: Table, entries: Any, is_there: Any, before: Any) -> tuple[Any, Any]:
        """Give the ids at these entries of the table, int32 [outputs, entries], and how often they followed; 0 if not there."""
        entries = tf.where(is_there, entries, 0)
        ids, counts = tf.gather(table.values, entries), tf.gather(table.counts, entries)
        if stream == STREAMS[NOTE]:
            pitch = PITCHES + before[:, None] + ids % INTERVALS - HIGHEST_INTERVAL
            pitch = tf.clip_by_value(pitch, 0, 3 * PITCHES - 1)
            ids = tf.gather_nd(tf.constant(self._shapes.ids), tf.stack([ids // INTERVALS, pitch], -1))
        return ids, tf.cast(tf.where(is_there & (ids != UNKNOWN), counts, 0), tf.float32)

    def _find(self, table: Table, hashes: Any) -> Any:
        """Give the number of each context, int32 [orders, outputs], or -1."""
        place = tf.cast(tf.bitwise.right_shift(hashes, tf.constant(HASH_BITS - self._bits, tf.int64)), tf.int32)
        place += 1 << (self._bits - 1)
        number = tf.gather(table.firsts, place)[..., None] + tf.range(self._most_in_a_place)
        number = tf.minimum(number, table.contexts.shape[0] - 1)
        is_it = tf.gather(table.contexts, number) == hashes[..., None]
        return tf.reduce_max(tf.where(is_it, number, -1), -1)


def _kept(p: Any, order: Any) -> Any:
    """Keep the likeliest ids, as `encoding.guesses` does."""
    size = p.shape[1]
    likeliest, ids = tf.math.top_k(p, min(GUESSES, size))
    rest = tf.maximum(1 - tf.reduce_sum(likeliest, 1, keepdims=True), LEAST_SHARE) / max(size - GUESSES, 1)
    odds = tf.cast(tf.round(tf.math.log(likeliest / rest) / ODDS_STEP), tf.int32)
    odds = tf.where(order[:, None] > 0, tf.clip_by_value(odds, 0, MOST_ODDS), 0)
    missing = tf.zeros([tf.shape(p)[0], GUESSES - likeliest.shape[1]], tf.int32)
    return tf.concat([tf.where(odds > 0, ids, 0), missing, odds, missing, order[:, None]], 1)


def _not_empty(array: np.ndarray) -> np.ndarray:
    """Give an array that something can be gathered from: of a table without contexts, nothing is ever found."""
    return array if len(array) else np.zeros(1, array.dtype)
