"""Locks between processes: `flock` on a file, which the system gives back when the holder ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock beside others that hold it shared; wait while one holds it alone."""
    with _held(path, fcntl.LOCK_SH):
        yield


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock alone; wait until nobody else holds it."""
    with _held(path, fcntl.LOCK_EX):
        yield


@contextmanager
def exclusive_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock alone if nobody else, in this process or another, holds it now; yield whether it is held."""
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
