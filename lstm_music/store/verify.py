"""Verifying a storage: read every artifact, every blob and current.json again."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lstm_music.errors import StorageError
from lstm_music.store.artifact import open_artifact, read_provenance
from lstm_music.store.backend import Backend
from lstm_music.store.checksummed import load_checksummed
from lstm_music.store.stage import BLOBS, KEY, MANIFEST, PROVENANCE, ArtifactRef


@dataclass(frozen=True)
class BadFile:
    """A file whose bytes are not those that were written, and how they differ."""

    path: Path | str  # the latter is a URL
    reason: str


@dataclass(frozen=True)
class VerifyReport:
    """The number of finished artifacts and of files (with manifests and blobs), and the bad files, sorted by path."""

    artifacts: int = 0
    files: int = 0
    bad: list[BadFile] = field(default_factory=list)


Check = tuple[Path | str, Callable[[], str | None]]


def verify(
    backend: Backend, refs: list[ArtifactRef], current: str, progress: Callable[[int, int], None]
) -> VerifyReport:
    """Read all files of the artifacts `refs`, all blobs and `current` again; `progress` gets (files read, files)."""
    checks = [check for ref in refs for check in _of_artifact(backend, ref)]
    checks += _of_blobs(backend)
    if backend.holds(current):
        checks.append((backend.shown(current), partial(_checksum_fault, backend, current)))
    bad = []
    for done, (path, check) in enumerate(checks, start=1):
        if reason := check():
            bad.append(BadFile(path, reason))
        progress(done, len(checks))
    return VerifyReport(len(refs), len(checks), sorted(bad, key=lambda file: str(file.path)))


def _of_artifact(backend: Backend, ref: ArtifactRef) -> Iterator[Check]:
    """List the checks of a finished artifact; only one if its manifest is bad."""
    at = f"{ref.kind}/{ref.key}"
    manifest = backend.shown(f"{at}/{MANIFEST}")
    try:
        artifact = open_artifact(backend, ref)
    except StorageError as error:
        reason = str(error).removeprefix(f"{manifest}: ")
        yield manifest, lambda: reason
        return
    yield manifest, lambda: None
    yield backend.shown(f"{at}/{PROVENANCE}"), partial(_provenance_fault, backend, ref)
    for entry in artifact.manifest["files"].values():
        key = f"{at}/{entry['file']}"
        yield backend.shown(key), partial(backend.fault, key, entry)


def _of_blobs(backend: Backend) -> Iterator[Check]:
    for prefix in backend.names(BLOBS):
        for name in backend.names(f"{BLOBS}/{prefix}"):
            key = f"{BLOBS}/{prefix}/{name}"
            yield backend.shown(key), partial(_blob_fault, backend, key)


def _blob_fault(backend: Backend, key: str) -> str | None:
    _, prefix, name = key.split("/")
    if not KEY.fullmatch(name) or prefix != name[:2]:
        return "not a blob: expected a SHA-256 as name, in the folder of its first two digits"
    try:
        found = hashlib.sha256(backend.read(key)).hexdigest()
    except OSError as error:
        return f"cannot be read ({error.strerror or 'missing'})"
    return None if found == name else "its bytes are not those that were written (another SHA-256)"


def _provenance_fault(backend: Backend, ref: ArtifactRef) -> str | None:
    try:
        read_provenance(backend, ref)
    except StorageError as error:
        return str(error).removeprefix(f"{backend.shown(f'{ref.kind}/{ref.key}/{PROVENANCE}')}: ")
    return None


def _checksum_fault(backend: Backend, key: str) -> str | None:
    try:
        if "recipes" not in load_checksummed(backend.read(key), backend.shown(key), fix="delete it"):
            return "is another file of the storage"
    except OSError as error:
        return f"cannot be read ({error.strerror or 'missing'})"
    except StorageError as error:
        return str(error).removeprefix(f"{backend.shown(key)}: ")
    return None
