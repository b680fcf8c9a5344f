"""Experts: predictors that count, beside the head of an LSTM. How much each one counts is learnt.

The expert of the piece knows what followed in the places of the piece that sounded most like this one: the best echoes of a
kind (`lstm_music.encoding.echoes`). Those that agree with what is known of the event already are its matches. It blends what
followed runs of each length, from the shortest to the longest, as prediction by partial matching does (Cleary & Witten 1984),
with absolute discounting (Ney, Essen & Kneser 1994):

    p_0(id) = 1 / ids
    p_n(id) = (max(c_n(id) - d, 0) + d · u_n · p_{n-1}(id)) / c_n

where c_n counts the matches whose run reached `LENGTHS[n - 1]`, c_n(id) those that this id followed, and u_n the different ids
among them. The logits are those of the head plus, for each kind, the logarithm of its last p times a gate, which depends on the
state of the LSTM and on the length of the longest run: a log-linear mixture, trained as a whole.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_music.encoding.echoes import LENGTHS, RANKS, echo_column
from lstm_music.encoding.streams import STREAMS
from lstm_music.models.columns import Columns

KINDS = {"offset": ("melody", "rhythm"), "note": ("melody",), "duration": ("melody", "rhythm")}
"""The echoes that each stream's expert reads; the note is better without those of the rhythm (measured)."""

DISCOUNT = 0.5
FIRST_GATE = 0.4
NO_ID = -1


class Experts(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """The experts of one stream: `read` finds their matches in tokens, a call adds what they say to logits."""

    def __init__(self, stream: str, columns: Columns, units: int) -> None:
        super().__init__(name="experts")
        names = list(columns.sizes)
        self.place, self.ids, self.kinds = STREAMS.index(stream), columns.sizes[stream], len(KINDS[stream])
        self.sources = [
            [
                [names.index(echo_column(kind, rank, part)) for rank in range(1, RANKS + 1)]
                for part in (*STREAMS[: self.place + 1], "length")
            ]
            for kind in KINDS[stream]
        ]
        self.gate = keras.layers.Dense(self.kinds * (len(LENGTHS) + 1), kernel_initializer="zeros", name="gate")
        self.gate.build((None, units))
        self.gate.bias.assign(np.full(self.gate.units, FIRST_GATE, np.float32))
        self.built = True

    def read(self, previous: Any, current: Any) -> Any:
        """Find the matches: int [..., kinds · 2 · ranks], for each kind their ids and then the positions of their lengths.

        Tokens, int [..., columns], are those of the event before, and of this one, of which only the streams that are earlier
        in the chain are read. An echo that is no match has the id `NO_ID` and the length 0.
        """
        together = np.concatenate if isinstance(previous, np.ndarray) else tf.concat
        return together([part for source in self.sources for part in _matches(source, previous, current)], -1)

    def call(self, logits: Any, hidden: Any, read: Any) -> Any:
        """Add what the experts say to logits [..., ids], given the outputs of the LSTM, [..., units], and what `read` found."""
        gates = self.gate(hidden)
        for kind in range(self.kinds):
            ids, lengths = (read[..., start : start + RANKS] for start in (2 * kind * RANKS, (2 * kind + 1) * RANKS))
            gate = gates[..., kind * (len(LENGTHS) + 1) : (kind + 1) * (len(LENGTHS) + 1)]
            longest = tf.one_hot(tf.reduce_max(lengths, -1), len(LENGTHS) + 1)
            weight = tf.reduce_sum(gate * longest, -1, keepdims=True)
            logits += weight * self._above_others(ids, log_odds(ids, lengths, self.ids))
        return logits

    def _above_others(self, ids: Any, odds: Any) -> Any:
        """Lay out what `log_odds` gives by id, [..., ids]; an id that is no match has 0."""
        return tf.reduce_max(tf.where(ids[..., None] == tf.range(self.ids), odds[..., None], 0.0), -2)


def log_odds(ids: Any, lengths: Any, size: int) -> Any:
    """Give ln p of each match less ln p of an id that none of them has, float [..., ranks]: see the module.

    `ids` and the positions of `lengths`, int [..., ranks], come with the longest first, `size` is the number of all ids. Only
    such differences matter to a softmax.
    """
    reached = tf.cast(
        lengths[..., None, :] >= tf.range(1, len(LENGTHS) + 1)[:, None], tf.float32
    )  # [..., lengths, ranks]
    same = tf.cast((ids[..., :, None] == ids[..., None, :]) & (lengths[..., None, :] > 0), tf.float32)
    earlier = tf.reduce_max(same * np.tri(RANKS, k=-1, dtype=np.float32), -1)
    counts = tf.matmul(reached, same, transpose_b=True)
    total = tf.reduce_sum(reached, -1)
    different = tf.reduce_sum(reached * (1 - earlier)[..., None, :], -1)
    has = total > 0
    total = tf.where(has, total, 1.0)
    to_shorter = tf.where(has, DISCOUNT * different / total, 1.0)
    p = tf.fill(tf.shape(ids), 1.0 / size)
    for length in range(len(LENGTHS)):
        seen = tf.maximum(counts[..., length, :] - DISCOUNT, 0.0) / total[..., length, None]
        p = seen + to_shorter[..., length, None] * p
    of_others = tf.reduce_prod(to_shorter, -1, keepdims=True) / size
    return tf.where(lengths > 0, tf.math.log(p / of_others), 0.0)


def _matches(source: Sequence[Sequence[int]], previous: Any, current: Any) -> tuple[Any, Any]:
    """Read the columns of a kind of echo: the ids [..., ranks] of its matches, and the positions of their lengths."""
    *known, ids, lengths = (_columns(previous, places) for places in source)
    for column, values in enumerate(known):
        lengths = lengths * _number(values == current[..., column : column + 1])
    return _number(lengths > 0) * (ids - NO_ID) + NO_ID, lengths


def _columns(tokens: Any, places: Sequence[int]) -> Any:
    return tokens[..., places] if isinstance(tokens, np.ndarray) else tf.gather(tokens, places, axis=-1)


def _number(truth: Any) -> Any:
    return truth.astype(np.int32) if isinstance(truth, np.ndarray) else tf.cast(truth, tf.int32)
