"""Sampling a value from the logits of a model: temperature, then top-k, top-p and min-p, then chance.

The temperature is the report's diversity; top-k is Fan et al. 2018, top-p (nucleus) Holtzman et al. 2020, min-p Nguyen et
al. 2024.
"""

from typing import Any

import tensorflow as tf

FORBIDDEN = -1e9
BITS_OF_ONE = 30
"""The bits of every float32 from 0 to 1, read as a number, are below 2 to the power of this."""


def sample(
    logits: Any, allowed: Any, chance: Any, *, temperature: float, top_k: int, top_p: float, min_p: float
) -> Any:
    """Choose an id for each row: `logits` float [batch, ids], `allowed` bool of the same shape, `chance` uniform [batch].

    An id that is not allowed is never chosen; if none is allowed, the answer is id 0. A temperature of 0 takes the likeliest.
    """
    logits = tf.where(allowed, logits, FORBIDDEN)
    likeliest = tf.argmax(logits, -1, tf.int32)
    if temperature == 0:
        return likeliest
    logits = tf.where(allowed, (logits - tf.reduce_max(logits, -1, keepdims=True)) / temperature, FORBIDDEN)
    weights = tf.nn.softmax(logits)
    if 0 < top_k < logits.shape[-1]:
        weights = _likeliest(weights, tf.ones_like(weights), top_k)
    if top_p < 1:
        weights = _likeliest(weights, weights, top_p * tf.reduce_sum(weights, -1, keepdims=True))
    if min_p > 0:
        weights = tf.where(weights >= min_p * tf.reduce_max(weights, -1, keepdims=True), weights, 0)
    shares = tf.cumsum(weights, axis=-1)
    # XLA adds in blocks, so that shares do not quite ascend: only an id with some weight of its own is ever the answer.
    above = allowed & (weights > 0) & (shares > chance[:, None] * shares[:, -1:])
    return tf.where(tf.reduce_any(above, -1), tf.argmax(tf.cast(above, tf.int32), -1, tf.int32), likeliest)


def _likeliest(weights: Any, amounts: Any, enough: Any) -> Any:
    """Keep the largest weights, [batch, ids] from 0 to 1: as few as have `enough` of the `amounts` together, and 0 for the rest.

    The smallest that is kept is found by bisection, because XLA's sort takes ten times as long (measured). Floats that are not
    negative are in the order of their bits, so that it is found exactly.
    """
    bits = tf.bitcast(weights, tf.int32)
    below = tf.zeros_like(bits[:, :1])  # what is above it has enough
    smallest = below + (1 << BITS_OF_ONE)  # what is above it has not
    for _ in range(BITS_OF_ONE):
        middle = (below + smallest) // 2
        has_enough = tf.reduce_sum(tf.where(bits > middle, amounts, 0), -1, keepdims=True) >= enough
        below, smallest = tf.where(has_enough, middle, below), tf.where(has_enough, smallest, middle)
    return tf.where(bits >= smallest, weights, 0)
