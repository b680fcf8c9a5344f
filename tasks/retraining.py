"""The tasks of retraining: look at the inbox, announce its news, ingest it, report."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.events import emit_event

from lstm_music.recipe import Recipe
from lstm_music.stages.inbox import news as inbox
from lstm_music.stages.inbox import retraining
from lstm_music.store import ArtifactRef, Store
from tasks.reporting import name_run, publish_retraining
from tasks.retrying import may_pass

CHANGED = "lstm-music.inbox.changed"
"""The event whose trigger in prefect.yaml starts `retrain`."""

RETRAINED = "lstm-music.retrained"
"""The event about the result of a retraining, for automations of yours."""


@task(
    name="look at the inbox",
    task_run_name="look at the inbox",
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=may_pass,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def look(storage: str, recipes: Sequence[Recipe], where: str | None, settle_seconds: float) -> dict[str, inbox.News]:
    """Find the music in the inbox that the models of each recipe have not seen, by the recipe's name."""
    return inbox.look_all(Store(storage), recipes, where, settle_seconds)


@task(name="announce news", task_run_name="announce news", cache_policy=NO_CACHE, persist_result=False)
def announce(storage: str, recipe: Recipe, news: inbox.News, parameters: dict[str, str | None]) -> None:
    """Emit the event that starts a retraining with these parameters, and record that it was emitted."""
    emit_event(
        CHANGED,
        resource={"prefect.resource.id": f"lstm-music.inbox.{recipe.name}"},
        payload={**parameters, "fingerprint": news.fingerprint},
    )
    inbox.remember_announced(Store(storage), recipe, news)


@task(
    name="ingest all music",
    task_run_name="ingest all music",
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=may_pass,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def ingest_all(storage: str, recipe: Recipe, source: str | None, where: str | None, news: inbox.News) -> ArtifactRef:
    """Ingest the collection and the settled files of the inbox."""
    return inbox.ingest_all(Store(storage), recipe, source, where, news)


@task(name="report", task_run_name="report", cache_policy=NO_CACHE, persist_result=False)
def report(storage: str, result: retraining.Retraining) -> retraining.Retraining:
    """Record the result of a retraining, and publish it: in the log, as a report, as the name of the run, and as an event."""
    result = retraining.complete(Store(storage), result)
    retraining.record(Store(storage), result)
    publish_retraining(result.recipe, result.sentence, retraining.markdown(Store(storage), result))
    name_run(f"retrain {result.recipe}: {result.outcome.replace('_', ' ')}")
    emit_event(
        RETRAINED,
        resource={"prefect.resource.id": f"lstm-music.recipe.{result.recipe}"},
        payload=retraining.facts_for_automations(result),
    )
    return result
