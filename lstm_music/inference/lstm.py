"""One step of an LSTM, for many outputs: the mathematics of `keras.layers.LSTM`."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.inference.exact import (
    LARGEST_SUM_OF_STEPS,
    STEPS,
    Array,
    exact_rows,
    exact_weights,
    largest_sums,
    on_grid,
    require_small,
    sigmoid,
    tanh,
)

_PARTS = ("kernel", "recurrent_kernel", "bias")
_CACHED_BYTES = 1 << 18
"""So many bytes of rows are read before they are added up: all rows of many outputs would not fit into the cache."""


class State(NamedTuple):
    """The hidden state and the cell, float64 [outputs, units]."""

    hidden: Array
    cell: Array


@dataclass(frozen=True, eq=False)
class LSTM:
    """The weights of a layer, exact: `kernel` [inputs, 4 · units], `recurrent` [units, 4 · units], `bias` [4 · units].

    The gates stand in Keras's order: input, forget, cell, output. The kernel of a layer that reads rows is int32, in steps of the
    grid: adding up rows of many outputs takes as long as reading them, and these take half the bytes.
    """

    kernel: npt.NDArray[Any]
    recurrent: Array
    bias: Array

    @classmethod
    def of_fields(cls, weights: dict[str, npt.NDArray[Any]], name: str, fields: int) -> "LSTM":
        """Take the weights of the layer of that name, which reads a row for each of so many fields.

        Raises TrainingError where its sums might not be exact.
        """
        kernel, recurrent, bias = (weights[f"{name}/{part}"] for part in _PARTS)
        found = cls(exact_rows(kernel, fields), exact_weights(recurrent), exact_weights(bias))
        require_small(name, LARGEST_SUM_OF_STEPS, *found._bounds())
        return found

    @classmethod
    def of_layer(cls, weights: dict[str, npt.NDArray[Any]], name: str) -> "LSTM":
        """Take the weights of the layer of that name, which reads the hidden states of another. Raises as `of_fields` does."""
        found = cls(*(exact_weights(weights[f"{name}/{part}"]) for part in _PARTS))
        require_small(name, largest_sums(found.kernel), *found._bounds())
        return found

    def _bounds(self) -> tuple[float, float]:
        """How much the hidden state, which is never above 1, and the bias may add to the gates."""
        return largest_sums(self.recurrent), largest_sums(self.bias[None])

    @property
    def units(self) -> int:
        """The width of the state."""
        return len(self.recurrent)

    def start(self, outputs: int) -> State:
        """Give the state before any event: zeros."""
        zeros = np.zeros((outputs, self.units))
        return State(zeros, zeros)

    def of_rows(self, rows: npt.NDArray[Any]) -> Array:
        """Give what the gates get from row numbers of the kernel, int [outputs, fields], bias added: [outputs, 4 · units]."""
        steps = np.empty((len(rows), len(self.bias)), np.int32)
        outputs = max(1, _CACHED_BYTES // (rows.shape[1] * self.bias.size * steps.itemsize))
        for first in range(0, len(rows), outputs):
            some = slice(first, first + outputs)
            np.add.reduce(self.kernel.take(rows[some], 0), 1, out=steps[some])
        gates: Array = steps.astype(np.float64)
        gates *= 1 / STEPS
        gates += self.bias
        return gates

    def of_values(self, values: Array) -> Array:
        """Give what the gates get from values, [outputs, inputs], bias added."""
        gates: Array = values @ self.kernel + self.bias
        return gates

    def step(self, gates: Array, state: State) -> State:
        """Take one step: `gates` [outputs, 4 · units] is what they get from outside."""
        units = self.units
        gates = gates + state.hidden @ self.recurrent
        new = gates[:, 2 * units : 3 * units]
        new *= 2  # its tanh is 2 sigmoid(2x) - 1
        gates = sigmoid(gates)
        into, kept, new, out = (gates[:, place * units : (place + 1) * units] for place in range(4))
        new *= 2
        new -= 1
        new *= into
        kept *= state.cell
        kept += new
        cell = on_grid(kept)
        out *= tanh(cell)
        return State(on_grid(out), cell)
