"""Writing a bundle: the same contents give the same bytes, in one step."""

import hashlib
import os
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from lstm_music.bundle.manifest import MANIFEST, Contents, Manifest, Member
from lstm_music.errors import BundleError
from lstm_music.store.checksummed import dump_checksummed

SEAL = "sha256:"
SEAL_BYTES = len(SEAL) + 64
"""The comment of the zip, which ends it: the digest of all bytes before."""

ZIP_MAGIC = b"PK\x03\x04"
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644 << 16
_UNIX = 3
_LEVEL = 6
_CHUNK_BYTES = 1 << 20
_DENSE = (".safetensors", ".mid")
"""Extensions of what deflating makes hardly smaller."""


def write_bundle(path: Path, contents: Contents, members: Mapping[str, bytes]) -> Manifest:
    """Write a bundle, replacing an earlier one. Raises BundleError if it cannot be written, or would replace another file."""
    require_place(path)
    listed = {
        name: Member(bytes=len(data), sha256=hashlib.sha256(data).hexdigest()) for name, data in sorted(members.items())
    }
    manifest = Manifest(members=listed, **contents.model_dump())
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        try:
            with partial.open("x+b") as file:
                _write(file, manifest, members)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise BundleError(f"{path}: cannot be written ({error.strerror or error}); give another path") from error
    return manifest


def require_place(path: Path) -> None:
    """Raise BundleError for a path at which no bundle can be written, or where another file lies."""
    if not path.parent.is_dir():
        raise BundleError(f"{path}: its folder is missing; make it, or give another path")
    if not os.access(path.parent, os.W_OK):
        raise BundleError(f"{path}: its folder cannot be written; give another path")
    if not path.exists():
        return
    try:
        with path.open("rb") as file:
            is_zip = file.read(len(ZIP_MAGIC)) == ZIP_MAGIC
    except OSError:  # such as a folder
        is_zip = False
    if not is_zip:
        raise BundleError(f"{path}: expected the path of a new bundle, got that of another file; give another path")


def _write(file: BinaryIO, manifest: Manifest, members: Mapping[str, bytes]) -> None:
    ordered = {MANIFEST: dump_checksummed(manifest.model_dump(mode="json")), **dict(sorted(members.items()))}
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = b" " * SEAL_BYTES
        for name, data in ordered.items():
            info = zipfile.ZipInfo(name, _NO_TIME)
            info.create_system, info.external_attr = _UNIX, _PLAIN_FILE
            info.compress_type = zipfile.ZIP_STORED if name.endswith(_DENSE) else zipfile.ZIP_DEFLATED
            archive.writestr(info, data, compresslevel=_LEVEL)
    end = file.seek(0, os.SEEK_END) - SEAL_BYTES
    found = seal_of(file, end)
    file.seek(end)
    file.write(found)
    file.flush()
    os.fsync(file.fileno())


def seal_of(file: BinaryIO, end: int) -> bytes:
    """Give the comment for the first `end` bytes of a file; it is left there."""
    found, left = hashlib.sha256(), end
    file.seek(0)
    while left and (part := file.read(min(left, _CHUNK_BYTES))):
        found.update(part)
        left -= len(part)
    return f"{SEAL}{found.hexdigest()}".encode()
