"""The inbox: a folder or bucket for new music, in addition to the source of a recipe."""

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
    """Music in a folder or below a URL; its names begin with `inbox/`, so they differ from those of the source."""

    title = TITLE

    def __init__(self, where: str) -> None:
        if not is_url(where) and not Path(where).is_dir():
            raise SourceError(
                f"inbox: expected a folder or URL, got {where!r}; create the folder, or give another with --inbox"
            )
        self.where = where
        self._folder = Bucket(where) if is_url(where) else Folder(where)

    @property
    def can_be_empty(self) -> bool:
        """Whether an empty listing means an empty inbox: an empty prefix of a bucket may as well not exist."""
        return isinstance(self._folder, Folder) or self._folder.can_be_empty

    def entries(self) -> Iterator[Entry]:
        """Yield every file below the folder, sorted by name."""
        for entry in self._folder.entries():
            yield replace(entry, name=PREFIX + entry.name)

    def describe(self, name: str) -> Credit:
        """Give the credit: the composer is the folder within the inbox."""
        return credit_of_path(name.removeprefix(PREFIX), TITLE)


def is_from_inbox(name: str, source: str) -> bool:
    """Whether an input with this name and credited source came from the inbox."""
    return source == TITLE and name.startswith(PREFIX)
