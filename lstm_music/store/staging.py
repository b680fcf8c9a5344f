"""The folder of this machine in which files are written before anybody may see them, swept while nobody writes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lstm_music.store import files, locks


class StagingFolder:
    """Private folders below `root`, and the lock that keeps others from sweeping them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.partial = root / ".partial"
        self._lock = root / ".lock"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from sweeping."""
        files.make_folder(self.partial)
        with locks.shared(self._lock):
            yield

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield a private folder to write in, which nobody sweeps meanwhile."""
        with files.disk_errors(self.root), self.held(), files.private_folder(self.partial) as folder:
            yield folder

    def sweep(self, leftovers: Callable[[], list[Path]]) -> int:
        """Remove all private folders, and `leftovers`, if nobody writes; give how many were removed."""
        files.make_folder(self.partial)
        with locks.exclusive_if_free(self._lock) as alone:
            stale = [self.partial / name for name in files.names(self.partial)] + leftovers() if alone else []
            for path in stale:
                files.remove(path)
            return len(stale)
