"""Experts: predictors that count, beside the head of an LSTM. How much each one counts is learnt.

The expert of the piece knows what followed in the places of the piece that sounded most like this one: the best echoes of a
kind (`lstm_music.encoding.echoes`). Those that agree with what is known of the event already are its matches. It blends what
followed runs of each length, from the shortest to the longest, as prediction by partial matching does (Cleary & Witten 1984),
with absolute discounting (Ney, Essen & Kneser 1994):

    p_0(id) = 1 / ids
    p_n(id) = (max(c_n(id) - d, 0) + d · u_n · p_{n-1}(id)) / c_n

where c_n counts the matches whose run reached `LENGTHS[n - 1]`, c_n(id) those that this id followed, and u_n the different ids
among them. Where there are parts, note and duration have one more such expert, of the part's own echoes
(`lstm_music.encoding.own_echoes`); of these only the note has to agree, because offset and part chose them. The expert of the
n-grams knows what followed in other pieces; its p stands in the tokens (`lstm_music.encoding.guesses`).

The logits are those of the head plus, for each expert, ln p times a gate. The gate depends on the state of the LSTM, and on how
much the expert knows: the length of its longest run, or the highest order whose context is known. That is a log-linear mixture,
trained as a whole.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_music.encoding.echoes import LENGTHS, RANKS
from lstm_music.encoding.guesses import ODDS_STEP
from lstm_music.models.inputs import ID_OF, ODDS_OF, ORDER_OF, ExpertInputs, PieceInputs

DISCOUNT = 0.5


class Experts(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """The experts of one stream: a call adds what they say, by what they read, to logits of so many `ids`."""

    def __init__(self, inputs: tuple[ExpertInputs, ...], ids: int, units: int) -> None:
        super().__init__(name="experts")
        self.ids = ids
        self.experts = inputs
        self.gate = keras.layers.Dense(sum(one.levels for one in inputs), kernel_initializer="zeros", name="gate")
        self.gate.build((None, units))
        first = [np.full(one.levels, one.first_gate, np.float32) for one in inputs]
        self.gate.bias.assign(np.concatenate(first))
        self.built = True

    def close(self) -> None:
        """Close the gates: the experts say nothing until the gates are learnt."""
        for variable in self.gate.variables:
            variable.assign(np.zeros(variable.shape, np.float32))

    def call(self, logits: Any, hidden: Any, read: Any) -> Any:
        """Add what the experts say to logits [..., ids], given the outputs of the LSTM, [..., units], and what they read."""
        gates, of_expert, of_read = self.gate(hidden), 0, 0
        for one in self.experts:
            ids, odds, level = said(one, read[..., of_read : of_read + one.width])
            gate = gates[..., of_expert : of_expert + one.levels]
            weight = tf.reduce_sum(gate * tf.one_hot(level, one.levels), -1, keepdims=True)
            logits += weight * self._above_others(ids, odds)
            of_expert, of_read = of_expert + one.levels, of_read + one.width
        return logits

    def _above_others(self, ids: Any, odds: Any) -> Any:
        """Lay out odds by id, [..., ids]; an id without any has 0."""
        return tf.reduce_max(tf.where(ids[..., None] == tf.range(self.ids), odds[..., None], 0.0), -2)


def said(expert: ExpertInputs, read: Any) -> tuple[Any, Any, Any]:
    """Give ids and their odds, [..., ids], and the level of the gate, [...], for what an expert read, [..., width]."""
    if isinstance(expert, PieceInputs):
        ids, lengths = read[..., :RANKS], read[..., RANKS:]
        return ids, log_odds(ids, lengths, expert.ids), tf.reduce_max(lengths, -1)
    return read[..., ID_OF], ODDS_STEP * tf.cast(read[..., ODDS_OF], tf.float32), read[..., ORDER_OF]


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
    seen = tf.maximum(counts - DISCOUNT, 0.0) / total[..., None]
    p = tf.fill(tf.shape(ids), 1.0 / size)
    for of_length, passed_on in zip(tf.unstack(seen, axis=-2), tf.split(to_shorter, len(LENGTHS), -1), strict=True):
        p = of_length + passed_on * p
    of_others = tf.reduce_prod(to_shorter, -1, keepdims=True) / size
    return tf.where(lengths > 0, tf.math.log(p / of_others), 0.0)
