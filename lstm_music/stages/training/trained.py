"""What a trained model is known by, and how it is loaded."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from lstm_music.encoding.windows import WindowSpec
from lstm_music.errors import MismatchError
from lstm_music.models.backend import load_tensorflow
from lstm_music.models.columns import Columns
from lstm_music.models.spec import ModelSpec, TrainingSpec
from lstm_music.recipe import Recipe
from lstm_music.stages.data.dataset import Dataset
from lstm_music.store import ArtifactRef, Stage, Store

if TYPE_CHECKING:  # it imports TensorFlow
    from lstm_music.models.event_model import EventModel

KIND = "model"
MODEL_VERSION = 3


def model_stages(
    recipe: Recipe, dataset_ref: ArtifactRef, starts: Mapping[str, ArtifactRef] = MappingProxyType({})
) -> dict[str, Stage]:
    """All models that a recipe makes of a dataset, by their names; `starts` are earlier models that they begin with."""
    return {name: model_stage(recipe, dataset_ref, name, starts.get(name)) for name in recipe.model.models}


def model_stage(recipe: Recipe, dataset_ref: ArtifactRef, name: str, start: ArtifactRef | None = None) -> Stage:
    """One of the models that a recipe makes of a dataset; its name is that of the streams it predicts, joined by `+`.

    With a `start` its training begins with that model's weights, and is shorter.
    """
    recipe = recipe.of_model(name)
    # The one model of `notes_only` is the note model of `three_streams`: hours of work that need not be done twice.
    architecture = {"notes_only": "three_streams"}.get(recipe.model.architecture, recipe.model.architecture)
    spec = {
        "name": name,
        "streams": list(recipe.model.streams),
        "model": {**recipe.model.model_dump(mode="json", exclude={"streams"}), "architecture": architecture},
        "training": training_spec(recipe, start).model_dump(mode="json", exclude={"warm_epochs", "warm_rate"}),
        "windows": recipe.windows.model_dump(mode="json"),
        "random_seed": recipe.random_seed,
    }
    inputs = (dataset_ref,) if start is None else (dataset_ref, start)
    return Stage(KIND, MODEL_VERSION, spec, inputs, ("tensorflow", "keras", "numpy", "h5py"))


def start_of(store: Store, ref: ArtifactRef) -> ArtifactRef | None:
    """Give the model that the training of a model began with."""
    inputs = store.open(ref).inputs
    return inputs[1] if len(inputs) > 1 else None


def training_spec(recipe: Recipe, start: ArtifactRef | None) -> TrainingSpec:
    """Give the `[training]` of a recipe as it is used: shorter and slower where training begins with an earlier model."""
    if start is None:
        return recipe.training
    training = recipe.training
    rate = training.learning_rate * training.warm_rate
    return training.model_copy(update={"epochs": training.warm_epochs, "learning_rate": rate})


def columns_of(dataset: Dataset, windows: WindowSpec) -> Columns:
    """Say what models have to know of the tokens of a dataset."""
    return Columns(dataset.streams, dataset.sizes, dataset.offset_quarters, windows.length)


def load_model(store: Store, ref: ArtifactRef, dataset: Dataset) -> "EventModel":
    """Load a trained model for the vocabularies of a dataset.

    Raises MismatchError where it was trained with others, or by an older version of this project.
    """
    artifact = store.open(ref)
    spec = artifact.manifest["spec"]
    if not is_of_this_version(store, ref):
        raise MismatchError(
            f"{ref}: a model of version {artifact.manifest['format_version']}, where this project reads {MODEL_VERSION}; "
            "train again with `lstm-music train`"
        )
    name = spec["name"]
    digests = {stream: vocabulary.digest for stream, vocabulary in dataset.vocabularies.items()}
    if artifact.facts["vocabularies"] != digests:
        raise MismatchError(
            f"{ref}: the {name} model was trained with another vocabulary than that of {dataset.ref}; "
            "train again with `lstm-music train`",
        )
    load_tensorflow()
    from lstm_music.models.architectures import build_model

    columns = columns_of(dataset, WindowSpec.model_validate(spec["windows"]))
    model = build_model(ModelSpec.model_validate(spec["model"]), name, columns, spec["random_seed"])
    model.load_weights(artifact.file("model"))
    return model


def is_of_this_version(store: Store, ref: ArtifactRef) -> bool:
    """Say whether a model was written by a version of this project whose weights this one reads."""
    return bool(store.open(ref).manifest["format_version"] == MODEL_VERSION)
