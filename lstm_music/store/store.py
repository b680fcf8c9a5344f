"""The store: find, open, write and verify artifacts; many processes may use one storage at once."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lstm_music.errors import CorruptArtifactError, MissingArtifactError
from lstm_music.store import files
from lstm_music.store.adopting import adopt
from lstm_music.store.artifact import Artifact, open_artifact
from lstm_music.store.backend import is_url, open_backend
from lstm_music.store.blobs import BlobWriter, blob_key, keep
from lstm_music.store.current_file import CURRENT_FILE, CurrentFile
from lstm_music.store.links import Targets
from lstm_music.store.stage import BLOBS, INBOX, KEY, KIND, MANIFEST, NO_KINDS, ArtifactRef, Stage
from lstm_music.store.staging import StagingFolder
from lstm_music.store.verify import VerifyReport, verify
from lstm_music.store.versions import FORMAT_FILE, STORAGE_VERSION, format_of, require_this_version
from lstm_music.store.writer import ArtifactWriter

TRAININGS = "checkpoints"


class Store:
    """A storage in a folder, or at a URL of fsspec.

    Nothing is created before the first write, so a read-only storage can be read.
    Raises StorageError for an invalid address, StorageVersionError if another version of this project wrote the storage.
    """

    def __init__(self, where: str | Path) -> None:
        self._backend = open_backend(where)
        self._staging = StagingFolder(self.root)
        self._is_alone = False
        self._current = CurrentFile(self._backend, self._writing)
        with files.disk_errors(self.root):
            require_this_version(self._backend)

    @property
    def where(self) -> str:
        """The URL or path that opens this storage in another process."""
        return str(self._backend)

    @property
    def root(self) -> Path:
        """The local folder in which files are read and written: the storage itself, or a cache of the bucket."""
        return self._backend.root

    def exists(self) -> bool:
        """Whether there is a storage."""
        return self._backend.exists()

    def is_begun(self) -> bool:
        """Whether anything was ever written here; a folder of other files is no storage yet."""
        return self._backend.holds(FORMAT_FILE)

    @property
    def address(self) -> str:
        """The URL or absolute path, for processes with another working directory."""
        return self.where if is_url(self.where) else str(self.root.absolute())

    def has(self, ref: ArtifactRef) -> bool:
        """Whether the artifact is finished; its files are checked when they are opened."""
        return self._backend.holds(f"{ref.kind}/{ref.key}/{MANIFEST}")

    def open(self, ref: ArtifactRef) -> Artifact:
        """Open an artifact. Raises MissingArtifactError if there is none, CorruptArtifactError if it is damaged."""
        return open_artifact(self._backend, ref)

    @contextmanager
    def write(self, stage: Stage) -> Iterator[ArtifactWriter]:
        """Write an artifact completely or not at all.

        If another process finished the same one meanwhile, that one stays. After an exception there is no artifact.
        """
        with self._writing() as folder:
            writer = ArtifactWriter(stage, folder)
            yield writer
            writer.commit(self._backend)

    def refs(self, kind: str | None = None) -> Iterator[ArtifactRef]:
        """List the references of all finished artifacts, or of one kind, sorted."""
        kinds = self._backend.names("") if kind is None else [kind]
        for name in kinds:
            if KIND.fullmatch(name) and name not in NO_KINDS:
                yield from (ArtifactRef(name, key) for key in self._backend.finished(name) if KEY.fullmatch(key))

    def artifacts(self, kind: str | None = None) -> Iterator[Artifact]:
        """Open all finished artifacts, or those of one kind, sorted by reference."""
        return map(self.open, self.refs(kind))

    def adopt(self, artifact: Artifact) -> bool:
        """Copy a finished artifact of another storage as it is, its manifest last. Returns whether it was not there before.

        Each of its files is checked. Raises CorruptArtifactError for one whose bytes are not those that were written.
        """
        if self.has(artifact.ref):
            return False
        with self._writing() as folder:
            return adopt(self._backend, artifact, folder)

    def shown(self, key: str) -> Path | str:
        """Give the path or URL of what lies under a key, for messages."""
        return self._backend.shown(key)

    def holds(self, key: str) -> bool:
        """Whether there is a file under a key."""
        return self._backend.holds(key)

    def entries(self, key: str = "") -> dict[str, files.Entry]:
        """List all files below a key, by their keys, without links and hidden ones."""
        with files.disk_errors(self.root):
            return self._backend.entries(key)

    def put_page(self, kind: str, name: str, data: bytes) -> Path:
        """Write a page about all artifacts of a kind beside them, replacing an earlier one; it is not an artifact."""
        with self._writing() as folder:
            self._backend.replace(f"{kind}/{name}", data, folder)
        return self.root / kind / name

    def read_page(self, kind: str, name: str) -> bytes | None:
        """Read a file beside the artifacts of a kind; None if there is none."""
        with files.disk_errors(self.root):
            try:
                return self._backend.read(f"{kind}/{name}")
            except FileNotFoundError:
                return None

    def change_page(self, kind: str, name: str, change: Callable[[bytes | None], bytes]) -> None:
        """Replace the bytes of a file beside the artifacts by `change(bytes)`; concurrent changes are not lost."""
        with self._writing() as folder:
            self._backend.change(f"{kind}/{name}", change, folder)

    def link(self, folder: str, targets: Callable[[], Targets]) -> None:
        """Make links for people in `folder` to the keys that `targets` gives.

        Does nothing in a bucket and on file systems without links.
        """
        with self._writing() as partial:
            self._backend.link(folder, targets, partial)

    def linked(self, key: str, to: str) -> Path | None:
        """Give the path of the link `key` if it leads to the key `to`."""
        return self.root / key if self._backend.leads(key, to) else None

    def put_blob(self, data: bytes) -> str:
        """Keep bytes under their SHA-256, which is returned; bytes that are stored already are not written again."""
        with self._writing() as folder:
            return keep(self._backend, data, folder)

    @contextmanager
    def blobs(self) -> Iterator[Callable[[bytes], str]]:
        """Yield a function that keeps bytes as `put_blob` does; several threads write, and all is written at the end.

        After an error some of the bytes are kept.
        """
        with BlobWriter(self._backend, self._writing) as writer:
            yield writer.put

    def get_blob(self, sha256: str) -> bytes:
        """Give the bytes kept under a SHA-256, checked. Raises MissingArtifactError or CorruptArtifactError."""
        path = self._backend.shown(blob_key(sha256))
        try:
            data = self._backend.read(blob_key(sha256), sha256)
        except FileNotFoundError as error:
            raise MissingArtifactError(f"{path}: missing; ingest its source again") from error
        except OSError as error:
            raise CorruptArtifactError(f"{path}: cannot be read ({error.strerror})") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise CorruptArtifactError(
                f"{path}: its bytes are not those that were written; delete it and ingest its source again"
            )
        return data

    def current(self, recipe: str) -> dict[str, Any] | None:
        """Give the facts of a recipe that `set_current` kept, or None. Raises CorruptArtifactError for a damaged file."""
        value = self._current.read().get(recipe)
        return None if value is None else dict(value)

    def recipes(self) -> list[str]:
        """List the recipes with facts in `current.json`."""
        return sorted(self._current.read())

    def set_current(self, recipe: str, value: dict[str, Any]) -> None:
        """Keep facts of a recipe (JSON by name); its other facts and those of other recipes stay."""
        self.change_current(recipe, lambda _facts: value)

    def change_current(self, recipe: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        """Keep what `change` gives for the present facts of a recipe, as `set_current` does, with no change in between.

        A fact that is None is taken away. If `change` raises, nothing is kept. A bucket may call it several times.
        """
        self._current.change(recipe, change)

    def damaged_current(self) -> bytes | None:
        """Give the bytes of `current.json` where they are not those that were written; None where they are, or there are none."""
        return self._current.damaged()

    def add_to_current(self, told: Mapping[str, Mapping[str, Any]]) -> None:
        """Add facts by recipe to `current.json`, or write it again where it is damaged; facts that can be read stay as they are.

        The bytes of a damaged file are kept beside it.
        """
        self._current.add(told)

    def verify(self, progress: Callable[[int, int], None] = lambda _done, _total: None) -> VerifyReport:
        """Read every file again and report those whose bytes are not those that were written.

        `progress` gets (files read, files in all). A folder without a manifest is unfinished, not bad.
        """
        return verify(self._backend, list(self.refs()), CURRENT_FILE, progress)

    @contextmanager
    def session(self) -> Iterator[int]:
        """Hold the store for a run, so that no process sweeps; yield how many leftovers of killed runs were swept before.

        Leftovers are swept only if no other run holds the store.
        """
        with files.disk_errors(self.root):
            swept = self._staging.sweep(self._backend.leftovers)
            with self._staging.held():
                self._begin()
                with self._backend.session():
                    yield swept

    @contextmanager
    def alone(self, *, wait: bool = False) -> Iterator[None]:
        """Hold the store without any other session or writer, as a removal needs it; this very store may write meanwhile.

        Leftovers of killed runs are swept before. Raises StorageError where others use it, and says which, unless `wait` says
        to wait for them.
        """
        with files.disk_errors(self.root), self._backend.alone(self._staging, wait=wait):
            self._staging.sweep(self._backend.leftovers)
            self._is_alone = True
            try:
                yield
            finally:
                self._is_alone = False

    def remove(self, key: str) -> None:
        """Remove what lies under a key: a file, or with `kind/key` an artifact, its manifest first. Needs `alone`."""
        assert self._is_alone
        self._backend.require_held()
        with files.disk_errors(self.root):
            if KEY.fullmatch(key.rpartition("/")[2]) and not key.startswith(f"{BLOBS}/"):
                self._backend.remove_artifact(key)
            else:
                self._backend.remove(key)

    def inbox(self) -> str:
        """The default inbox for new music: a folder, created if it is missing, or a URL."""
        where = self._backend.shown(INBOX)
        if isinstance(where, Path):
            files.make_folder(where)
        return str(where)

    def training_file(self, name: str) -> Path:
        """The local path of a file of a running training; it changes and is not an artifact."""
        return self.root / TRAININGS / name

    def training_files(self) -> list[str]:
        """Names of the training files that all users of this storage can see."""
        return self._backend.names(TRAININGS)

    def share_training_file(self, name: str) -> None:
        """Make a training file available to all users of this storage."""
        self._backend.share(f"{TRAININGS}/{name}")

    def copy_training_file(self, name: str, to: Path) -> bool:
        """Copy a shared training file from a bucket to `to`. Returns whether there was one."""
        return self._backend.copy(f"{TRAININGS}/{name}", to)

    def drop_training_file(self, name: str) -> None:
        """Remove a training file, here and where it was shared."""
        self._backend.remove(f"{TRAININGS}/{name}")

    @contextmanager
    def _writing(self) -> Iterator[Path]:
        """Yield a private folder for writing, in a storage with a version file."""
        self._backend.require_held()
        with self._staging.folder() as folder:
            self._begin()
            yield folder

    def _begin(self) -> None:
        self._backend.begin(FORMAT_FILE, format_of(STORAGE_VERSION), self._staging.partial)
