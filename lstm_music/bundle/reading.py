"""Reading a bundle that a stranger made: nothing of it is used, and no file is written, before its bytes are known to be whole.

What is checked, in this order: the size of the file; its own digest; the number, names and sizes of its members as the directory
of the zip declares them; `bundle.json`; then each member against it, unpacked within a bound.
"""

import hashlib
import struct
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from lstm_music.bundle.arrays import require_sound
from lstm_music.bundle.manifest import FORMAT, MANIFEST, MEMBER, VERSION, Manifest, Member
from lstm_music.bundle.writing import SEAL_BYTES, ZIP_MAGIC, seal_of
from lstm_music.errors import BundleError, CorruptArtifactError, RejectedInputError
from lstm_music.midi.zip_member import ZIP_ERRORS, read_member
from lstm_music.store.checksummed import load_checksummed

MOST_BYTES = (1 << 32) - 1  # of a zip without the extension for larger ones
MOST_UNPACKED_BYTES = 1 << 33
MOST_MEMBERS = 4096
MOST_MANIFEST_BYTES = 1 << 22
_DIRECTORY_BYTES = 1 << 20
_SHOWN = 200  # characters of a name
_END = struct.Struct("<4s4H2LH")  # the record that ends a zip, before its comment
_END_MAGIC = b"PK\x05\x06"

AGAIN = "get the bundle again from where it came"


def read_bundle(path: Path, folder: Path) -> Manifest:
    """Check a bundle, and unpack its members into an empty folder.

    Raises BundleError, in one sentence, for a file that is no bundle, that was cut or changed, or that another version wrote.
    """
    try:
        with path.open("rb") as file:
            _require_whole(path, file)
            with zipfile.ZipFile(file) as archive:
                return _unpack(path, archive, folder)
    except FileNotFoundError as error:
        raise BundleError(f"{path}: no such file; give the path of a bundle") from error
    except IsADirectoryError as error:
        raise BundleError(f"{path}: expected a bundle, got a folder; give the path of a .lstm file") from error
    except ZIP_ERRORS as error:
        raise BundleError(f"{path}: cannot be read ({_reason(error)}); {AGAIN}") from error


def _require_whole(path: Path, file: BinaryIO) -> None:
    """Check the digest that ends the file, and how much its directory declares."""
    size = file.seek(0, 2)
    file.seek(0)
    if file.read(len(ZIP_MAGIC)) != ZIP_MAGIC:
        raise BundleError(f"{path}: expected a bundle, got another kind of file; `lstm-music export` writes bundles")
    if size > MOST_BYTES:
        raise BundleError(f"{path}: expected {MOST_BYTES:,} bytes at most, got {size:,}; {AGAIN}")
    if size <= _END.size + SEAL_BYTES or seal_of(file, size - SEAL_BYTES) != file.read():
        raise BundleError(f"{path}: was cut or changed: its bytes are not those that were written; {AGAIN}")
    file.seek(size - SEAL_BYTES - _END.size)
    magic, _, _, _, members, directory, _, comment = _END.unpack(file.read(_END.size))
    if magic != _END_MAGIC or comment != SEAL_BYTES or members > MOST_MEMBERS or directory > _DIRECTORY_BYTES:
        raise BundleError(f"{path}: expected a zip of {MOST_MEMBERS:,} members at most, got another directory; {AGAIN}")
    file.seek(0)


def _unpack(path: Path, archive: zipfile.ZipFile, folder: Path) -> Manifest:
    names = _names(path, archive)
    manifest = _read_manifest(path, _read(path, archive, MANIFEST, MOST_MANIFEST_BYTES))
    too_many, missing = names - manifest.members.keys() - {MANIFEST}, manifest.members.keys() - names
    if too_many or missing:
        name, word = (min(too_many), "too many") if too_many else (min(missing), "missing")
        raise BundleError(f"{path}: a member is {word}: {name[:_SHOWN]}; {AGAIN}")
    for name, listed in manifest.members.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_member(path, archive, name, listed))
    return manifest


def _names(path: Path, archive: zipfile.ZipFile) -> set[str]:
    """Give the names of the members, of which none is read before all may be."""
    members = archive.infolist()
    for name, count in Counter(member.filename for member in members).items():
        if name != MANIFEST and not MEMBER.fullmatch(name):
            raise BundleError(f"{path}: expected only members of a bundle, got {name[:_SHOWN]!r}; {AGAIN}")
        if count > 1:
            raise BundleError(f"{path}: expected each member once, got {name} {count} times; {AGAIN}")
    if (total := sum(member.file_size for member in members)) > MOST_UNPACKED_BYTES:
        raise BundleError(f"{path}: expected {MOST_UNPACKED_BYTES:,} unpacked bytes at most, got {total:,}; {AGAIN}")
    names = {member.filename for member in members}
    if MANIFEST not in names:
        raise BundleError(
            f"{path}: expected a bundle, got a zip without {MANIFEST}; `lstm-music export` writes bundles"
        )
    return names


def _member(path: Path, archive: zipfile.ZipFile, name: str, listed: Member) -> bytes:
    """Read a member, and check it against the list of members."""
    declared = archive.getinfo(name).file_size
    if declared != listed.bytes:
        raise BundleError(f"{path}: {name}: expected {listed.bytes:,} bytes, got {declared:,} declared; {AGAIN}")
    data = _read(path, archive, name, listed.bytes)
    if len(data) != listed.bytes or hashlib.sha256(data).hexdigest() != listed.sha256:
        raise BundleError(f"{path}: {name}: its bytes are not those that were written; {AGAIN}")
    require_sound(f"{path}: {name}", name, data)
    return data


def _read(path: Path, archive: zipfile.ZipFile, name: str, most_bytes: int) -> bytes:
    try:
        return read_member(archive, archive.getinfo(name), most_bytes)
    except RejectedInputError as error:
        raise BundleError(f"{path}: {name}: {error}; {AGAIN}") from error


def _read_manifest(path: Path, data: bytes) -> Manifest:
    try:
        found: dict[str, Any] = load_checksummed(data, f"{path}: {MANIFEST}", AGAIN)
    except CorruptArtifactError as error:
        raise BundleError(str(error)) from error
    if found.get("format") != FORMAT or found.get("version") != VERSION:
        said = f"{found.get('format')!s:.40} {found.get('version')!s:.20}"
        raise BundleError(
            f"{path}: expected {FORMAT} {VERSION}, got {said}; use the version of lstm-music that wrote it, or a newer one"
        )
    try:
        return Manifest.model_validate(found)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BundleError(f"{path}: {MANIFEST}: {place[:100]}: {first['msg']}; {AGAIN}") from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or error or type(error).__name__).strip().partition("\n")[0]
