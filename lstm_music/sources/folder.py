"""A folder of music and its subfolders, as a source."""

import os
from collections.abc import Iterator
from pathlib import Path

from lstm_music.errors import SourceError
from lstm_music.sources.entry import Credit, Entry, Ignored, Refused, credit_of_path, music_format, safe_name
from lstm_music.sources.file import read_file


class Folder:
    """A folder of music. Links to files are read, links to folders are not followed."""

    def __init__(self, path: str) -> None:
        self.title = path
        self._root = Path(path)
        if not self._root.is_dir():
            raise SourceError(f"source: expected a folder, got {path!r}")
        self._called = safe_name(self._root.resolve().name)

    def entries(self) -> Iterator[Entry]:
        """Yield every file below the folder, sorted by name; an unreadable file or folder is refused."""
        for name, path, refusal in sorted(self._walk()):
            if refusal:
                yield Refused(name, refusal)
            elif not path or music_format(name) is None:
                yield Ignored(name)
            else:
                yield read_file(Path(path), name)

    def describe(self, name: str) -> Credit:
        """Give the credit: the composer is the folder of the file."""
        return credit_of_path(name, self._called)

    def _walk(self) -> Iterator[tuple[str, str, str]]:
        """Yield (name, path, "" or why a folder cannot be listed) of files, linked folders ("" for a path) and unlisted folders.

        Names and paths are made as text, not as `Path`: there may be a million.
        """
        unlisted: list[OSError] = []
        for folder, subfolders, files in os.walk(self._root, onerror=unlisted.append):
            here = Path(folder).relative_to(self._root).as_posix()
            within = "" if here == "." else f"{here}/"
            for name in files:
                yield safe_name(within + name), f"{folder}/{name}", ""
            for name in subfolders:
                if Path(folder, name).is_symlink():
                    yield safe_name(within + name), "", ""
        for error in unlisted:
            path = Path(error.filename)
            if path == self._root:
                raise SourceError(
                    f"source {self.title!r}: the folder cannot be listed ({error.strerror}); check its permissions"
                ) from error
            yield self._name(path), str(path), f"is a folder that cannot be listed: {error.strerror}"

    def _name(self, path: Path) -> str:
        return safe_name(path.relative_to(self._root).as_posix())
