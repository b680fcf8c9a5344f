"""The version of a storage's layout: which one it has, and how a storage of an earlier one is converted."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from lstm_music.errors import CorruptArtifactError, StorageVersionError
from lstm_music.store import files
from lstm_music.store.backend import Backend, open_backend
from lstm_music.store.staging import StagingFolder

STORAGE_VERSION = 1
FORMAT_FILE = "format.json"

Converter = Callable[[Backend, Path], None]
"""Changes a storage to the next version; it gets a private folder for writing, and may be called again after a kill."""

CONVERTERS: Mapping[int, Converter] = {}
"""Version → what converts a storage of it to the next. None is needed yet: version 1 is the first that was ever released."""


def format_of(version: int) -> bytes:
    """Give the content of the version file."""
    return json.dumps({"format": "lstm-music storage", "version": version}).encode() + b"\n"


def version_of(backend: Backend) -> int | None:
    """Give the version of a storage; None where nothing was written yet. Raises CorruptArtifactError for a damaged file."""
    try:
        data = backend.read(FORMAT_FILE)
    except FileNotFoundError:
        return None
    try:
        version = int(json.loads(data)["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(backend) from error
    if version == STORAGE_VERSION and data != format_of(version):
        raise _damaged(backend)
    return version


def require_this_version(backend: Backend) -> None:
    """Raise StorageVersionError for a storage of another version; the sentence says what to do with it."""
    version = version_of(backend)
    if version in {None, STORAGE_VERSION}:
        return
    todo = (
        "convert it with `lstm-music migrate`"
        if version is not None and version < STORAGE_VERSION
        else "give another folder with --storage, or use the release of this project that wrote it"
    )
    raise StorageVersionError(
        f"{backend.shown(FORMAT_FILE)}: expected a storage of version {STORAGE_VERSION}, got version {version}; {todo}"
    )


def conversions(where: str | Path) -> list[int]:
    """List the versions that a storage goes through until it has this one; none where it has it already.

    Raises StorageVersionError for a version that nothing converts.
    """
    backend = open_backend(where)
    version = version_of(backend)
    if version is None or version == STORAGE_VERSION:
        return []
    steps = list(range(version, STORAGE_VERSION))
    if version > STORAGE_VERSION or not all(step in CONVERTERS for step in steps):
        raise StorageVersionError(
            f"{backend.shown(FORMAT_FILE)}: expected a storage of version {_known()}, got version {version}; "
            "use the release of this project that wrote it"
        )
    return steps


def migrate(where: str | Path, *, wait: bool = False) -> list[int]:
    """Convert a storage to this version, one version after another; the version file changes last of each. Returns the steps."""
    backend = open_backend(where)
    staging = StagingFolder(backend.root)
    with files.disk_errors(backend.root), backend.alone(staging, wait=wait):
        steps = conversions(where)
        for version in steps:
            with staging.folder() as folder:
                CONVERTERS[version](backend, folder)
                backend.replace(FORMAT_FILE, format_of(version + 1), folder)
    return steps


def _known() -> str:
    return " or ".join(map(str, [*sorted(CONVERTERS), STORAGE_VERSION]))


def _damaged(backend: Backend) -> CorruptArtifactError:
    expected = format_of(STORAGE_VERSION).decode().strip()
    return CorruptArtifactError(f"{backend.shown(FORMAT_FILE)}: damaged; expected {expected}")
