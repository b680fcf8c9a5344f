"""The backend for a folder of this machine."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from lstm_music.errors import CorruptArtifactError, StorageError
from lstm_music.store import files, locks
from lstm_music.store.intact import fault
from lstm_music.store.links import Targets, leads, make_links
from lstm_music.store.stage import KEY, KIND, MANIFEST, NO_KINDS
from lstm_music.store.staging import StagingFolder


class Folder:
    """A `Backend` for many processes of one machine at once."""

    def __init__(self, root: Path) -> None:
        if root.exists() and not root.is_dir():
            raise StorageError(f"storage: expected a folder, got the file {root}")
        self.root = root

    def __str__(self) -> str:
        return str(self.root)

    def shown(self, key: str) -> Path:
        """Give its path."""
        return self.root / key

    def exists(self) -> bool:
        """Whether the folder exists."""
        return self.root.is_dir()

    def begin(self, key: str, data: bytes, partial: Path) -> None:
        """Create the file with the version, if there is none."""
        if not self.holds(key):
            files.write_if_absent(self.root / key, data, partial)

    def holds(self, key: str) -> bool:
        """Whether there is a file of this key."""
        return (self.root / key).exists()

    def holds_bytes(self, key: str, data: bytes) -> bool:
        """Whether the file has these bytes."""
        try:
            return (self.root / key).read_bytes() == data
        except OSError:
            return False

    def read(self, key: str, sha256: str = "") -> bytes:
        """Read a file."""
        del sha256  # there is only one copy
        return (self.root / key).read_bytes()

    def names(self, key: str) -> list[str]:
        """Names in a folder."""
        return files.names(self.root / key)

    def finished(self, kind: str) -> list[str]:
        """Names of the folders of a kind that have a manifest."""
        return [name for name in self.names(kind) if self.holds(f"{kind}/{name}/{MANIFEST}")]

    def entries(self, key: str) -> dict[str, files.Entry]:
        """List all files below a key."""
        return files.entries(self.root, key)

    def publish(self, source: Path, key: str) -> None:
        """Move a file to its key."""
        path = self.root / key
        files.make_folder(path.parent)
        files.move(source, path)

    def replace(self, key: str, data: bytes, partial: Path) -> None:
        """Write a file, replacing any file there."""
        path = self.root / key
        files.make_folder(path.parent)
        files.replace(path, data, partial)

    def write(self, key: str, data: bytes, partial: Path) -> None:
        """Write a file, replacing any file there."""
        path = self.root / key
        temporary = files.write_temporary(partial, data)
        try:
            files.move(temporary, path)
        except FileNotFoundError:
            files.make_folder(path.parent)
            files.move(temporary, path)

    def settle(self, folders: Iterable[str]) -> None:
        """Sync each folder once: after each file, that would take as much time as writing it."""
        for folder in folders:
            files.sync(self.root / folder)

    def create(self, key: str, data: bytes, partial: Path) -> bool:
        """Write a file only if there is none."""
        path = self.root / key
        files.make_folder(path.parent)
        return files.write_if_absent(path, data, partial)

    def change(self, key: str, change: Callable[[bytes | None], bytes], partial: Path) -> None:
        """Replace the bytes of a file, under a lock."""
        path = self.root / key
        files.make_folder(path.parent)
        with locks.exclusive(path.with_name(f".{path.stem}-lock")):
            files.replace(path, change(path.read_bytes() if path.exists() else None), partial)

    def remove(self, key: str) -> None:
        """Remove a file."""
        (self.root / key).unlink(missing_ok=True)

    def remove_artifact(self, key: str) -> None:
        """Remove the folder of an artifact, its manifest first."""
        self.remove(f"{key}/{MANIFEST}")
        folder = self.root / key
        if folder.is_dir():
            files.sync(folder)  # after a power cut the other files may be gone, but never without the manifest
            files.remove(folder)

    def fetch(self, key: str, entry: Mapping[str, Any], fix: str) -> Path:
        """Check a file: its whole digest once per process, and again after any change."""
        path = self.root / key
        if reason := fault(path, entry, fresh=False):
            raise CorruptArtifactError(f"{path}: {reason}; {fix}")
        return path

    def fault(self, key: str, entry: Mapping[str, Any]) -> str | None:
        """Read a file again and describe what is wrong with it."""
        return fault(self.root / key, entry, fresh=True)

    def session(self) -> AbstractContextManager[None]:
        """Do nothing: the lock of the staging folder does it."""
        return nullcontext()

    def alone(self, staging: StagingFolder, *, wait: bool) -> AbstractContextManager[None]:
        """Hold the lock of the staging folder alone."""
        return staging.alone(wait=wait)

    def require_held(self) -> None:
        """Do nothing: a lock is held until its process ends."""

    def leftovers(self) -> list[Path]:
        """List artifacts without a manifest, and unfinished files."""
        stale = [path for path in self.root.glob("*/*.tmp") if path.parent.name not in NO_KINDS]
        for kind in self.names(""):
            if KIND.fullmatch(kind) and kind not in NO_KINDS:
                folders = [self.root / kind / key for key in self.names(kind) if KEY.fullmatch(key)]
                stale += [folder for folder in folders if not (folder / MANIFEST).exists()]
        return stale

    def share(self, key: str) -> None:
        """Do nothing: every user of this folder has the file."""

    def link(self, folder: str, targets: Callable[[], Targets], partial: Path) -> None:
        """Make links in a folder. `targets` is called under the lock, so the last call links the latest state."""
        place = self.root / folder
        files.make_folder(place)
        with locks.exclusive(place / ".links-lock"):
            make_links(self.root, folder, targets(), partial)

    def leads(self, key: str, to: str) -> bool:
        """Whether one path is a link to the other."""
        return leads(self.root / key, self.root / to)

    def copy(self, key: str, to: Path) -> bool:
        """Do nothing: shared files are under `root` itself."""
        del key, to
        return False
