"""Writing an artifact: files in the staging folder are synced, hashed and published, and the manifest last."""

import platform
import re
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from lstm_music.errors import StorageError
from lstm_music.store import files
from lstm_music.store.artifact import ARTIFACT, open_artifact
from lstm_music.store.backend import Backend
from lstm_music.store.checksummed import dump_checksummed
from lstm_music.store.stage import MANIFEST, PROVENANCE, Stage

# 150 characters leave room, in the 255 of a file name, for the digest and the extension.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,149}")
EXTENSION = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")


class ArtifactWriter:
    """An artifact while it is written: files at the paths of `file`, numbers in `counts`, other facts (JSON) in `facts`.

    `provenance` takes facts that differ from run to run, such as durations: they are no part of the manifest.
    """

    def __init__(self, stage: Stage, folder: Path) -> None:
        self.stage = stage
        self.ref = stage.ref
        self.counts: dict[str, int] = {}
        self.facts: dict[str, Any] = {}
        self.provenance: dict[str, Any] = {}
        self._folder = folder
        self._started = datetime.now(UTC)
        self._names: dict[str, tuple[str, str]] = {}

    def file(self, name: str, extension: str) -> Path:
        """Give the temporary path for `name`; `extension` has no leading dot ("parquet", "weights.h5").

        Raises StorageError for a name that was given before, or that is not a safe part of a file name.
        """
        if not NAME.fullmatch(name) or not EXTENSION.fullmatch(extension):
            raise StorageError(
                f"{self.ref}: file name: expected letters, digits and _ . + -, got {name!r}, {extension!r}"
            )
        key = f"{name}.{extension}"
        if key in self._names or key in {MANIFEST, PROVENANCE}:
            raise StorageError(f"{self.ref}: the file name {key} is taken; give each file of an artifact its own name")
        self._names[key] = (name, extension)
        return self._folder / key

    def commit(self, backend: Backend) -> bool:
        """Publish the files, and create the manifest if there is none. Returns whether this call created it.

        The first writer wins: files that only a later writer made are removed.
        Raises StorageError for a file that was requested and never written.
        """
        entries = {key: self._entry(key) for key in sorted(self._names)}
        manifest = dump_checksummed(
            {**self.stage.identity(), "files": entries, "counts": self.counts, "facts": self.facts}
        )
        at = f"{self.ref.kind}/{self.ref.key}"
        if backend.holds(f"{at}/{MANIFEST}"):
            return False
        for key, entry in entries.items():
            backend.publish(self._folder / key, f"{at}/{entry['file']}")
        backend.replace(f"{at}/{PROVENANCE}", dump_checksummed(self._provenance()), self._folder)
        first = backend.create(f"{at}/{MANIFEST}", manifest, self._folder)
        if not first:
            winner = {entry["file"] for entry in open_artifact(backend, self.ref).manifest["files"].values()}
            for name in {entry["file"] for entry in entries.values()} - winner:
                backend.remove(f"{at}/{name}")
        return first

    def _entry(self, key: str) -> dict[str, Any]:
        """Sync and hash a file. Returns its entry for the manifest."""
        name, extension = self._names[key]
        path = self._folder / key
        if not path.is_file():
            raise StorageError(f"{self.ref}: the file {key} was requested and never written")
        files.sync(path)
        sha256 = files.sha256_of(path)
        file = key if self.stage.plain_names else f"{name}-{sha256[:16]}.{extension}"
        return {"name": name, "file": file, "sha256": sha256, "bytes": path.stat().st_size}

    def _provenance(self) -> dict[str, Any]:
        return {
            "started": self._started.isoformat(),
            "duration_seconds": (datetime.now(UTC) - self._started).total_seconds(),
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
            "code": _own_version(),
            **self.provenance,
            ARTIFACT: self.ref.to_json(),
        }


def _own_version() -> str:
    """Give the version of this project; "" where it runs from a folder without being installed."""
    try:
        return metadata.version("lstm-music")
    except metadata.PackageNotFoundError:
        return ""
