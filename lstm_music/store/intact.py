"""Whether a local file has the bytes of its entry in the manifest."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from lstm_music.store import files


def fault(path: Path, entry: Mapping[str, Any], *, fresh: bool) -> str | None:
    """Describe how a file differs from its entry in the manifest; None if it does not.

    `fresh` reads its bytes now; otherwise an earlier digest of this process counts while the file is unchanged.
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
    del state  # only part of the cache key
    return files.sha256_of(path)
