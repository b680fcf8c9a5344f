"""Raw bytes under their SHA-256, written by several threads: most of their time is waiting for a disk or a network."""

import hashlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from lstm_music.errors import MissingArtifactError
from lstm_music.store import files
from lstm_music.store.backend import Backend
from lstm_music.store.stage import BLOBS, KEY

WRITERS = 4
MOST_PENDING = 64
MOST_PENDING_BYTES = 32 << 20  # two of the largest files: a faster reader has to wait for the writers


class BlobWriter:
    """Keeps bytes with several threads; at the end of its `with` block all of them are written."""

    def __init__(self, backend: Backend, writing: Callable[[], AbstractContextManager[Path]]) -> None:
        self._backend = backend
        self._writing = writing
        self._stack = ExitStack()
        self._begun: tuple[Path, ThreadPoolExecutor] | None = None
        self._pending: deque[tuple[Future[None], int]] = deque()  # with the size of each, bytes
        self._pending_bytes = 0
        self._folders: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until all is written to last, or after an error cancel the writes that have not begun."""
        with self._stack:
            if kind is None:
                while self._pending:
                    self._wait_for_one()
                with files.disk_errors(self._backend.root):
                    self._backend.settle(sorted(self._folders))

    def put(self, data: bytes) -> str:
        """Keep bytes, soon. Returns their SHA-256."""
        folder, pool = self._begin()
        while self._pending and self._are_too_many(len(data)):
            self._wait_for_one()
        sha256 = hashlib.sha256(data).hexdigest()
        self._pending.append((pool.submit(write, self._backend, sha256, data, folder), len(data)))
        self._pending_bytes += len(data)
        self._folders.add(folder_of(sha256))
        return sha256

    def _are_too_many(self, more: int) -> bool:
        """Whether a write has to end before another one of so many bytes begins."""
        return len(self._pending) >= MOST_PENDING or self._pending_bytes + more > MOST_PENDING_BYTES

    def _wait_for_one(self) -> None:
        one, size = self._pending.popleft()
        one.result()
        self._pending_bytes -= size

    def _begin(self) -> tuple[Path, ThreadPoolExecutor]:
        """Make the folder and the threads with the first bytes, since there may be none."""
        if self._begun is None:
            folder, pool = self._stack.enter_context(self._writing()), ThreadPoolExecutor(WRITERS)
            self._stack.callback(pool.shutdown, cancel_futures=True)
            self._begun = folder, pool
        return self._begun


def keep(backend: Backend, data: bytes, folder: Path) -> str:
    """Write bytes to their key unless they are there; `folder` is private. Returns their SHA-256."""
    sha256 = hashlib.sha256(data).hexdigest()
    write(backend, sha256, data, folder)
    with files.disk_errors(backend.root):
        backend.settle([folder_of(sha256)])
    return sha256


def write(backend: Backend, sha256: str, data: bytes, folder: Path) -> None:
    """Write bytes to their key unless they are there; a power cut can take them until their folder was settled."""
    with files.disk_errors(backend.root):
        if not backend.holds_bytes(blob_key(sha256), data):
            backend.write(blob_key(sha256), data, folder)


def folder_of(sha256: str) -> str:
    """Give the key of the folder of the bytes with a SHA-256."""
    return f"{BLOBS}/{sha256[:2]}"


def blob_key(sha256: str) -> str:
    """Give the key of the bytes with a SHA-256. Raises MissingArtifactError for a text that is not one."""
    if not KEY.fullmatch(sha256):
        raise MissingArtifactError(f"blob: expected a SHA-256 of 64 hexadecimal digits, got {sha256!r}")
    return f"{folder_of(sha256)}/{sha256}"
