"""What `--output-dir` does: the files of an artifact in a folder of the user's, too."""

import filecmp
import shutil
from pathlib import Path

from lstm_music.errors import StorageError
from lstm_music.store import ArtifactRef, Store


def copy_to(folder: Path, store: Store, ref: ArtifactRef, *, may_replace: bool = False) -> None:
    """Copy the files of an artifact to a folder; StorageError if it cannot be written, or holds another file of a name."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = [path.name for path in store.open(ref).files() if _holds_other(folder / path.name, path)]
        if taken and not may_replace:
            raise StorageError(f"--output-dir: {folder} holds another {taken[0]} already; give an empty or new folder")
        for path in store.open(ref).files():
            shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise StorageError(
            f"--output-dir: {folder}: cannot be written ({error.strerror}); give another folder"
        ) from error


def _holds_other(path: Path, new: Path) -> bool:
    return path.exists() and not filecmp.cmp(path, new, shallow=False)
