"""Where the tasks of a flow run: the only module that chooses a task runner.

On Ctrl-C or a signal to end, a runner does not wait for its tasks. Unfinished work leaves nothing behind, and the next run
continues from what is finished.
"""

from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Any, Self

from prefect.task_runners import ProcessPoolTaskRunner, TaskRunner, ThreadPoolTaskRunner

from flows.engine.leaving import leave_soon
from flows.engine.worker_process import WorkerContext
from lstm_music.child import follow_parent
from lstm_music.errors import RecipeError
from lstm_music.recipe import RunnerSpec


class ThreadRunner(ThreadPoolTaskRunner[Any]):
    """Tasks in threads of this process: for tasks that wait, or that start their own process."""

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait for the tasks; on an interrupt leave the threads, because they end with this process."""
        leave_soon(exc_type)
        if exc_type is not None and self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
        super().__exit__(exc_type, exc, traceback)


class ProcessRunner(ProcessPoolTaskRunner):
    """Tasks in processes that start once per flow run, and end with it or with this process, however that ends."""

    def __enter__(self) -> Self:
        """Start the pool; its processes start with the first tasks."""
        runner = super().__enter__()
        self._context = WorkerContext()
        assert self._executor is not None
        # Prefect has no parameter for the context; its own has started no process yet.
        self._executor._mp_context = self._context  # noqa: SLF001
        return runner

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Wait for the tasks; on an interrupt kill the processes."""
        leave_soon(exc_type)
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
    """Run tasks on the workers of the Dask scheduler that `spec` names; without one, of a private one on this machine."""
    made: TaskRunner[Any] = _dask().DaskRunner.of(spec)
    return made


def dask_trainings(spec: RunnerSpec, models: int) -> TaskRunner[Any]:
    """Run trainings on the workers of Dask; a private cluster has a worker per model, because they wait for their children."""
    made: TaskRunner[Any] = _dask().TrainingRunner.of(spec.model_copy(update={"workers": models}))
    return made


def _dask() -> ModuleType:
    try:
        from flows.engine import dask_runner
    except ImportError as error:
        raise RecipeError(
            "runner 'dask': Dask is not installed; install it with `pip install 'lstm-music[dask]'`"
        ) from error
    return dask_runner


RUNNERS: dict[str, Callable[[RunnerSpec], TaskRunner[Any]]] = {
    "threads": lambda spec: threads(spec.workers),
    "processes": processes,
    "dask": dask,
}
"""Name of a runner → its factory."""


def runner(spec: RunnerSpec) -> TaskRunner[Any]:
    """Make the task runner of a recipe, or the one that the user chose."""
    return RUNNERS[spec.name](spec)
