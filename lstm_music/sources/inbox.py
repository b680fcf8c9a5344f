"""The inbox: a folder or bucket that people put music into, beside the collection that a recipe is of."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lstm_music.errors import SourceError
from lstm_music.sources.bucket import Bucket
from lstm_music.sources.entry import Credit, Entry, credit_of_path
from lstm_music.sources.folder import Folder
from lstm_music.store.backend import is_url

TITLE = "inbox"
PREFIX = "inbox/"


class Inbox:
    """Music in a folder or below a URL, with names that begin with `inbox/`, unlike those of the collection."""

    title = TITLE

    def __init__(self, where: str) -> None:
        if not is_url(where) and not Path(where).is_dir():
            raise SourceError(f"inbox {where!r}: not a folder; make it, or give another with --inbox")
        self.where = where
        self._folder = Bucket(where) if is_url(where) else Folder(where)

    @property
    def can_be_empty(self) -> bool:
        """Whether an inbox that lists nothing is there: a folder is, and of a bucket nobody can tell."""
        return isinstance(self._folder, Folder) or self._folder.can_be_empty

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
