"""The flow `retrain`: new music in the inbox → train-all with a warm start, and music by the promoted models."""

from prefect import flow

from flows.engine.naming import named_after
from flows.generate import generate
from flows.parameters import (
    CollectionText,
    DaskScheduler,
    Fingerprint,
    InboxText,
    RecipeName,
    RunnerName,
    SettleSeconds,
    StorageText,
    WorkerCount,
)
from flows.prepare import prepare_inputs
from flows.train_all import train_all
from lstm_music.stages.current import find_recipe
from lstm_music.stages.inbox.news import SETTLE_SECONDS, holds_other_music
from lstm_music.stages.inbox.retraining import Retraining, require_retrainable
from lstm_music.store import Store
from tasks.failing import advise, say_ended
from tasks.retraining import ingest_all, look, report


@flow(
    name="retrain",
    flow_run_name=named_after("retrain"),
    persist_result=False,
    on_completion=[say_ended],
    on_failure=[advise],
    on_crashed=[advise],
)
def retrain(
    recipe: RecipeName = "default",
    inbox: InboxText = None,
    storage: StorageText = "storage",
    source: CollectionText = None,
    runner: RunnerName = None,
    workers: WorkerCount = None,
    dask_scheduler: DaskScheduler = None,
    settle_seconds: SettleSeconds = SETTLE_SECONDS,
    fingerprint: Fingerprint = None,
) -> Retraining:
    """Retrain on the collection and the inbox, starting from the promoted models; do nothing if nothing is new."""
    del fingerprint  # it tells runs apart in Prefect's list; the run itself looks at the inbox again
    store = Store(storage)
    chosen = find_recipe(store, recipe).run_by(runner, workers, dask_scheduler)
    require_retrainable(chosen)
    with store.session():
        news = look(storage, chosen, inbox, settle_seconds)
        if not news.is_any:
            return report(storage, Retraining(chosen.name, news))
        inputs = ingest_all(storage, chosen, source, inbox, news)
        prepare_inputs(chosen, inputs, storage)
        if not holds_other_music(store, chosen.name, inputs):
            return report(storage, Retraining(chosen.name, news, inputs))
        decision = train_all(recipe, None, storage, runner, workers, dask_scheduler, inputs.key, "if it fits")
        music = generate(recipe, storage) if decision.promoted else None
        return report(storage, Retraining(chosen.name, news, inputs, decision, music))
