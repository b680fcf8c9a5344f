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


def holders(path: Path) -> list[str]:
    """Describe the processes that hold a lock, where the system lists them, as in "lstm-music run (process 12)"."""
    state = path.stat()
    place = f"{os.major(state.st_dev):02x}:{os.minor(state.st_dev):02x}:{state.st_ino}"
    try:
        rows = [line.split() for line in Path("/proc/locks").read_text(encoding="ascii").splitlines()]
    except OSError:
        return []
    numbers = {row[4] for row in rows if row[1:2] == ["FLOCK"] and row[5] == place}
    return sorted(f"{_command(number)} (process {number})" for number in numbers)


def _command(process: str) -> str:
    """Give the command line of a process, without the folders of its programs."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:
        return "a process"
    names = [word.rpartition("/")[2] if number < 2 else word for number, word in enumerate(words) if word]
    return " ".join(names[1:] if names[:1] and names[0].startswith("python") else names)


@contextmanager
def _held(path: Path, operation: int) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, operation)
        yield
    finally:
        os.close(descriptor)
