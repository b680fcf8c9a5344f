"""The flow `reproduce`: the report's experiments, trained in parallel → one report."""

from prefect import flow

from flows.engine.runners import threads
from flows.prepare import ingest_inputs, make_dataset
from lstm_music.recipe import load_recipe
from lstm_music.stages.music.generation import Plan
from lstm_music.stages.music.settings import GenerationSettings
from lstm_music.stages.report.experiments import RECIPE, plan_experiments
from lstm_music.stages.report.reproduction import Outcome, plan_outcomes
from lstm_music.stages.training.train import require_enough_to_train
from lstm_music.store import ArtifactRef, Store
from tasks.generating import make_music
from tasks.reproducing import write_report
from tasks.training import evaluate, train_model


@flow(name="reproduce", flow_run_name="reproduce", persist_result=False)
def reproduce(
    architectures: list[str] | None = None,
    protocols: list[str] | None = None,
    source: str | None = None,
    storage: str = "storage",
    budget: int | None = None,
    workers: int = 2,
) -> ArtifactRef:
    """Train the report's architectures (default: all), `workers` models at once, with its split and with ours."""
    recipe, store = load_recipe(RECIPE), Store(storage)
    experiments = plan_experiments(recipe, architectures or (), protocols or (), budget)
    with store.session():
        outcomes = plan_outcomes(store, experiments, ingest_inputs(recipe, source, storage, None))
        return run_experiments(storage, outcomes, workers)


@flow(name="run-experiments", flow_run_name="run experiments", persist_result=False, validate_parameters=False)
def run_experiments(storage: str, outcomes: list[Outcome], workers: int) -> ArtifactRef:
    """Run the planned experiments and write their report."""
    for one in outcomes:
        make_dataset(one.experiment.recipe, one.inputs, storage)
        require_enough_to_train(Store(storage), one.experiment.recipe, one.dataset)
    train_experiments.with_options(task_runner=threads(workers))(storage, outcomes)
    for one in outcomes:
        recipe = one.experiment.recipe
        evaluate(storage, recipe, one.dataset, one.models)
        make_music(storage, Plan(GenerationSettings.of(recipe, recipe.name), one.dataset, one.models))
    return write_report(storage, outcomes)


@flow(name="train-experiments", persist_result=False, validate_parameters=False)
def train_experiments(storage: str, outcomes: list[Outcome]) -> None:
    """Train all models of all experiments; a model that two of them share is trained once."""
    trainings = {ref: (one.recipe_of(name), one.dataset, name) for one in outcomes for name, ref in one.models.items()}
    for future in [train_model.submit(storage, *training) for training in trainings.values()]:
        future.result()
