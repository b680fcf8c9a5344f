"""Reading an artifact: it needs an intact manifest, and each file is checked against its SHA-256 there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_music.errors import CorruptArtifactError, MissingArtifactError
from lstm_music.store.backend import Backend
from lstm_music.store.checksummed import digest, load_checksummed
from lstm_music.store.stage import IDENTITY_FIELDS, MANIFEST, PROVENANCE, ArtifactRef

ARTIFACT = "artifact"
"""The key in a provenance that says whose it is."""


@dataclass(frozen=True)
class Artifact:
    """A finished artifact: `manifest` is the content of its manifest.json, `backend` is where it is stored."""

    ref: ArtifactRef
    backend: Backend
    manifest: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """The local folder with its files: all of them, or, for a bucket, those that this machine read or wrote."""
        return self.backend.root / _key(self.ref)

    @property
    def provenance(self) -> dict[str, Any]:
        """When and on which machine it was made. Raises CorruptArtifactError for a damaged file, or another artifact's."""
        return read_provenance(self.backend, self.ref)

    @property
    def counts(self) -> dict[str, int]:
        """Numbers counted by its writer."""
        return dict(self.manifest["counts"])

    @property
    def facts(self) -> dict[str, Any]:
        """Further facts from its writer, as JSON."""
        return dict(self.manifest["facts"])

    @property
    def inputs(self) -> tuple[ArtifactRef, ...]:
        """The artifacts it was made from, in the order of its stage."""
        return tuple(ArtifactRef(**entry) for entry in self.manifest["inputs"])

    def file(self, name: str) -> Path:
        """Path of the file that was written as `name`, or as `name.extension` if several extensions share the name.

        Its whole SHA-256 is checked once per process, and again after any change of the file.
        Raises CorruptArtifactError if the SHA-256 differs from the manifest, and MissingArtifactError if the manifest has no
        such file, or several.
        """
        entries: dict[str, Any] = self.manifest["files"]
        found = [name] if name in entries else [key for key, entry in entries.items() if entry["name"] == name]
        if len(found) != 1:
            known = f"expected one of {', '.join(found or entries)}" if entries else "it has no files"
            shown = self.backend.shown(_key(self.ref))
            problem = f"{len(found)} files are" if found else "no file is"
            raise MissingArtifactError(f"{shown}: {problem} named {name!r}; {known}")
        return self._checked(found[0])

    def files(self, prefix: str = "") -> list[Path]:
        """Paths of the files whose names start with `prefix`, sorted by name; each is checked as in `file`."""
        return [self._checked(key) for key in sorted(self.manifest["files"]) if key.startswith(prefix)]

    def file_keys(self, prefix: str = "") -> list[str]:
        """Keys in the storage of the files whose names start with `prefix`, sorted by name; no file is read."""
        entries: dict[str, Any] = self.manifest["files"]
        return [f"{_key(self.ref)}/{entries[name]['file']}" for name in sorted(entries) if name.startswith(prefix)]

    def _checked(self, key: str) -> Path:
        entry = self.manifest["files"][key]
        return self.backend.fetch(f"{_key(self.ref)}/{entry['file']}", entry, _fix(self.backend, self.ref))


def open_artifact(backend: Backend, ref: ArtifactRef) -> Artifact:
    """Read the manifest of `ref`.

    Raises MissingArtifactError if there is none, CorruptArtifactError if it is damaged or belongs to another artifact.
    """
    path = backend.shown(f"{_key(ref)}/{MANIFEST}")
    try:
        data = backend.read(f"{_key(ref)}/{MANIFEST}")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingArtifactError(
            f"{backend.shown(_key(ref))}: no finished artifact there; run the stage that makes it ({ref.kind})"
        ) from error
    except OSError as error:
        raise CorruptArtifactError(f"{path}: cannot be read ({error.strerror})") from error
    manifest = load_checksummed(data, path, _fix(backend, ref))
    if digest({field: manifest.get(field) for field in IDENTITY_FIELDS}) != ref.key:
        raise CorruptArtifactError(
            f"{path}: expected the manifest of {ref}, got that of another artifact; delete the folder and run again"
        )
    for entry in manifest["files"].values():
        if entry["file"].startswith(".") or "/" in entry["file"]:
            raise CorruptArtifactError(
                f"{path}: expected files of its own folder, got {entry['file']!r}; delete the folder and run again"
            )
    return Artifact(ref, backend, manifest)


def read_provenance(backend: Backend, ref: ArtifactRef) -> dict[str, Any]:
    """Read the provenance of `ref`. Raises CorruptArtifactError for a damaged file, or for that of another artifact.

    Versions before 0.2 did not write whose it is.
    """
    key = f"{_key(ref)}/{PROVENANCE}"
    shown = backend.shown(key)
    try:
        content = load_checksummed(backend.read(key), shown, fix=_fix(backend, ref))
    except OSError as error:
        raise CorruptArtifactError(f"{shown}: cannot be read ({error.strerror or 'missing'})") from error
    if content.pop(ARTIFACT, ref.to_json()) != ref.to_json() or "started" not in content:
        raise CorruptArtifactError(
            f"{shown}: expected the provenance of {ref}, got that of another artifact or another file; {_fix(backend, ref)}"
        )
    return content


def _key(ref: ArtifactRef) -> str:
    return f"{ref.kind}/{ref.key}"


def _fix(backend: Backend, ref: ArtifactRef) -> str:
    return f"delete the folder {backend.shown(_key(ref))} and run again"
