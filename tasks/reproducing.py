"""The task that writes the report of the experiments."""

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from lstm_music.stages.report import reproduction
from lstm_music.store import ArtifactRef, Store
from tasks.reporting import publish_report


@task(name="write report", task_run_name="write report", cache_policy=NO_CACHE, persist_result=False)
def write_report(storage: str, outcomes: Sequence[reproduction.Outcome]) -> ArtifactRef:
    """Write the reported results beside ours."""
    store = Store(storage)
    ref = reproduction.write_report(store, outcomes)
    publish_report(store.open(ref).file("report.md").read_text(encoding="utf-8"))
    return ref
