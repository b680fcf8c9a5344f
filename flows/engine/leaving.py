"""The end of the process of a deployed run that was cancelled: it does not wait for its threads.

Python waits for the threads of a pool when it ends. Each waits for the child process of a training, so a cancelled run would
train on until the worker kills it half a minute later, and each thread would then print a traceback. Child processes end with
this process.
"""

import logging
import os
import threading

from prefect.events.worker import EventsWorker
from prefect.exceptions import TerminationSignal
from prefect.logging.handlers import APILogWorker

LEAVE_SECONDS = 3.0
"""How long Prefect has at most to report the end of the run."""

ENDED_BY_SIGTERM = 143


def leave_soon(error: type[BaseException] | None) -> None:
    """End this process with its main thread, after LEAVE_SECONDS at the latest, if `error` answers a signal to end.

    On Ctrl-C the command line leaves by itself (`flows.cli.interrupt`).
    """
    if error is None or not issubclass(error, TerminationSignal):
        return
    # What is registered here runs before Python waits for threads; an ordinary atexit function runs after that.
    threading._register_atexit(_leave)  # type: ignore[attr-defined]  # noqa: SLF001  Prefect and concurrent.futures use it, too
    last_moment = threading.Timer(LEAVE_SECONDS, _leave)
    last_moment.daemon = True
    last_moment.start()


def _leave() -> None:
    logging.raiseExceptions = False  # a thread that still logs what a training says finds Prefect's handler gone
    for worker in (APILogWorker, EventsWorker):
        worker.drain_all(timeout=1.0)
    os._exit(ENDED_BY_SIGTERM)
