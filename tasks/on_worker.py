"""What a task has to know of the worker of a Dask cluster that it runs on, if it runs on one."""

import platform
import sys
from typing import Any

from lstm_music.errors import LstmMusicError, StorageError
from lstm_music.store import ArtifactRef, Store


def require_seen(store: Store, ref: ArtifactRef) -> None:
    """Raise StorageError on a worker that cannot see an artifact of the run: it would start another storage there."""
    if not store.has(ref):
        raise StorageError(
            f"{store.where}: {platform.node()} cannot see {ref.kind} {ref.key[:8]}… there; mount the same folder on all workers, "
            "or use a bucket"
        )


def require_wanted(_message: Any = None) -> None:
    """Raise LstmMusicError when nobody waits for this task any more, because its run was interrupted or killed.

    Dask cannot end the thread of a task, so a task that takes long has to look for itself.
    """
    if "distributed" not in sys.modules:
        return
    from distributed import get_worker

    try:
        worker = get_worker()
    except ValueError:  # this is no worker
        return
    task = worker.state.tasks.get(worker.get_current_task())
    if task is None or task.state == "cancelled":
        raise LstmMusicError("the run that asked for this work has ended; the training keeps its checkpoint")
