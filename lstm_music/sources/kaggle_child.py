"""The child process for Kaggle: it looks up the present version of a dataset, and downloads it if the store lacks it.

The output and the exceptions of Kaggle's package may contain the address of a download, which is a credential for some
hours. So its output is discarded, and errors are written in our own words only.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lstm_music.errors import LstmMusicError, SourceError, StorageError
from lstm_music.sources.archive import Archive
from lstm_music.sources.kaggle_credentials import make_no_folder
from lstm_music.sources.kaggle_failures import CutError, failure_of
from lstm_music.store import ArtifactRef, Stage, Store, files, locks

KIND = "downloads"
UNFINISHED = "unfinished"  # the folder of interrupted downloads: it is never swept
LOOK_SECONDS = 0.5
CHUNK_BYTES = 1 << 16  # Kaggle's package loses a chunk that is cut; its default is 1 MiB

Send = Callable[[dict[str, Any]], None]


def fetch(request: Mapping[str, Any], send: Send) -> dict[str, str]:
    """Give the reference of the artifact of the present version of the dataset; `send` gets the progress of its download."""
    _discard_output()
    make_no_folder()
    _wait_at_most(request["silence_seconds"])
    store, dataset = Store(request["storage"]), request["dataset"]
    partial = store.root / UNFINISHED / "kaggle" / f"{dataset}.zip"
    try:
        with files.disk_errors(store.root):
            files.make_folder(partial.parent)
            # Of two runs at once the second waits, and finds the download of the first.
            with locks.exclusive(partial.with_suffix(".lock")):
                download = _Download(store, dataset, partial, send)
                return _persist(download, partial, request["waits_seconds"]).to_json()
    except LstmMusicError as error:
        raise type(error)(f"source {request['title']!r}: {error}") from None
    except Exception as error:  # noqa: BLE001 - no exception may be quoted
        raise SourceError(f"source {request['title']!r}: {failure_of(error, dataset)}") from None


def _persist(attempt: Callable[[], ArtifactRef], partial: Path, waits_seconds: list[float]) -> ArtifactRef:
    """Try again after a cut connection, with longer and longer waits; new bytes reset the waits."""
    waits, most = list(waits_seconds), _size(partial)
    while True:
        try:
            return attempt()
        except CutError as error:
            here = _size(partial)
            if here > most:
                waits, most = list(waits_seconds), here
            if not waits:
                kept = f"the download continues after {here:,} bytes" if here else "nothing was downloaded yet"
                raise SourceError(f"{error}; run the same command again later: {kept}") from None
            time.sleep(waits.pop(0))


class _Download:
    """One attempt to download a dataset; the next attempt continues with the file `partial`."""

    def __init__(self, store: Store, dataset: str, partial: Path, send: Send) -> None:
        self._store = store
        self._dataset = dataset
        self._partial = partial
        self._send = send

    def __call__(self) -> ArtifactRef:
        with _in_our_words(self._dataset):
            from kaggle import api

            with api.build_kaggle_client() as client:
                response = client.datasets.dataset_api_client.download_dataset(self._request())
        size = int(response.headers.get("Content-Length") or 0)
        identity = response.headers.get("ETag") or response.headers.get("Last-Modified")
        stage = self._stage({"version": identity, "bytes": size})
        if identity and self._store.has(stage.ref):
            response.close()
            return stage.ref
        self._require_space(size)
        with self._reporting(size), _in_our_words(self._dataset), files.disk_errors(self._store.root):
            self._download_file(api, response, client)
        self._require_whole()
        return self._keep(stage if identity else self._stage({"sha256": files.sha256_of(self._partial)}))

    def _download_file(self, api: Any, response: Any, client: Any) -> None:
        """Continue the file if its tag and size belong to this version; otherwise begin.

        Kaggle's own retries are off: they use an old address, and retry on a full disk.
        """
        options = {"quiet": True, "resume": True, "max_retries": 0, "chunk_size": CHUNK_BYTES}
        try:
            api.download_file(response, str(self._partial), client.http_client(), **options)
        except ValueError as error:
            if "does not match expected size" not in str(error):
                raise
            self._discard()  # the file has the page of an error
            raise CutError("the connection to Kaggle was cut") from None

    def _request(self) -> Any:
        from kagglesdk.datasets.types.dataset_api_service import ApiDownloadDatasetRequest

        request = ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = self._dataset.split("/")
        return request

    def _stage(self, identity: Mapping[str, Any]) -> Stage:
        return Stage(KIND, 1, {"source": "kaggle", "dataset": self._dataset, **identity})

    def _require_space(self, size: int) -> None:
        free, missing = shutil.disk_usage(self._partial.parent).free, size - _size(self._partial)
        if missing > free:
            raise StorageError(
                f"{self._store.root}: the download needs {missing:,} bytes more, and the disk has {free:,} free; free some "
                "space, or give a folder on another disk with --storage"
            )

    def _require_whole(self) -> None:
        """Raise SourceError and discard the download unless it is an intact zip."""
        try:
            Archive(str(self._partial)).require_whole()
        except SourceError as error:
            self._discard()
            raise SourceError(
                f"the download was not an intact zip ({error}) and was deleted; run again, or download it in a browser and "
                "give the path of the zip as the source: its readable files are ingested"
            ) from None

    def _keep(self, stage: Stage) -> ArtifactRef:
        if not self._store.has(stage.ref):
            with self._store.write(stage) as writer:
                target = writer.file("dataset", "zip")
                try:
                    target.hardlink_to(self._partial)
                except OSError:  # another disk, or a file system without links
                    shutil.copyfile(self._partial, target)
                writer.counts.update(bytes=_size(self._partial))
        self._discard()
        return stage.ref

    def _discard(self) -> None:
        for path in self._partial.parent.glob(f"{self._partial.name}*"):
            path.unlink()

    @contextmanager
    def _reporting(self, size: int) -> Iterator[None]:
        """Send the progress during the download."""
        finished = threading.Event()

        def look() -> None:
            while not finished.wait(LOOK_SECONDS):
                self._send({"done": _size(self._partial), "all": size})

        watcher = threading.Thread(target=look, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            finished.set()
            watcher.join()
            self._send({"done": _size(self._partial), "all": size})


@contextmanager
def _in_our_words(dataset: str) -> Iterator[None]:
    """Turn errors of Kaggle's package into our own."""
    try:
        yield
    except (LstmMusicError, CutError):
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - no exception may be quoted
        raise failure_of(error, dataset) from None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _discard_output() -> None:
    """Discard all output of this process and its children from now on."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _wait_at_most(seconds: float) -> None:
    """Limit the silence of a connection: by default requests waits forever, and Kaggle's package sets no limit."""
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def send_within(self: HTTPAdapter, *arguments: Any, **options: Any) -> Any:
        return send(self, *arguments, **{**options, "timeout": seconds})

    HTTPAdapter.send = send_within  # type: ignore[method-assign]
