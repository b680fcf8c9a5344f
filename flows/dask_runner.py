"""Tasks on the workers of a Dask scheduler: one on this machine that ends with the run, or one that was started elsewhere.

A module of its own, because it imports Dask, which only those need who ask for it.
"""

import logging
import os
import signal
from multiprocessing import resource_tracker
from types import TracebackType
from typing import Self

from distributed import LocalCluster
from prefect_dask.task_runners import DaskTaskRunner

from flows.worker_process import interrupts_held_back
from lstm_music.credentials import credentials_held_back
from lstm_music.errors import RecipeError
from lstm_music.recipe import RunnerSpec

CONNECT_SECONDS = "20s"


class QuietCluster(LocalCluster):
    """A scheduler and single-threaded worker processes on this machine: quiet ones, without credentials.

    They end with this process, however it ends, for Dask has them watch it; and never hear Ctrl-C, which the threads that start
    them hold back as long as they live.
    """

    def __init__(self, workers: int = 2) -> None:
        resource_tracker.ensure_running()  # it is started once, and would hear Ctrl-C no more
        with credentials_held_back(), interrupts_held_back():
            super().__init__(  # type: ignore[no-untyped-call]
                n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
            )

    def kill(self) -> None:
        """End the workers at once, for they have nothing that is worth waiting for."""
        for nanny in self.workers.values():
            nanny.auto_restart = False
            if nanny.pid is not None:
                os.kill(nanny.pid, signal.SIGKILL)


class DaskRunner(DaskTaskRunner):
    """The task runner of Prefect for Dask; one that is interrupted does not wait for what its workers do."""

    @classmethod
    def of(cls, spec: RunnerSpec) -> Self:
        """Make the runner that a recipe or its user asked for."""
        if spec.dask_scheduler:
            return cls(address=spec.dask_scheduler, client_kwargs={"timeout": CONNECT_SECONDS})
        return cls(cluster_class=QuietCluster, cluster_kwargs={"workers": spec.workers})

    def __enter__(self) -> Self:
        """Start the cluster, or connect to it; RecipeError where nobody answers at the address."""
        runner: Self = super().__enter__()  # type: ignore[no-untyped-call]
        try:
            _ = self.client  # the first look at it starts it
        except OSError as error:
            raise RecipeError(
                f"runner: nobody answers as a Dask scheduler at {self.address} ({error}); start one there with `dask scheduler`"
            ) from error
        return runner

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the cluster; on an interrupt kill the workers of one of our own, and let others end what they do."""
        if exc_type is not None and isinstance(self._cluster, QuietCluster):
            self._cluster.kill()
        super().__exit__(exc_type, exc, traceback)
