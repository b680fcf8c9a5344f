"""What an artifact is known by: a stage is a function of (spec, inputs), and its key is the digest of both."""

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
INBOX = "inbox"  # of the user, who may keep in it what they like: never an artifact, and never swept
LATEST = "latest"  # links to what was made last: no artifact either
NO_KINDS = frozenset({BLOBS, INBOX, LATEST})


@dataclass(frozen=True, order=True)
class ArtifactRef:
    """The name of an artifact that has been or could be made: small, and the same in every process.

    `kind` is the folder below storage, `key` is 64 hex. Raises StorageError for any other.
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
            raise StorageError(f"{self.kind}/{self.key}: not a key; it has to be 64 digits of lower-case hexadecimal")

    def __str__(self) -> str:
        return f"{self.kind}/{self.key[:16]}"

    def to_json(self) -> dict[str, str]:
        """Spell it for a manifest; `ArtifactRef(**value)` is the inverse."""
        return {"kind": self.kind, "key": self.key}


@dataclass(frozen=True)
class Stage:
    """What is to be made, by all that decides its bytes.

    `format_version` goes up when the code of this kind writes other bytes for the same spec; `spec` is JSON;
    `libraries` are the distributions whose versions decide bytes. `plain_names` keeps `<name>.<ext>` without the
    file's hash, for folders that people open: such an artifact has to be deterministic, since two that write it at
    once write the same names.
    """

    kind: str
    format_version: int
    spec: Mapping[str, Any]
    inputs: tuple[ArtifactRef, ...] = ()
    libraries: tuple[str, ...] = ()
    plain_names: bool = False

    @property
    def ref(self) -> ArtifactRef:
        """The reference of what this stage makes."""
        return ArtifactRef(self.kind, digest(self.identity()))

    def identity(self) -> dict[str, Any]:
        """All that the key is the digest of, as it stands in the manifest.

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
    """Version of an installed distribution; StorageError where there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError as error:
        raise StorageError(
            f"{distribution}: not installed, so the key of what it makes is not known; install it with this project"
        ) from error
