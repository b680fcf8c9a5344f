"""Reading everything again: every artifact, every blob and the files that say what is in use."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lstm_music.errors import StorageError
from lstm_music.store import files
from lstm_music.store.artifact import MANIFEST, PROVENANCE, fault, open_artifact
from lstm_music.store.sealed import unseal
from lstm_music.store.stage import BLOBS, KEY, ArtifactRef


@dataclass(frozen=True)
class BadFile:
    """A file whose bytes are not those that were written, and in what they differ."""

    path: Path
    reason: str


@dataclass(frozen=True)
class VerifyReport:
    """What was read: finished artifacts, files (manifests and blobs among them), and the bad ones, sorted by path."""

    artifacts: int = 0
    files: int = 0
    bad: list[BadFile] = field(default_factory=list)


Check = tuple[Path, Callable[[], str | None]]


def verify(root: Path, refs: list[ArtifactRef], current: Path, progress: Callable[[int, int], None]) -> VerifyReport:
    """Read all files of the artifacts `refs`, all blobs and `current` again; `progress`: (files read, of how many)."""
    checks = [check for ref in refs for check in _of_artifact(root / ref.kind / ref.key, ref)]
    checks += _of_blobs(root / BLOBS)
    if current.exists():
        checks.append((current, partial(_seal_fault, current)))
    bad = []
    for done, (path, check) in enumerate(checks, start=1):
        if reason := check():
            bad.append(BadFile(path, reason))
        progress(done, len(checks))
    return VerifyReport(len(refs), len(checks), sorted(bad, key=lambda file: file.path))


def _of_artifact(folder: Path, ref: ArtifactRef) -> Iterator[Check]:
    """List the checks of a finished artifact; where its manifest is bad that is the one thing to say."""
    manifest = folder / MANIFEST
    try:
        artifact = open_artifact(folder, ref)
    except StorageError as error:
        reason = str(error).removeprefix(f"{manifest}: ")
        yield manifest, lambda: reason
        return
    yield manifest, lambda: None
    yield folder / PROVENANCE, partial(_seal_fault, folder / PROVENANCE)
    for entry in artifact.manifest["files"].values():
        yield folder / entry["file"], partial(fault, folder / entry["file"], entry, fresh=True)


def _of_blobs(folder: Path) -> Iterator[Check]:
    for prefix in files.names(folder):
        for name in files.names(folder / prefix):
            yield folder / prefix / name, partial(_blob_fault, folder / prefix / name)


def _blob_fault(path: Path) -> str | None:
    if not KEY.fullmatch(path.name) or path.parent.name != path.name[:2]:
        return "no blob: its name is not a SHA-256 in the folder of its first two digits"
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if found == path.name else "its bytes are not those that were written (another SHA-256)"


def _seal_fault(path: Path) -> str | None:
    try:
        unseal(path.read_bytes(), path, mend="delete it")
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except StorageError as error:
        return str(error).removeprefix(f"{path}: ")
    return None
