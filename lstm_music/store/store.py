"""The store: find, open, write and verify artifacts in one folder that many processes may use at once."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lstm_music.errors import CorruptArtifactError, MissingArtifactError, StorageError, StorageVersionError
from lstm_music.store import files, locks
from lstm_music.store.artifact import MANIFEST, Artifact, open_artifact
from lstm_music.store.sealed import seal, unseal
from lstm_music.store.stage import BLOBS, INBOX, KEY, KIND, NO_KINDS, ArtifactRef, Stage
from lstm_music.store.verify import VerifyReport, verify
from lstm_music.store.writer import ArtifactWriter

STORAGE_VERSION = 1
FORMAT = json.dumps({"format": "lstm-music storage", "version": STORAGE_VERSION}).encode() + b"\n"


class Store:
    """A storage folder. Nothing is created before the first write, so reading needs no right to write.

    Raises StorageError where `root` is a file, StorageVersionError where another version of this project wrote it.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self._partial = self.root / ".partial"
        self._lock = self.root / ".lock"
        self._format = self.root / "format.json"
        self._current = self.root / "current.json"
        if self.root.exists() and not self.root.is_dir():
            raise StorageError(f"{self.root}: a file; storage has to be a folder")
        with files.disk_errors(self.root):
            _check_format(self._format)

    def has(self, ref: ArtifactRef) -> bool:
        """Whether the artifact was made whole (its files are looked at when they are opened)."""
        return (self._folder(ref) / MANIFEST).exists()

    def open(self, ref: ArtifactRef) -> Artifact:
        """Open an artifact; MissingArtifactError where there is none, CorruptArtifactError where it is not whole."""
        return open_artifact(self._folder(ref), ref)

    @contextmanager
    def write(self, stage: Stage) -> Iterator[ArtifactWriter]:
        """Write an artifact: whole, or not at all.

        Where somebody else finished the same one meanwhile, theirs stays. On an exception nothing is left to be found.
        """
        with self._writing() as folder:
            writer = ArtifactWriter(stage, folder)
            yield writer
            writer.commit(self._folder(writer.ref))

    def refs(self, kind: str | None = None) -> Iterator[ArtifactRef]:
        """List the references of all finished artifacts, or of those of one kind, in their order."""
        kinds = files.names(self.root) if kind is None else [kind]
        for name in kinds:
            if KIND.fullmatch(name) and name not in NO_KINDS:
                found = (ArtifactRef(name, key) for key in files.names(self.root / name) if KEY.fullmatch(key))
                yield from filter(self.has, found)

    def artifacts(self, kind: str | None = None) -> Iterator[Artifact]:
        """Open all finished artifacts, or those of one kind, in the order of their references."""
        return map(self.open, self.refs(kind))

    def put_page(self, kind: str, name: str, data: bytes) -> Path:
        """Keep a file about all artifacts of a kind beside them, over an earlier one; it follows from them and is no artifact."""
        path = self.root / kind / name
        with self._writing() as folder:
            files.make_folder(path.parent)
            files.replace(path, data, folder)
        return path

    def put_blob(self, data: bytes) -> str:
        """Keep bytes under their SHA-256, which is returned; bytes that are there already are not written again."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._blob(sha256)
        if not _holds(path, data):
            with self._writing() as folder:
                files.make_folder(path.parent)
                files.replace(path, data, folder)
        return sha256

    def get_blob(self, sha256: str) -> bytes:
        """Give the bytes kept under a SHA-256, checked, or raise MissingArtifactError or CorruptArtifactError."""
        path = self._blob(sha256)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise MissingArtifactError(f"{path}: no such bytes were ever kept; ingest their source again") from error
        except OSError as error:
            raise CorruptArtifactError(f"{path}: cannot be read ({error.strerror})") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise CorruptArtifactError(f"{path}: its bytes are not those that were written; ingest their source again")
        return data

    def current(self, recipe: str) -> dict[str, Any] | None:
        """Give what `set_current` was told for a recipe, or None; CorruptArtifactError where the file is not whole."""
        value = self._read_current().get(recipe)
        return None if value is None else dict(value)

    def recipes(self) -> list[str]:
        """List the recipes that `set_current` was ever told of."""
        return sorted(self._read_current())

    def set_current(self, recipe: str, value: dict[str, Any]) -> None:
        """Keep facts of a recipe from now on (JSON by name); its facts of other names stay, and so do those of other recipes."""
        with self._writing() as folder, locks.exclusive(self.root / ".current-lock"):
            recipes = self._read_current()
            recipes[recipe] = {**recipes.get(recipe, {}), **value}
            files.replace(self._current, seal({"recipes": recipes}), folder)

    def verify(self, progress: Callable[[int, int], None] = lambda _done, _total: None) -> VerifyReport:
        """Read every file again and report those whose bytes are not those that were written.

        `progress` is told (files read, files in all). A folder without a manifest is not bad, only unfinished.
        """
        return verify(self.root, list(self.refs()), self._current, progress)

    @contextmanager
    def session(self) -> Iterator[int]:
        """Hold the store for a run, so that nobody sweeps; yield how many leftovers of killed runs were swept before.

        They are swept only where no other run holds the store.
        """
        with files.disk_errors(self.root):
            files.make_folder(self._partial)
            with locks.exclusive_if_free(self._lock) as alone:
                swept = self._sweep() if alone else 0
            with self._held():
                yield swept

    def _folder(self, ref: ArtifactRef) -> Path:
        return self.root / ref.kind / ref.key

    def _blob(self, sha256: str) -> Path:
        if not KEY.fullmatch(sha256):
            raise MissingArtifactError(
                f"{sha256!r}: not the name of kept bytes; it has to be a SHA-256, 64 digits of hexadecimal"
            )
        return self.root / BLOBS / sha256[:2] / sha256

    def _read_current(self) -> dict[str, Any]:
        if not self._current.exists():
            return {}
        with files.disk_errors(self.root):
            content = unseal(self._current.read_bytes(), self._current, mend="delete it, and train and evaluate again")
        return dict(content["recipes"])

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the lock that keeps others from sweeping, in a storage that says its version."""
        with locks.shared(self._lock):
            if not self._format.exists():
                files.write_if_absent(self._format, FORMAT, self._partial)
            yield

    @contextmanager
    def _writing(self) -> Iterator[Path]:
        """Yield a private folder to write in, which nobody sweeps meanwhile."""
        with files.disk_errors(self.root):
            files.make_folder(self._partial)
            with self._held(), files.private_folder(self._partial) as folder:
                yield folder

    def _sweep(self) -> int:
        """Remove what killed runs left: private folders, and artifacts that had files but no manifest yet."""
        stale = [self._partial / name for name in files.names(self._partial)]
        stale += [path for path in self.root.glob("*/*.tmp") if path.parent.name != INBOX]
        for kind in files.names(self.root):
            if KIND.fullmatch(kind) and kind not in NO_KINDS:
                folders = [self.root / kind / key for key in files.names(self.root / kind) if KEY.fullmatch(key)]
                stale += [folder for folder in folders if not (folder / MANIFEST).exists()]
        for path in stale:
            files.remove(path)
        return len(stale)


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def _check_format(path: Path) -> None:
    """Raise StorageVersionError, or CorruptArtifactError, where `path` is there and says anything but this version."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    if data == FORMAT:
        return
    try:
        version = int(json.loads(data)["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorruptArtifactError(
            f"{path}: not the file that was written; it has to be {FORMAT.decode().strip()}"
        ) from error
    raise StorageVersionError(
        f"{path}: storage of version {version}, but this project reads {STORAGE_VERSION}; use another folder"
    )
