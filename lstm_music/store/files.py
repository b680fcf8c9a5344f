"""The few operations of a file system that the store uses."""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lstm_music.errors import StorageError

# These carry no file name when a write fails.
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@contextmanager
def disk_errors(root: Path) -> Iterator[None]:
    """Turn an OSError about the disk or a file inside `root` into a StorageError of one sentence."""
    try:
        yield
    except OSError as error:
        where = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
        ours = where is not None and (where.is_relative_to(root) or root.is_relative_to(where))
        if ours or error.errno in DISK_ERRORS:
            reason = f"{error.strerror or error}; give the storage a writable folder with free space"
            raise StorageError(f"{where or root}: {reason}") from error
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


def names(folder: Path) -> list[str]:
    """Names in a folder, sorted, without hidden ones; none if the folder is missing or is a file."""
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []


def write(path: Path, data: bytes) -> None:
    """Write a new file durably, in a private folder."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def move(source: Path, target: Path) -> None:
    """Rename a synced file, replacing any file of that name in one step; `sync` the folder after the last one."""
    source.replace(target)


def replace(path: Path, data: bytes, partial: Path) -> None:
    """Write a file in one step, replacing any file there; `partial` is a folder on the same disk."""
    temporary = partial / uuid.uuid4().hex
    write(temporary, data)
    move(temporary, path)
    sync(path.parent)


def write_if_absent(path: Path, data: bytes, partial: Path) -> bool:
    """Write a file in one step only if there is none. Returns whether this call wrote it.

    A hard link is the only single step of POSIX that names a finished file and fails if the name is taken.
    """
    temporary = partial / uuid.uuid4().hex
    write(temporary, data)
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
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
