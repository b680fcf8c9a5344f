"""The few operations of a file system that the store uses."""

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from lstm_music.errors import StorageError
from lstm_music.store import locks

ADVICE = {
    errno.EIO: "the disk failed: check it, then run the same command again",
    errno.EMFILE: "close other programs, or allow more open files (`ulimit -n`)",
    errno.ENFILE: "close other programs: this machine has too many open files",
    errno.ENOMEM: "close other programs: this machine has too little memory",
}
"""What to do about errors that carry no file name when a write fails; for the others, `NO_SPACE`."""

NO_SPACE = "give the storage a writable folder with free space"
DISK_ERRORS = ADVICE.keys() | {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@contextmanager
def disk_errors(root: Path) -> Iterator[None]:
    """Turn an OSError about the disk or a file inside `root` into a StorageError of one sentence."""
    try:
        yield
    except OSError as error:
        where = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
        ours = where is not None and (where.is_relative_to(root) or root.is_relative_to(where))
        if ours or error.errno in DISK_ERRORS:
            advice = ADVICE.get(error.errno or 0, NO_SPACE)
            raise StorageError(f"{where or root}: {error.strerror or error}; {advice}") from error
        raise


def sync(path: Path) -> None:
    """Wait until the bytes of a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    """SHA-256 of a whole file, 64 hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def make_folder(path: Path) -> None:
    """Create a folder and its missing parents, durably."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync(path.parent)


class Entry(NamedTuple):
    """A file in a listing: its size in bytes, and when it was written last, in seconds since 1970."""

    bytes: int
    written: float


def entries(root: Path, key: str) -> dict[str, Entry]:
    """List all files below `root / key` by their keys; links, hidden names and what vanishes meanwhile are left out."""
    found = {}
    for folder, folders, names_here in os.walk(root / key):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(folder, name) for name in names_here if not name.startswith(".")):
            with contextlib.suppress(FileNotFoundError):
                state = path.lstat()
                if stat.S_ISREG(state.st_mode):
                    found[path.relative_to(root).as_posix()] = Entry(state.st_size, state.st_mtime)
    return found


def names(folder: Path) -> list[str]:
    """Names in a folder, sorted, without hidden ones; none if the folder is missing or is a file."""
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []


def write(path: Path, data: bytes) -> None:
    """Write a new file durably, in a private folder."""
    with path.open("xb", buffering=0) as file:  # a buffer would take four more calls of the system for each file
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())


def write_temporary(partial: Path, data: bytes) -> Path:
    """Write a new file durably into a private folder, to be moved. Returns its path."""
    temporary = partial / uuid.uuid4().hex
    write(temporary, data)
    return temporary


def move(source: Path, target: Path) -> None:
    """Rename a synced file, replacing any file of that name in one step; `sync` the folder after the last one."""
    source.replace(target)


def replace(path: Path, data: bytes, partial: Path) -> None:
    """Write a file in one step, replacing any file there; `partial` is a folder on the same disk."""
    move(write_temporary(partial, data), path)
    sync(path.parent)


def write_if_absent(path: Path, data: bytes, partial: Path) -> bool:
    """Write a file in one step only if there is none. Returns whether this call wrote it.

    A hard link is the only single step of POSIX that names a finished file and fails if the name is taken. A file system
    without hard links refuses all of them, so there every writer takes turns at a lock.
    """
    temporary = write_temporary(partial, data)
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        with locks.exclusive(path.with_name(f".{path.name}-lock")):
            if path.exists():
                return False
            move(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)
    return True


@contextmanager
def private_folder(parent: Path) -> Iterator[Path]:
    """Make a new folder in `parent` for this call alone, and remove it at the end with its contents."""
    make_folder(parent)
    folder = parent / uuid.uuid4().hex
    folder.mkdir()  # not synced: after a power cut it is not needed
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a file, or a folder with its contents."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
