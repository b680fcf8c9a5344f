"""A TensorFlow model as it makes music: the inference model that reads the file of its weights."""

from pathlib import Path
from tempfile import TemporaryDirectory

from lstm_music.inference.model import InferenceModel, inference_model
from lstm_music.inference.weights import read_weights
from lstm_music.models.event_model import EventModel


def inferred(model: EventModel) -> InferenceModel:
    """Write the weights of a model, and read them as those of an inference model."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        model.save_weights(path)
        return inference_model(model.spec, "+".join(model.predicts), model.columns, read_weights(path))
