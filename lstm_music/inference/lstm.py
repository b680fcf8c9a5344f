"""One step of an LSTM, for many outputs: the mathematics of `keras.layers.LSTM`."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.inference.exact import Array, exact_weights, on_grid, sigmoid, tanh


class State(NamedTuple):
    """The hidden state and the cell, float64 [outputs, units]."""

    hidden: Array
    cell: Array


@dataclass(frozen=True, eq=False)
class LSTM:
    """The weights of a layer, exact: `kernel` [inputs, 4 · units], `recurrent` [units, 4 · units], `bias` [4 · units].

    The gates stand in Keras's order: input, forget, cell, output.
    """

    kernel: Array
    recurrent: Array
    bias: Array

    @classmethod
    def of(cls, weights: dict[str, npt.NDArray[Any]], name: str) -> "LSTM":
        """Take the weights of the layer of that name."""
        return cls(*(exact_weights(weights[f"{name}/{part}"]) for part in ("kernel", "recurrent_kernel", "bias")))

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
        gates: Array = self.kernel[rows[:, 0]] + self.bias
        for field in range(1, rows.shape[1]):  # one after another: the rows of all at once do not fit into the cache
            gates += self.kernel[rows[:, field]]
        return gates

    def of_values(self, values: Array) -> Array:
        """Give what the gates get from values, [outputs, inputs], bias added."""
        return values @ self.kernel + self.bias

    def step(self, gates: Array, state: State) -> State:
        """Take one step: `gates` [outputs, 4 · units] is what they get from outside."""
        units = self.units
        gates = gates + state.hidden @ self.recurrent
        new = tanh(gates[:, 2 * units : 3 * units])
        into, kept, out = (sigmoid(gates[:, place * units : (place + 1) * units]) for place in (0, 1, 3))
        cell = on_grid(kept * state.cell + into * new)
        return State(on_grid(out * tanh(cell)), cell)
