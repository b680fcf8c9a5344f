"""Music below a URL of fsspec, such as s3://bucket/prefix."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.request import url2pathname

from lstm_music.errors import SourceError, StorageError
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
from lstm_music.sources.folder import Folder
from lstm_music.sources.packed import unpacked
from lstm_music.store.backend import is_url
from lstm_music.store.remote import open_remote, protocols
from lstm_music.store.storage_errors import as_storage_error, code

OF_THIS_MACHINE = {"file", "local"}

OF_ONE_OBJECT = {"AccessDenied", "AllAccessDisabled", "InvalidObjectState", "InvalidRequest"}
"""Error codes about one object: no right to read it, archived, or encrypted with the key of its owner. All other codes are
about the store or its credentials, such as credentials that expired meanwhile."""


class _Object(NamedTuple):
    """An object of a listing. Of several objects with one safe name, the one whose key is that name sorts first."""

    name: str
    is_renamed: bool
    key: str  # below the URL
    path: str
    size: int  # bytes; 0 if unknown
    is_file: bool


class Bucket:
    """Every object below a URL; one that was removed meanwhile or is not readable is refused.

    A file:// URL follows the rules of a folder. Raises SourceError if this machine cannot open the URL, if there is no such
    folder, or, when it is read, no such bucket, and StorageError if the store does not respond.
    """

    def __init__(self, url: str) -> None:
        if not is_url(url):
            raise SourceError(f"source: expected a URL such as s3://bucket/prefix, got {url!r}")
        scheme, _, rest = url.partition("://")
        self.title = url.rstrip("/")
        self._folder = _folder(rest) if scheme.lower() in OF_THIS_MACHINE else None
        if self._folder is None:
            if rest.startswith("/") or not rest:
                raise SourceError(f"source {url!r}: the bucket is missing; expected s3://bucket/prefix")
            # For s3://bucket//prefix s3fs lists bucket/prefix.
            self.title = re.sub("^([^:]+://[^/]+)/+", r"\1/", url).rstrip("/")
            self._fs, self._root = _opened(self.title)

    @property
    def can_be_empty(self) -> bool:
        """Whether an empty listing means an empty source: a prefix without objects may as well not exist."""
        return self._folder is not None

    def entries(self) -> Iterator[Entry]:
        """Yield every object, sorted by its name below the URL; of two objects with one name the second is refused."""
        return self._objects() if self._folder is None else self._folder.entries()

    def describe(self, name: str) -> Credit:
        """Give the credit: the composer is the last folder in the name."""
        if self._folder is not None:
            return self._folder.describe(name)
        return credit_of_path(name, safe_name(self.title.rpartition("/")[2]))

    def _objects(self) -> Iterator[Entry]:
        before = ""
        for one in sorted(self._listed()):
            if music_format(one.name) is None or one.key.endswith("/"):  # a key with a final slash is a folder
                yield Ignored(one.name)
            elif one.name == before:
                yield _of_the_same_name(one)
            elif not one.is_file:
                yield Refused(one.name, "is not a regular file")
            else:
                yield self._read(one)
            before = one.name

    def _listed(self) -> list[_Object]:
        """List the objects. Raises SourceError if there is no such bucket or folder, or if it is a single object."""
        with as_storage_error(self.title, writing=False):
            try:
                found = list(_found(self._fs, self._root))
            except FileNotFoundError as error:
                raise SourceError(
                    f"{self.title}: no such bucket or folder ({error}); create it, or give the URL of an existing one"
                ) from error
        is_named_as_one = music_format(self.title) is not None or self.title.lower().endswith(".zip")
        if any(facts["name"] == self._root for facts in found) or (not found and is_named_as_one):
            raise SourceError(
                f"{self.title}: expected the URL of a folder (a prefix) with music files, got a single object or nothing; "
                "unpack a zip first"
            )
        return [self._object(facts) for facts in found]

    def _object(self, facts: dict[str, Any]) -> _Object:
        key = facts["name"].removeprefix(f"{self._root}/")
        name = safe_name(key)
        return _Object(name, name != key, key, facts["name"], int(facts["size"] or 0), facts["type"] == "file")

    def _read(self, one: _Object) -> Entry:
        too_large = Refused(one.name, f"has more than {MAX_FILE_BYTES:,} bytes")
        if one.size > MAX_FILE_BYTES:
            return too_large
        # In several pieces s3fs would request the size first, and an error there has no useful code.
        options = {"max_concurrency": 1} if "s3" in protocols(self._fs) else {}
        with as_storage_error(f"{self.title}/{one.name}", writing=False):
            try:
                data = bytes(self._fs.cat_file(one.path, **options))
            except FileNotFoundError:
                return Refused(one.name, "cannot be read: it was removed meanwhile")
            except OSError as error:
                if not _is_of_one_object(error):
                    raise
                return Refused(one.name, f"cannot be read: {error.strerror or error}")
        return too_large if len(data) > MAX_FILE_BYTES else unpacked(Found(one.name, data))


def _opened(url: str) -> tuple[Any, str]:
    try:
        return open_remote(url)
    except StorageError as error:
        raise SourceError(f"source {error}") from error


def _folder(rest: str) -> Folder:
    """Give the folder of a file URL without a host; `rest` follows its `file://`."""
    host, _, path = rest.partition("/")
    if host not in {"", "localhost"}:
        raise SourceError("file://…: expected file:/// and the absolute path of a folder")
    return Folder(url2pathname(f"/{path}"))


def _found(fs: Any, path: str) -> Iterator[dict[str, Any]]:
    """Yield the facts of everything but folders.

    The generic `find` of fsspec skips each folder that it cannot list, as if it were empty; this does not.
    """
    if getattr(type(fs), "_find", type(fs).find).__module__ not in {"fsspec.spec", "fsspec.asyn"}:
        yield from fs.find(path, detail=True).values()
        return
    for facts in fs.ls(path, detail=True):
        if facts["type"] == "directory":
            yield from _found(fs, facts["name"].rstrip("/"))
        else:
            yield facts


def _is_of_one_object(error: OSError) -> bool:
    reason = code(error)
    return reason in OF_ONE_OBJECT if reason else isinstance(error, PermissionError)


def _of_the_same_name(one: _Object) -> Refused:
    """Refuse an object whose safe name is taken; it gets a name of its own for the report."""
    number = hashlib.sha256(one.key.encode()).hexdigest()[:8]
    return Refused(
        f"{one.name} ({number})", f"has the key {one.key!r}, whose safe name is taken by another object; rename it"
    )
