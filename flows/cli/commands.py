"""What each sub-command does: plan in the library, make what is missing, say what was made and where."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.cli import report
from flows.cli.display import Display
from flows.cli.output_dir import copy_to
from flows.cli.training import (
    RunnerChoice,
    log_starts_again,
    prepare_inputs,
    starts_of,
    train_models,
    trained_models,
)
from flows.engine.server import orchestrated
from lstm_music.errors import CorruptArtifactError, RecipeError, StorageError
from lstm_music.recipe import Recipe, load_recipe
from lstm_music.rendering.soundfont import require_soundfont
from lstm_music.sources.catalogue import open_source
from lstm_music.stages.current import promoted_models, require_promoted
from lstm_music.stages.data import ingest as ingesting
from lstm_music.stages.data import prepare as preparing
from lstm_music.stages.music import generation
from lstm_music.stages.music import index as generations
from lstm_music.stages.music.overrides import Overrides, overridden
from lstm_music.stages.music.prompts import read_prompt_midi
from lstm_music.stages.music.settings import GenerationSettings
from lstm_music.stages.report import experiments, reproduction
from lstm_music.stages.training import curves, scorecard, tracking
from lstm_music.stages.training.train import train_model
from lstm_music.stages.training.trained import model_stage
from lstm_music.store import ArtifactRef, Store


def run(
    display: Display,
    recipe_name: str,
    source: str | None,
    storage: str,
    runner: RunnerChoice,
    warm_start: bool,
    log_to: str | None = None,
) -> None:
    """Do everything from a source to music; what is there already is found and not made again."""
    recipe, store = load_recipe(recipe_name).run_by(*runner), Store(storage)
    tracking.require_log_to(log_to)
    open_source(source or recipe.source)  # before storage is made for a mistyped one, and before it is said
    display.log(f"Recipe {recipe.name}: {source or recipe.source} → {storage}")
    with store.session():
        inputs = _ingest_source(display, store, recipe, source)
        prepared, card_ref = train_models(display, store, recipe, recipe_name, inputs, warm_start, log_to)
        card = report.score_card(display, store, card_ref, recipe.name)
        if promoted_models(store, recipe.name) is None:
            display.log("No models are in use, so no music is made")
            music: dict[str, Any] = {"outputs": [], "directory": None}
        else:
            music = _generate(display, store, recipe, GenerationSettings.of(recipe, recipe_name), None)
    display.result({"prepare": preparing.describe(store, recipe, prepared), "evaluate": card, "generate": music})


def ingest(display: Display, recipe_name: str, source: str | None, storage: str) -> None:
    """Take in the files of a source."""
    recipe, store = load_recipe(recipe_name), Store(storage)
    open_source(source or recipe.source)
    others: Counter[str] = Counter()
    with store.session():
        inputs = _ingest_source(display, store, recipe, source, others)
    display.result(report.inputs(display, store, inputs, others))


def prepare(display: Display, recipe_name: str, source: str | None, storage: str, runner: RunnerChoice) -> None:
    """Make a dataset: here where that takes seconds, else through the flow."""
    recipe, store = load_recipe(recipe_name).run_by(*runner), Store(storage)
    open_source(source or recipe.source)
    with store.session():
        inputs = _ingest_source(display, store, recipe, source)
        prepared = prepare_inputs(display, store, recipe, recipe_name, inputs)
        report.prepared(display, store, recipe, prepared)
    display.result(preparing.describe(store, recipe, prepared))


def train(
    display: Display,
    recipe_name: str,
    source: str | None,
    storage: str,
    runner: RunnerChoice,
    warm_start: bool,
    log_to: str | None = None,
) -> None:
    """Train the models, side by side, through the flow."""
    recipe, store = load_recipe(recipe_name).run_by(*runner), Store(storage)
    tracking.require_log_to(log_to)
    with store.session():
        inputs = _inputs_to_train_on(display, store, recipe, source)
        _, card_ref = train_models(display, store, recipe, recipe_name, inputs, warm_start, log_to)
        card = report.score_card(display, store, card_ref, recipe.name)
    display.result(card)


def train_one(
    display: Display,
    recipe_name: str,
    source: str | None,
    storage: str,
    model: str,
    warm_start: bool,
    log_to: str | None = None,
) -> None:
    """Train one model in this process."""
    recipe, store = load_recipe(recipe_name), Store(storage)
    tracking.require_log_to(log_to)
    if model not in recipe.model.models:
        raise RecipeError(f"--model: got {model!r}, where one of {', '.join(recipe.model.models)} would be right")
    with store.session():
        inputs = _inputs_to_train_on(display, store, recipe, source)
        dataset = prepare_inputs(display, store, recipe, recipe_name, inputs).dataset
        starts = starts_of(display, store, recipe, dataset, warm_start)
        start, ref = starts.get(model), model_stage(recipe, dataset, model, starts.get(model)).ref
        log_starts_again(display, store, recipe, dataset, {model: start})
        log = tracking.begin_run(log_to, recipe, dataset, starts) if log_to else None
        with display.trainings(store, {model: ref}), tracking.recorded(log, store, ref, model) as record:
            train_model(store, recipe, dataset, model, record, start)
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
    planned = experiments.plan_experiments(recipe, architectures, protocols, budget)
    open_source(source or recipe.source)
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
    display.log(f"Models to train, or to find trained: {len(trainings)}, {workers} at once; then a report of them")
    with orchestrated():
        from flows.reproduce import run_experiments

        with display.trainings(store, {name: ref for ref, name in trainings.items()}):
            run_experiments(store.where, outcomes, workers)


def evaluate(display: Display, recipe_name: str, storage: str) -> None:
    """Score the trained models on the dataset that was prepared last."""
    recipe, store = load_recipe(recipe_name), Store(storage)
    dataset = preparing.last_prepared(store, recipe.name).dataset
    trained = trained_models(store, recipe, dataset)
    with store.session():
        with display.doing("Scoring the models and the baselines"):
            ref = scorecard.evaluate(store, recipe, dataset, trained)
        display.result(report.score_card(display, store, ref, recipe.name))


def generate(
    display: Display,
    recipe_name: str,
    storage: str,
    overrides: Overrides,
    renderings: Overrides,
    prompt_midi: Path | None,
    soundfont: Path | None,
    random_seed: int | None,
    output_dir: Path | None,
) -> None:
    """Make music with the models in use."""
    recipe, store = load_recipe(recipe_name), Store(storage)
    if recipe.split.by == "random_windows":
        raise RecipeError(
            f"recipe {recipe.name!r}: models of random windows (leaky) are never in use; split.by = 'hash' would be"
        )
    if prompt_midi and (overrides["prompt"] or overrides["composer"]):
        raise RecipeError("--prompt-midi: is what to go on from already; leave out --prompt and --composer")
    spec, rendering = overridden(recipe, overrides, renderings)
    settings = GenerationSettings(
        recipe_name,
        recipe,
        spec,
        rendering,
        recipe.random_seed if random_seed is None else random_seed,
        read_prompt_midi(prompt_midi) if prompt_midi else None,
        soundfont,
        prompt_midi,
    )
    if soundfont:
        require_soundfont(soundfont)
    require_promoted(store, recipe.name)  # before a mistyped --storage is made
    with store.session():
        display.result(_generate(display, store, recipe, settings, output_dir))


def status(display: Display, storage: str) -> None:
    """Say what there is."""
    display.result(report.status(display, Store(storage)))


def verify(display: Display, storage: str) -> None:
    """Read every file again; CorruptArtifactError where one is not what was written."""
    store = Store(storage)
    if not store.exists():
        raise StorageError(f"{storage}: no such storage; give the storage of an earlier run with --storage")
    with display.doing("Reading every file"):
        found = store.verify()
    display.result(report.verified(display, found))
    if found.bad:
        raise CorruptArtifactError(
            f"{storage}: {len(found.bad)} of {found.files} files are not what was written, the first is "
            f"{found.bad[0].path}; delete the folders of these files and run again"
        )


def _ingest_source(
    display: Display, store: Store, recipe: Recipe, source: str | None, others: Counter[str] | None = None
) -> ArtifactRef:
    with display.taking_in(source or recipe.source) as on_bytes:
        inputs = ingesting.ingest(store, recipe, source or recipe.source, others, on_bytes)
    missing = ingesting.missing(recipe, ingesting.read_inputs(store, inputs)) if recipe.contents else []
    if missing:
        shown = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
        display.log(f"{len(missing)} of the {len(recipe.contents)} files that the recipe names are not there: {shown}")
    return inputs


def _inputs_to_train_on(display: Display, store: Store, recipe: Recipe, source: str | None) -> ArtifactRef:
    """Give what a source holds; without one what was prepared last, or else what the recipe's own source holds."""
    if source is None and preparing.has_prepared(store, recipe.name):
        return preparing.last_prepared(store, recipe.name).inputs
    return _ingest_source(display, store, recipe, source)


def _generate(
    display: Display, store: Store, recipe: Recipe, settings: GenerationSettings, output_dir: Path | None
) -> dict[str, Any]:
    current = require_promoted(store, recipe.name)
    plan = generation.Plan(settings, current.dataset, current.models)
    with display.rendering(
        f"Making {settings.spec.candidates} pieces of up to {settings.spec.num_events} events"
    ) as on_progress:
        ref = generation.generate(store, plan, on_progress)
    generations.write_index(store)
    if output_dir is not None:
        copy_to(output_dir, store, ref)
    return report.generated(display, generation.describe_generation(store, ref, output_dir))
