"""Locks between processes: `flock` on a file, which the system releases when the holder ends, even if it is killed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock together with other shared holders; wait for an exclusive one."""
    with _held(path, fcntl.LOCK_SH):
        yield


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock alone; wait for all other holders."""
    with _held(path, fcntl.LOCK_EX):
        yield


@contextmanager
def exclusive_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock alone if it is free now, in this process and all others; yield whether it is held."""
    with ExitStack() as stack:
        try:
            stack.enter_context(_held(path, fcntl.LOCK_EX | fcntl.LOCK_NB))
            alone = True
        except BlockingIOError:
            alone = False
        yield alone


@contextmanager
def _held(path: Path, operation: int) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, operation)
        yield
    finally:
        os.close(descriptor)
