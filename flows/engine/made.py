"""What a task on a worker made: the artifact that was wanted, or one sentence about a worker that was lost or is another."""

from prefect.futures import PrefectFuture

from lstm_music.errors import ChildError, MismatchError
from lstm_music.store import ArtifactRef

# By name, because only the runner `dask` imports Dask.
WORKER_DIED = frozenset({"BrokenProcessPool", "KilledWorker"})
"""The errors of the runners `processes` and `dask` for a task whose workers died."""

SCHEDULER_LOST = frozenset({"CancelledError", "FutureCancelledError"})
"""The errors of Dask's client for the tasks of a scheduler that ended."""

BATCH_LOST = (
    "a worker was killed while it parsed a batch, probably because memory ran out; run again with fewer --workers"
)


def require_made(future: PrefectFuture[ArtifactRef], wanted: ArtifactRef, lost: str = BATCH_LOST) -> None:
    """Wait for a task; ChildError with the sentence `lost` if its workers died, or if the Dask scheduler ended.

    Raises MismatchError if the worker made another artifact.
    """
    try:
        made = future.result()
    except Exception as error:
        if type(error).__name__ in WORKER_DIED:
            raise ChildError(lost) from error
        if type(error).__name__ in SCHEDULER_LOST:
            raise ChildError(
                "the Dask scheduler ended, or cannot be reached any more; start it and its workers, and run again: finished "
                "work is kept"
            ) from error
        raise
    if made != wanted:
        raise MismatchError(
            f"a worker made another artifact: expected {wanted}, got {made}; its libraries have other versions, so install the "
            "same ones there"
        )
