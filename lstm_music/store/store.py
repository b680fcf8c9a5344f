"""The store: find, open, write and verify artifacts in one place that many processes may use at once."""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from lstm_music.errors import CorruptArtifactError, MissingArtifactError, StorageVersionError
from lstm_music.store import files
from lstm_music.store.artifact import Artifact, open_artifact
from lstm_music.store.backend import Backend, is_url, open_backend
from lstm_music.store.checksummed import dump_checksummed, load_checksummed
from lstm_music.store.links import Targets
from lstm_music.store.stage import BLOBS, INBOX, KEY, KIND, MANIFEST, NO_KINDS, ArtifactRef, Stage
from lstm_music.store.staging import StagingFolder
from lstm_music.store.verify import VerifyReport, verify
from lstm_music.store.writer import ArtifactWriter

STORAGE_VERSION = 1
FORMAT = json.dumps({"format": "lstm-music storage", "version": STORAGE_VERSION}).encode() + b"\n"
FORMAT_FILE = "format.json"
CURRENT_FILE = "current.json"
TRAININGS = "checkpoints"
WRITERS = 4  # threads that write what is taken in: most of that is waiting for a disk or a network
MOST_PENDING = 64
MOST_PENDING_BYTES = 32 << 20  # two of the largest files: what is taken in faster than it is written has to wait


