"""Where the tasks of a flow run: the one module that names a task runner.

A runner that is interrupted, by Ctrl-C or by a signal to end, does not wait for the tasks that run: what they have not
finished is not there, and whoever runs the flow again goes on from what is.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from flows.worker_process import WorkerContext
from lstm_music.child import follow_parent
from lstm_music.errors import RecipeError


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


def processes(workers: int) -> TaskRunner[Any]:
    """Run up to `workers` tasks at once in processes."""
    return ProcessRunner(max_workers=workers, initializer=follow_parent)


RUNNERS: dict[str, Callable[[int], TaskRunner[Any]]] = {"threads": threads, "processes": processes}
"""Name of a runner → its factory, which takes the number of workers."""


def runner(name: str, workers: int) -> TaskRunner[Any]:
    """Make the task runner `name` with `workers` workers. Raises RecipeError for a name that is not in RUNNERS."""
    if name not in RUNNERS:
        raise RecipeError(f"runner: there is no runner {name!r}; it must be one of {', '.join(sorted(RUNNERS))}.")
    return RUNNERS[name](workers)
