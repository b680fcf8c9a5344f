"""The flow `train-all`: ingest → prepare → train the models in parallel → score card → promotion."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from prefect import flow

from flows.engine.begun import tell_of_trainings
from flows.engine.made import require_made
from flows.engine.naming import named_after
from flows.engine.runners import dask_trainings, threads
from flows.parameters import (
    DaskScheduler,
    ForcePromotion,
    InputsKey,
    LogTo,
    RecipeName,
    RunnerName,
    SourceText,
    StorageText,
    WarmStart,
    WorkerCount,
)
from flows.prepare import ingest_inputs, make_dataset, prepare_inputs
from lstm_music.evaluation.fine_tuned import FROM_NOTHING
from lstm_music.models.spec import MODELS
from lstm_music.recipe import Recipe
from lstm_music.stages.current import Promoted, find_recipe
from lstm_music.stages.training.fine_tuning import beside, from_nothing
from lstm_music.stages.training.fitting import fitting
from lstm_music.stages.training.promotion import Decision, warm_starts
from lstm_music.stages.training.side_by_side import cores, epochs_left, lanes
from lstm_music.stages.training.tracking import LoggedRun, require_log_to
from lstm_music.stages.training.trained import model_stages
from lstm_music.store import ArtifactRef, Store
from tasks.failing import advise, say_ended
from tasks.training import begin_log, draw_curves, evaluate, promote, train_model

if TYPE_CHECKING:
    from prefect.futures import PrefectFuture

TRAINING_LOST = (
    "the workers that trained the {model} model were lost one after another, probably because memory ran out; see their logs, "
    "and run again: the training continues from its checkpoint"
)
MOST_MODELS = max(map(len, MODELS.values())) + 1  # a chain may have a model of the velocity


# Each thread only waits for the process of its training, so threads are enough, one per model.
@flow(
    name="train-all",
    flow_run_name=named_after("train-all"),
    persist_result=False,
    task_runner=threads(MOST_MODELS),
    on_completion=[say_ended],
    on_failure=[advise],
    on_crashed=[advise],
)
def train_all(
    recipe: RecipeName = "default",
    source: SourceText = None,
    storage: StorageText = "storage",
    runner: RunnerName = None,
    workers: WorkerCount = None,
    dask_scheduler: DaskScheduler = None,
    inputs: InputsKey = None,
    warm_start: WarmStart = "no",
    log_to: LogTo = None,
    force: ForcePromotion = False,
) -> Decision:
    """Train on the music of a source, or on the recipe's own, and promote the models if they are not worse.

    With a warm start, training starts from the promoted models; with force, worse models are promoted, too.
    """
    chosen = find_recipe(Store(storage), recipe).run_by(runner, workers, dask_scheduler)
    require_log_to(log_to)
    with Store(storage).session():
        inputs_ref = ingest_inputs(chosen, source, storage, inputs)
        prepared = prepare_inputs(chosen, inputs_ref, storage)
        dataset = prepared.dataset
        starts = warm_starts(Store(storage), chosen, dataset) if warm_start != "no" else {}
        if warm_start == "if it fits":
            starts = fitting(Store(storage), chosen, dataset, starts)
        tell_of_trainings(
            chosen.name, {name: stage.ref for name, stage in model_stages(chosen, dataset, starts).items()}
        )
        log = begin_log(log_to, chosen, dataset, starts)
        train = train_models if chosen.runner.name != "dask" else on_dask(chosen)
        models = train(Store(storage).address, chosen, dataset, starts, log)
        others = beside(chosen, prepared, with_nothing=warm_start == "no")
        if FROM_NOTHING in others and (cold := from_nothing(chosen)):
            train(Store(storage).address, cold, make_dataset(cold, inputs_ref, storage).dataset, {}, None)
        scorecard = evaluate(storage, chosen, dataset, models, others)
        draw_curves(storage, chosen, scorecard, log)
        return promote(storage, chosen, Promoted(dataset, models, scorecard), force)


def train_models(
    storage: str, recipe: Recipe, dataset: ArtifactRef, starts: Mapping[str, ArtifactRef], log: LoggedRun | None
) -> dict[str, ArtifactRef]:
    """Train the models of a recipe in their lanes, by the task runner of the flow; give them by name."""
    wanted = {name: stage.ref for name, stage in model_stages(recipe, dataset, starts).items()}
    # The workers of a scheduler have cores of their own.
    usable = len(wanted) if recipe.runner.dask_scheduler else cores()
    arranged = lanes(epochs_left(Store(storage), recipe, dataset, starts), usable)
    futures: dict[str, PrefectFuture[ArtifactRef]] = {}
    for lane in arranged:
        for place, model in enumerate(lane):
            before = [futures[lane[place - 1]]] if place else []
            futures[model] = train_model.submit(
                storage, recipe, dataset, model, starts.get(model), log, wait_for=before, return_state=False
            )
    for model in (model for lane in reversed(arranged) for model in lane):  # the longest training is in the first lane
        require_made(futures[model], wanted[model], TRAINING_LOST.format(model=model))
    return wanted


def on_dask(recipe: Recipe) -> Callable[..., dict[str, ArtifactRef]]:
    """Give `train_models` as a flow of its own, whose tasks run on the workers of Dask."""
    return flow(
        name="train on workers",
        persist_result=False,
        validate_parameters=False,
        task_runner=dask_trainings(recipe.runner, len(recipe.model.models)),
    )(train_models)
