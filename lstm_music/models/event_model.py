"""The interface of a model for training and scoring, whatever its architecture; music is made by `lstm_music.inference`."""

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
    experts: Any  # the layer of the experts, or None
    weights: Sequence[Any]
    trainable_variables: Sequence[Any]

    def rows(self, previous: np.ndarray, current: np.ndarray) -> np.ndarray:
        """Turn tokens, int [..., columns] of the previous event and of this one, into row numbers int [..., fields]."""

    def targets(self, batch: Batch) -> np.ndarray:
        """Give the ids to predict, int [steps, windows, streams]."""

    def mask(self, batch: Batch) -> np.ndarray:
        """Mark the targets that count, float [steps, windows]."""

    def drop_shape(self, steps: int, windows: int) -> tuple[int, ...]:
        """Give the shape of the random bytes that dropout uses for a batch."""

    def outputs(self, rows: Any, random_bytes: Any = None, *, has_experts: bool = True) -> Any:
        """Give the outputs for a batch of windows, row numbers [time, windows, fields], from zero state.

        Without `has_experts` they are those of the head alone.
        """

    def costs(self, outputs: Any, targets: Any) -> Any:
        """Give what training minimises, [steps, windows]."""

    def logits(self, outputs: Any) -> tuple[Any, ...]:
        """Give the logits [..., ids] of each predicted stream."""

    def observe(self, outputs: Any, targets: Any, mask: Any) -> None:
        """Update what a model keeps from a training batch besides its gradients."""

    def token_axes(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        """Name the weights with one number per id: by path the axis, and the columns whose ids follow one another along it.

        A name that is not a column of the tokens stands for a single number.
        """

    def count_params(self) -> int:
        """Count the numbers in the weights."""

    def save_weights(self, path: Path) -> None:
        """Write the weights."""

    def load_weights(self, path: Path) -> None:
        """Read the weights that `save_weights` wrote."""
