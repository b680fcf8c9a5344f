"""The staging folder: files are written here before readers see them. It is swept while no process writes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

from lstm_music.errors import StorageInUseError
from lstm_music.store import files, locks


class StagingFolder:
    """Private folders below `root`, and the lock that protects them from being swept."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.partial = root / ".partial"
        self._lock = root / ".lock"
        self._is_alone = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock, so that no process sweeps."""
        files.make_folder(self.partial)
        with nullcontext() if self._is_alone else locks.shared(self._lock):
            yield

    @contextmanager
    def alone(self, *, wait: bool) -> Iterator[None]:
        """Hold the lock without any other process. Raises StorageInUseError where others hold it, unless `wait` says to wait."""
        files.make_folder(self.partial)
        with ExitStack() as stack:
            if wait:
                stack.enter_context(locks.exclusive(self._lock))
            elif not stack.enter_context(locks.exclusive_if_free(self._lock)):
                holders = ", ".join(locks.holders(self._lock)) or "another process"
                raise StorageInUseError(f"{self.root}: in use by {holders}; wait until they end, or give --wait")
            self._is_alone = True
            try:
                yield
            finally:
                self._is_alone = False

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield a private folder for writing; no process sweeps it meanwhile."""
        with files.disk_errors(self.root), self.held(), files.private_folder(self.partial) as folder:
            yield folder

    def sweep(self, leftovers: Callable[[], list[Path]]) -> int:
        """Remove all private folders and `leftovers` if no other process writes. Returns how many were removed."""
        files.make_folder(self.partial)
        with nullcontext(enter_result=True) if self._is_alone else locks.exclusive_if_free(self._lock) as alone:
            stale = [self.partial / name for name in files.names(self.partial)] + leftovers() if alone else []
            for path in stale:
                files.remove(path)
            return len(stale)
