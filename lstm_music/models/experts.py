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

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_music.encoding.echoes import LENGTH, LENGTHS, RANKS, echo_column
from lstm_music.encoding.guesses import GUESSES, ODDS_STEP
from lstm_music.encoding.guesses import PARTS as GUESS_PARTS
from lstm_music.encoding.ngrams import ORDERS
from lstm_music.encoding.own_echoes import OWN, OWN_ECHOES, OWN_STREAMS
from lstm_music.encoding.streams import STREAMS
from lstm_music.models.columns import Columns

KINDS = {
    "offset": ("melody", "rhythm"),
    "part": ("melody", "rhythm"),
    "note": ("melody",),
    "duration": ("melody", "rhythm"),
}
"""The echoes that each stream's experts read; the note is better without those of the rhythm (measured)."""

DISCOUNT = 0.5
NO_ID = -1


class Experts(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """The experts of one stream: `read` finds in tokens what they know, a call adds what they say to logits."""

    def __init__(self, names: Sequence[str], stream: str, columns: Columns, units: int) -> None:
        super().__init__(name="experts")
        self.ids = columns.sizes[stream]
        self.experts: list[_PieceExpert | _NgramExpert] = []
        if "piece" in names:
            own = (OWN,) if stream in OWN_STREAMS and OWN_ECHOES[0] in columns.sizes else ()
            self.experts += [_PieceExpert(kind, stream, columns) for kind in (*KINDS[stream], *own)]
        if "ngrams" in names:
            self.experts.append(_NgramExpert(stream, columns))
        self.gate = keras.layers.Dense(sum(one.levels for one in self.experts), kernel_initializer="zeros", name="gate")
        self.gate.build((None, units))
        first = [np.full(one.levels, one.first_gate, np.float32) for one in self.experts]
        self.gate.bias.assign(np.concatenate(first))
        self.built = True

    def close(self) -> None:
        """Close the gates: the experts say nothing until the gates are learnt."""
        for variable in self.gate.variables:
            variable.assign(np.zeros(variable.shape, np.float32))

    def read(self, previous: Any, current: Any) -> Any:
        """Find what all experts know, int [..., read]: see their `read`.

        Tokens, int [..., columns], are those of the event before, and of this one, of which only the streams that are earlier
        in the chain are read, and the guesses that are made from them.
        """
        together = np.concatenate if isinstance(previous, np.ndarray) else tf.concat
        return together([part for one in self.experts for part in one.read(previous, current)], -1)

    def call(self, logits: Any, hidden: Any, read: Any) -> Any:
        """Add what the experts say to logits [..., ids], given the outputs of the LSTM, [..., units], and what `read` found."""
        gates, of_expert, of_read = self.gate(hidden), 0, 0
        for one in self.experts:
            ids, odds, level = one.say(read[..., of_read : of_read + one.width])
            gate = gates[..., of_expert : of_expert + one.levels]
            weight = tf.reduce_sum(gate * tf.one_hot(level, one.levels), -1, keepdims=True)
            logits += weight * self._above_others(ids, odds)
            of_expert, of_read = of_expert + one.levels, of_read + one.width
        return logits

    def _above_others(self, ids: Any, odds: Any) -> Any:
        """Lay out odds by id, [..., ids]; an id without any has 0."""
        return tf.reduce_max(tf.where(ids[..., None] == tf.range(self.ids), odds[..., None], 0.0), -2)


class _PieceExpert:
    """What one kind of echo says of a stream."""

    levels = len(LENGTHS) + 1
    width = 2 * RANKS
    first_gate = 0.4

    def __init__(self, kind: str, stream: str, columns: Columns) -> None:
        names = list(columns.sizes)
        earlier = columns.chain[: columns.chain.index(stream)]
        if kind == OWN:  # offset and part chose them
            earlier = tuple(known for known in earlier if known in OWN_STREAMS)
        self._stand_with_event = kind == OWN
        self._ids = columns.sizes[stream]
        self._sources = [
            [names.index(echo_column(kind, rank, part)) for rank in range(1, RANKS + 1)]
            for part in (*earlier, stream, LENGTH)
        ]
        self._known = [names.index(known) for known in earlier]

    def read(self, previous: Any, current: Any) -> tuple[Any, Any]:
        """Find the ids [..., ranks] of the matches, and the positions of their lengths.

        An echo that is no match has the id `NO_ID` and the length 0.
        """
        *known, ids, lengths = (
            picked(current if self._stand_with_event else previous, places) for places in self._sources
        )
        for column, values in zip(self._known, known, strict=True):
            lengths = lengths * _number(values == current[..., column : column + 1])
        return _number(lengths > 0) * (ids - NO_ID) + NO_ID, lengths

    def say(self, read: Any) -> tuple[Any, Any, Any]:
        """Give ids and their odds, [..., ranks], and the position of the longest run's length, [...]."""
        ids, lengths = read[..., :RANKS], read[..., RANKS:]
        return ids, log_odds(ids, lengths, self._ids), tf.reduce_max(lengths, -1)


class _NgramExpert:
    """What the n-grams of the training pieces say of a stream."""

    levels = len(ORDERS) + 1
    width = len(GUESS_PARTS)
    first_gate = 0.6

    def __init__(self, stream: str, columns: Columns) -> None:
        names = list(columns.sizes)
        self._is_of_next = stream == STREAMS[0]
        self._source = [names.index(f"{stream}_{part}") for part in GUESS_PARTS]

    def read(self, previous: Any, current: Any) -> tuple[Any]:
        """Read the guesses, [..., parts]."""
        return (picked(previous if self._is_of_next else current, self._source),)

    def say(self, read: Any) -> tuple[Any, Any, Any]:
        """Give ids and their odds, [..., guesses], and the number of orders, [...]."""
        odds = ODDS_STEP * tf.cast(read[..., GUESSES : 2 * GUESSES], tf.float32)
        return read[..., :GUESSES], odds, read[..., 2 * GUESSES]


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


def picked(tokens: Any, places: Sequence[int]) -> Any:
    """Pick some columns of tokens [..., columns]."""
    if isinstance(tokens, np.ndarray):
        found: Any = tokens[..., places]
        return found
    return tf.gather(tokens, tf.constant(places, tf.int32), axis=-1)


def _number(truth: Any) -> Any:
    return truth.astype(np.int32) if isinstance(truth, np.ndarray) else tf.cast(truth, tf.int32)
