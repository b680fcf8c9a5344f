"""Dataset → one model: trained in this process or in a child process, and published with its best weights."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from lstm_music.child import run_child
from lstm_music.encoding.splits import TRAIN, VALIDATION
from lstm_music.encoding.windows import Targets, require_enough_music
from lstm_music.models.backend import load_tensorflow
from lstm_music.models.checkpoint import load_state
from lstm_music.recipe import Recipe, parse_recipe
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.training.checkpoints import (
    Progress,
    Sharing,
    forget_training,
    may_go_on,
    note_progress,
    resumed_state,
)
from lstm_music.stages.training.trained import columns_of, model_stage, shorter_training, start_in, training_spec
from lstm_music.store import ArtifactRef, Store

Report = Callable[[Progress], None]


def each(*reports: Report) -> Report:
    """Give a function that reports to all of these, in this order."""

    def report(progress: Progress) -> None:
        for one in reports:
            one(progress)

    return report


def train_model(
    store: Store,
    recipe: Recipe,
    dataset_ref: ArtifactRef,
    name: str,
    report: Report = lambda _progress: None,
    start: ArtifactRef | None = None,
) -> ArtifactRef:
    """Train one model, by its name, in this process, with one thread; continue from its checkpoint if there is one.

    The newest progress is also written to the checkpoints folder, where other processes read it. Raises TrainingError and
    publishes nothing when the loss is not a number, NotEnoughMusicError where there is too little music, MismatchError for a
    `start` whose weights do not fit.
    """
    recipe, start = recipe.of_model(name), start or start_in(recipe, name)
    stage = model_stage(recipe, dataset_ref, name, start)
    if store.has(stage.ref):
        forget_training(store, stage, recipe)
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    train_targets, validation_targets = _targets_to_train_on(dataset, recipe)  # before TensorFlow, which takes seconds
    load_tensorflow(threads=1)
    from lstm_music.models.training import train
    from lstm_music.models.training_data import TrainingData, TrainingProgress
    from lstm_music.models.weights import save_weights
    from lstm_music.stages.training.warm_start import earlier_model

    data = TrainingData(
        tokens=dataset.tokens,
        train=train_targets,
        validation=validation_targets,
        columns=columns_of(dataset, recipe.windows),
        log_unknown=dataset.log_unknown,
        transposition=dataset.transposition(recipe.windows),
        window=recipe.windows,
    )

    sharing, seconds = Sharing(store, stage, recipe), None

    def on_progress(progress: TrainingProgress) -> None:
        nonlocal seconds
        seconds = progress.seconds
        message = {**progress.to_json(), "leaky": dataset.is_leaky}
        note_progress(store, stage.ref, message)
        sharing.now_and_then()
        report(message)

    checkpoint = resumed_state(store, stage, recipe)
    model, history = train(
        data,
        name,
        recipe.model,
        training_spec(recipe, start),
        recipe.random_seed,
        earlier=None if start is None else earlier_model(store, stage, start, dataset),
        checkpoint=checkpoint,
        report=on_progress,
    )
    best = min(history, key=lambda score: score.held_out)
    epochs = [score for score in history if not score.start_share]
    with store.write(stage) as writer:
        save_weights(model, writer.file("model", "weights.h5"))
        text = json.dumps([score.to_json() for score in history], indent=1)
        writer.file("history", "json").write_text(text + "\n", encoding="utf-8")
        writer.counts.update(
            epochs=sum(score.loss is not None for score in history),
            best_epoch=min(epochs, key=lambda score: score.held_out).epoch + 1,
            parameters=model.count_params(),
        )
        if best.start_share:
            writer.facts.update(start_share=best.start_share)
        writer.facts.update(
            held_out_nll=best.held_out,
            leaky=dataset.is_leaky,
            vocabularies={name: vocabulary.digest for name, vocabulary in dataset.vocabularies.items()},
        )
        writer.provenance.update(training_seconds=seconds)
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
    """Train as `train_model` does, in a child process that ends with this one."""
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
        "lstm_music.stages.training.train:train_in_child",
        request,
        on_message=report,
        environment={"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"},
    )
    return stage.ref


def train_in_child(request: Mapping[str, Any], send: Report) -> dict[str, str]:
    """Run in the child process of `train_model_in_child`."""
    recipe = parse_recipe(dict(request["recipe"]), "recipe")
    dataset_ref = ArtifactRef(**request["dataset"])
    store = Store(request["storage"])
    start = ArtifactRef(**request["start"]) if request["start"] else None
    return train_model(store, recipe, dataset_ref, request["name"], send, start).to_json()


def require_enough_to_train(store: Store, recipe: Recipe, dataset_ref: ArtifactRef) -> None:
    """Raise NotEnoughMusicError where a dataset has too little music for a recipe."""
    _targets_to_train_on(load_dataset(store, dataset_ref), recipe)


def _targets_to_train_on(dataset: Dataset, recipe: Recipe) -> tuple[Targets, Targets]:
    """Give the training and the validation targets; NotEnoughMusicError where there are too few of either."""
    train, validation = (dataset.targets(split, recipe.first_target) for split in (TRAIN, VALIDATION))
    require_enough_music(train, validation, recipe.windows.length)
    return train, validation


def starts_again_note(
    store: Store, recipe: Recipe, dataset_ref: ArtifactRef, name: str, start: ArtifactRef | None = None
) -> str | None:
    """Explain, in one line, why a training with more epochs than a finished one starts again; None where it does not."""
    stage = model_stage(recipe, dataset_ref, name, start)
    if may_go_on(recipe.of_model(name)) or store.has(stage.ref):
        return None
    fewer = shorter_training(store, stage)
    if fewer is None:
        return None
    return (
        f"The {name} model has a finished training of {fewer} epochs. schedule = 'cosine' cannot continue it, so "
        f"{stage.spec['training']['epochs']} epochs start from the beginning; schedule = 'constant' can continue"
    )


def trained_longer(store: Store, recipe: Recipe, dataset_ref: ArtifactRef, name: str) -> Recipe:
    """Raise the epochs of a recipe to those that a training has finished already, where these are more."""
    if not may_go_on(recipe):
        return recipe
    state = load_state(resumed_state(store, model_stage(recipe, dataset_ref, name), recipe))
    epochs = max(recipe.training.epochs, len(state.history) if state else 0)
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": epochs})})
