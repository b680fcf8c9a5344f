"""`--output-dir`: copies the files of an artifact to a folder of the user."""

import filecmp
import shutil
from pathlib import Path

from lstm_music.errors import StorageError
from lstm_music.store import ArtifactRef, Store


def copy_to(folder: Path, store: Store, ref: ArtifactRef, *, may_replace: bool = False) -> None:
    """Copy the files of an artifact to a folder.

    Raises StorageError if the folder is not writable, or if another file would be lost.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = [path.name for path in store.open(ref).files() if _holds_other(folder / path.name, path)]
        if taken and not may_replace:
            raise StorageError(
                f"--output-dir: expected a folder without {taken[0]}, got {folder}, which has another one; give an empty folder"
            )
        for path in store.open(ref).files():
            shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise StorageError(
            f"--output-dir: {folder} cannot be written ({error.strerror}); give another folder"
        ) from error


def _holds_other(path: Path, new: Path) -> bool:
    return path.exists() and not filecmp.cmp(path, new, shallow=False)
