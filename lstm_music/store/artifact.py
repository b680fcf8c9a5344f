"""Reading an artifact: nothing without a whole manifest, no file whose bytes are not those that were written."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_music.errors import CorruptArtifactError, MissingArtifactError
from lstm_music.store.backend import Backend
from lstm_music.store.checksummed import digest, load_checksummed
from lstm_music.store.stage import IDENTITY_FIELDS, MANIFEST, PROVENANCE, ArtifactRef


@dataclass(frozen=True)
class Artifact:
    """An artifact that was made whole: `manifest` is what its manifest.json says, `place` where it lies."""

    ref: ArtifactRef
    backend: Backend
    manifest: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """The folder of this machine with its files: all of them, or, of a bucket, those that were read or written here."""
        return self.backend.root / _key(self.ref)

    @property
    def provenance(self) -> dict[str, Any]:
        """When and on what it was made; CorruptArtifactError where the file is not whole."""
        key = f"{_key(self.ref)}/{PROVENANCE}"
        shown = self.backend.shown(key)
        try:
            return load_checksummed(self.backend.read(key), shown, mend=_mend(self.backend, self.ref))
        except OSError as error:
            raise CorruptArtifactError(f"{shown}: cannot be read ({error.strerror})") from error

    @property
    def counts(self) -> dict[str, int]:
        """Numbers that its writer counted."""
        return dict(self.manifest["counts"])

    @property
    def facts(self) -> dict[str, Any]:
        """Further facts, as JSON, that its writer noted."""
        return dict(self.manifest["facts"])

    @property
    def inputs(self) -> tuple[ArtifactRef, ...]:
        """What it was made from, in the order of its stage."""
        return tuple(ArtifactRef(**entry) for entry in self.manifest["inputs"])

    def file(self, name: str) -> Path:
        """Path of the file that was written as `name`, or as `name.extension` where several extensions share the name.

        Its whole SHA-256 is checked once a process, and again whenever the file was touched.
        Raises CorruptArtifactError where it is not that of the manifest, MissingArtifactError where that names no such
        file, or several.
        """
        entries: dict[str, Any] = self.manifest["files"]
        found = [name] if name in entries else [key for key, entry in entries.items() if entry["name"] == name]
        if len(found) != 1:
            known = ", ".join(found or entries) or "no file"
            shown = self.backend.shown(_key(self.ref))
            raise MissingArtifactError(
                f"{shown}: {'several files are' if found else 'no file is'} named {name!r}; it holds {known}"
            )
        return self._checked(found[0])

    def files(self, prefix: str = "") -> list[Path]:
        """Paths of the files whose names start with `prefix`, sorted by name, each checked as by `file`."""
        return [self._checked(key) for key in sorted(self.manifest["files"]) if key.startswith(prefix)]

    def file_keys(self, prefix: str = "") -> list[str]:
        """Keys in the storage of the files whose names start with `prefix`, sorted by name; no file is read."""
        entries: dict[str, Any] = self.manifest["files"]
        return [f"{_key(self.ref)}/{entries[name]['file']}" for name in sorted(entries) if name.startswith(prefix)]

    def _checked(self, key: str) -> Path:
        entry = self.manifest["files"][key]
        return self.backend.fetch(f"{_key(self.ref)}/{entry['file']}", entry, _mend(self.backend, self.ref))


def open_artifact(backend: Backend, ref: ArtifactRef) -> Artifact:
    """Read the manifest of `ref`.

    Raises MissingArtifactError where there is none, CorruptArtifactError where it is not whole or not that of `ref`.
    """
    path = backend.shown(f"{_key(ref)}/{MANIFEST}")
    try:
        data = backend.read(f"{_key(ref)}/{MANIFEST}")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingArtifactError(
            f"{backend.shown(_key(ref))}: no artifact was ever finished there; run the stage that makes it ({ref.kind})"
        ) from error
    except OSError as error:
        raise CorruptArtifactError(f"{path}: cannot be read ({error.strerror})") from error
    manifest = load_checksummed(data, path, _mend(backend, ref))
    if digest({field: manifest.get(field) for field in IDENTITY_FIELDS}) != ref.key:
        raise CorruptArtifactError(
            f"{path}: the manifest of another artifact than {ref}; delete the folder and run again"
        )
    for entry in manifest["files"].values():
        if entry["file"].startswith(".") or "/" in entry["file"]:
            raise CorruptArtifactError(f"{path}: names a file outside of its folder, {entry['file']!r}")
    return Artifact(ref, backend, manifest)


def _key(ref: ArtifactRef) -> str:
    return f"{ref.kind}/{ref.key}"


def _mend(backend: Backend, ref: ArtifactRef) -> str:
    return f"delete the folder {backend.shown(_key(ref))} and run again to make it anew"
