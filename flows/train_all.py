"""The flow `train-all`: ingest → prepare → train the models in parallel → score card → promotion."""

from prefect import flow

from flows.engine.runners import threads
from flows.parameters import (
    DaskScheduler,
    InputsKey,
    RecipeName,
    RunnerName,
    SourceText,
    StorageText,
    WarmStart,
    WorkerCount,
)
from flows.prepare import ingest_inputs, prepare_inputs
from lstm_music.models.spec import MODELS
from lstm_music.recipe import load_recipe
from lstm_music.stages.current import Promoted
from lstm_music.stages.training.fitting import fitting
from lstm_music.stages.training.promotion import Decision, warm_starts
from lstm_music.store import Store
from tasks.failing import advise
from tasks.training import evaluate, promote, train_model

MOST_MODELS = max(map(len, MODELS.values()))


# Each thread only waits for the process of its training, so threads are enough, one per model.
@flow(
    name="train-all",
    persist_result=False,
    task_runner=threads(MOST_MODELS),
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
) -> Decision:
    """Train on the music of a source, or on the recipe's own, and promote the models if they are not worse.

    With a warm start, training starts from the promoted models.
    """
    chosen = load_recipe(recipe).run_by(runner, workers, dask_scheduler)
    with Store(storage).session():
        inputs_ref = ingest_inputs(chosen, source, storage, inputs)
        dataset = prepare_inputs(chosen, inputs_ref, storage).dataset
        starts = warm_starts(Store(storage), chosen, dataset) if warm_start != "no" else {}
        if warm_start == "if it fits":
            starts = fitting(Store(storage), chosen, dataset, starts)
        futures = {
            model: train_model.submit(storage, chosen, dataset, model, starts.get(model))
            for model in chosen.model.models
        }
        models = {model: future.result() for model, future in futures.items()}
        scorecard = evaluate(storage, chosen, dataset, models)
        return promote(storage, chosen, Promoted(dataset, models, scorecard))
