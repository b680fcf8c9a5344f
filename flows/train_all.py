"""The flow `train-all`: ingest → prepare → train the models in parallel → score card → promotion."""

from prefect import flow

from flows.engine.runners import threads
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
from flows.prepare import ingest_inputs, prepare_inputs
from lstm_music.models.spec import MODELS
from lstm_music.stages.current import Promoted, find_recipe
from lstm_music.stages.training.fitting import fitting
from lstm_music.stages.training.promotion import Decision, warm_starts
from lstm_music.stages.training.tracking import require_log_to
from lstm_music.store import Store
from tasks.failing import advise
from tasks.training import begin_log, draw_curves, evaluate, promote, train_model

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
        dataset = prepare_inputs(chosen, inputs_ref, storage).dataset
        starts = warm_starts(Store(storage), chosen, dataset) if warm_start != "no" else {}
        if warm_start == "if it fits":
            starts = fitting(Store(storage), chosen, dataset, starts)
        log = begin_log(log_to, chosen, dataset, starts)
        futures = {
            model: train_model.submit(storage, chosen, dataset, model, starts.get(model), log)
            for model in chosen.model.models
        }
        models = {model: future.result() for model, future in futures.items()}
        scorecard = evaluate(storage, chosen, dataset, models)
        draw_curves(storage, chosen, scorecard, log)
        return promote(storage, chosen, Promoted(dataset, models, scorecard), force)
