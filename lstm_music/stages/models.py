"""Dataset → one model: trained here, or in a process of its own, and published with its best weights."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lstm_music.child import run_child
from lstm_music.encoding.splits import TRAIN, VALIDATION
from lstm_music.encoding.windows import Targets, WindowSpec, require_enough_music
from lstm_music.errors import MismatchError
from lstm_music.models.backend import load_tensorflow
from lstm_music.models.checkpoint import load_state
from lstm_music.models.columns import Columns
from lstm_music.models.spec import ModelSpec, TrainingSpec
from lstm_music.recipe import Recipe, parse_recipe
from lstm_music.stages.checkpoints import (
    Progress,
    Sharing,
    forget_training,
    may_go_on,
    note_progress,
    resumed_state,
)
from lstm_music.stages.dataset import Dataset, load_dataset
from lstm_music.store import ArtifactRef, Stage, Store

if TYPE_CHECKING:  # it imports TensorFlow
    from lstm_music.models.event_model import EventModel

KIND = "model"
MODEL_VERSION = 3

Report = Callable[[Progress], None]


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
        "training": _training_spec(recipe, start).model_dump(mode="json", exclude={"warm_epochs", "warm_rate"}),
        "windows": recipe.windows.model_dump(mode="json"),
        "random_seed": recipe.random_seed,
    }
    inputs = (dataset_ref,) if start is None else (dataset_ref, start)
    return Stage(KIND, MODEL_VERSION, spec, inputs, ("tensorflow", "keras", "numpy", "h5py"))


def start_of(store: Store, ref: ArtifactRef) -> ArtifactRef | None:
    """Give the model that the training of a model began with."""
    inputs = store.open(ref).inputs
    return inputs[1] if len(inputs) > 1 else None


def train_model(
    store: Store,
    recipe: Recipe,
    dataset_ref: ArtifactRef,
    name: str,
    report: Report = lambda _progress: None,
    start: ArtifactRef | None = None,
) -> ArtifactRef:
    """Train one model, by its name, in this process, with one thread; go on from its checkpoint if there is one.

    The newest progress also lies in the checkpoints folder, for whoever looks from another process. Raises TrainingError and
    publishes nothing when the loss is not a number, NotEnoughMusicError where there is too little music, MismatchError for a
    `start` whose weights do not fit.
    """
    recipe = recipe.of_model(name)
    stage = model_stage(recipe, dataset_ref, name, start)
    if store.has(stage.ref):
        forget_training(store, stage, recipe)
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    train_targets, validation_targets = _targets_to_train_on(dataset, recipe)  # before TensorFlow, which takes seconds
    load_tensorflow(threads=1)
    from lstm_music.models.training import TrainingData, TrainingProgress, train
    from lstm_music.stages.warm_start import earlier_model

    data = TrainingData(
        tokens=dataset.tokens,
        train=train_targets,
        validation=validation_targets,
        columns=columns_of(dataset, recipe.windows),
        log_unknown=dataset.log_unknown,
        transposition=dataset.transposition(recipe.windows),
        window=recipe.windows,
    )

    sharing = Sharing(store, stage, recipe)

    def tell(progress: TrainingProgress) -> None:
        said = {**progress.to_json(), "leaky": dataset.is_leaky}
        note_progress(store, stage.ref, said)
        sharing.now_and_then()
        report(said)

    checkpoint = resumed_state(store, stage, recipe)
    model, history = train(
        data,
        name,
        recipe.model,
        _training_spec(recipe, start),
        recipe.random_seed,
        earlier=None if start is None else earlier_model(store, stage, start, dataset),
        checkpoint=checkpoint,
        report=tell,
    )
    best = min(history, key=lambda score: score.held_out)
    with store.write(stage) as writer:
        model.save_weights(writer.file("model", "weights.h5"))
        text = json.dumps([asdict(score) for score in history], indent=1)
        writer.file("history", "json").write_text(text + "\n", encoding="utf-8")
        writer.counts.update(epochs=len(history), best_epoch=best.epoch + 1, parameters=model.count_params())
        writer.facts.update(
            held_out_nll=best.held_out,
            leaky=dataset.is_leaky,
            vocabularies={name: vocabulary.digest for name, vocabulary in dataset.vocabularies.items()},
        )
    forget_training(store, stage, recipe)
    return stage.ref


def train_model_in_child(
    store: Store,
    recipe: Recipe,
    dataset_ref: ArtifactRef,
    name: str,
    report: Report = lambda _progress: None,
    start: ArtifactRef | None = None,
) -> ArtifactRef:
    """Train as `train_model` does, in a process of its own that dies with this one."""
    stage = model_stage(recipe, dataset_ref, name, start)
    if store.has(stage.ref):
        forget_training(store, stage, recipe)
        return stage.ref
    require_enough_to_train(store, recipe, dataset_ref)
    request = {
        "storage": store.where,
        "recipe": recipe.model_dump(mode="json"),
        "dataset": dataset_ref.to_json(),
        "name": name,
        "start": start and start.to_json(),
    }
    run_child(
        "lstm_music.stages.models:train_in_child",
        request,
        on_message=report,
        environment={"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"},
    )
    return stage.ref


def train_in_child(request: Mapping[str, Any], send: Report) -> dict[str, str]:
    """Be the child of `train_model_in_child`."""
    recipe = parse_recipe(dict(request["recipe"]), "recipe")
    dataset_ref = ArtifactRef(**request["dataset"])
    store = Store(request["storage"])
    start = ArtifactRef(**request["start"]) if request["start"] else None
    return train_model(store, recipe, dataset_ref, request["name"], send, start).to_json()


def require_enough_to_train(store: Store, recipe: Recipe, dataset_ref: ArtifactRef) -> None:
    """Raise NotEnoughMusicError where a recipe has too little of a dataset to train on."""
    _targets_to_train_on(load_dataset(store, dataset_ref), recipe)


def _targets_to_train_on(dataset: Dataset, recipe: Recipe) -> tuple[Targets, Targets]:
    """Give what is trained on and what is held out; NotEnoughMusicError where there is too little of either."""
    train, validation = (dataset.targets(side, recipe.first_target) for side in (TRAIN, VALIDATION))
    require_enough_music(train, validation, recipe.windows.length)
    return train, validation


def _training_spec(recipe: Recipe, start: ArtifactRef | None) -> TrainingSpec:
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


def trained_longer(store: Store, recipe: Recipe, dataset_ref: ArtifactRef, name: str) -> Recipe:
    """Allow a training as many epochs as it has behind it already, where those are more than the recipe allows."""
    if not may_go_on(recipe):
        return recipe
    state = load_state(resumed_state(store, model_stage(recipe, dataset_ref, name), recipe))
    epochs = max(recipe.training.epochs, len(state.history) if state else 0)
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": epochs})})
