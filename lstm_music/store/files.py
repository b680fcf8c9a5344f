"""What the store asks of a file system, and nothing more."""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lstm_music.errors import StorageError

# These carry no file name when a write fails, and concern the disk whoever meets them.
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


@contextmanager
def disk_errors(root: Path) -> Iterator[None]:
    """Say an OSError in one sentence, as StorageError, where it is about the disk or a file inside `root`."""
    try:
        yield
    except OSError as error:
        where = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
        ours = where is not None and (where.is_relative_to(root) or root.is_relative_to(where))
        if ours or error.errno in DISK_ERRORS:
            reason = f"{error.strerror or error}; storage needs a folder that may be written to, with space left"
            raise StorageError(f"{where or root}: {reason}") from error
        raise


def sync(path: Path) -> None:
    """Have the disk hold a file's bytes, or a folder's names, before going on."""
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
    """Create a folder and its parents where they are missing, durably."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync(path.parent)


def names(folder: Path) -> list[str]:
    """Names in a folder, sorted, without hidden ones; none where the folder is absent or is a file."""
    try:
        return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []


def write(path: Path, data: bytes) -> None:
    """Write a new file whole and durably, in a place where nobody looks yet."""
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def move(source: Path, target: Path) -> None:
    """Give a synced file its name, replacing in one step what had it; `sync` the folder after the last one."""
    source.replace(target)


def replace(path: Path, data: bytes, partial: Path) -> None:
    """Write a file in one step for every reader, over what may be there; `partial` is a folder on the same disk."""
    temporary = partial / uuid.uuid4().hex
    write(temporary, data)
    move(temporary, path)
    sync(path.parent)


def write_if_absent(path: Path, data: bytes, partial: Path) -> bool:
    """Write a file in one step only if there is none, and say whether this call wrote it.

    A hard link is the one step of POSIX that gives a whole file its name and fails where the name is taken.
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
    """Make a new folder in `parent` that nobody else writes to, and remove it at the end with what is left in it."""
    make_folder(parent)
    folder = parent / uuid.uuid4().hex
    folder.mkdir()  # not synced: nobody misses it after a power cut
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
