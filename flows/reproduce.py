"""The flow `reproduce`: the report's experiments, their trainings side by side → one report."""

from pathlib import Path

from prefect import flow

from flows.prepare import prepare_inputs, take_in
from flows.runners import threads
from lstm_music.recipe import load_recipe
from lstm_music.stages.experiments import RECIPE, Experiment, plan_experiments
from lstm_music.stages.models import model_stages
from lstm_music.stages.promotion import Current
from lstm_music.stages.reproduction import Outcome
from lstm_music.store import ArtifactRef, Store
from tasks.generating import generate
from tasks.reproducing import write_report
from tasks.training import evaluate, train_model


@flow(name="train-experiments", persist_result=False, validate_parameters=False)
def train_experiments(storage: Path, experiments: list[Experiment], datasets: list[ArtifactRef]) -> None:
    """Train all models of all experiments; one that two of them share is trained once."""
    trainings = {
        stage.ref: (one.recipe, dataset, name)
        for one, dataset in zip(experiments, datasets, strict=True)
        for name, stage in model_stages(one.recipe, dataset).items()
    }
    for future in [train_model.submit(storage, *training) for training in trainings.values()]:
        future.result()


@flow(name="reproduce", persist_result=False)
def reproduce(
    architectures: list[str] | None = None,
    protocols: list[str] | None = None,
    source: str | None = None,
    storage: Path = Path("storage"),
    budget: int | None = None,
    workers: int = 2,
    inputs: str | None = None,
) -> ArtifactRef:
    """Train the report's architectures (default: all), `workers` models at once, by its way of splitting and by ours."""
    recipe = load_recipe(RECIPE)
    experiments = plan_experiments(recipe, architectures or (), protocols or (), budget)
    with Store(storage).session():
        taken_in = take_in(recipe, source, storage, inputs)
        datasets = [prepare_inputs(one.recipe, taken_in, storage, "threads", 1).dataset for one in experiments]
        train_experiments.with_options(task_runner=threads(workers))(storage, experiments, datasets)
        return write_report(storage, [_outcome(storage, *each) for each in zip(experiments, datasets, strict=True)])


def _outcome(storage: Path, experiment: Experiment, dataset: ArtifactRef) -> Outcome:
    """Order what comes after the trainings of one experiment."""
    recipe = experiment.recipe
    models = {name: stage.ref for name, stage in model_stages(recipe, dataset).items()}
    card = evaluate(storage, recipe, dataset, models)
    music = generate(storage, Current(dataset, models, card), recipe.generation, recipe.random_seed)
    return Outcome(experiment, dataset, models, card, music)
