"""Progress in Prefect's UI, from a library call that reports through a callback."""

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from uuid import UUID

EVERY_SECONDS = 2.0
"""The shortest time between two updates."""

LAST_SECONDS = 2.0
"""How long a finished task waits for its last update to arrive."""


@contextlib.contextmanager
def progress_artifact(key: str, description: str) -> Iterator[Callable[[float], None]]:
    """Give a function that takes the fraction done (0 to 1) and shows it as the Prefect artifact `key` of the run.

    A call only sets a variable. A separate thread updates the server. It stops at its first failure, so that a lost update
    never fails a task.
    """
    reporter = _Reporter(key, description)
    thread = threading.Thread(target=contextvars.copy_context().run, args=(reporter.run,), daemon=True)
    thread.start()
    try:
        yield reporter.report
    finally:
        reporter.finish()
        thread.join(LAST_SECONDS)


class _Reporter:
    def __init__(self, key: str, description: str) -> None:
        self._key = key
        self._description = description
        self._fraction = 0.0
        self._finished = threading.Event()

    def report(self, fraction: float) -> None:
        self._fraction = fraction

    def finish(self) -> None:
        self._finished.set()

    def run(self) -> None:
        from prefect.artifacts import create_progress_artifact, update_progress_artifact

        with contextlib.suppress(Exception):  # the server may be away, or of another version
            shown = self._fraction
            artifact = create_progress_artifact(100 * shown, key=self._key, description=self._description)
            assert isinstance(artifact, UUID)  # not awaited: this thread has no event loop
            while not self._finished.wait(EVERY_SECONDS) or shown != self._fraction:
                if shown != self._fraction:
                    shown = self._fraction
                    update_progress_artifact(artifact, 100 * shown)
