"""How a value is chosen from what a model thinks of each: temperature, then top-k, then top-p, then chance.

The temperature is the report's diversity; top-k is Fan et al. 2018, top-p (nucleus) Holtzman et al. 2020.
"""

from typing import Any

import tensorflow as tf

FORBIDDEN = -1e9


def sample(logits: Any, allowed: Any, chance: Any, *, temperature: float, top_k: int, top_p: float) -> Any:
    """Choose an id for each row: `logits` float [batch, ids], `allowed` bool of the same shape, `chance` uniform [batch].

    What is not allowed is never chosen, whatever the settings; where nothing is allowed, id 0 is the answer. A temperature of
    0 takes the likeliest.
    """
    logits = tf.where(allowed, logits, FORBIDDEN)
    if temperature == 0:
        return tf.argmax(logits, -1, tf.int32)
    logits = tf.where(allowed, logits / temperature, FORBIDDEN)
    if 0 < top_k < logits.shape[-1] or top_p < 1:
        logits = tf.where(logits >= _threshold(logits, top_k, top_p), logits, FORBIDDEN)
    shares = tf.cumsum(tf.nn.softmax(logits), axis=-1)
    below = tf.reduce_sum(tf.cast(shares <= chance[:, None] * shares[:, -1:], tf.int32), -1)
    return tf.minimum(below, logits.shape[-1] - 1)


def _threshold(logits: Any, top_k: int, top_p: float) -> Any:
    """The smallest logit that is kept, [batch, 1]."""
    ranked = tf.sort(logits, axis=-1, direction="DESCENDING")
    place = tf.range(ranked.shape[-1])[None]
    kept = place < top_k if top_k else tf.ones_like(ranked, tf.bool)
    shares = tf.nn.softmax(tf.where(kept, ranked, FORBIDDEN))
    kept = kept & (tf.cumsum(shares, axis=-1, exclusive=True) < top_p)
    return tf.reduce_min(tf.where(kept, ranked, ranked[:, :1]), -1, keepdims=True)
