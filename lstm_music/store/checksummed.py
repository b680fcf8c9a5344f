"""JSON with one spelling, and JSON files that carry their own SHA-256, so that any flipped bit in them is found."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_music.errors import CorruptArtifactError, StorageError

SEAL = "sha256"


def canonical(value: Any) -> bytes:
    """Spell a JSON value in its one way: sorted keys, no spaces, ASCII.

    Raises StorageError for what JSON cannot hold (a NaN, a numpy number, a key that is not text).
    """
    try:
        return json.dumps(_strict(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        sentence = (
            f"a value for a manifest cannot be kept as JSON: {error}; use text, finite numbers, lists and mappings"
        )
        raise StorageError(sentence) from error


def digest(value: Any) -> str:
    """SHA-256 of the canonical spelling, 64 hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def dump_checksummed(content: Mapping[str, Any]) -> bytes:
    """Spell `content` for a person to read, with the SHA-256 of its canonical spelling under "sha256"."""
    sealed = {**_strict(content), SEAL: digest(content)}
    return (json.dumps(sealed, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


def load_checksummed(data: bytes, path: Path | str, mend: str) -> dict[str, Any]:
    """Inverse of `seal`; the error names `path` and what to do, `mend`.

    Raises CorruptArtifactError unless `data` is, byte for byte, what `seal` wrote.
    """
    try:
        content = json.loads(data)
        content.pop(SEAL)
        whole = dump_checksummed(content) == data
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError, StorageError):
        whole = False
    if not whole:
        raise CorruptArtifactError(f"{path}: its {len(data)} bytes are not those that were written; {mend}")
    return dict(content)


def _strict(value: Any) -> Any:
    """Copy mappings and sequences into plain ones, refusing keys that JSON would silently turn into text."""
    if isinstance(value, Mapping):
        if unfit := [key for key in value if not isinstance(key, str)]:
            raise StorageError(f"a mapping for a manifest has the key {unfit[0]!r}; its keys have to be text")
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return value
