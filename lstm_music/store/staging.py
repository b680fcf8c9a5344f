"""The staging folder: files are written here before readers see them. It is swept while no process writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lstm_music.store import files, locks


class StagingFolder:
    """Private folders below `root`, and the lock that protects them from being swept."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.partial = root / ".partial"
        self._lock = root / ".lock"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock, so that no process sweeps."""
        files.make_folder(self.partial)
        with locks.shared(self._lock):
            yield

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield a private folder for writing; no process sweeps it meanwhile."""
        with files.disk_errors(self.root), self.held(), files.private_folder(self.partial) as folder:
            yield folder

    def sweep(self, leftovers: Callable[[], list[Path]]) -> int:
        """Remove all private folders and `leftovers` if no process writes. Returns how many were removed."""
        files.make_folder(self.partial)
        with locks.exclusive_if_free(self._lock) as alone:
            stale = [self.partial / name for name in files.names(self.partial)] + leftovers() if alone else []
            for path in stale:
                files.remove(path)
            return len(stale)
