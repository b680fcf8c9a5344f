"""The flow `retrain`: new music in the inbox → train-all with a warm start, and music by the promoted models."""

import logging
from contextlib import nullcontext, suppress

from prefect import flow

from flows.engine.naming import named_after
from flows.generate import generate
from flows.parameters import (
    CollectionText,
    DaskScheduler,
    Fingerprint,
    ForcePromotion,
    InboxText,
    RunnerName,
    ServedRecipes,
    SettleSeconds,
    StorageText,
    TrainAgain,
    WorkerCount,
)
from flows.prepare import prepare_inputs
from flows.train_all import train_all
from lstm_music.errors import LstmMusicError
from lstm_music.stages.inbox.news import SETTLE_SECONDS, News, holds_other_music
from lstm_music.stages.inbox.retraining import Retraining, trains_anyway
from lstm_music.stages.inbox.serving import Served, nothing_to_serve, served_recipes
from lstm_music.stages.inbox.standing import standing
from lstm_music.stages.inbox.turns import in_turn
from lstm_music.store import Store
from tasks.failing import advise, say_ended
from tasks.retraining import ingest_all, look, report

_LOG = logging.getLogger("lstm_music.flows")


@flow(
    name="retrain",
    flow_run_name=named_after("retrain"),
    persist_result=False,
    on_completion=[say_ended],
    on_failure=[advise],
    on_crashed=[advise],
)
def retrain(
    recipe: ServedRecipes = None,
    inbox: InboxText = None,
    storage: StorageText = "storage",
    source: CollectionText = None,
    runner: RunnerName = None,
    workers: WorkerCount = None,
    dask_scheduler: DaskScheduler = None,
    settle_seconds: SettleSeconds = SETTLE_SECONDS,
    fingerprint: Fingerprint = None,
    again: TrainAgain = False,
    force: ForcePromotion = False,
) -> list[Retraining]:
    """Retrain each recipe on its collection and the inbox, from its promoted models on; do nothing if nothing is new.

    The failure of one recipe does not stop the others; the run fails after the last of them.
    """
    del fingerprint  # it tells runs apart in Prefect's list; the run itself looks at the inbox again
    store = Store(storage)
    served = served_recipes(store, recipe)
    if not served:
        _LOG.info(nothing_to_serve(store))
        return []

    def learn(one: Served) -> Retraining:
        name, before = one.recipe.name, standing(store, one.recipe.name)
        news = found[name] if name in found else look(storage, [one.recipe], inbox, settle_seconds)[name]
        anyway = trains_anyway(before, again=again, force=force)
        if not news.is_any and not anyway:
            return report(storage, Retraining(name, news, before=before))
        inputs = ingest_all(storage, one.recipe, source, inbox, news)
        prepare_inputs(one.recipe.run_by(runner, workers, dask_scheduler), inputs, storage)
        if not anyway and not holds_other_music(store, name, inputs):
            return report(storage, Retraining(name, news, inputs, before=before))
        decision = train_all(
            one.given, None, storage, runner, workers, dask_scheduler, inputs.key, "if it fits", force=force
        )
        music = generate(one.given, storage) if decision.promoted else None
        return report(storage, Retraining(name, news, inputs, decision, music, before))

    with store.session():
        found: dict[str, News] = {}
        # What one of several recipes cannot look at, the others may: then each looks in its turn.
        with suppress(LstmMusicError) if len(served) > 1 else nullcontext():
            found = look(storage, [one.recipe for one in served], inbox, settle_seconds)
        return in_turn(served, learn)
