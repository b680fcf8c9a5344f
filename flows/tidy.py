"""The flow `tidy`: what nothing needs any more leaves the storage."""

from prefect import flow

from flows.parameters import AgeDays, HistoryCount, StorageText
from tasks.failing import advise
from tasks.tidying import prune


@flow(name="tidy", persist_result=False, on_failure=[advise], on_crashed=[advise])
def tidy(storage: StorageText = "storage", keep_history: HistoryCount = 1, older_than_days: AgeDays = 14.0) -> str:
    """Remove what nothing needs any more, unless other runs use the storage; report what was removed."""
    return prune(storage, keep_history, older_than_days)
