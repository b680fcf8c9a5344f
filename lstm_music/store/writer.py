"""Writing an artifact: files in a private folder, then synced, hashed and published, and the manifest last."""

import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lstm_music.errors import StorageError
from lstm_music.store import files
from lstm_music.store.artifact import open_artifact
from lstm_music.store.backend import Backend
from lstm_music.store.checksummed import dump_checksummed
from lstm_music.store.stage import MANIFEST, PROVENANCE, Stage

# 150 characters leave room, in the 255 of a file name, for the digest and the extension.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,149}")
EXTENSION = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")


class ArtifactWriter:
    """An artifact in the making: write to the paths it gives, count in `counts`, note other facts (JSON) in `facts`.

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
        """Give the temporary path to write `name` to; `extension` has no dot in front ("parquet", "weights.h5").

        Raises StorageError for a name that was given before, or that is no safe part of a file name.
        """
        if not NAME.fullmatch(name) or not EXTENSION.fullmatch(extension):
            raise StorageError(
                f"{self.ref}: {name!r}, {extension!r}: no name of a file; letters, digits and _ . + - may be used"
            )
        key = f"{name}.{extension}"
        if key in self._names or key in {MANIFEST, PROVENANCE}:
            raise StorageError(
                f"{self.ref}: the file {key} is there already; each file of an artifact needs a name of its own"
            )
        self._names[key] = (name, extension)
        return self._folder / key

    def commit(self, backend: Backend) -> bool:
        """Give what was written its backend and create its manifest if there is none; say whether this call did.

        Whoever is first wins: files that only a later writer made are removed again.
        Raises StorageError for a file that was asked for and never written.
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
        """Sync and hash a file that was written; return its entry for the manifest."""
        name, extension = self._names[key]
        path = self._folder / key
        if not path.is_file():
            raise StorageError(f"{self.ref}: the file {key} was asked for and never written")
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
            **self.provenance,
        }
