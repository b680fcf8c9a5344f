"""The architecture `chained_lstm`: one model a stream, whose state is carried from the start of a piece to its end."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.inference.exact import Array, exact_weights, largest_sums, on_grid, require_small
from lstm_music.inference.experts import Experts
from lstm_music.inference.lstm import LSTM, State
from lstm_music.models.columns import Columns
from lstm_music.models.inputs import ChainedInputs
from lstm_music.models.spec import ModelSpec

SHARED = 2
"""States are shared while each is that of so many outputs on average."""


class States(NamedTuple):
    """What each output has read: `layers` are the states of what differs, `of_output` int [outputs] says which each output has.

    Outputs with one prompt read the same until they differ, and outputs that hold given notes read these alike.
    """

    of_output: npt.NDArray[np.int64]
    layers: list[State]


class ChainedModel:
    """A trained stack of LSTMs, which predicts one stream: see `lstm_music.models.chained`."""

    def __init__(
        self, spec: ModelSpec, predicts: tuple[str, ...], columns: Columns, weights: dict[str, npt.NDArray[Any]]
    ) -> None:
        (stream,) = predicts
        self.spec, self.predicts, self.columns = spec, predicts, columns
        self._reads = ChainedInputs(spec, stream, columns)
        self._stack = [LSTM.of_fields(weights, "lstm_1", len(self._reads.fields))]
        self._stack += [LSTM.of_layer(weights, f"lstm_{layer + 1}") for layer in range(1, spec.layers)]
        self._kernel, self._bias = (exact_weights(weights[f"head/{part}"]) for part in ("kernel", "bias"))
        require_small("head", largest_sums(self._kernel), largest_sums(self._bias[None]))
        read = self._reads.experts
        self._experts = Experts(read, columns.sizes[stream], weights) if read else None

    def after(self, tokens: npt.NDArray[Any]) -> States:
        """Give the states after some events, int [events + 1, outputs, columns]; the first one is before them."""
        chosen, of_output = _distinct(tokens)
        layers = [layer.start(len(chosen)) for layer in self._stack]
        for previous, current in pairwise(tokens[:, chosen]):
            layers = self._advanced(np.concatenate([previous, current], 1), layers)
        return States(of_output, layers)

    def step(self, previous: npt.NDArray[Any], current: npt.NDArray[Any], states: States) -> tuple[list[Array], States]:
        """Give the logits [outputs, ids] of each stream at an event, and the states after it.

        Tokens, int [outputs, columns], are those of the event before, and of this one as far as it is known.
        """
        both = np.concatenate([previous, current], 1)
        of_output, layers = states
        if SHARED * len(layers[0].cell) > len(both):  # to find what is shared would take longer than it saves
            if len(layers[0].cell) < len(both):
                layers = _taken(layers, of_output)
            layers = self._advanced(both, layers)
            return [self._logits(both, layers[-1].hidden)], States(np.arange(len(both)), layers)
        chosen, now = _distinct(np.concatenate([of_output[:, None], both], 1)[None])
        layers = self._advanced(both[chosen], _taken(layers, of_output[chosen]))
        return [self._logits(both[chosen], layers[-1].hidden)[now]], States(now, layers)

    def _logits(self, both: npt.NDArray[Any], hidden: Array) -> Array:
        logits = hidden @ self._kernel
        logits += self._bias
        if self._experts is not None:
            self._experts.add(logits, hidden, both)
        return on_grid(logits)

    def _advanced(self, both: npt.NDArray[Any], states: list[State]) -> list[State]:
        """Take one step, by the columns of two events."""
        rows = both.take(self._reads.places, 1)
        rows += self._reads.first_rows
        after: list[State] = []
        for layer, state in zip(self._stack, states, strict=True):
            gates = layer.of_values(after[-1].hidden) if after else layer.of_rows(rows)
            after.append(layer.step(gates, state))
        return after


def _taken(layers: list[State], places: npt.NDArray[np.int64]) -> list[State]:
    return [State(state.hidden[places], state.cell[places]) for state in layers]


def _distinct(tokens: npt.NDArray[Any]) -> tuple[list[int], npt.NDArray[np.int64]]:
    """Return which outputs differ, of tokens [events, outputs, columns], and for each output the place of its like among them."""
    places: dict[bytes, int] = {}
    chosen: list[int] = []
    place: list[int] = []
    for output in range(tokens.shape[1]):
        like = places.setdefault(tokens[:, output].tobytes(), len(places))
        chosen += [output] if like == len(chosen) else []
        place.append(like)
    return chosen, np.array(place)
