"""What a source yields: for every file in it exactly one of `Found`, `Refused` or `Ignored`.

Every source uses the same rules of names, so a folder and a zip of the same tree yield the same entries.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol, runtime_checkable

from lstm_music.midi.text import printable
from lstm_music.store import Store

MUSIC_EXTENSIONS = {
    ".mid": "midi",
    ".midi": "midi",
    ".kar": "midi",
    ".musicxml": "musicxml",
    ".mxl": "musicxml",
    ".xml": "musicxml",
    ".abc": "abc",
    ".krn": "kern",
}

MAX_FILE_BYTES = 16 << 20  # what the readers accept too; a file above it would only fill memory


@dataclass(frozen=True, slots=True)
class Found:
    """An input: `name` is its path within the source, `/` between the parts."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """An input that cannot even be taken in; `reason` continues the sentence "<name> ..."."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A file without a music extension, or a hidden one."""

    name: str


Entry = Found | Refused | Ignored


@dataclass(frozen=True, slots=True)
class Credit:
    """Whose music a piece is, where it was taken from, and what its licence says."""

    composer: str  # "" where nothing tells
    source: str
    licence: str


class Source(Protocol):
    """Something that music is taken from. Making one checks that it is there and raises SourceError if it is not."""

    @property
    def title(self) -> str:
        """What a person calls this source."""

    def entries(self) -> Iterator[Entry]:
        """Yield every file, sorted by name; two runs over the same source yield the same."""

    def describe(self, name: str) -> Credit:
        """Tell whose the entry `name` is."""


Report = Callable[[int, int], None]  # bytes that are here, bytes in all (0 where nobody knows)


@runtime_checkable
class Remote(Protocol):
    """A source that lies elsewhere. Making one looks at its name alone, and raises SourceError if that is none."""

    @property
    def title(self) -> str:
        """What a person calls this source."""

    def fetch(self, store: Store, report: Report) -> Source:
        """Bring it here, as it is now: what the store has of it does not come again. `report` hears how much has come."""


def music_format(name: str) -> str | None:
    """Return "midi", "musicxml", "abc" or "kern" by the extension of `name`; None if it is hidden or no music."""
    path = PurePosixPath(name)
    if any(part.startswith(".") for part in path.parts):
        return None
    return MUSIC_EXTENSIONS.get(path.suffix.lower())


def safe_name(raw: str) -> str:
    r"""Make a name from outside a relative path that can be shown, stored and joined to a folder without harm.

    A backslash separates like a slash; empty parts, `.`, `..` and a drive (`C:`) are left out; what cannot be
    printed is replaced (see `printable`).
    """
    parts = raw.replace("\\", "/").split("/")
    if len(parts[0]) == 2 and parts[0].endswith(":"):
        del parts[0]
    kept = "/".join(part for part in parts if part not in ("", ".", ".."))
    return printable(kept) or "\N{REPLACEMENT CHARACTER}"


def credit_of_path(name: str, source: str) -> Credit:
    """Credit a file by its place: the composer is the folder it lies in, and nothing tells the licence."""
    return Credit(composer=PurePosixPath(name).parent.name, source=source, licence="not stated")
