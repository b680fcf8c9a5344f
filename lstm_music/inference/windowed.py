"""The report's architectures: from a window of events, read from zero state, to the next event."""

from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.inference.exact import (
    LARGEST_SUM_OF_STEPS,
    STEPS,
    Array,
    exact_weights,
    largest_sums,
    on_grid,
    require_small,
    softmax,
)
from lstm_music.inference.lstm import LSTM
from lstm_music.models.columns import Columns
from lstm_music.models.inputs import window_rows
from lstm_music.models.spec import FLOOR, LEAST_VARIANCE, ModelSpec

Window = npt.NDArray[Any]


class WindowedModel:
    """One of the report's models; its state is the window, row numbers [events, outputs, fields]."""

    def __init__(
        self, spec: ModelSpec, predicts: tuple[str, ...], columns: Columns, weights: dict[str, npt.NDArray[Any]]
    ) -> None:
        self.spec, self.predicts, self.columns = spec, predicts, columns
        self._lstm = LSTM.of_fields(weights, "lstm_1", len(predicts))
        names = ("bottleneck", *(f"heads/{number}" for number in range(len(predicts))))
        self._layers = [
            tuple(exact_weights(weights[f"{name}/{part}"]) for part in ("kernel", "bias")) for name in names
        ]
        self._of_quarters = self._lstm.kernel[-1] / STEPS  # for `dual_head`
        self._require_small()
        self._variance = float(weights.get("variance", np.float32(1)))

    def _require_small(self) -> None:
        """Raise TrainingError where sums might not be exact."""
        if self.spec.architecture == "dual_head":
            longest = float(np.abs(self.columns.offset_quarters).max(initial=0))
            require_small("lstm_1", LARGEST_SUM_OF_STEPS, largest_sums(self._of_quarters[None], longest))
        largest = 1.0  # of the hidden state, then of the bottleneck
        for place, (kernel, bias) in enumerate(self._layers):
            bounds = largest_sums(kernel, largest), largest_sums(bias[None])
            require_small(f"heads/{place - 1}" if place else "bottleneck", *bounds)
            largest = largest if place else sum(bounds)

    def after(self, tokens: npt.NDArray[Any]) -> Window:
        """Give the window after some events, int [events + 1, outputs, columns]; the first one is before them."""
        return window_rows(self.spec, self.predicts, self.columns, tokens[:-1])[-self.columns.window :]

    def step(
        self,
        previous: npt.NDArray[Any],
        current: npt.NDArray[Any],  # noqa: ARG002 - chained models read of it, too
        window: Window,
    ) -> tuple[list[Array], Window]:
        """Move the window by one event, int [outputs, columns], and give the logits [outputs, ids] of each stream."""
        rows = window_rows(self.spec, self.predicts, self.columns, previous)
        window = np.concatenate([window[1:], rows[None]])
        state = self._lstm.start(window.shape[1])
        for event in window:
            state = self._lstm.step(self._gates(event), state)
        (kernel, bias), *heads = self._layers
        values = on_grid(state.hidden @ kernel + bias)
        outputs = [on_grid(values @ head + head_bias) for head, head_bias in heads]
        if self.spec.architecture == "dual_head":
            offset = self.predicts.index("offset")
            outputs[offset] = self._density(outputs[offset])
        return outputs, window

    def _gates(self, rows: npt.NDArray[Any]) -> Array:
        if self.spec.architecture != "dual_head":
            return self._lstm.of_rows(rows)
        offset, note = (self.predicts.index(stream) for stream in ("offset", "note"))
        quarters = on_grid(self.columns.offset_quarters[rows[:, offset]].astype(np.float64))
        gates: Array = self._lstm.of_rows(rows[:, note, None]) + quarters[:, None] * self._of_quarters
        return gates

    def _density(self, quarters: Array) -> Array:
        """Give logits of the offset: the log of a normal density at each value, around so many quarters [outputs, 1]."""
        values = self.columns.offset_quarters.astype(np.float64)
        density = -np.square(quarters - values) / (2 * max(self._variance, LEAST_VARIANCE))
        shares = softmax(np.where(np.arange(len(values)) >= SPECIAL_IDS, density, -1e9))
        return on_grid(np.log((1 - FLOOR) * shares + FLOOR / len(values)))
