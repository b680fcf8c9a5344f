"""The key of a trained model, its history, and how to load it."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lstm_music.encoding.windows import WindowSpec
from lstm_music.errors import CorruptArtifactError, MismatchError
from lstm_music.inference.model import InferenceModel, inference_model
from lstm_music.inference.weights import read_weights
from lstm_music.models.backend import load_tensorflow
from lstm_music.models.columns import Columns
from lstm_music.models.spec import ModelSpec, TrainingSpec
from lstm_music.models.weights import load_weights
from lstm_music.recipe import Recipe
from lstm_music.stages.data.dataset import Dataset
from lstm_music.store import Artifact, ArtifactRef, Stage, Store

if TYPE_CHECKING:  # it imports TensorFlow
    from lstm_music.models.event_model import EventModel

KIND = "model"
MODEL_VERSION = 3
START_VERSION = 2
"""The version of what trainings do with the model that they start from: its weights are carried over, and scored."""


def model_stages(
    recipe: Recipe, dataset_ref: ArtifactRef, starts: Mapping[str, ArtifactRef] = MappingProxyType({})
) -> dict[str, Stage]:
    """Give all models that a recipe makes of a dataset, by name; `starts` are the earlier models that trainings start from."""
    return {name: model_stage(recipe, dataset_ref, name, starts.get(name)) for name in recipe.model.models}


def model_stage(recipe: Recipe, dataset_ref: ArtifactRef, name: str, start: ArtifactRef | None = None) -> Stage:
    """Give one of the models that a recipe makes of a dataset; its name is the streams it predicts, joined by `+`.

    With a `start`, or that of the recipe, its training starts from that model's weights, and is shorter.
    """
    start = start or start_in(recipe, name)
    recipe = recipe.of_model(name)
    # The one model of `notes_only` is the note model of `three_streams`: hours of work that need not be repeated.
    architecture = {"notes_only": "three_streams"}.get(recipe.model.architecture, recipe.model.architecture)
    spec = {
        "name": name,
        "streams": list(recipe.model.streams),
        "model": {**_settings(recipe.model), "architecture": architecture},
        "training": _training_settings(training_spec(recipe, start)),
        "windows": recipe.windows.model_dump(mode="json"),
        "random_seed": recipe.random_seed,
    }
    if start is not None:  # all other models keep their keys
        spec["start_version"] = START_VERSION
    inputs = (dataset_ref,) if start is None else (dataset_ref, start)
    return Stage(KIND, MODEL_VERSION, spec, inputs, ("tensorflow", "keras", "numpy", "h5py"))


def start_in(recipe: Recipe, name: str) -> ArtifactRef | None:
    """Give the model that a fine-tuned recipe starts a model from, by its name."""
    key = recipe.start.models.get(name) if recipe.start else None
    return ArtifactRef(KIND, key) if key else None


def _settings(spec: ModelSpec) -> dict[str, Any]:
    """Give the settings of a model that are part of its key: experts and controls only where there are some, as before them."""
    without = {name for name in ("experts", "controls") if not getattr(spec, name)}
    return spec.model_dump(mode="json", exclude={"streams", *without})


def _training_settings(spec: TrainingSpec) -> dict[str, Any]:
    """Give the settings of a training that are part of its key; without newer settings it is the key that it was before."""
    newer = {name for name in ("experts_from", "least_events") if not getattr(spec, name)}
    without = {"warm_epochs", "warm_rate", *newer}
    return spec.model_dump(mode="json", exclude=without)


def start_of(store: Store, ref: ArtifactRef) -> ArtifactRef | None:
    """Give the model that the training of a model started from, if any."""
    inputs = store.open(ref).inputs
    return inputs[1] if len(inputs) > 1 else None


def training_spec(recipe: Recipe, start: ArtifactRef | None) -> TrainingSpec:
    """Give the effective `[training]` of a recipe: shorter and slower where training starts from an earlier model."""
    if start is None:
        return recipe.training
    training = recipe.training
    rate = training.learning_rate * training.warm_rate
    return training.model_copy(update={"epochs": training.warm_epochs, "learning_rate": rate})


def read_history(store: Store, ref: ArtifactRef) -> list[dict[str, Any]]:
    """Read the score of each epoch of a model's training: see `EpochScore`."""
    history: list[dict[str, Any]] = json.loads(store.open(ref).file("history").read_text(encoding="utf-8"))
    return history


