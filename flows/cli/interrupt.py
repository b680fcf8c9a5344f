"""What Ctrl-C does: one line, exit code 130, and nothing left running."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from flows.cli import scratch

INTERRUPTED = 130
"""What a shell gives a command that was ended by SIGINT."""

GRACE_SECONDS = 5.0
"""How long an interrupted flow may take to report its last state."""

KEPT = "Interrupted. Finished work is kept: run the same command again to go on from there.\n"
NOTHING_KEPT = "Interrupted. Nothing was made.\n"

_sentence = [KEPT]


def say_nothing_is_kept() -> None:
    """Let this command, which works without a storage, say so when it is interrupted."""
    _sentence[:] = [NOTHING_KEPT]


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within this context Ctrl-C ends the process in order, at the latest after GRACE_SECONDS; a second one, at once.

    It does not wait for its threads, which cannot be stopped and may have hours of work before them; the processes
    that they have started end with it.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:  # as it is in a shell's background, where Ctrl-C is not for us
        signal.signal(signal.SIGINT, _on_interrupt)
    try:
        yield
    except KeyboardInterrupt:
        _leave()
    finally:
        signal.signal(signal.SIGINT, before)


def _on_interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGINT, lambda _number, _frame: _leave())
    last_moment = threading.Timer(GRACE_SECONDS, _leave)
    last_moment.daemon = True
    last_moment.start()
    raise KeyboardInterrupt


def _leave() -> NoReturn:
    with contextlib.suppress(OSError, ValueError):  # a pipe that nobody reads any more
        sys.stdout.flush()
        sys.stderr.write(_sentence[0])
        sys.stderr.flush()
    scratch.remove_own()
    os._exit(INTERRUPTED)
