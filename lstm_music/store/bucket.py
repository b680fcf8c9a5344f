"""The backend for a bucket, or for any other store of fsspec: requests, and a cache of files on this machine.

A request writes a whole file or none, so there are no locks and nothing to sweep. The store writes files to the local
staging folder, uploads them, and creates the manifest last, on the condition that there is none. A cached file is used
only if its SHA-256 is that of the manifest, and the manifest is always read from the bucket.
"""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from lstm_music.errors import CorruptArtifactError, StorageError
from lstm_music.store import files
from lstm_music.store.intact import fault
from lstm_music.store.leases import Leases
from lstm_music.store.links import Targets
from lstm_music.store.remote import cache_folder, folder_name, open_remote, protocols
from lstm_music.store.stage import MANIFEST
from lstm_music.store.staging import StagingFolder
from lstm_music.store.storage_errors import as_storage_error, code

TRIES = 10  # per change, while other processes change or create the same file
WAIT_SECONDS = 0.2


class Bucket:
    """A `Backend` for many machines at once."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.root = cache_folder() / folder_name(self.url)
        self._staging = StagingFolder(self.root)
        self._fs, self._path = open_remote(self.url)
        self._leases = Leases(self)
        self._is_s3 = "s3" in protocols(self._fs)

    def __str__(self) -> str:
        return self.url

    def shown(self, key: str) -> str:
        """Give its URL."""
        return f"{self.url}/{key}"

    def exists(self) -> bool:
        """Whether there is anything below the URL."""
        return bool(self.names(""))

    def begin(self, key: str, data: bytes, partial: Path) -> None:
        """Create the file with the version, twice: the bucket has to refuse the second time."""
        del partial
        _require_conditions(self.url, key, data)

    def holds(self, key: str) -> bool:
        """Whether there is a file of this key."""
        try:
            return bool(self._info(key)["type"] == "file")
        except FileNotFoundError:
            return False

    def holds_bytes(self, key: str, data: bytes) -> bool:
        """Whether there is a file of this key and size."""
        try:
            return bool(self._info(key)["size"] == len(data))
        except FileNotFoundError:
            return False

    def read(self, key: str, sha256: str = "") -> bytes:
        """Read a file, or its local copy if that has the digest `sha256`."""
        path = self.root / key
        if sha256 and path.is_file():
            with files.disk_errors(self.root):
                data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
        with self._errors(key):
            data = bytes(self._fs.cat_file(self._at(key)))
        if sha256 == hashlib.sha256(data).hexdigest():
            with self._staging.folder() as folder:
                self._keep_copy(key, data, folder)
        return data

    def names(self, key: str) -> list[str]:
        """Names directly below a key."""
        with self._errors(key):
            try:
                found = self._fs.ls(self._at(key), detail=False)
            except FileNotFoundError:
                return []
        last = sorted({path.rstrip("/").rpartition("/")[2] for path in found} - {""})
        return [name for name in last if not name.startswith(".")]

    def finished(self, kind: str) -> list[str]:
        """Names of the folders of a kind that have a manifest, from one listing."""
        with self._errors(kind):
            found = self._fs.find(self._at(kind))
        return sorted(path.split("/")[-2] for path in found if path.endswith(f"/{MANIFEST}"))

    def entries(self, key: str) -> dict[str, files.Entry]:
        """List all files below a key, without hidden ones."""
        found = self.listed(key).items()
        return {name: entry for name, entry in found if not any(part.startswith(".") for part in name.split("/"))}

    def publish(self, source: Path, key: str) -> None:
        """Upload a file, and keep a local copy."""
        self._upload(source, key)
        path = self.root / key
        files.make_folder(path.parent)
        files.move(source, path)

    def replace(self, key: str, data: bytes, partial: Path) -> None:
        """Upload bytes, replacing any file there, and keep a local copy."""
        with self._errors(key, writing=True):
            self._fs.pipe_file(self._at(key), data)
        self._keep_copy(key, data, partial)

    def write(self, key: str, data: bytes, partial: Path) -> None:
        """Upload bytes, replacing any file there, and keep a local copy."""
        self.replace(key, data, partial)

    def settle(self, folders: Iterable[str]) -> None:
        """Do nothing: what was uploaded lasts."""

    def create(self, key: str, data: bytes, partial: Path) -> bool:
        """Upload bytes only if there is no such file."""
        del partial
        return self._put(key, data, mode="create")

    def change(self, key: str, change: Callable[[bytes | None], bytes], partial: Path) -> None:
        """Replace the bytes of a file.

        S3 refuses the upload if another process changed the file since it was read; then this reads and changes it again.
        fsspec has no such condition for other stores, so there the last writer wins.
        """
        for _ in range(TRIES):
            try:
                condition = {"IfMatch": self._info(key)["ETag"]} if self._is_s3 else {}
                data: bytes | None = self.read(key)
            except FileNotFoundError:
                data = None
            changed = change(data)
            done = self.create(key, changed, partial) if data is None else self._put(key, changed, **condition)
            if done:
                return
            time.sleep(WAIT_SECONDS)
        raise self._given_up(key)

    def remove(self, key: str) -> None:
        """Remove a file in the bucket and its local copy."""
        (self.root / key).unlink(missing_ok=True)
        with self._errors(key, writing=True):
            try:
                self._fs.rm_file(self._at(key))
            except FileNotFoundError:
                return

    def remove_artifact(self, key: str) -> None:
        """Remove the objects of an artifact and their local copies, the manifest first."""
        self.remove(f"{key}/{MANIFEST}")
        for name in self.entries(key):
            self.remove(name)
        shutil.rmtree(self.root / key, ignore_errors=True)

    def fetch(self, key: str, entry: Mapping[str, Any], fix: str) -> Path:
        """Give the local copy; download it unless its digest is right."""
        path = self.root / key
        if fault(path, entry, fresh=False) is None:
            return path
        with self._staging.folder() as folder:
            fetched = folder / path.name
            if reason := self._download_fault(key, entry, fetched):
                raise CorruptArtifactError(f"{self.shown(key)}: {reason}; {fix}")
            files.make_folder(path.parent)
            files.move(fetched, path)
        return path

    def fault(self, key: str, entry: Mapping[str, Any]) -> str | None:
        """Download a file and describe what is wrong with it."""
        with self._staging.folder() as folder:
            return self._download_fault(key, entry, folder / "file")

    def session(self) -> AbstractContextManager[None]:
        """Hold a lease, and wait while somebody has the bucket alone."""
        return self._leases.session()

    def alone(self, staging: StagingFolder, *, wait: bool) -> AbstractContextManager[None]:
        """Hold a lease that excludes all others."""
        del staging  # its lock is for the copies on this machine
        return self._leases.alone(wait=wait)

    def require_held(self) -> None:
        """Raise StorageError where a lease of this process became too old."""
        self._leases.require_alive()

    def put(self, key: str, data: bytes) -> None:
        """Upload bytes without a local copy."""
        with self._errors(key, writing=True):
            self._fs.pipe_file(self._at(key), data)

    def listed(self, key: str) -> dict[str, files.Entry]:
        """List all objects below a key, hidden ones too, from one listing."""
        with self._errors(key):
            found = self._fs.find(self._at(key), detail=True)
        return {
            path.removeprefix(f"{self._path}/"): files.Entry(int(info["size"]), _written(info))
            for path, info in found.items()
        }

    def leftovers(self) -> list[Path]:
        """List unfinished local files of trainings; a bucket has no unfinished files."""
        return list(self.root.glob("*/*.tmp"))

    def share(self, key: str) -> None:
        """Upload the file under `root`."""
        self._upload(self.root / key, key)

    def link(self, folder: str, targets: Callable[[], Targets], partial: Path) -> None:
        """Do nothing: a bucket has no links."""
        del folder, targets, partial

    def leads(self, key: str, to: str) -> bool:
        """Return False: a bucket has no links."""
        del key, to
        return False

    def copy(self, key: str, to: Path) -> bool:
        """Download a file to `to`. Returns whether there was one."""
        with self._errors(key):
            files.make_folder(to.parent)
            try:
                self._fs.get_file(self._at(key), str(to))
            except FileNotFoundError:
                return False
        return True

    def _at(self, key: str) -> str:
        return f"{self._path}/{key}" if key else self._path

    def _info(self, key: str) -> dict[str, Any]:
        with self._errors(key):
            return dict(self._fs.info(self._at(key)))

    def _upload(self, source: Path, key: str) -> None:
        with self._errors(key, writing=True):
            self._fs.put_file(str(source), self._at(key))

    def _download_fault(self, key: str, entry: Mapping[str, Any], to: Path) -> str | None:
        return fault(to, entry, fresh=True) if self.copy(key, to) else "missing"

    def _keep_copy(self, key: str, data: bytes, partial: Path) -> None:
        path = self.root / key
        files.make_folder(path.parent)
        files.replace(path, data, partial)

    def _put(self, key: str, data: bytes, **condition: str) -> bool:
        """Upload bytes on a condition. Returns whether it held."""
        with self._errors(key, writing=True):
            for _ in range(TRIES):
                try:
                    self._fs.pipe_file(self._at(key), data, **condition)
                except FileExistsError:
                    return False
                except OSError as error:
                    reason = code(error)
                    if reason == "PreconditionFailed":
                        return False
                    if reason != "ConditionalRequestConflict":
                        raise
                    time.sleep(WAIT_SECONDS)  # another upload to this key is under way, and S3 asks to try again
                else:
                    return True
        raise self._given_up(key)

    def _given_up(self, key: str) -> StorageError:
        return StorageError(
            f"{self.shown(key)}: other processes changed it {TRIES} times in a row; run the same command again"
        )

    @contextmanager
    def _errors(self, key: str, *, writing: bool = False) -> Iterator[None]:
        with as_storage_error(self.shown(key), writing=writing), files.disk_errors(self.root):
            yield


def _written(info: Mapping[str, Any]) -> float:
    """Give the time of an object's last change; now, where the store does not say, so that it never counts as old."""
    found = info.get("LastModified") or info.get("updated") or info.get("mtime") or time.time()
    return found.timestamp() if isinstance(found, datetime) else float(found)


@cache
def _require_conditions(url: str, key: str, data: bytes) -> None:
    """Raise StorageError, once per process, if the store creates a file that exists already."""
    bucket = Bucket(url)
    bucket.create(key, data, bucket.root)
    if bucket.create(key, data, bucket.root):
        raise StorageError(
            f"{bucket.shown(key)}: this store ignores the condition If-None-Match and replaced an existing file, so two "
            "writers could overwrite each other; use a store with conditional writes"
        )
