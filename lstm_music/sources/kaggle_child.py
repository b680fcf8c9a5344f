"""The child process that talks to Kaggle: asks what a dataset is now, and downloads it where the store does not have it.

What Kaggle's package prints, and what is in its exceptions, may hold the address of a download, which is a credential of
its own for some hours. So all that it prints is thrown away, and a failure is told in sentences of our own alone.
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
UNFINISHED = "unfinished"  # the folder of what came of downloads that were cut: nobody sweeps it
LOOK_SECONDS = 0.5
CHUNK_BYTES = 1 << 16  # of a chunk that is cut Kaggle's package keeps nothing, and its own chunks are of 1 MiB

Send = Callable[[dict[str, Any]], None]


def fetch(request: Mapping[str, Any], send: Send) -> dict[str, str]:
    """Give the reference of the artifact that is the dataset as it is on Kaggle now; `send` tells how far its download is."""
    _say_nothing()
    make_no_folder()
    _wait_at_most(request["silence_seconds"])
    store, dataset = Store(request["storage"]), request["dataset"]
    partial = store.root / UNFINISHED / "kaggle" / f"{dataset}.zip"
    try:
        with files.disk_errors(store.root):
            files.make_folder(partial.parent)
            # Of two runs at once the second waits, and finds what the first has got.
            with locks.exclusive(partial.with_suffix(".lock")):
                download = _Download(store, dataset, partial, send)
                return _persist(download, partial, request["waits_seconds"]).to_json()
    except LstmMusicError as error:
        raise type(error)(f"source {request['title']!r}: {error}") from None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is not quoted
        raise SourceError(f"source {request['title']!r}: {failure_of(error, dataset)}") from None


def _persist(attempt: Callable[[], ArtifactRef], partial: Path, waits_seconds: list[float]) -> ArtifactRef:
    """Try again where the connection was cut, after ever longer waits, and once more bytes have come as often as before."""
    waits, most = list(waits_seconds), _size(partial)
    while True:
        try:
            return attempt()
        except CutError as error:
            here = _size(partial)
            if here > most:
                waits, most = list(waits_seconds), here
            if not waits:
                kept = f"and goes on after the {here:,} bytes that came" if here else "when it is there again"
                raise SourceError(f"{error}; run again, which asks anew {kept}") from None
            time.sleep(waits.pop(0))


class _Download:
    """One attempt to get a dataset into the store, by way of the file `partial`, which the next attempt goes on with."""

    def __init__(self, store: Store, dataset: str, partial: Path, send: Send) -> None:
        self._store = store
        self._dataset = dataset
        self._partial = partial
        self._send = send

    def __call__(self) -> ArtifactRef:
        with _told(self._dataset):
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
        with self._telling(size), _told(self._dataset), files.disk_errors(self._store.root):
            self._bring(api, response, client)
        self._require_whole()
        return self._keep(stage if identity else self._stage({"sha256": files.sha256_of(self._partial)}))

    def _bring(self, api: Any, response: Any, client: Any) -> None:
        """Go on with what is in the file where that belongs to this version, by its tag and size; else begin.

        Kaggle's package does not try again by itself: it would with an old address, and where the disk is full.
        """
        options = {"quiet": True, "resume": True, "max_retries": 0, "chunk_size": CHUNK_BYTES}
        try:
            api.download_file(response, str(self._partial), client.http_client(), **options)
        except ValueError as error:
            if "does not match expected size" not in str(error):
                raise
            self._discard()  # it wrote the page of an error
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
                f"{self._store.root}: {missing:,} bytes are still to be downloaded, and the disk has {free:,} left; make "
                "space, or give the folder of another disk with --storage"
            )

    def _require_whole(self) -> None:
        """Raise SourceError, and begin anew the next time, unless what came is a zip that unpacks to what was packed."""
        try:
            Archive(str(self._partial)).require_whole()
        except SourceError as error:
            self._discard()
            raise SourceError(
                f"what Kaggle sent is no whole zip ({error}) and was deleted; run again, or download it in a browser and "
                "give the path of the zip as the source: of that, what can be read is taken in"
            ) from None

    def _keep(self, stage: Stage) -> ArtifactRef:
        if not self._store.has(stage.ref):
            with self._store.write(stage) as writer:
                target = writer.file("dataset", "zip")
                try:
                    target.hardlink_to(self._partial)
                except OSError:  # another disk, or one without links
                    shutil.copyfile(self._partial, target)
                writer.counts.update(bytes=_size(self._partial))
        self._discard()
        return stage.ref

    def _discard(self) -> None:
        for path in self._partial.parent.glob(f"{self._partial.name}*"):
            path.unlink()

    @contextmanager
    def _telling(self, size: int) -> Iterator[None]:
        """Tell how much has come, while it comes."""
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
def _told(dataset: str) -> Iterator[None]:
    """Tell what goes wrong in Kaggle's package in a sentence of our own."""
    try:
        yield
    except (LstmMusicError, CutError):
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, it is not quoted
        raise failure_of(error, dataset) from None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _say_nothing() -> None:
    """Throw away what is printed from now on, by this process and whatever it starts."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _wait_at_most(seconds: float) -> None:
    """Take a connection that is silent for so long for cut: requests waits for ever, and Kaggle's package lets it."""
    from requests.adapters import HTTPAdapter

    send = HTTPAdapter.send

    def send_within(self: HTTPAdapter, *arguments: Any, **options: Any) -> Any:
        return send(self, *arguments, **{**options, "timeout": seconds})

    HTTPAdapter.send = send_within  # type: ignore[method-assign]
