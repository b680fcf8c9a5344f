"""How a value is chosen from what a model thinks of each: temperature, then top-k, then top-p, then min-p, then chance.

The temperature is the report's diversity; top-k is Fan et al. 2018, top-p (nucleus) Holtzman et al. 2020, min-p Nguyen et
al. 2024.
"""

import math
from typing import Any

import tensorflow as tf

FORBIDDEN = -1e9


def sample(
    logits: Any, allowed: Any, chance: Any, *, temperature: float, top_k: int, top_p: float, min_p: float
) -> Any:
    """Choose an id for each row: `logits` float [batch, ids], `allowed` bool of the same shape, `chance` uniform [batch].

    What is not allowed is never chosen, whatever the settings; where nothing is allowed, id 0 is the answer. A temperature of
    0 takes the likeliest.
    """
    logits = tf.where(allowed, logits, FORBIDDEN)
    likeliest = tf.argmax(logits, -1, tf.int32)
    if temperature == 0:
        return likeliest
    logits = tf.where(allowed, (logits - tf.reduce_max(logits, -1, keepdims=True)) / temperature, FORBIDDEN)
    if 0 < top_k < logits.shape[-1] or top_p < 1:
        logits = tf.where(logits >= _threshold(logits, top_k, top_p), logits, FORBIDDEN)
    if min_p > 0:  # the likeliest has logit 0 here
        logits = tf.where(logits >= math.log(min_p), logits, FORBIDDEN)
    weights = tf.nn.softmax(logits)
    shares = tf.cumsum(weights, axis=-1)
    # XLA adds in blocks, so that shares do not quite ascend: only an id with some weight of its own is ever the answer.
    above = allowed & (weights > 0) & (shares > chance[:, None] * shares[:, -1:])
    return tf.where(tf.reduce_any(above, -1), tf.argmax(tf.cast(above, tf.int32), -1, tf.int32), likeliest)


def _threshold(logits: Any, top_k: int, top_p: float) -> Any:
    """The smallest logit that is kept, [batch, 1]."""
    ranked = tf.sort(logits, axis=-1, direction="DESCENDING")
    place = tf.range(ranked.shape[-1])[None]
    kept = place < top_k if top_k else tf.ones_like(ranked, tf.bool)
    shares = tf.nn.softmax(tf.where(kept, ranked, FORBIDDEN))
    kept = kept & (tf.cumsum(shares, axis=-1, exclusive=True) < top_p)
    return tf.reduce_min(tf.where(kept, ranked, ranked[:, :1]), -1, keepdims=True)
