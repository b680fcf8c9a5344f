"""Sampling a value from the logits of a model: temperature, then top-k, top-p and min-p, then chance.

The temperature is the report's diversity; top-k is Fan et al. 2018, top-p (nucleus) Holtzman et al. 2020, min-p Nguyen et
al. 2024.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.inference.exact import Array

Ids = npt.NDArray[np.int64]

_LEAST = np.finfo(np.float64).min


class Sampling(NamedTuple):
    """The settings of a stream: see `GenerationSpec`."""

    temperature: float
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0


LIKELIEST = Sampling(0.0)
"""Take the likeliest value."""


def sample(logits: Array, allowed: npt.NDArray[np.bool_], chance: npt.NDArray[Any], settings: Sampling) -> Ids:
    """Choose an id for each row, int64 [batch].

    `logits` are float64 [batch, ids], `allowed` is bool of the same shape, `chance` uniform [batch]. An id that is not allowed
    is never chosen; if none is allowed, the answer is id 0. A temperature of 0 takes the likeliest.
    """
    logits = np.where(allowed, logits, -np.inf)
    temperature, top_k, top_p, min_p = settings
    if temperature == 0:
        likeliest: Ids = logits.argmax(-1)
        return likeliest
    weights = logits - np.maximum(logits.max(-1, keepdims=True), _LEAST)  # no allowed id: all -inf
    weights /= temperature
    np.exp(weights, out=weights)
    if 0 < top_k < weights.shape[1]:
        weights = _at_least(weights, np.sort(weights, -1)[:, -top_k])
    if top_p < 1:
        weights = _at_least(weights, _smallest_of_nucleus(weights, top_p))
    if min_p > 0:
        weights = _at_least(weights, min_p * weights.max(-1))
    shares = weights.cumsum(-1)
    found: Ids = (shares > chance[:, None] * shares[:, -1:]).argmax(-1)
    return found


def _at_least(weights: Array, smallest: Array) -> Array:
    """Set weights [batch, ids] below the smallest, [batch], to 0."""
    found: Array = np.where(weights >= smallest[:, None], weights, 0.0)
    return found


def _smallest_of_nucleus(weights: Array, top_p: float) -> Array:
    """Give the smallest of the largest weights that together have the share `top_p` of all, [batch]."""
    ordered = np.sort(weights, -1)[:, ::-1]
    shares = ordered.cumsum(-1)
    place = (shares >= top_p * shares[:, -1:]).argmax(-1)
    found: Array = ordered[np.arange(len(place)), place]
    return found
