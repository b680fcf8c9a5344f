"""Reading everything again: every artifact, every blob and the files that say what is in use."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lstm_music.errors import StorageError
from lstm_music.store.artifact import open_artifact
from lstm_music.store.backend import Place
from lstm_music.store.checksummed import unseal
from lstm_music.store.stage import BLOBS, KEY, MANIFEST, PROVENANCE, ArtifactRef


@dataclass(frozen=True)
class BadFile:
    """A file whose bytes are not those that were written, and in what they differ."""

    path: Path | str  # the latter is a URL
    reason: str


@dataclass(frozen=True)
class VerifyReport:
    """What was read: finished artifacts, files (manifests and blobs among them), and the bad ones, sorted by path."""

    artifacts: int = 0
    files: int = 0
    bad: list[BadFile] = field(default_factory=list)


Check = tuple[Path | str, Callable[[], str | None]]


def verify(place: Place, refs: list[ArtifactRef], current: str, progress: Callable[[int, int], None]) -> VerifyReport:
    """Read all files of the artifacts `refs`, all blobs and `current` again; `progress`: (files read, of how many)."""
    checks = [check for ref in refs for check in _of_artifact(place, ref)]
    checks += _of_blobs(place)
    if place.holds(current):
        checks.append((place.shown(current), partial(_seal_fault, place, current)))
    bad = []
    for done, (path, check) in enumerate(checks, start=1):
        if reason := check():
            bad.append(BadFile(path, reason))
        progress(done, len(checks))
    return VerifyReport(len(refs), len(checks), sorted(bad, key=lambda file: str(file.path)))


def _of_artifact(place: Place, ref: ArtifactRef) -> Iterator[Check]:
    """List the checks of a finished artifact; where its manifest is bad that is the one thing to say."""
    at = f"{ref.kind}/{ref.key}"
    manifest = place.shown(f"{at}/{MANIFEST}")
    try:
        artifact = open_artifact(place, ref)
    except StorageError as error:
        reason = str(error).removeprefix(f"{manifest}: ")
        yield manifest, lambda: reason
        return
    yield manifest, lambda: None
    yield place.shown(f"{at}/{PROVENANCE}"), partial(_seal_fault, place, f"{at}/{PROVENANCE}")
    for entry in artifact.manifest["files"].values():
        key = f"{at}/{entry['file']}"
        yield place.shown(key), partial(place.fault, key, entry)


def _of_blobs(place: Place) -> Iterator[Check]:
    for prefix in place.names(BLOBS):
        for name in place.names(f"{BLOBS}/{prefix}"):
            key = f"{BLOBS}/{prefix}/{name}"
            yield place.shown(key), partial(_blob_fault, place, key)


def _blob_fault(place: Place, key: str) -> str | None:
    _, prefix, name = key.split("/")
    if not KEY.fullmatch(name) or prefix != name[:2]:
        return "no blob: its name is not a SHA-256 in the folder of its first two digits"
    try:
        found = hashlib.sha256(place.read(key)).hexdigest()
    except OSError as error:
        return f"cannot be read ({error.strerror or 'missing'})"
    return None if found == name else "its bytes are not those that were written (another SHA-256)"


def _seal_fault(place: Place, key: str) -> str | None:
    try:
        unseal(place.read(key), place.shown(key), mend="delete it")
    except OSError as error:
        return f"cannot be read ({error.strerror or 'missing'})"
    except StorageError as error:
        return str(error).removeprefix(f"{place.shown(key)}: ")
    return None
