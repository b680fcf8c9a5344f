"""Tasks on the workers of a Dask scheduler: a scheduler of this run, or one that you started elsewhere.

This is a module of its own because it imports Dask, which only the runner `dask` needs.
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
from typing import Any, Self

import dask
from distributed import LocalCluster, get_worker, rpc
from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

from flows.engine.leaving import leave_soon
from flows.engine.worker_process import interrupts_held_back
from lstm_music.credentials import credentials_held_back
from lstm_music.errors import RecipeError
from lstm_music.recipe import RunnerSpec

CONNECT_SECONDS = 20.0
"""How long a scheduler may take to answer and to have a worker."""

RESOURCES = ("GPU", "slot")
"""What a training asks a worker for: the first of these that any worker declares, such as `dask worker --resources GPU=1`."""


class QuietCluster(LocalCluster):
    """A private scheduler and single-threaded worker processes on this machine, which log nothing.

    They end with this process, however it ends, because Dask makes them watch it. Ctrl-C does not reach them, because the
    threads that start them block it.
    """

    def __init__(self, workers: int = 2) -> None:
        resource_tracker.ensure_running()  # it starts once; here, so that it still receives Ctrl-C
        with interrupts_held_back():
            super().__init__(  # type: ignore[no-untyped-call]
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                security=True,  # without certificates any user of this machine could run code here
            )

    def kill(self) -> None:
        """Kill the workers at once: a batch that they have not finished is made again."""
        for nanny in self.workers.values():
            nanny.auto_restart = False
            if nanny.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(nanny.pid, signal.SIGKILL)


class DaskRunner(DaskTaskRunner):
    """Prefect's task runner for Dask; on an interrupt it does not wait for its workers."""

    @classmethod
    def of(cls, spec: RunnerSpec) -> Self:
        """Make the runner of a recipe, or the one that the user chose."""
        if spec.dask_scheduler:
            return cls(address=spec.dask_scheduler)
        return cls(cluster_class=QuietCluster, cluster_kwargs={"workers": spec.workers})

    def __enter__(self) -> Self:
        """Start the cluster, or connect to it; RecipeError if no scheduler answers at the address, or if it has no workers."""
        self._surroundings = ExitStack()
        if _is_on_a_worker():  # Prefect also enters the flow's runner around each task; tasks submit nothing
            on_worker: Self = super().__enter__()  # type: ignore[no-untyped-call]
            return on_worker
        if self.address:
            _require_scheduler(self.address)
        else:
            self._surroundings.enter_context(credentials_held_back())  # Dask restarts a worker that was killed
            self._surroundings.enter_context(_environment_kept())
        runner: Self = super().__enter__()  # type: ignore[no-untyped-call]
        try:
            _ = self.client  # the first access starts it
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return runner

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the cluster; on an interrupt kill the workers of our own cluster, and let those of another finish."""
        leave_soon(exc_type)
        with self._surroundings:
            if exc_type is not None and isinstance(self._cluster, QuietCluster):
                self._cluster.kill()
            super().__exit__(exc_type, exc, traceback)


class TrainingRunner(DaskRunner):
    """Runs trainings, one per worker where there are enough. Each asks for one of `RESOURCES` if any worker declares it."""

    def submit(self, *args: Any, **kwargs: Any) -> PrefectDaskFuture[Any]:  # type: ignore[override]  # passed on
        """Submit a training with the resource that it needs."""
        with dask.annotate(resources=self._resources()):  # type: ignore[attr-defined]
            future: PrefectDaskFuture[Any] = super().submit(*args, **kwargs)
        return future

    def _resources(self) -> dict[str, float]:
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        declared = {name for worker in workers for name in worker["resources"]}
        wanted = next((name for name in RESOURCES if name in declared), None)
        return {wanted: 1.0} if wanted else {}


def _is_on_a_worker() -> bool:
    try:
        get_worker()
    except ValueError:
        return False
    return True


def _require_scheduler(address: str) -> None:
    """Raise RecipeError unless a Dask scheduler answers at the address and has a worker within `CONNECT_SECONDS`.

    Dask's own client waits for ever for a server that accepts connections and sends nothing.
    """
    try:
        asyncio.run(asyncio.wait_for(_wait_for_a_worker(address), CONNECT_SECONDS))
    except _NoWorkersError as error:
        raise RecipeError(
            f"--dask-scheduler: the scheduler at {address} has no workers; start one with `dask worker {address}`"
        ) from error
    except Exception as error:  # from Dask, or from whatever else answers there
        reason = str(error) or f"no answer within {CONNECT_SECONDS:g} seconds"
        raise RecipeError(
            f"--dask-scheduler: no Dask scheduler answers at {address} ({reason}); start one there with `dask scheduler`"
        ) from error


class _NoWorkersError(Exception):
    """A scheduler answers and has no workers."""


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
    """Undo afterwards what Dask sets in the environment of this process for its workers."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)
