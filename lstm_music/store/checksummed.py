"""Checksummed JSON: one canonical spelling, and files with their own SHA-256, so that a flipped bit is noticed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_music.errors import CorruptArtifactError, StorageError

CHECKSUM = "sha256"
_SCALARS = frozenset({str, int, float, bool, type(None)})


def canonical(value: Any) -> bytes:
    """Give the canonical spelling of a JSON value: sorted keys, no spaces, ASCII.

    Raises StorageError for a value that is not JSON (a NaN, a numpy number, a key that is not text).
    """
    try:
        return json.dumps(_strict(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise StorageError(
            f"manifest: expected text, finite numbers, lists and mappings, got another value ({error})"
        ) from error


def digest(value: Any) -> str:
    """SHA-256 of the canonical spelling, 64 hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def dump_checksummed(content: Mapping[str, Any]) -> bytes:
    """Write `content` as readable JSON, with the SHA-256 of its canonical spelling under "sha256"."""
    content = {**_strict(content), CHECKSUM: digest(content)}
    return (json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


def load_checksummed(data: bytes, path: Path | str, fix: str) -> dict[str, Any]:
    """Inverse of `dump_checksummed`.

    Raises CorruptArtifactError unless `data` is byte for byte what that wrote; the message names `path` and ends with `fix`.
    """
    try:
        content = json.loads(data)
        content.pop(CHECKSUM)
        whole = dump_checksummed(content) == data
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError, StorageError):
        whole = False
    if not whole:
        raise CorruptArtifactError(f"{path}: its {len(data)} bytes are not those that were written; {fix}")
    return dict(content)


def _strict(value: Any) -> Any:
    """Copy mappings and sequences to plain ones; refuse keys that JSON would turn into text."""
    if type(value) in _SCALARS:  # most values are: a manifest can list every content
        return value
    if isinstance(value, Mapping):
        if unfit := [key for key in value if not isinstance(key, str)]:
            raise StorageError(f"manifest: expected text as keys, got {unfit[0]!r}")
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [item if type(item) in _SCALARS else _strict(item) for item in value]
    return value
