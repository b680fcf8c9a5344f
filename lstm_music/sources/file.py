"""One music file as a source, and reading of any file from disk."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from lstm_music.errors import SourceError
from lstm_music.sources.entry import MAX_FILE_BYTES, Credit, Entry, Found, Refused, credit_of_path, safe_name
from lstm_music.sources.packed import unpacked


class File:
    """One music file."""

    def __init__(self, path: str) -> None:
        self.title = path
        self._path = Path(path)
        if not self._path.is_file():
            raise SourceError(f"source: expected a file, got {path!r}")

    def entries(self) -> Iterator[Entry]:
        """Yield the file under its name."""
        yield read_file(self._path, safe_name(self._path.name))

    def describe(self, name: str) -> Credit:
        """Give the credit: only the name of the file is known."""
        return credit_of_path(name, safe_name(self._path.name))


def read_file(path: Path, name: str, max_bytes: int = MAX_FILE_BYTES) -> Found | Refused:
    """Read the file at `path` as the entry `name`, or refuse it with a reason.

    Reads only a regular file of at most `max_bytes`: a named pipe would block forever.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                return Refused(name, "is not a regular file")
            size = min(state.st_size, max_bytes)
            data = file.read(size + 1)  # a read of `max_bytes` would take that much memory for each file
            if len(data) > size:  # it grows, or has no size, as files of the system have not
                data += file.read(max_bytes - size)
    except OSError as error:
        return Refused(name, f"cannot be read: {error.strerror}")
    if len(data) > max_bytes:
        return Refused(name, f"has more than {max_bytes:,} bytes")
    return unpacked(Found(name, data))
