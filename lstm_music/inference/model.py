"""The interface of a model in generation, whatever its architecture."""

from typing import Any, Protocol

import numpy.typing as npt

from lstm_music.inference.chained import ChainedModel
from lstm_music.inference.exact import Array
from lstm_music.inference.windowed import WindowedModel
from lstm_music.models.columns import Columns
from lstm_music.models.spec import ModelSpec, streams_of


class InferenceModel(Protocol):
    """A trained model of the next values of some streams."""

    spec: ModelSpec
    columns: Columns
    predicts: tuple[str, ...]  # the streams, in the order of the chain

    def after(self, tokens: npt.NDArray[Any]) -> Any:
        """Give the state after some events, int [events + 1, outputs, columns]; the first one is before them."""

    def step(self, previous: npt.NDArray[Any], current: npt.NDArray[Any], state: Any) -> tuple[list[Array], Any]:
        """Give the logits [outputs, ids] of each stream at an event, and the state after it.

        Tokens, int [outputs, columns], are those of the event before, and of this one as far as it is known.
        """


def inference_model(
    spec: ModelSpec, name: str, columns: Columns, weights: dict[str, npt.NDArray[Any]]
) -> InferenceModel:
    """Give the model of that name with trained weights: see `read_weights`."""
    kind = WindowedModel if spec.is_windowed else ChainedModel
    return kind(spec, streams_of(name), columns, weights)
