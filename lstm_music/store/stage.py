"""Stages and the keys of artifacts: a stage is a function of (spec, inputs), and its key is their digest."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from lstm_music.errors import StorageError
from lstm_music.store.checksummed import digest

KIND = re.compile(r"[a-z][a-z0-9_-]*")
KEY = re.compile(r"[0-9a-f]{64}")
BLOBS = "blobs"
MANIFEST = "manifest.json"
PROVENANCE = "provenance.json"
INBOX = "inbox"  # the user's folder: never an artifact, never swept
LATEST = "latest"  # links to the tables that were prepared last
NO_KINDS = frozenset({BLOBS, INBOX, LATEST})


@dataclass(frozen=True, order=True)
class ArtifactRef:
    """The name of an artifact, made or not: small, and the same in every process.

    `kind` is the folder below the storage, `key` is 64 hex. Raises StorageError for any other value.
    """

    kind: str
    key: str

    def __post_init__(self) -> None:
        if not KIND.fullmatch(self.kind) or self.kind in NO_KINDS:
            raise StorageError(
                f"artifact kind: expected lower-case letters, digits, '-' and '_', and none of "
                f"{', '.join(sorted(NO_KINDS))}; got {self.kind!r}"
            )
        if not KEY.fullmatch(self.key):
            raise StorageError(f"artifact key: expected 64 lower-case hexadecimal digits, got {self.kind}/{self.key}")

    def __str__(self) -> str:
        return f"{self.kind}/{self.key[:16]}"

    def to_json(self) -> dict[str, str]:
        """Give it as JSON for a manifest; `ArtifactRef(**value)` is the inverse."""
        return {"kind": self.kind, "key": self.key}


@dataclass(frozen=True)
class Stage:
    """Everything that decides the bytes of an artifact.

    Raise `format_version` when the code of this kind writes other bytes for the same spec. `spec` is JSON.
    `libraries` are the distributions whose versions decide bytes. `plain_names` keeps `<name>.<ext>` without the
    hash of the file, for folders that people open. Such an artifact has to be deterministic, since two processes may
    write the same names at once.
    """

    kind: str
    format_version: int
    spec: Mapping[str, Any]
    inputs: tuple[ArtifactRef, ...] = ()
    libraries: tuple[str, ...] = ()
    plain_names: bool = False

    @property
    def ref(self) -> ArtifactRef:
        """The reference of the artifact of this stage."""
        return ArtifactRef(self.kind, digest(self.identity()))

    def identity(self) -> dict[str, Any]:
        """The fields of the manifest whose digest is the key.

        Raises StorageError for a library that is not installed.
        """
        return {
            "kind": self.kind,
            "format_version": self.format_version,
            "spec": self.spec,
            "inputs": [ref.to_json() for ref in self.inputs],
            "libraries": {name: installed_version(name) for name in sorted(self.libraries)},
        }


IDENTITY_FIELDS = ("kind", "format_version", "spec", "inputs", "libraries")


@cache
def installed_version(distribution: str) -> str:
    """Version of an installed distribution. Raises StorageError if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError as error:
        raise StorageError(
            f"package {distribution}: not installed, and what is made depends on its version; "
            "run `pip install '.[train]'` in the project's folder"
        ) from error
