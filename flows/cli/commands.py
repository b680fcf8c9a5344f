"""What each sub-command does: plan in the library, make what is missing, report what was made and where."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.cli import report
from flows.cli.choosing import choose_new_recipe, choose_recipe
from flows.cli.disk import disk_usage
from flows.cli.display import Display
from flows.cli.extras import require_training
from flows.cli.generate_command import make_music
from flows.cli.output_dir import copy_to, require_output_dir
from flows.cli.sparing import spare_pandas
from flows.cli.starting import StartChoice, fine_tuned_recipe, keep_recipe
from flows.cli.training import (
    RunnerChoice,
    log_starts_again,
    prepare_inputs,
    starts_of,
    train_models,
    trained_models,
)
from flows.cli.words import counted
from flows.engine.server import orchestrated
from lstm_music.errors import CorruptArtifactError, MissingArtifactError, RecipeError, StorageError
from lstm_music.faults import one_of
from lstm_music.recipe import Recipe, load_recipe
from lstm_music.sources.catalogue import open_source
from lstm_music.sources.choice import chosen_source
from lstm_music.stages.current import name_in, promoted_models
from lstm_music.stages.data import ingest as ingesting
from lstm_music.stages.data import prepare as preparing
from lstm_music.stages.data.attempts import try_again
from lstm_music.stages.music.settings import GenerationSettings
from lstm_music.stages.report import experiments, reproduction
from lstm_music.stages.training import curves, fine_tuning, scorecard, tracking
from lstm_music.stages.training.train import train_model
from lstm_music.stages.training.trained import model_stage
from lstm_music.stages.upkeep.missing import find_missing
from lstm_music.store import ArtifactRef, Store


def run(
    display: Display,
    recipe_name: str | None,
    source: str | None,
    storage: str,
    runner: RunnerChoice,
    start: StartChoice,
    log_to: str | None = None,
) -> None:
    """Do everything from a source to music; finished work is found and not done again."""
    require_training()
    tracking.require_log_to(log_to)
    store = Store(storage)
    if start.start_from is not None:
        recipe = fine_tuned_recipe(display, store, start.start_from, recipe_name, source).run_by(*runner)
        recipe_name = recipe.name
    else:
        recipe = choose_new_recipe(display, store, recipe_name, source).run_by(*runner)
        recipe_name = recipe_name or recipe.name
    chosen = chosen_source(source, recipe.source)
    open_source(chosen)  # before storage is made for a mistyped one, and before it is said
    display.log(f"Recipe {recipe.name}: {chosen} → {storage}")
    with store.session():
        inputs = _ingest_source(display, store, recipe, source)
        if start.start_from is not None:
            recipe = keep_recipe(store, recipe, inputs, start.compare)
        prepared, card_ref = train_models(display, store, recipe, recipe_name, inputs, start.warm, log_to)
        card = report.score_card(display, store, card_ref, recipe.name)
        if promoted_models(store, recipe.name) is None:
            display.log("No models are promoted, so no music is made")
            music: dict[str, Any] = {"outputs": [], "directory": None}
        else:
            settings = GenerationSettings.of(recipe, name_in(store, recipe, recipe_name))
            music = make_music(display, store, recipe, settings, None)
    display.result({"prepare": preparing.describe(store, recipe, prepared), "evaluate": card, "generate": music})


def ingest(display: Display, recipe_name: str | None, source: str | None, storage: str) -> None:
    """Copy the files of a source into storage."""
    spare_pandas()
    store = Store(storage)
    recipe = choose_new_recipe(display, store, recipe_name, source)
    open_source(chosen_source(source, recipe.source))
    others: Counter[str] = Counter()
    with store.session():
        inputs = _ingest_source(display, store, recipe, source, others)
    display.result(report.inputs(display, store, inputs, others))


def prepare(display: Display, recipe_name: str | None, source: str | None, storage: str, runner: RunnerChoice) -> None:
    """Make a dataset: here if that takes seconds, else through the flow."""
    require_training()
    spare_pandas()
    store = Store(storage)
    recipe = choose_new_recipe(display, store, recipe_name, source).run_by(*runner)
    open_source(chosen_source(source, recipe.source))
    with store.session():
        inputs = _ingest_source(display, store, recipe, source)
        prepared = prepare_inputs(display, store, recipe, recipe_name or recipe.name, inputs)
        report.prepared(display, store, recipe, prepared)
    display.result(preparing.describe(store, recipe, prepared))


def train(
    display: Display,
    recipe_name: str | None,
    source: str | None,
    storage: str,
    runner: RunnerChoice,
    start: StartChoice,
    log_to: str | None = None,
) -> None:
    """Train the models, side by side, through the flow."""
    require_training()
    tracking.require_log_to(log_to)
    store = Store(storage)
    recipe, recipe_name = _recipe_to_train(display, store, recipe_name, source, start)
    recipe = recipe.run_by(*runner)
    with store.session():
        recipe, inputs = _inputs_to_train_on(display, store, recipe, source, start)
        _, card_ref = train_models(display, store, recipe, recipe_name, inputs, start.warm, log_to)
        card = report.score_card(display, store, card_ref, recipe.name)
    display.result(card)


def train_one(
    display: Display,
    recipe_name: str | None,
    source: str | None,
    storage: str,
    model: str,
    start: StartChoice,
    log_to: str | None = None,
) -> None:
    """Train one model in this process."""
    require_training()
    tracking.require_log_to(log_to)
    store = Store(storage)
    recipe, recipe_name = _recipe_to_train(display, store, recipe_name, source, start)
    if model not in recipe.model.models:
        raise RecipeError(f"--model: expected {one_of(list(recipe.model.models))}, got {model!r}")
    with store.session():
        recipe, inputs = _inputs_to_train_on(display, store, recipe, source, start)
        dataset = prepare_inputs(display, store, recipe, recipe_name, inputs).dataset
        starts = starts_of(display, store, recipe, dataset, start.warm)
        ref = model_stage(recipe, dataset, model, starts.get(model)).ref
        log_starts_again(display, store, recipe, dataset, {model: starts.get(model)})
        log = tracking.begin_run(log_to, recipe, dataset, starts) if log_to else None
        with display.trainings(store, {model: ref}), tracking.recorded(log, store, ref, model) as record:
            train_model(store, recipe, dataset, model, record, starts.get(model))
        tracking.end_run(log)
        display.log(f"Made {store.open(ref).folder}")
        drawn = str(curves.curves_of_model(store, recipe.name, model, ref))
        display.log(f"Learning curve: {drawn}")
    display.result({"model": str(store.open(ref).folder), **store.open(ref).facts, "curves": drawn})


def reproduce(
    display: Display,
    architectures: Sequence[str],
    protocols: Sequence[str],
    source: str | None,
    storage: str,
    budget: int | None,
    workers: int,
    output_dir: Path | None,
) -> None:
    """Train the report's architectures by its way of splitting and by ours, and write one report."""
    recipe, store = load_recipe(experiments.RECIPE), Store(storage)
    require_output_dir(output_dir, store)
    planned = experiments.plan_experiments(recipe, architectures, protocols, budget)
    open_source(chosen_source(source, recipe.source))
    with store.session():
        outcomes = reproduction.plan_outcomes(store, planned, _ingest_source(display, store, recipe, source))
        ref = reproduction.report_stage(outcomes).ref
        if not store.has(ref):
            _run_experiments(display, store, outcomes, workers)
        said = report.reproduced(display, store, ref, output_dir)
        if output_dir is not None:
            copy_to(output_dir, store, ref, may_replace=True)
    display.result(said)


