"""Reading an artifact: nothing without a whole manifest, no file whose bytes are not those that were written."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lstm_music.errors import CorruptArtifactError, MissingArtifactError
from lstm_music.store import files
from lstm_music.store.sealed import digest, unseal
from lstm_music.store.stage import IDENTITY_FIELDS, ArtifactRef

MANIFEST = "manifest.json"
PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class Artifact:
    """An artifact that was made whole: `folder` is where it lies, `manifest` what its manifest.json says."""

    ref: ArtifactRef
    folder: Path
    manifest: Mapping[str, Any]

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
            raise MissingArtifactError(
                f"{self.folder}: {'several files are' if found else 'no file is'} named {name!r}; it holds {known}"
            )
        return self._checked(found[0])

    def files(self, prefix: str = "") -> list[Path]:
        """Paths of the files whose names start with `prefix`, sorted by name, each checked as by `file`."""
        return [self._checked(key) for key in sorted(self.manifest["files"]) if key.startswith(prefix)]

    def _checked(self, key: str) -> Path:
        entry = self.manifest["files"][key]
        path: Path = self.folder / entry["file"]
        if reason := fault(path, entry, fresh=False):
            raise CorruptArtifactError(
                f"{path}: {reason}; delete the folder {self.folder} and run again to make it anew"
            )
        return path


def open_artifact(folder: Path, ref: ArtifactRef) -> Artifact:
    """Read the manifest in `folder`.

    Raises MissingArtifactError where there is none, CorruptArtifactError where it is not whole or not that of `ref`.
    """
    path = folder / MANIFEST
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingArtifactError(
            f"{folder}: no artifact was ever finished there; run the stage that makes it ({ref.kind})"
        ) from error
    except OSError as error:
        raise CorruptArtifactError(f"{path}: cannot be read ({error.strerror})") from error
    manifest = unseal(data, path, mend=f"delete the folder {folder} and run again to make it anew")
    if digest({field: manifest.get(field) for field in IDENTITY_FIELDS}) != ref.key:
        raise CorruptArtifactError(
            f"{path}: the manifest of another artifact than {ref}; delete the folder and run again"
        )
    for entry in manifest["files"].values():
        if entry["file"].startswith(".") or "/" in entry["file"]:
            raise CorruptArtifactError(f"{path}: names a file outside of its folder, {entry['file']!r}")
    return Artifact(ref, folder, manifest)


def fault(path: Path, entry: Mapping[str, Any], *, fresh: bool) -> str | None:
    """Say what is wrong with a file by its entry in the manifest, or None.

    `fresh` reads its bytes now; else a digest of an untouched file that this process took before will do.
    """
    try:
        state = path.stat()
        if state.st_size != entry["bytes"]:
            return f"{state.st_size} bytes instead of the {entry['bytes']} that were written"
        found = (
            files.sha256_of(path)
            if fresh
            else _digest_of(path, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
        )
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if found == entry["sha256"] else "its bytes are not those that were written (another SHA-256)"


@lru_cache(maxsize=1 << 16)
def _digest_of(path: Path, *state: int) -> str:
    """SHA-256 of a file, remembered for as long as `state` (inode, size, times) stays."""
    del state  # only tells one call from another
    return files.sha256_of(path)
