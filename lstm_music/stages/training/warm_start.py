"""An earlier model → the start of a training, where its weights fit and it was trained on nothing that is held out now."""

from lstm_music.encoding.echoes import ECHOED
from lstm_music.errors import MismatchError
from lstm_music.models.warm_start import EarlierModel, Moved
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.training.fitting import misfit
from lstm_music.stages.training.trained import load_model
from lstm_music.store import ArtifactRef, Stage, Store


def earlier_model(store: Store, stage: Stage, start: ArtifactRef, dataset: Dataset) -> EarlierModel:
    """Load the model that a training starts from; MismatchError where it does not fit, or was trained on held-out pieces."""
    if reason := misfit(store, stage, start, dataset):
        raise MismatchError(
            f"{start}: a training cannot start from this model, because {reason}; "
            "leave out --warm-start to train from random weights"
        )
    before = load_dataset(store, store.open(start).inputs[0])
    model = load_model(store, start, before)
    vocabularies = {
        stream: Moved.between(before.vocabularies[stream], now) for stream, now in dataset.vocabularies.items()
    }
    moved = {
        column: vocabularies.get(ECHOED.get(column, column)) or Moved.unchanged(size)
        for column, size in dataset.sizes.items()
    }
    return EarlierModel({weight.path: weight.numpy() for weight in model.weights}, moved)
