"""Where artifacts lie: what the store asks of a folder or of a bucket, and which of them an address means."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from lstm_music.store.folder import Folder
from lstm_music.store.links import Targets

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


class Backend(Protocol):
    """Files under keys such as "model/<64 hex>/manifest.json". `partial` is a private folder below `root`, to write in.

    `read` raises FileNotFoundError where there is no file; every other failure of a bucket is a StorageError.
    """

    @property
    def root(self) -> Path:
        """Folder of this machine in which files are read and written: the storage itself, or what is cached of it."""

    def shown(self, key: str) -> Path | str:
        """Name a file, or a folder of them, as a person would look for it."""

    def exists(self) -> bool:
        """Whether anything was ever stored here."""

    def begin(self, key: str, data: bytes, partial: Path) -> None:
        """Create the file that says the version of this storage, before the first write."""

    def holds(self, key: str) -> bool:
        """Whether there is a file of this key."""

    def holds_bytes(self, key: str, data: bytes) -> bool:
        """Whether the file need not be written again: in a bucket one of the same key and size is not read for it."""

    def read(self, key: str, sha256: str = "") -> bytes:
        """Read a file; where its SHA-256 is known, a copy with that digest on this machine will do."""

    def names(self, key: str) -> list[str]:
        """Names directly below a key, sorted, without hidden ones."""

    def finished(self, kind: str) -> list[str]:
        """Names of the folders of a kind that have a manifest, sorted."""

    def publish(self, source: Path, key: str) -> None:
        """Give a synced file of a private folder its key, over what may be there."""

    def replace(self, key: str, data: bytes, partial: Path) -> None:
        """Write a file in one step for every reader, over what may be there."""

    def create(self, key: str, data: bytes, partial: Path) -> bool:
        """Write a file in one step only if there is none, and say whether this call wrote it."""

    def change(self, key: str, change: Callable[[bytes | None], bytes], partial: Path) -> None:
        """Replace what a file holds (None: there is none) by what `change` makes of it, without losing another's change."""

    def remove(self, key: str) -> None:
        """Remove a file, if it is there."""

    def fetch(self, key: str, entry: Mapping[str, Any], mend: str) -> Path:
        """Give the path on this machine of a file whose bytes are those of its entry in the manifest.

        Raises CorruptArtifactError, which ends with `mend`, where they are not.
        """

    def fault(self, key: str, entry: Mapping[str, Any]) -> str | None:
        """Read a file where it lies, and say what is wrong with it, or None."""

    def leftovers(self) -> list[Path]:
        """What killed runs left outside of private folders, to be removed while nobody writes."""

    def share(self, key: str) -> None:
        """Let other machines have the file that lies under `root`."""

    def link(self, folder: str, targets: Callable[[], Targets], partial: Path) -> None:
        """Give keys names for people, as links in a folder, while no other process does; nothing where there are no links."""

    def leads(self, key: str, to: str) -> bool:
        """Whether one key is a link to another that is there."""

    def copy(self, key: str, to: Path) -> bool:
        """Copy to `to` what a machine shared, where that lies elsewhere than under `root`; say whether there was any."""


def is_url(text: str) -> bool:
    """Whether an address is a URL, and no path."""
    return URL.match(text) is not None


def open_backend(where: str | Path) -> Backend:
    """Give the place of a folder's path or a URL; nothing is created. Raises StorageError for an address that is none."""
    if isinstance(where, Path) or not is_url(where):
        return Folder(Path(where))
    parts = urlsplit(where)
    if parts.scheme == "file":
        return Folder(Path(url2pathname(parts.path)))
    from lstm_music.store.bucket import Bucket

    return Bucket(where)
