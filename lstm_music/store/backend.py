"""Storage backends: what the store needs from a folder or a bucket, and which of them an address names."""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from lstm_music.errors import StorageError
from lstm_music.store.files import Entry
from lstm_music.store.folder import Folder
from lstm_music.store.links import Targets
from lstm_music.store.staging import StagingFolder

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Backend(Protocol):
    """Files under keys such as "model/<64 hex>/manifest.json". `partial` is a private folder below `root`, for writing.

    `read` raises FileNotFoundError if there is no file. Every other failure of a bucket is a StorageError.
    """

    @property
    def root(self) -> Path:
        """The local folder in which files are read and written: the storage itself, or a cache of the bucket."""

    def shown(self, key: str) -> Path | str:
        """Give the path or URL of a file or folder, for messages."""

    def exists(self) -> bool:
        """Whether there is a storage."""

    def begin(self, key: str, data: bytes, partial: Path) -> None:
        """Create the file with the version of this storage, before the first write."""

    def holds(self, key: str) -> bool:
        """Whether there is a file of this key."""

    def holds_bytes(self, key: str, data: bytes) -> bool:
        """Whether the file has these bytes already; a bucket compares only the size, to save a download."""

    def read(self, key: str, sha256: str = "") -> bytes:
        """Read a file; with its `sha256`, a local copy with that digest is enough."""

    def names(self, key: str) -> list[str]:
        """Names directly below a key, sorted, without hidden ones."""

    def finished(self, kind: str) -> list[str]:
        """Names of the folders of a kind that have a manifest, sorted."""

    def entries(self, key: str) -> dict[str, Entry]:
        """List all files below a key, by their keys; links are left out, and so are hidden files and folders."""

    def publish(self, source: Path, key: str) -> None:
        """Move a synced file from a private folder to its key, replacing any file there."""

    def replace(self, key: str, data: bytes, partial: Path) -> None:
        """Write a file in one step, replacing any file there: readers get the old bytes or the new ones."""

    def write(self, key: str, data: bytes, partial: Path) -> None:
        """Do what `replace` does, sooner: a power cut can take the file until its folder is settled."""

    def settle(self, folders: Iterable[str]) -> None:
        """Wait until the files that were written into these folders will survive a power cut."""

    def create(self, key: str, data: bytes, partial: Path) -> bool:
        """Write a file in one step only if there is none. Returns whether this call wrote it."""

    def change(self, key: str, change: Callable[[bytes | None], bytes], partial: Path) -> None:
        """Replace the bytes of a file (None: no file yet) by `change(bytes)`; concurrent changes are not lost."""

    def remove(self, key: str) -> None:
        """Remove a file, if it is there."""

    def remove_artifact(self, key: str) -> None:
        """Remove the folder of an artifact, its manifest first: whatever happens meanwhile, readers see all of it or none."""

    def fetch(self, key: str, entry: Mapping[str, Any], fix: str) -> Path:
        """Give the local path of a file, checked against its entry in the manifest.

        Raises CorruptArtifactError if they differ; the message ends with `fix`.
        """

    def fault(self, key: str, entry: Mapping[str, Any]) -> str | None:
        """Read the stored file and describe what is wrong with it; None if nothing is."""

    def session(self) -> AbstractContextManager[None]:
        """Hold the storage together with other sessions, where the lock of the staging folder does not do that."""

    def alone(self, staging: StagingFolder, *, wait: bool) -> AbstractContextManager[None]:
        """Hold the storage without any other process. Raises StorageError where others use it, unless `wait` says to wait."""

    def require_held(self) -> None:
        """Raise StorageError where what this process holds was lost meanwhile."""

    def leftovers(self) -> list[Path]:
        """List what killed runs left outside the staging folder; the store removes it while no process writes."""

    def share(self, key: str) -> None:
        """Upload the local file, so that other machines can copy it."""

    def link(self, folder: str, targets: Callable[[], Targets], partial: Path) -> None:
        """Make links for people in a folder, under a lock; do nothing if the backend has no links."""

    def leads(self, key: str, to: str) -> bool:
        """Whether `key` is a link to the existing `to`."""

    def copy(self, key: str, to: Path) -> bool:
        """Copy a shared file to `to`, unless it is stored under `root` anyway. Returns whether it did."""


def is_url(text: str) -> bool:
    """Whether an address is a URL, not a path."""
    return URL.match(text) is not None


def open_backend(where: str | Path) -> Backend:
    """Give the backend of a path or URL; nothing is created. Raises StorageError for an invalid address."""
    if not str(where):
        raise StorageError(
            "storage: expected a folder or s3://bucket/prefix, got ''; leave --storage out, or give a name"
        )
    try:
        str(where).encode()
    except UnicodeEncodeError as error:
        raise StorageError(
            f"storage {str(where)!a}: expected a name in UTF-8, got bytes that are none; give a folder of another name"
        ) from error
    if isinstance(where, Path) or not is_url(where):
        return Folder(Path(where))
    parts = urlsplit(where)
    if parts.scheme == "file":
        return Folder(Path(url2pathname(parts.path)))
    from lstm_music.store.bucket import Bucket

    return Bucket(where)
