"""The task of `tidy`: prune, and report what was removed."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from lstm_music.stages.upkeep.pruning import outcome, prune_if_free
from lstm_music.stages.upkeep.survey import Limits
from lstm_music.store import Store
from tasks.reporting import publish_tidying


@task(name="prune", cache_policy=NO_CACHE, persist_result=False)
def prune(storage: str, keep_history: int, older_than_days: float) -> str:
    """Remove what nothing needs any more, and say in one sentence what that was."""
    said = outcome(prune_if_free(Store(storage), Limits(keep_history, older_than_days)))
    publish_tidying(said)
    return said
