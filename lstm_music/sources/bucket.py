"""Music below a URL that fsspec knows, such as s3://bucket/prefix: a folder elsewhere, read where it lies."""

from collections.abc import Iterator
from typing import Any

from lstm_music.errors import SourceError
from lstm_music.sources.entry import (
    MAX_FILE_BYTES,
    Credit,
    Entry,
    Found,
    Ignored,
    Refused,
    credit_of_path,
    music_format,
    safe_name,
)
from lstm_music.store.answers import told
from lstm_music.store.place import is_url
from lstm_music.store.remote import open_remote


class Bucket:
    """Every object below a URL; one that is gone by the time it is read is refused.

    Raises StorageError where this machine cannot open it, or where the store does not answer.
    """

    def __init__(self, url: str) -> None:
        self.title = url.rstrip("/")
        if not is_url(url):
            raise SourceError(f"source {url!r}: no URL; s3://bucket/prefix would be right")
        self._fs, self._root = open_remote(self.title)

    def entries(self) -> Iterator[Entry]:
        """Yield every object, sorted by name, under its name below the URL."""
        for name, path, size in sorted(self._listed()):
            if music_format(name) is None:
                yield Ignored(name)
            elif size > MAX_FILE_BYTES:
                yield Refused(name, f"has more than {MAX_FILE_BYTES:,} bytes")
            else:
                yield self._read(name, path)

    def describe(self, name: str) -> Credit:
        """Tell the composer by the part of the name before the last."""
        return credit_of_path(name, safe_name(self.title.rpartition("/")[2]))

    def _listed(self) -> Iterator[tuple[str, str, int]]:
        """Yield (name, path, size in bytes); nothing where there is no such prefix."""
        with told(self.title, writing=False):
            try:
                found: dict[str, Any] = self._fs.find(self._root, detail=True)
            except FileNotFoundError:
                return
        for path, facts in found.items():
            name = path.removeprefix(self._root).lstrip("/")
            if name and facts["type"] == "file":
                yield safe_name(name), path, int(facts["size"] or 0)

    def _read(self, name: str, path: str) -> Entry:
        with told(f"{self.title}/{name}", writing=False):
            try:
                return Found(name, bytes(self._fs.cat_file(path)))
            except FileNotFoundError:
                return Refused(name, "cannot be read: it was removed meanwhile")
