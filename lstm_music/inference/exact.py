"""Arithmetic that gives the same numbers on every machine, in numpy and in the page alike.

Sums of floats depend on their order, and every library and processor has another. So weights and states are whole multiples of
2^-20, in double precision. Their products are multiples of 2^-40, and sums of these are exact below 2^13, in any order; models
whose sums could be larger are refused (`require_small`). What is not exact (exponentials, logarithms) differs by some 1e-16, and
is then put on the grid again: two machines disagree about one number in some 10^9, by 1e-6.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.errors import TrainingError

STEPS = 2.0**20
LARGEST_WEIGHT = 2.0**12
"""Weights are far smaller; with larger ones, sums would not be exact."""
LARGEST_SUM = 2.0**13
"""Sums of products are exact below this, and so are those of half the products, whatever their order."""
LARGEST_SUM_OF_STEPS = 2.0**11
"""Sums of weights as int32, in steps of the grid, do not overflow below this."""

Array = npt.NDArray[np.float64]


def on_grid(values: npt.NDArray[Any]) -> Array:
    """Return the nearest multiples of 2^-20; halves go to the even one."""
    found: Array = values * STEPS
    np.rint(found, out=found)
    found *= 1 / STEPS  # exact, as a power of two
    return found


def exact_weights(weights: npt.NDArray[Any]) -> Array:
    """Put weights on the grid, float64; TrainingError if one is too large or no number."""
    found = on_grid(np.asarray(weights, np.float64))
    if not _largest(found) < LARGEST_WEIGHT:
        raise TrainingError(
            f"expected weights between -{LARGEST_WEIGHT:g} and {LARGEST_WEIGHT:g}, got {_largest(found):g}; {_ADVICE}"
        )
    return found


def exact_rows(weights: npt.NDArray[Any], added: int) -> npt.NDArray[np.int32]:
    """Put weights on the grid, int32 in steps of it, of which so many are added up; TrainingError if the sum could overflow."""
    if not _largest(weights) * max(added, 1) < LARGEST_SUM_OF_STEPS:
        raise TrainingError(
            f"expected {added} weights that add up to less than {LARGEST_SUM_OF_STEPS:g}, got weights up to "
            f"{_largest(weights):g}; {_ADVICE}"
        )
    steps: npt.NDArray[np.int32] = np.rint(weights * weights.dtype.type(STEPS)).astype(np.int32)
    return steps


def largest_sums(kernel: Array, inputs: float = 1.0) -> float:
    """How large a sum of products may become: inputs, none larger than `inputs`, with a kernel [inputs, outputs]."""
    return inputs * float(np.abs(kernel).sum(0).max(initial=0.0))


def require_small(where: str, *bounds: float) -> None:
    """Raise TrainingError where sums of products, bounded by the sum of `bounds`, might not be exact."""
    if not sum(bounds) < LARGEST_SUM:
        raise TrainingError(
            f"{where}: the weights are so large that sums may reach {sum(bounds):g}, and are exact below {LARGEST_SUM:g}; "
            f"{_ADVICE}"
        )


_ADVICE = "this model cannot make the same music on every machine; train again with a lower learning_rate"


def _largest(values: npt.NDArray[Any]) -> float:
    """The largest absolute value; not a number where one is none."""
    return float(max(values.max(initial=0), -values.min(initial=0)))


def sigmoid(values: Array) -> Array:
    """1 / (1 + exp(-x))."""
    found: Array = np.maximum(values, -700.0)  # beyond, the exponential overflows
    np.negative(found, out=found)
    np.exp(found, out=found)
    found += 1
    np.divide(1, found, out=found)
    return found


def tanh(values: Array) -> Array:
    """The hyperbolic tangent by `sigmoid`, in half the time of numpy's. Near 0 it is off by 1e-16, which the grid swallows."""
    found = sigmoid(2 * values)
    found *= 2
    found -= 1
    return found


def softmax(logits: Array) -> Array:
    """Return probabilities along the last axis."""
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    found: Array = weights / weights.sum(-1, keepdims=True)
    return found


def log_softmax(logits: Array) -> Array:
    """Return ln p along the last axis."""
    above = logits - logits.max(-1, keepdims=True)
    found: Array = above - np.log(np.exp(above).sum(-1, keepdims=True))
    return found


def nats_of(logits: Array, chosen: npt.NDArray[np.int64]) -> Array:
    """Return -ln p of the chosen id of each row, [outputs], given logits [outputs, ids]: what `log_softmax` says of it."""
    rows = np.arange(len(chosen))
    above = logits - logits.max(-1, keepdims=True)
    of_chosen = above[rows, chosen]
    found: Array = np.log(np.exp(above, out=above).sum(-1)) - of_chosen
    return found