class Store:
    """Storage in a folder, or at a URL that fsspec knows.

    Nothing is created before the first write, so reading needs no right to write.
    Raises StorageError where there can be no storage, StorageVersionError where another version of this project wrote it.
    """

    def __init__(self, where: str | Path) -> None:
        self._place = open_backend(where)
        self._bench = StagingFolder(self.root)
        with files.disk_errors(self.root):
            _check_format(self._place)

    @property
    def where(self) -> str:
        """What opens the same storage in another process: its URL, or the path of its folder."""
        return str(self._place)

    @property
    def root(self) -> Path:
        """Folder of this machine in which files are read and written: the storage itself, or what is cached of it."""
        return self._place.root

    def exists(self) -> bool:
        """Whether anything was ever stored here."""
        return self._place.exists()

    @property
    def address(self) -> str:
        """Where it lies, as processes with another working directory may be told."""
        return self.where if is_url(self.where) else str(self.root.absolute())

    def has(self, ref: ArtifactRef) -> bool:
        """Whether the artifact was made whole (its files are looked at when they are opened)."""
        return self._place.holds(f"{ref.kind}/{ref.key}/{MANIFEST}")

    def open(self, ref: ArtifactRef) -> Artifact:
        """Open an artifact; MissingArtifactError where there is none, CorruptArtifactError where it is not whole."""
        return open_artifact(self._place, ref)

    @contextmanager
    def write(self, stage: Stage) -> Iterator[ArtifactWriter]:
        """Write an artifact: whole, or not at all.

        Where somebody else finished the same one meanwhile, theirs stays. On an exception nothing is left to be found.
        """
        with self._writing() as folder:
            writer = ArtifactWriter(stage, folder)
            yield writer
            writer.commit(self._place)

    def refs(self, kind: str | None = None) -> Iterator[ArtifactRef]:
        """List the references of all finished artifacts, or of those of one kind, in their order."""
        kinds = self._place.names("") if kind is None else [kind]
        for name in kinds:
            if KIND.fullmatch(name) and name not in NO_KINDS:
                yield from (ArtifactRef(name, key) for key in self._place.finished(name) if KEY.fullmatch(key))

    def artifacts(self, kind: str | None = None) -> Iterator[Artifact]:
        """Open all finished artifacts, or those of one kind, in the order of their references."""
        return map(self.open, self.refs(kind))

    def put_page(self, kind: str, name: str, data: bytes) -> Path:
        """Keep a file about all artifacts of a kind beside them, over an earlier one; it follows from them and is no artifact."""
        with self._writing() as folder:
            self._place.replace(f"{kind}/{name}", data, folder)
        return self.root / kind / name

    def read_page(self, kind: str, name: str) -> bytes | None:
        """Read a file beside the artifacts of a kind; None where there is none."""
        with files.disk_errors(self.root):
            try:
                return self._place.read(f"{kind}/{name}")
            except FileNotFoundError:
                return None

    def change_page(self, kind: str, name: str, change: Callable[[bytes | None], bytes]) -> None:
        """Replace a file beside the artifacts of a kind by what `change` makes of it, without losing another's change."""
        with self._writing() as folder:
            self._place.change(f"{kind}/{name}", change, folder)

    def link(self, folder: str, targets: Callable[[], Targets]) -> None:
        """Make links with names for people in `folder`, to the keys that `targets` gives.

        Does nothing where there are no links: in a bucket, and on file systems without them.
        """
        with self._writing() as partial:
            self._place.link(folder, targets, partial)

    def linked(self, key: str, to: str) -> Path | None:
        """Give the path of the link `key` if it leads to the key `to`."""
        return self.root / key if self._place.leads(key, to) else None

    def put_blob(self, data: bytes) -> str:
        """Keep bytes under their SHA-256, which is returned; bytes that are there already are not written again."""
        sha256 = hashlib.sha256(data).hexdigest()
        with self._writing() as folder:
            self._keep(sha256, data, folder)
        return sha256

    @contextmanager
    def blobs(self) -> Iterator[Callable[[bytes], str]]:
        """Yield what keeps bytes as `put_blob` does, for many of them: they are written side by side, and there at the end.

        Whoever leaves by an error has kept some of them. An error of whoever reads the bytes is none of this storage.
        """
        stack = ExitStack()
        pending: deque[tuple[Future[None], int]] = deque()  # with how many bytes each holds

        @cache
        def begun() -> tuple[Path, ThreadPoolExecutor]:
            """Begin to write with the first bytes, for there may be none."""
            folder, pool = stack.enter_context(self._writing()), ThreadPoolExecutor(WRITERS)
            stack.callback(pool.shutdown, cancel_futures=True)
            return folder, pool

        def put(data: bytes) -> str:
            folder, pool = begun()
            sha256 = hashlib.sha256(data).hexdigest()
            while pending and _are_too_many([size for _, size in pending], len(data)):
                pending.popleft()[0].result()
            pending.append((pool.submit(self._keep, sha256, data, folder), len(data)))
            return sha256

        try:
            yield put
            for one, _ in pending:
                one.result()
        finally:
            stack.close()

    def _keep(self, sha256: str, data: bytes, folder: Path) -> None:
        with files.disk_errors(self.root):
            if not self._place.holds_bytes(_blob(sha256), data):
                self._place.replace(_blob(sha256), data, folder)

    def get_blob(self, sha256: str) -> bytes:
        """Give the bytes kept under a SHA-256, checked, or raise MissingArtifactError or CorruptArtifactError."""
        path = self._place.shown(_blob(sha256))
        try:
            data = self._place.read(_blob(sha256), sha256)
        except FileNotFoundError as error:
            raise MissingArtifactError(f"{path}: no such bytes were ever kept; ingest their source again") from error
        except OSError as error:
            raise CorruptArtifactError(f"{path}: cannot be read ({error.strerror})") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise CorruptArtifactError(
                f"{path}: its bytes are not those that were written; delete it and ingest their source again"
            )
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

        def changed(data: bytes | None) -> bytes:
            recipes = self._recipes(data)
            recipes[recipe] = {**recipes.get(recipe, {}), **value}
            return dump_checksummed({"recipes": recipes})

        with self._writing() as folder:
            self._place.change(CURRENT_FILE, changed, folder)

    def verify(self, progress: Callable[[int, int], None] = lambda _done, _total: None) -> VerifyReport:
        """Read every file again and report those whose bytes are not those that were written.

        `progress` is told (files read, files in all). A folder without a manifest is not bad, only unfinished.
        """
        return verify(self._place, list(self.refs()), CURRENT_FILE, progress)

    @contextmanager
    def session(self) -> Iterator[int]:
        """Hold the store for a run, so that nobody sweeps; yield how many leftovers of killed runs were swept before.

        They are swept only where no other run holds the store.
        """
        with files.disk_errors(self.root):
            swept = self._bench.sweep(self._place.leftovers)
            with self._bench.held():
                self._begin()
                yield swept

    def inbox(self) -> str:
        """Where people put new music unless they say otherwise: a folder, which is made where it is missing, or a URL."""
        where = self._place.shown(INBOX)
        if isinstance(where, Path):
            files.make_folder(where)
        return str(where)

    def training_file(self, name: str) -> Path:
        """Where a file of a training under way lies on this machine; it changes, and is no artifact."""
        return self.root / TRAININGS / name

    def training_files(self) -> list[str]:
        """Names of the files of trainings that all who use this storage can see."""
        return self._place.names(TRAININGS)

    def share_training_file(self, name: str) -> None:
        """Let all who use this storage have a file of a training."""
        self._place.share(f"{TRAININGS}/{name}")

    def copy_training_file(self, name: str, to: Path) -> bool:
        """Copy to `to` what was shared under a name, where that lies in a bucket; say whether there was any."""
        return self._place.copy(f"{TRAININGS}/{name}", to)

    def drop_training_file(self, name: str) -> None:
        """Remove a file of a training, here and where it was shared."""
        self._place.remove(f"{TRAININGS}/{name}")

    def _read_current(self) -> dict[str, Any]:
        with files.disk_errors(self.root):
            try:
                data = self._place.read(CURRENT_FILE)
            except FileNotFoundError:
                data = None
            return self._recipes(data)

    def _recipes(self, data: bytes | None) -> dict[str, Any]:
        if data is None:
            return {}
        mend = "delete it, and train and evaluate again"
        return dict(load_checksummed(data, self._place.shown(CURRENT_FILE), mend)["recipes"])

    @contextmanager
    def _writing(self) -> Iterator[Path]:
        """Yield a private folder to write in, in a storage that says its version."""
        with self._bench.folder() as folder:
            self._begin()
            yield folder

    def _begin(self) -> None:
        self._place.begin(FORMAT_FILE, FORMAT, self._bench.partial)


def _are_too_many(waiting: list[int], more: int) -> bool:
    """Whether writes of these sizes in bytes have to end before another may begin."""
    return len(waiting) >= MOST_PENDING or sum(waiting) + more > MOST_PENDING_BYTES


def _blob(sha256: str) -> str:
    if not KEY.fullmatch(sha256):
        raise MissingArtifactError(
            f"{sha256!r}: not the name of kept bytes; it has to be a SHA-256, 64 digits of hexadecimal"
        )
    return f"{BLOBS}/{sha256[:2]}/{sha256}"


def _check_format(place: Backend) -> None:
    """Raise StorageVersionError, or CorruptArtifactError, where the file of the version says anything but this one."""
    path = place.shown(FORMAT_FILE)
    try:
        data = place.read(FORMAT_FILE)
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
