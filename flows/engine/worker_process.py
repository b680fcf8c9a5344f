"""The processes of a pool: each ends with its parent, from its start on, and ignores Ctrl-C.

This module has no heavy imports, because a new worker imports it before anything else.
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
"""How often a worker checks that its parent still runs."""


class WorkerProcess(SpawnProcess):
    """A spawned process that watches its parent before it imports its work.

    A new process unpickles its class first, then its work, whose import takes seconds. The watch begins between the two.
    """

    def start(self) -> None:
        """Start the process with SIGINT blocked and without credentials.

        On Ctrl-C the parent decides alone, and no worker prints a traceback.
        """
        with credentials_held_back():
            resource_tracker.ensure_running()  # it starts once; its start would unblock SIGINT
            with interrupts_held_back():
                super().start()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[int], dict[str, Any]]:
        """Have `_begin` rebuild the process, before the state that follows is unpickled."""
        return _begin, (os.getpid(),), vars(self)


class WorkerContext(SpawnContext):
    """Spawns the worker processes of one pool, and can kill them all."""

    def __init__(self) -> None:
        self._processes: list[WorkerProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> WorkerProcess:  # type: ignore[override]  # noqa: N802  a class there
        """Make a process that `kill` reaches."""
        process = WorkerProcess(*args, **kwargs)
        self._processes.append(process)
        return process

    def kill(self) -> None:
        """Kill the running processes of this pool."""
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
    """Block SIGINT in this thread and in the processes that it starts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
