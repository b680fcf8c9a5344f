"""Music below a URL that fsspec knows, such as s3://bucket/prefix: a folder elsewhere, read where it lies."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.request import url2pathname

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
from lstm_music.sources.folder import Folder
from lstm_music.store.backend import is_url
from lstm_music.store.remote import open_remote, protocols
from lstm_music.store.storage_errors import code, told

OF_THIS_MACHINE = {"file", "local"}

OF_ONE_OBJECT = {"AccessDenied", "AllAccessDisabled", "InvalidObjectState", "InvalidRequest"}
"""Words for an object that may not be read, is archived, or needs a key of its owner; all others are about the store or its
credentials, as some that expired in the middle."""


class _Object(NamedTuple):
    """What a listing says of an object; of those of one name the one that is called so in the bucket comes first."""

    name: str
    is_renamed: bool
    key: str  # below the URL
    path: str
    size: int  # bytes; 0 where nobody says
    is_file: bool


class Bucket:
    """Every object below a URL; one that is gone by the time it is read, or that may not be read, is refused.

    A file:// URL is that of a folder, with all rules of a folder. Raises StorageError where this machine cannot open it, or
    where the store does not answer, and SourceError where there is no such bucket or folder: of a bucket when it is read.
    """

    def __init__(self, url: str) -> None:
        if not is_url(url):
            raise SourceError(f"source {url!r}: no URL; s3://bucket/prefix would be right")
        scheme, _, rest = url.partition("://")
        self.title = url.rstrip("/")
        self._folder = _folder(rest) if scheme.lower() in OF_THIS_MACHINE else None
        if self._folder is None:
            if rest.startswith("/") or not rest:
                raise SourceError(f"source {url!r}: names no bucket; s3://bucket/prefix would be right")
            # Of s3://bucket//prefix s3fs lists bucket/prefix.
            self.title = re.sub("^([^:]+://[^/]+)/+", r"\1/", url).rstrip("/")
            self._fs, self._root = open_remote(self.title)

    @property
    def can_be_empty(self) -> bool:
        """Whether one that lists nothing is there: of a prefix without objects nobody can tell."""
        return self._folder is not None

    def entries(self) -> Iterator[Entry]:
        """Yield every object, sorted by name, under its name below the URL; of two with one name the second is refused."""
        return self._objects() if self._folder is None else self._folder.entries()

    def describe(self, name: str) -> Credit:
        """Tell the composer by the part of the name before the last."""
        if self._folder is not None:
            return self._folder.describe(name)
        return credit_of_path(name, safe_name(self.title.rpartition("/")[2]))

    def _objects(self) -> Iterator[Entry]:
        before = ""
        for one in sorted(self._listed()):
            if music_format(one.name) is None or one.key.endswith("/"):  # with a slash it stands for a folder
                yield Ignored(one.name)
            elif one.name == before:
                yield _of_the_same_name(one)
            elif not one.is_file:
                yield Refused(one.name, "is not a regular file")
            else:
                yield self._read(one)
            before = one.name

    def _listed(self) -> list[_Object]:
        """Say what lies there; SourceError where there is no such bucket or folder, or where it is a single object."""
        with told(self.title, writing=False):
            try:
                found = list(_found(self._fs, self._root))
            except FileNotFoundError as error:
                raise SourceError(
                    f"{self.title}: there is no such bucket or folder ({error}); make it, or give the URL of one that is there"
                ) from error
        is_named_as_one = music_format(self.title) is not None or self.title.lower().endswith(".zip")
        if any(facts["name"] == self._root for facts in found) or (not found and is_named_as_one):
            raise SourceError(
                f"{self.title}: a single object, or nothing; the URL has to be that of a folder (a prefix) with music in it, "
                "and no zip is opened there"
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
        # Unless it reads in one piece, s3fs asks for the size first, and an error there does not say what is wrong.
        options = {"max_concurrency": 1} if "s3" in protocols(self._fs) else {}
        with told(f"{self.title}/{one.name}", writing=False):
            try:
                data = bytes(self._fs.cat_file(one.path, **options))
            except FileNotFoundError:
                return Refused(one.name, "cannot be read: it was removed meanwhile")
            except OSError as error:
                if not _is_of_one_object(error):
                    raise
                return Refused(one.name, f"cannot be read: {error.strerror or error}")
        return too_large if len(data) > MAX_FILE_BYTES else Found(one.name, data)


def _folder(rest: str) -> Folder:
    """Give the folder of a file URL, by what follows its `file://`; it has to have no host."""
    host, _, path = rest.partition("/")
    if host not in {"", "localhost"}:
        raise SourceError("file://…: the URL of a folder begins with file:/// and goes on with its whole path")
    return Folder(url2pathname(f"/{path}"))


def _found(fs: Any, path: str) -> Iterator[dict[str, Any]]:
    """Yield the facts of all that is no folder.

    Where fsspec's own `find` goes from folder to folder, it leaves out each that cannot be listed, so that it looks empty.
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
    said = code(error)
    return said in OF_ONE_OBJECT if said else isinstance(error, PermissionError)


def _of_the_same_name(one: _Object) -> Refused:
    """Refuse an object whose key, made safe, is the name of another; it gets a name of its own, so that it can be told of."""
    number = hashlib.sha256(one.key.encode()).hexdigest()[:8]
    return Refused(
        f"{one.name} ({number})", f"has the key {one.key!r}, which reads as the name of another object; rename it"
    )
