"""What training, scoring and generation ask of a model, whatever its architecture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lstm_music.encoding.windows import Batch
from lstm_music.models.columns import Columns
from lstm_music.models.spec import ModelSpec


class EventModel(Protocol):
    """A Keras model of the next values of some streams. Sequences are time-major; shapes in brackets."""

    spec: ModelSpec
    columns: Columns
    predicts: tuple[str, ...]  # the streams, in the order of the chain
    weights: Sequence[Any]
    trainable_variables: Sequence[Any]

    def rows(self, previous: Any, current: Any) -> Any:
        """Turn tokens, int [..., columns] of the event before and of this one, into row numbers int [..., fields]."""

    def targets(self, batch: Batch) -> np.ndarray:
        """The ids that are to be predicted, int [steps, windows, streams]."""

    def mask(self, batch: Batch) -> np.ndarray:
        """Which of the targets count, float [steps, windows]."""

    def drop_shape(self, steps: int, windows: int) -> tuple[int, ...]:
        """The shape of the random bytes that dropout takes for a batch."""

    def outputs(self, rows: Any, random_bytes: Any = None) -> Any:
        """What the model says of a batch of windows, row numbers [time, windows, fields], from zero state."""

    def costs(self, outputs: Any, targets: Any) -> Any:
        """What training minimises, [steps, windows]."""

    def logits(self, outputs: Any) -> tuple[Any, ...]:
        """What it says of each stream that it predicts, as logits [..., ids]."""

    def observe(self, outputs: Any, targets: Any, mask: Any) -> None:
        """Keep what a model wants to know of a training batch beside its gradients."""

    def after(self, rows: Any) -> Any:
        """The state after a run of events, row numbers [time, batch, fields]."""

    def step(self, rows: Any, state: Any) -> tuple[Any, Any]:
        """The outputs for one event more, row numbers [batch, fields], and the state after."""

    def token_axes(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        """Which weights have a number for each id: by path the axis, and the columns whose ids lie one after another along it.

        A name that is no column of the tokens stands for a single number.
        """

    def count_params(self) -> int:
        """How many numbers the weights are."""

    def save_weights(self, path: Path) -> None:
        """Write the weights."""

    def load_weights(self, path: Path) -> None:
        """Read weights that were written."""
