"""An earlier model → what a training begins with, where its weights fit and it heard nothing that is held out now."""

from lstm_music.encoding.echoes import ECHOED
from lstm_music.errors import MismatchError
from lstm_music.models.warm_start import EarlierModel, Moved
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.training.fitting import misfit
from lstm_music.stages.training.trained import load_model
from lstm_music.store import ArtifactRef, Stage, Store


def earlier_model(store: Store, stage: Stage, start: ArtifactRef, dataset: Dataset) -> EarlierModel:
    """Load the model that a training begins with; MismatchError where it does not fit, or heard what is held out now."""
    if reason := misfit(store, stage, start, dataset):
        raise MismatchError(
            f"{start}: cannot be begun with, because {reason}; leave out --warm-start, and the training begins from nothing"
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
    return EarlierModel([weight.numpy() for weight in model.weights], moved)
