"""The inbox: a folder or bucket for new music, in addition to the source of a recipe."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from lstm_music.errors import SourceError
from lstm_music.sources.bucket import Bucket
from lstm_music.sources.entry import Credit, Entry, Ignored, credit_of_path
from lstm_music.sources.folder import Folder
from lstm_music.store.backend import is_url

TITLE = "inbox"
PREFIX = "inbox/"


class Inbox:
    """The music in a folder or below a URL for one recipe; its names begin with `inbox/`, unlike those of the source.

    A top folder with the name of the `recipe` is for that recipe alone, and those of the `others` are for them: their files are
    ignored here. All other files and folders are for every recipe.
    """

    title = TITLE

    def __init__(self, where: str, recipe: str | None = None, others: Collection[str] = ()) -> None:
        if not is_url(where) and not Path(where).is_dir():
            raise SourceError(
                f"inbox: expected a folder or URL, got {where!r}; create the folder, or give another with --inbox"
            )
        self.where = where
        self._folder = Bucket(where) if is_url(where) else Folder(where)
        self._recipe = recipe
        self._others = frozenset(others) - {recipe}

    @property
    def can_be_empty(self) -> bool:
        """Whether an empty listing means an empty inbox: an empty prefix of a bucket may as well not exist."""
        return isinstance(self._folder, Folder) or self._folder.can_be_empty

    def entries(self) -> Iterator[Entry]:
        """Yield every file below the folder, sorted by name; those for other recipes are ignored."""
        for entry in self._folder.entries():
            name = PREFIX + entry.name
            is_for_others = _top_folder(entry.name) in self._others
            yield Ignored(name) if is_for_others else replace(entry, name=name)

    def describe(self, name: str) -> Credit:
        """Give the credit: the composer is the folder within the inbox, or within the folder of the recipe."""
        path = name.removeprefix(PREFIX)
        if self._recipe is not None and _top_folder(path) == self._recipe:
            path = path.removeprefix(f"{self._recipe}/")
        return credit_of_path(path, TITLE)


def _top_folder(path: str) -> str | None:
    """Return the first folder of a path; None for a file at the top."""
    folder, slash, _ = path.partition("/")
    return folder if slash else None


def is_from_inbox(name: str, source: str) -> bool:
    """Whether an input with this name and credited source came from the inbox."""
    return (source == TITLE or source.startswith(f"{TITLE}: ")) and name.startswith(
        PREFIX
    )  # a tune names its own source, too
