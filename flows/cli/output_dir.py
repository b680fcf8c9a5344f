"""`--output-dir`: copies the files of an artifact to a folder of the user."""

import contextlib
import filecmp
import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from lstm_music.errors import RecipeError, StorageError
from lstm_music.store import ArtifactRef, Store
from lstm_music.store.backend import is_url

GENERATED = ("index.html", "result_001.mid")
"""Files of every generation, which differ from those of any other."""


def local_folder(text: str) -> Path:
    """Read the value of `--output-dir`. Raises RecipeError for a URL and for no text."""
    if not text or is_url(text):
        raise RecipeError(f"--output-dir: expected a folder of this machine, got {text!r}")
    return Path(text)


def free_folder(name: str) -> Path:
    """Return the first of `name_1`, `name_2` … that is not there yet, in the working folder."""
    return next(path for number in count(1) if not os.path.lexists(path := Path(f"{name}_{number}")))


def require_output_dir(folder: Path | None, store: Store) -> None:
    """Make the folder, if there is to be one. Raises StorageError if it cannot take files or lies in the storage."""
    if folder is None:
        return
    if not is_url(store.where) and folder.absolute().resolve().is_relative_to(store.root.resolve()):
        raise StorageError(f"--output-dir: expected a folder outside the storage {store.where}, got {folder}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StorageError(f"--output-dir: {folder} cannot be written; give another folder")


@contextlib.contextmanager
def none_left_empty(folder: Path | None) -> Iterator[None]:
    """Remove a folder, if there is to be one, that is made in this context and is empty when an error ends it."""
    was_there = folder is None or os.path.lexists(folder)
    try:
        yield
    except BaseException:
        if folder is not None and not was_there:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def require_room(folder: Path, store: Store, ref: ArtifactRef) -> None:
    """Raise StorageError if what is still to be made could not be copied to a folder, because it holds another generation."""
    taken = [] if store.has(ref) else [name for name in GENERATED if os.path.lexists(folder / name)]
    if taken:
        raise _taken(folder, taken[0])


def copy_to(folder: Path, store: Store, ref: ArtifactRef, *, may_replace: bool = False) -> None:
    """Copy the files of an artifact to a folder that `require_output_dir` has passed.

    Raises StorageError if the folder is not writable, or if another file would be lost.
    """
    try:
        taken = [path.name for path in store.open(ref).files() if _holds_other(folder / path.name, path)]
        if taken and not may_replace:
            raise _taken(folder, taken[0])
        for path in store.open(ref).files():
            target = folder / path.name
            if target.is_symlink():
                target.unlink()
            shutil.copyfile(path, target)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _taken(folder: Path, name: str) -> StorageError:
    return StorageError(
        f"--output-dir: expected a folder without {name}, got {folder}, which has another one; give an empty folder"
    )


def _unwritable(folder: Path, error: OSError) -> StorageError:
    return StorageError(f"--output-dir: {folder} cannot be written ({error.strerror}); give another folder")


def _holds_other(path: Path, new: Path) -> bool:
    """Whether something else has this name; a link that leads nowhere would be written through."""
    return path.is_symlink() or (path.exists() and not filecmp.cmp(path, new, shallow=False))
