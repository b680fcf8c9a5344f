"""The inbox: a folder that people put music into, beside the collection that a recipe is of."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lstm_music.errors import SourceError
from lstm_music.sources.entry import Credit, Entry, credit_of_path
from lstm_music.sources.folder import Folder

TITLE = "inbox"
PREFIX = "inbox/"


class Inbox:
    """A folder of music whose names begin with `inbox/`, so that they are told from those of the collection."""

    title = TITLE

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise SourceError(f"inbox {str(folder)!r}: not a folder; make it, or give another with --inbox")
        self._folder = Folder(str(folder))

    def entries(self) -> Iterator[Entry]:
        """Yield every file below the folder, sorted by name."""
        for entry in self._folder.entries():
            yield replace(entry, name=PREFIX + entry.name)

    def describe(self, name: str) -> Credit:
        """Tell the composer by the folder within the inbox that the file lies in."""
        return credit_of_path(name.removeprefix(PREFIX), TITLE)


def is_from_inbox(name: str, source: str) -> bool:
    """Say whether a name of an input, and the source that it was credited to, are those of a file in the inbox."""
    return source == TITLE and name.startswith(PREFIX)