def shorter_training(store: Store, stage: Stage) -> int | None:
    """Give the epochs of the longest finished training that differs from this one only by having fewer epochs."""
    found = [_epochs_of_the_same(store, ref, stage) for ref in store.refs(KIND)]
    return max((fewer for fewer in found if fewer < stage.spec["training"]["epochs"]), default=0) or None


def _epochs_of_the_same(store: Store, ref: ArtifactRef, stage: Stage) -> int:
    """Give the epochs of a training that is `stage` with another number of epochs; 0 for any other."""
    try:
        manifest, inputs = store.open(ref).manifest, store.open(ref).inputs
    except CorruptArtifactError:
        return 0  # `verify` reports it; it is no concern of another training
    is_the_same = (
        inputs == stage.inputs
        and manifest["format_version"] == stage.format_version
        and _without_epochs(manifest["spec"]) == _without_epochs(stage.spec)
    )
    return int(manifest["spec"]["training"]["epochs"]) if is_the_same else 0


def _without_epochs(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {**spec, "training": {key: value for key, value in spec["training"].items() if key != "epochs"}}


def columns_of(dataset: Dataset, windows: WindowSpec) -> Columns:
    """Give what models have to know about the tokens of a dataset."""
    return Columns(dataset.streams, dataset.sizes, dataset.offset_quarters, windows.length)


def load_model(store: Store, ref: ArtifactRef, dataset: Dataset) -> "EventModel":
    """Load a trained model for the vocabularies of a dataset.

    Raises MismatchError where it was trained with others, or by an older version of this project.
    """
    artifact, spec = _checked(store, ref, dataset)
    load_tensorflow()
    from lstm_music.models.architectures import build_model

    columns = columns_of(dataset, WindowSpec.model_validate(spec["windows"]))
    model = build_model(ModelSpec.model_validate(spec["model"]), spec["name"], columns, spec["random_seed"])
    load_weights(model, artifact.file("model"))
    return model


def load_inference_model(store: Store, ref: ArtifactRef, dataset: Dataset) -> InferenceModel:
    """Load a trained model to make music with it, without TensorFlow. Raises MismatchError as `load_model` does."""
    artifact, spec = _checked(store, ref, dataset)
    columns = columns_of(dataset, WindowSpec.model_validate(spec["windows"]))
    weights = read_weights(artifact.file("model"))
    return inference_model(ModelSpec.model_validate(spec["model"]), spec["name"], columns, weights)


def _checked(store: Store, ref: ArtifactRef, dataset: Dataset) -> tuple[Artifact, dict[str, Any]]:
    """Open a trained model for the vocabularies of a dataset, and give its settings, too."""
    artifact = store.open(ref)
    spec = artifact.manifest["spec"]
    if not is_of_this_version(store, ref):
        raise MismatchError(
            f"{ref}: expected a model of version {MODEL_VERSION}, got version {artifact.manifest['format_version']}; "
            "train again with `lstm-music train`"
        )
    name = spec["name"]
    digests = {stream: vocabulary.digest for stream, vocabulary in dataset.vocabularies.items()}
    if artifact.facts["vocabularies"] != digests:
        raise MismatchError(
            f"{ref}: the {name} model was trained with another vocabulary than that of {dataset.ref}; "
            "train again with `lstm-music train`",
        )
    return artifact, spec


def is_of_this_version(store: Store, ref: ArtifactRef) -> bool:
    """Whether this version of the project reads the weights of a model."""
    return bool(store.open(ref).manifest["format_version"] == MODEL_VERSION)
