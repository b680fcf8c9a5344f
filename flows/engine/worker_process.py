"""The processes of a pool: each ends with its parent from its first moment on, and never hears Ctrl-C.

A module of its own without heavy imports, because a starting worker imports it before anything else.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from lstm_music.credentials import credentials_held_back

LOOK_SECONDS = 0.5
"""How often a worker looks whether it still has its parent."""


class WorkerProcess(SpawnProcess):
    """A spawned process that watches its parent before it has imported what it will run.

    What a new process unpickles first is its class, then its work, whose import takes seconds. So the watch begins
    between the two.
    """

    def start(self) -> None:
        """Start the process with SIGINT held back: on Ctrl-C the parent alone decides, and no worker prints a traceback.

        It inherits no credentials.
        """
        with credentials_held_back():
            resource_tracker.ensure_running()  # it is started once, and its start would let SIGINT through again
            with interrupts_held_back():
                super().start()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[int], dict[str, Any]]:
        """Be rebuilt by `_begin`, which is called before the state that follows it is unpickled."""
        return _begin, (os.getpid(),), vars(self)


class WorkerContext(SpawnContext):
    """The spawning of worker processes for one pool, which can all be killed."""

    def __init__(self) -> None:
        self._processes: list[WorkerProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> WorkerProcess:  # type: ignore[override]  # noqa: N802  a class there
        """Make a process that `kill` knows of."""
        process = WorkerProcess(*args, **kwargs)
        self._processes.append(process)
        return process

    def kill(self) -> None:
        """Kill the processes of this pool that run."""
        for process in self._processes:
            if process.is_alive():
                process.kill()


def _begin(parent: int) -> WorkerProcess:
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    return WorkerProcess.__new__(WorkerProcess)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)


@contextlib.contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Block SIGINT in this thread, and so in the processes that it starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
