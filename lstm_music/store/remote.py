"""Opening what fsspec reaches, and where this machine keeps copies of it."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec

from lstm_music.errors import StorageError

CACHE = "LSTM_MUSIC_CACHE"
NAMES_MAY_HOLD_MARKS = {"s3", "s3a", "gs", "gcs", "file", "local"}  # of these "?" and "#" are parts of names


def cache_folder() -> Path:
    """Where this machine keeps files of buckets: `LSTM_MUSIC_CACHE`, or `lstm-music` in the user's cache folder."""
    if CACHE in os.environ:
        return Path(os.environ[CACHE]).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lstm-music"


def folder_name(url: str) -> str:
    """Name a folder so that a person knows what it is of, and no two addresses share it."""
    return f"{re.sub('[^A-Za-z0-9.]+', '-', url)[:100]}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def open_remote(url: str) -> tuple[Any, str]:
    """Give the file system of a URL, and the path in it; StorageError where this machine cannot open it."""
    protocol = url.partition("://")[0]
    parts = urlsplit(url)
    if parts.password is not None or parts.username is not None:
        raise StorageError(
            f"{protocol}://…@{parts.hostname}: credentials in an address end up in logs; give them by the environment or a "
            "credentials file, as the store's own tools read them"
        )
    if parts.scheme not in NAMES_MAY_HOLD_MARKS and ("?" in url or "#" in url):
        raise StorageError(
            f"{protocol}://{parts.hostname}/…: a query or fragment ('?', '#') in an address may hold credentials, which end up "
            "in logs; give the address without it"
        )
    try:
        # A listing that is remembered would hide what others have made since.
        fs, path = fsspec.url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        package = "`pip install 'lstm-music[s3]'`" if protocol == "s3" else str(error)
        raise StorageError(f"{url}: what reads {protocol}:// is not installed; install it: {package}") from error
    except ValueError as error:
        raise StorageError(
            f"{url}: {protocol}:// is no kind of storage that is known here ({error}); "
            "a folder or s3://bucket/prefix would be right"
        ) from error
    if "memory" in protocols(fs):
        raise StorageError(f"{url}: lives in one process, and this pipeline has several; a folder would be right")
    return fs, path.rstrip("/")


def protocols(fs: Any) -> tuple[str, ...]:
    """Names of the protocols that a file system speaks."""
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)
