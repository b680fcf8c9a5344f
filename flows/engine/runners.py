"""Where the tasks of a flow run: the one module that chooses a task runner.

A runner that is interrupted, by Ctrl-C or by a signal to end, does not wait for the tasks that run: what they have not
finished is not there, and whoever runs the flow again goes on from what is.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from flows.engine.worker_process import WorkerContext
from lstm_music.child import follow_parent
from lstm_music.errors import RecipeError
from lstm_music.recipe import RunnerSpec


class ThreadRunner(ThreadPoolTaskRunner[Any]):
    """Tasks in threads of this process: for tasks that wait, or that start a process of their own."""

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait for the tasks; on an interrupt leave the threads, which end with this process."""
        if exc_type is not None and self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
        super().__exit__(exc_type, exc, traceback)


class ProcessRunner(ProcessPoolTaskRunner):
    """Tasks in processes that are started once a flow run and end with it, or with this process, however it ends."""

    def __enter__(self) -> Self:
        """Start the pool; its processes start with the first tasks."""
        runner = super().__enter__()
        self._context = WorkerContext()
        assert self._executor is not None
        # Prefect has no parameter for the context; no process has been started from its own yet.
        self._executor._mp_context = self._context  # noqa: SLF001
        return runner

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait for the tasks; on an interrupt kill the processes."""
        if exc_type is not None:
            self._context.kill()
        super().__exit__(exc_type, exc, traceback)


def threads(workers: int) -> TaskRunner[Any]:
    """Run up to `workers` tasks at once in threads."""
    return ThreadRunner(max_workers=workers)


def processes(spec: RunnerSpec) -> TaskRunner[Any]:
    """Run tasks in processes."""
    return ProcessRunner(max_workers=spec.workers, initializer=follow_parent)


def dask(spec: RunnerSpec) -> TaskRunner[Any]:
    """Run tasks on the workers of a Dask scheduler: the one that `spec` names, or else one of our own on this machine."""
    try:
        from flows.engine.dask_runner import DaskRunner
    except ImportError as error:
        raise RecipeError("runner 'dask': needs Dask; install it with `pip install 'lstm-music[dask]'`") from error
    return DaskRunner.of(spec)


RUNNERS: dict[str, Callable[[RunnerSpec], TaskRunner[Any]]] = {
    "threads": lambda spec: threads(spec.workers),
    "processes": processes,
    "dask": dask,
}
"""Name of a runner → its factory."""


def runner(spec: RunnerSpec) -> TaskRunner[Any]:
    """Make the task runner that a recipe or its user asked for."""
    return RUNNERS[spec.name](spec)