def _run_experiments(display: Display, store: Store, outcomes: list[reproduction.Outcome], workers: int) -> None:
    trainings = {
        ref: f"{name}, {one.experiment.architecture}, {one.experiment.protocol}"
        for one in outcomes
        for name, ref in one.models.items()
    }
    display.log(f"Training {counted(len(trainings), 'model')}, {workers} at once, then writing the report")
    with orchestrated():
        from flows.reproduce import run_experiments

        with display.trainings(store, {name: ref for ref, name in trainings.items()}):
            run_experiments(store.where, outcomes, workers)


def evaluate(display: Display, recipe_name: str | None, storage: str) -> None:
    """Score the trained models on the dataset that was prepared last."""
    store = Store(storage)
    recipe = choose_recipe(display, store, recipe_name, "promoted", "prepared")
    prepared = preparing.last_prepared(store, recipe.name)
    trained = trained_models(store, recipe, prepared.dataset)
    others = fine_tuning.beside_there(store, recipe, prepared)
    with store.session():
        with display.doing("Scoring the models and the baselines"):
            ref = scorecard.evaluate(store, recipe, prepared.dataset, trained, others)
        display.result(report.score_card(display, store, ref, recipe.name))


def status(display: Display, storage: str, *, disk: bool = False) -> None:
    """Show what storage holds, and if `disk` asks for it what takes how much space."""
    store = Store(storage)
    said = report.status(display, store)
    if disk and store.is_begun():
        said["disk"] = disk_usage(display, store)
    display.result(said)


