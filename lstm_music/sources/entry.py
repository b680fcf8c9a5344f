"""The entries of a source: each of its files is exactly one of `Found`, `Refused` or `Ignored`.

All sources use the same rules for names, so a folder and a zip of the same tree yield the same entries.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Protocol, runtime_checkable

from lstm_music.midi.text import printable
from lstm_music.store import Store

MUSIC_EXTENSIONS = {
    ".mid": "midi",
    ".midi": "midi",
    ".kar": "midi",
    ".rmi": "midi",
    ".musicxml": "musicxml",
    ".mxl": "musicxml",
    ".xml": "musicxml",
    ".abc": "abc",
    ".krn": "kern",
}

GZIP_EXTENSION = ".gz"  # behind one of the above
MAX_FILE_BYTES = 16 << 20  # the limit of the readers, too


@dataclass(frozen=True, slots=True)
class Found:
    """An input: `name` is its path within the source, `/` between the parts; `book` is the file of a tune of a book."""

    name: str
    data: bytes
    book: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """An input that cannot be ingested; `reason` continues the sentence "<name> ..."."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A file without a music extension, or a hidden one."""

    name: str


Entry = Found | Refused | Ignored


@dataclass(frozen=True, slots=True)
class Credit:
    """The composer, source and licence of a piece."""

    composer: str  # "" if unknown
    source: str
    licence: str


class Source(Protocol):
    """A source of music on this machine. The constructor raises SourceError if it does not exist."""

    @property
    def title(self) -> str:
        """The name of this source for people."""

    def entries(self) -> Iterator[Entry]:
        """Yield every file, sorted by name; a second run over the same source yields the same."""

    def describe(self, name: str) -> Credit:
        """Give the credit of the entry `name`."""


Report = Callable[[int, int], None]  # bytes downloaded, bytes in all (0 if unknown)


@runtime_checkable
class Remote(Protocol):
    """A source that has to be downloaded. The constructor checks only the name, and raises SourceError for an invalid one."""

    @property
    def title(self) -> str:
        """The name of this source for people."""

    def fetch(self, store: Store, report: Report) -> Source:
        """Download its present state; what the store has already is not downloaded again. `report` gets the progress."""


@lru_cache(maxsize=64)  # several modules ask for the same name, one after another
def music_format(name: str) -> str | None:
    """Return "midi", "musicxml", "abc" or "kern" by the extension of `name`; None for a hidden file or another extension.

    `.gz` behind the extension does not count.
    """
    path = PurePosixPath(name)
    if any(part.startswith(".") for part in path.parts):
        return None
    if path.suffix.lower() == GZIP_EXTENSION:
        path = path.with_suffix("")
    return MUSIC_EXTENSIONS.get(path.suffix.lower())


def safe_name(raw: str) -> str:
    r"""Turn an untrusted name into a relative path that is safe to show, store and join to a folder.

    A backslash counts as a slash. Empty parts, `.`, `..` and a drive (`C:`) are removed; unprintable characters are
    replaced (see `printable`).
    """
    parts = raw.replace("\\", "/").split("/")
    if len(parts[0]) == 2 and parts[0].endswith(":"):
        del parts[0]
    kept = "/".join(part for part in parts if part not in ("", ".", ".."))
    return printable(kept) or "\N{REPLACEMENT CHARACTER}"


def credit_of_path(name: str, source: str) -> Credit:
    """Give the credit of a file by its path: the composer is its folder, the licence is unknown."""
    return Credit(composer=PurePosixPath(name).parent.name, source=source, licence="not stated")
