"""Tasks on the workers of a Dask scheduler: one on this machine that ends with the run, or one that was started elsewhere.

A module of its own, because it imports Dask, which only those need who ask for it.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from types import TracebackType
from typing import Self

from distributed import LocalCluster, get_worker, rpc
from prefect_dask.task_runners import DaskTaskRunner

from flows.engine.worker_process import interrupts_held_back
from lstm_music.credentials import credentials_held_back
from lstm_music.errors import RecipeError
from lstm_music.recipe import RunnerSpec

CONNECT_SECONDS = 20.0
"""How long a scheduler may take to answer, and to have a worker."""


class QuietCluster(LocalCluster):
    """A scheduler and single-threaded worker processes on this machine: quiet ones, which nobody else can give work.

    They end with this process, however it ends, for Dask has them watch it; and never hear Ctrl-C, which the threads that start
    them hold back as long as they live.
    """

    def __init__(self, workers: int = 2) -> None:
        resource_tracker.ensure_running()  # it is started once, and would hear Ctrl-C no more
        with interrupts_held_back():
            super().__init__(  # type: ignore[no-untyped-call]
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                security=True,  # certificates of its own, without which any user of this machine could run code
            )

    def kill(self) -> None:
        """End the workers at once, for they have nothing that is worth waiting for."""
        for nanny in self.workers.values():
            nanny.auto_restart = False
            if nanny.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(nanny.pid, signal.SIGKILL)


class DaskRunner(DaskTaskRunner):
    """The task runner of Prefect for Dask; one that is interrupted does not wait for what its workers do."""

    @classmethod
    def of(cls, spec: RunnerSpec) -> Self:
        """Make the runner that a recipe or its user asked for."""
        if spec.dask_scheduler:
            return cls(address=spec.dask_scheduler)
        return cls(cluster_class=QuietCluster, cluster_kwargs={"workers": spec.workers})

    def __enter__(self) -> Self:
        """Start the cluster, or connect to it; RecipeError where no scheduler answers at the address, or one without workers."""
        self._surroundings = ExitStack()
        if _is_on_a_worker():  # Prefect enters the runner of the flow around each of its tasks, which submit none
            on_worker: Self = super().__enter__()  # type: ignore[no-untyped-call]
            return on_worker
        if self.address:
            _require_scheduler(self.address)
        else:
            self._surroundings.enter_context(credentials_held_back())  # Dask starts workers anew when one was killed
            self._surroundings.enter_context(_environment_kept())
        runner: Self = super().__enter__()  # type: ignore[no-untyped-call]
        try:
            _ = self.client  # the first look at it starts it
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return runner

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the cluster; on an interrupt kill the workers of one of our own, and let others end what they do."""
        with self._surroundings:
            if exc_type is not None and isinstance(self._cluster, QuietCluster):
                self._cluster.kill()
            super().__exit__(exc_type, exc, traceback)


def _is_on_a_worker() -> bool:
    try:
        get_worker()
    except ValueError:
        return False
    return True


def _require_scheduler(address: str) -> None:
    """Raise RecipeError unless a Dask scheduler answers at an address, and has a worker before long.

    Dask's own client waits without end for what accepts connections and says nothing.
    """
    try:
        asyncio.run(asyncio.wait_for(_wait_for_a_worker(address), CONNECT_SECONDS))
    except _NoWorkersError as error:
        raise RecipeError(
            f"runner: the Dask scheduler at {address} has no workers; start some with `dask worker {address}`"
        ) from error
    except Exception as error:  # of whatever answers there, or of Dask where it cannot speak this protocol
        reason = str(error) or f"not within {CONNECT_SECONDS:g} seconds"
        raise RecipeError(
            f"runner: nobody answers as a Dask scheduler at {address} ({reason}); start one there with `dask scheduler`"
        ) from error


class _NoWorkersError(Exception):
    """A scheduler has answered, and has no workers."""


async def _wait_for_a_worker(address: str) -> None:
    has_answered = False
    try:
        async with rpc(address) as scheduler:  # type: ignore[no-untyped-call]
            while not (await scheduler.identity())["workers"]:
                has_answered = True
                await asyncio.sleep(0.5)
    except asyncio.CancelledError as error:
        if has_answered:
            raise _NoWorkersError from error
        raise


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Take back afterwards what Dask sets in the environment of this process for its workers."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