def verify(display: Display, storage: str) -> None:
    """Check every file, and that all that is needed is there; CorruptArtifactError or MissingArtifactError if not."""
    store = Store(storage)
    if not store.exists():
        raise StorageError(f"{storage}: no storage lies here; give the --storage of an earlier run")
    with display.doing("Checking every file"):
        found, missing = store.verify(), find_missing(store)
    display.result(report.verified(display, found, missing))
    if found.bad:
        raise CorruptArtifactError(
            f"{storage}: {len(found.bad)} of {counted(found.files, 'file')} damaged, the first is {found.bad[0].path}; "
            "delete the folders of these files and run again"
        )
    if missing:
        raise MissingArtifactError(f"{storage}: {len(missing)} missing, the first is {missing[0].path}; see above")


def _ingest_source(
    display: Display, store: Store, recipe: Recipe, source: str | None, others: Counter[str] | None = None
) -> ArtifactRef:
    chosen = chosen_source(source, recipe.source)
    with display.ingesting(chosen) as on_bytes:
        inputs = try_again(store, ingesting.ingest(store, recipe, chosen, others, on_bytes))
    missing = ingesting.missing(recipe, ingesting.read_inputs(store, inputs)) if recipe.contents else []
    if missing:
        shown = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        display.log(
            f"{len(missing)} of the {counted(len(recipe.contents), 'file')} that the recipe names are missing: {shown}"
        )
    return inputs


def _recipe_to_train(
    display: Display, store: Store, recipe_name: str | None, source: str | None, start: StartChoice
) -> tuple[Recipe, str]:
    """Give the recipe of a training, and what names it for flows."""
    if start.start_from is not None:
        recipe = fine_tuned_recipe(display, store, start.start_from, recipe_name, source)
        return recipe, recipe.name
    recipe = choose_recipe(display, store, recipe_name, "prepared")
    return recipe, recipe_name or recipe.name


def _inputs_to_train_on(
    display: Display, store: Store, recipe: Recipe, source: str | None, start: StartChoice
) -> tuple[Recipe, ArtifactRef]:
    """Give the inputs of a source; without one those that were prepared last, or else those of the recipe's source.

    A fine-tuned recipe is complete once its inputs are known, so it is given, too.
    """
    if source is None and preparing.has_prepared(store, recipe.name):
        inputs = preparing.last_prepared(store, recipe.name).inputs
    else:
        inputs = _ingest_source(display, store, recipe, source)
    return (recipe if start.start_from is None else keep_recipe(store, recipe, inputs, start.compare)), inputs
