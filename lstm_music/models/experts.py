"""Experts: what followed in places that sounded like this one votes for the next value, beside the head of an LSTM.

An expert knows candidates, not probabilities: for each event some ids that may come next, and of what kind each one is (its
*bucket*, for example how long the run of events was that it followed, and whether it also agrees with what is known of the
event already). How much a vote of a bucket counts is learnt, and depends on the state of the LSTM:

    p(id) ∝ exp(head(h)[id]) · (1 + Σ exp(gate(h)[bucket of c] + rank of c)), over the candidates c that are this id

So a mixture of copying and of the head: pointer networks (Merity et al. 2017, "Pointer sentinel mixture models") sum
probabilities in the same way, with a kernel over all positions instead of the best matches.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_music.encoding.echoes import KINDS, LENGTHS, RANKS, echo_column
from lstm_music.encoding.streams import STREAMS
from lstm_music.models.columns import Columns

NO_ID = -1
DISAGREES = -2.0
"""Where the gates of votes begin that do not agree with what is known of the event; those that agree begin higher."""
AGREES = -1.0
BY_LENGTH = 0.6  # more for each length that a run reached
"""Tuned on validation; training moves them little within an epoch, so they should begin about right."""


class Experts(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """The experts of one stream: `read` finds their candidates in tokens, a call adds their votes to logits."""

    def __init__(self, stream: str, columns: Columns, units: int) -> None:
        super().__init__(name="experts")
        names = list(columns.sizes)
        self.place = STREAMS.index(stream)
        self.ids = columns.sizes[stream]
        self.sources = [
            [names.index(echo_column(kind, rank, part)) for rank in range(1, RANKS + 1)]
            for kind in KINDS
            for part in (*STREAMS[: self.place + 1], "length")
        ]
        self.buckets = (len(LENGTHS) + 1) << self.place
        kinds = len(KINDS)
        self.candidates = kinds * RANKS
        self.gate = keras.layers.Dense(kinds * self.buckets, kernel_initializer="zeros", name="gate")
        self.gate.build((None, units))
        start = np.full((kinds, 1 << self.place, len(LENGTHS) + 1), DISAGREES, np.float32)
        start[:, -1] = AGREES + BY_LENGTH * np.arange(len(LENGTHS) + 1)
        self.gate.bias.assign(start.reshape(-1))
        self.rank = self.add_weight(shape=(self.candidates,), initializer="zeros", name="rank")
        self.built = True

    def read(self, previous: Any, current: Any) -> Any:
        """Find the candidates: int [..., 2 · candidates], their ids (`NO_ID` where there is none) and then their buckets.

        Tokens, int [..., columns], are those of the event before, and of this one, of which only the streams that are earlier
        in the chain are read.
        """
        together = np.concatenate if isinstance(previous, np.ndarray) else tf.concat
        fields = 2 + self.place
        ids, buckets = [], []
        for kind in range(len(KINDS)):
            *known, found, length = (
                _columns(previous, places) for places in self.sources[kind * fields : (kind + 1) * fields]
            )
            agrees = _zeros(length)
            for column, values in enumerate(known):
                agrees = 2 * agrees + _number(values == current[..., column : column + 1])
            ids.append(_number(length > 0) * (found - NO_ID) + NO_ID)
            buckets.append(kind * self.buckets + agrees * (len(LENGTHS) + 1) + length)
        return together([*ids, *buckets], -1)

    def call(self, logits: Any, hidden: Any, read: Any) -> Any:
        """Add the votes to logits [..., ids], given the outputs of the LSTM, [..., units], and what `read` found."""
        ids, buckets = read[..., : self.candidates], read[..., self.candidates :]
        weights = tf.gather(self.gate(hidden), buckets, batch_dims=len(read.shape) - 1) + self.rank
        votes = tf.where(ids[..., None] == tf.range(self.ids), tf.exp(weights)[..., None], 0.0)
        return logits + tf.math.log1p(tf.reduce_sum(votes, -2))


def _columns(tokens: Any, places: Sequence[int]) -> Any:
    return tokens[..., places] if isinstance(tokens, np.ndarray) else tf.gather(tokens, places, axis=-1)


def _number(truth: Any) -> Any:
    return truth.astype(np.int32) if isinstance(truth, np.ndarray) else tf.cast(truth, tf.int32)


def _zeros(like: Any) -> Any:
    return np.zeros_like(like) if isinstance(like, np.ndarray) else tf.zeros_like(like)
