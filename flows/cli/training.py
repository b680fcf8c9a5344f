"""Planning and training for several sub-commands: what is there is found, what is missing is made through the flow."""

from collections.abc import Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Literal

from flows.cli import report
from flows.cli.display import Display
from flows.cli.words import counted
from flows.engine.server import orchestrated
from lstm_music.errors import MismatchError
from lstm_music.evaluation.fine_tuned import FROM_NOTHING
from lstm_music.recipe import Recipe, RunnerName
from lstm_music.stages.current import Promoted, promoted_models
from lstm_music.stages.data import prepare as preparing
from lstm_music.stages.data.prepare import Prepared
from lstm_music.stages.training import fine_tuning, promotion, scorecard, tracking
from lstm_music.stages.training.changes import changes_since_training, changes_text
from lstm_music.stages.training.train import require_enough_to_train, starts_again_note
from lstm_music.stages.training.trained import model_stages, start_in
from lstm_music.store import ArtifactRef, Store

RunnerChoice = tuple[RunnerName | None, int | None, str | None]
"""The runner that a user asked for: its name, the number of workers, the address of a Dask scheduler."""


def runner_of(recipe: Recipe) -> RunnerChoice:
    """Give a recipe's runner as the parameters of a flow."""
    return recipe.runner.name, recipe.runner.workers, recipe.runner.dask_scheduler


def prepare_inputs(display: Display, store: Store, recipe: Recipe, recipe_name: str, inputs: ArtifactRef) -> Prepared:
    """Make a dataset: here if that takes seconds, else through the flow."""
    todo = preparing.batches_to_parse(store, inputs)
    with display.doing("Reading and encoding the music"):
        if preparing.is_small(todo):
            return preparing.prepare(store, recipe, inputs)
        with orchestrated():
            from flows.prepare import prepare as flow

            return flow(recipe_name, None, store.where, *runner_of(recipe), inputs.key)


def train_models(
    display: Display,
    store: Store,
    recipe: Recipe,
    recipe_name: str,
    inputs: ArtifactRef,
    warm_start: bool,
    log_to: str | None = None,
) -> tuple[Prepared, ArtifactRef]:
    """Prepare, report every input, and run `train-all` unless everything is there; give the score card, too."""
    plan = preparing.plan(recipe, inputs)
    starts = starts_of(display, store, recipe, plan.dataset, warm_start)
    trained = _model_refs(recipe, plan.dataset, starts)
    others = fine_tuning.beside(recipe, plan, with_nothing=not warm_start)
    card = scorecard.scorecard_stage(recipe, plan.dataset, trained, others).ref
    is_trained = all(map(store.has, [*trained.values(), card]))
    with nullcontext() if is_trained else orchestrated():  # one server for both flows
        prepared = prepare_inputs(display, store, recipe, recipe_name, inputs)
        report.prepared(display, store, recipe, prepared)
        if is_trained:
            decision = promotion.promote(store, recipe, Promoted(prepared.dataset, trained, card))
            if log_to:
                log = tracking.begin_run(log_to, recipe, prepared.dataset, starts)
                tracking.record_finished(log, store, trained, scorecard.read_card(store, card))
        else:
            require_enough_to_train(store, recipe, prepared.dataset)
            display.log(
                f"Training {counted(len(trained), 'model')}{' side by side' if len(trained) > 1 else ''}, then evaluating"
            )
            if recipe.split.by == "random_windows":
                display.log("The split is of random windows (leaky): the models are scored, but not promoted")
            log_starts_again(display, store, recipe, plan.dataset, {name: starts.get(name) for name in trained})
            with display.trainings(store, trained | _compared(others)):
                from flows.train_all import train_all

                warm: Literal["yes", "no"] = "yes" if warm_start else "no"
                decision = train_all(recipe_name, None, store.where, *runner_of(recipe), inputs.key, warm, log_to)
    display.log(decision.sentence)
    return prepared, card


def _compared(others: scorecard.Beside) -> dict[str, ArtifactRef]:
    """Give the trainings that are made for comparison, as they are shown."""
    found = others.get(FROM_NOTHING)
    return {f"{name}, from nothing": ref for name, ref in found.models.items()} if found else {}


def log_starts_again(
    display: Display, store: Store, recipe: Recipe, dataset: ArtifactRef, models: Mapping[str, ArtifactRef | None]
) -> None:
    """Explain which of the models start again though a shorter training of them is finished; `models` maps to their starts."""
    for name, start in models.items():
        if note := starts_again_note(store, recipe, dataset, name, start):
            display.log(note)


def starts_of(
    display: Display, store: Store, recipe: Recipe, dataset: ArtifactRef, warm_start: bool
) -> dict[str, ArtifactRef]:
    """Give the models that the trainings start from, and report which trainings have none."""
    starts = promotion.warm_starts(store, recipe, dataset) if warm_start else {}
    alone = [
        name
        for name, stage in model_stages(recipe, dataset, starts).items()
        if name not in starts and start_in(recipe, name) is None and not store.has(stage.ref)
    ]
    if warm_start and alone:
        display.log(f"No promoted models to start from for {', '.join(alone)}: training starts from scratch")
    return starts


def _model_refs(
    recipe: Recipe, dataset: ArtifactRef, starts: Mapping[str, ArtifactRef] = MappingProxyType({})
) -> dict[str, ArtifactRef]:
    return {name: stage.ref for name, stage in model_stages(recipe, dataset, starts).items()}


def trained_models(store: Store, recipe: Recipe, dataset: ArtifactRef) -> dict[str, ArtifactRef]:
    """Give the models of a dataset, promoted ones before others; MismatchError if one was not trained on it."""
    refs = _model_refs(recipe, dataset)
    warm = _model_refs(recipe, dataset, promotion.warm_starts(store, recipe, dataset))
    complete = [found for found in (refs, warm) if all(map(store.has, found.values()))]
    current = promoted_models(store, recipe.name)
    if complete:
        return warm if current and current.models == warm else complete[0]
    todo = f"train with `lstm-music train --recipe {recipe.name}`"
    if current and (changes := changes_since_training(store, recipe, current)):
        raise MismatchError(
            f"recipe {recipe.name!r}: changed since its models were trained: {changes_text(changes)}; {todo}, or undo the change"
        )
    missing = [name for name, ref in refs.items() if not store.has(ref)]
    raise MismatchError(
        f"recipe {recipe.name!r}: what was prepared last has no trained model yet for {', '.join(missing)}; {todo}"
    )
