"""TensorFlow for those tests that need it, and one small storage with everything made, for those that only read."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from eager import eagerly
from small_music import small_collection, tiny_recipe, write_folder

from lstm_music.encoding.streams import STREAMS
from lstm_music.models.backend import load_tensorflow
from lstm_music.recipe import Recipe
from lstm_music.stages.current import Promoted
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import Prepared, prepare
from lstm_music.stages.training.scorecard import evaluate
from lstm_music.stages.training.train import train_model
from lstm_music.store import ArtifactRef, Store


@dataclass(frozen=True)
class Made:
    """A storage, and what was made in it of which folder."""

    store: Store
    recipe: Recipe
    folder: Path
    prepared: Prepared

    @property
    def dataset(self) -> Dataset:
        return load_dataset(self.store, self.prepared.dataset)

    def copy(self, to: Path) -> "Made":
        """Copy the storage, for a test that damages or adds."""
        shutil.copytree(self.store.root, to, symlinks=True)
        return Made(Store(to), self.recipe, self.folder, self.prepared)


@pytest.fixture(scope="session")
def tensorflow() -> None:
    """TensorFlow, for tests that import modules which import it."""
    load_tensorflow(threads=1)  # as trainings do


@pytest.fixture
def uncompiled(tensorflow: None) -> Iterator[None]:
    """Run what TensorFlow would compile step by step, which is faster for the little that a test computes."""
    with eagerly():
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Eight small pieces, prepared."""
    root = tmp_path_factory.mktemp("made")
    folder = write_folder(root / "music", small_collection())
    store, recipe = Store(root / "storage"), tiny_recipe()
    prepared = prepare(store, recipe, ingest(store, recipe, str(folder)))
    return Made(store, recipe, folder, prepared)


@pytest.fixture(scope="session")
def trained(made: Made, tensorflow: None) -> dict[str, ArtifactRef]:
    """The three models of `made`."""
    return {stream: train_model(made.store, made.recipe, made.prepared.dataset, stream) for stream in STREAMS}


@pytest.fixture(scope="session")
def evaluated(made: Made, trained: dict[str, ArtifactRef]) -> Promoted:
    """The score card of the three models of `made`."""
    card = evaluate(made.store, made.recipe, made.prepared.dataset, trained)
    return Promoted(made.prepared.dataset, trained, card)
