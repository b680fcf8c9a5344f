"""Opening a URL with fsspec, and the folder of its local copies."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lstm_music.errors import StorageError

CACHE = "LSTM_MUSIC_CACHE"
NAMES_MAY_HOLD_MARKS = {"s3", "s3a", "gs", "gcs", "file", "local"}  # of these "?" and "#" are parts of names


def cache_folder() -> Path:
    """The local cache of buckets: `LSTM_MUSIC_CACHE`, or `lstm-music` in the user's cache folder."""
    if CACHE in os.environ:
        return Path(os.environ[CACHE]).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lstm-music"


def folder_name(url: str) -> str:
    """Give the name of the cache folder of a URL: readable, and different for each URL."""
    return f"{re.sub('[^A-Za-z0-9.]+', '-', url)[:100]}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def open_remote(url: str) -> tuple[Any, str]:
    """Give the file system of a URL and the path in it. Raises StorageError if this machine cannot open it."""
    protocol = url.partition("://")[0]
    parts = urlsplit(url)
    if parts.password is not None or parts.username is not None:
        raise StorageError(
            f"{protocol}://…@{parts.hostname}: expected an address without credentials, which would end up in logs; set them "
            "in the environment or in the credentials file of the store's own tools"
        )
    if parts.scheme not in NAMES_MAY_HOLD_MARKS and ("?" in url or "#" in url):
        raise StorageError(
            f"{protocol}://{parts.hostname}/…: expected an address without '?' and '#', which may hold credentials that would "
            "end up in logs; leave them out"
        )
    import fsspec  # takes a while, and folders do without

    try:
        # A cached listing would hide what other processes make meanwhile.
        fs, path = fsspec.url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        package = "`pip install 'lstm-music[s3]'`" if protocol == "s3" else str(error)
        raise StorageError(f"{url}: the package for {protocol}:// is not installed; install it: {package}") from error
    except ValueError as error:
        raise StorageError(
            f"{url}: expected a folder or s3://bucket/prefix, got the unknown protocol {protocol}:// ({error})"
        ) from error
    except Exception as error:  # each kind of file system has its own words for an address that it cannot use
        raise StorageError(
            f"{url}: {protocol}:// cannot be used here ({type(error).__name__}: {error}); give a folder or s3://bucket/prefix"
        ) from error
    if "memory" in protocols(fs):
        raise StorageError(
            f"{url}: expected a folder or a bucket; memory:// exists in one process, and this pipeline has several"
        )
    return fs, path.rstrip("/")


def protocols(fs: Any) -> tuple[str, ...]:
    """Names of the protocols that a file system speaks."""
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)
