"""The kinds of sources, and which of them a `--source` names."""

from collections.abc import Callable
from pathlib import Path

from lstm_music.errors import SourceError
from lstm_music.sources.archive import Archive
from lstm_music.sources.bucket import Bucket
from lstm_music.sources.corpus import Corpus, is_corpus
from lstm_music.sources.entry import MUSIC_EXTENSIONS, Remote, Report, Source, music_format
from lstm_music.sources.file import File
from lstm_music.sources.folder import Folder
from lstm_music.sources.kaggle import Kaggle, is_kaggle
from lstm_music.store import Store
from lstm_music.store.backend import is_url

SOURCES: dict[str, Callable[[str], Source | Remote]] = {
    "corpus": Corpus,
    "folder": Folder,
    "archive": Archive,
    "file": File,
    "kaggle": Kaggle,
    "bucket": Bucket,
}


def open_source(text: str) -> Source | Remote:
    """Open the source named by `--source`.

    It is `corpus`, `corpus:NAME`, `kaggle`, `kaggle:OWNER/NAME`, a folder, a `.zip`, a music file, or a URL.

    Raises SourceError if it does not exist or cannot be opened. Makes no request: a remote source is not checked.
    """
    return SOURCES[_kind(text)](text)


def fetch_source(text: str, store: Store, report: Report) -> Source:
    """Open a source, and download a remote one first; `report` gets the progress."""
    opened = open_source(text)
    return opened.fetch(store, report) if isinstance(opened, Remote) else opened


def _kind(text: str) -> str:
    if is_corpus(text):
        return "corpus"
    if is_kaggle(text):
        return "kaggle"
    if is_url(text):
        return "bucket"
    path = Path(text)
    if not text or not _exists(path):
        raise SourceError(
            f"source {text!r}: not found; expected 'corpus', 'kaggle', the path of a folder, a zip or a music file, or a URL"
        )
    if path.is_dir():
        return "folder"
    if path.suffix.lower() == ".zip":
        return "archive"
    if music_format(path.name.lstrip(".")) is not None:
        return "file"
    raise SourceError(f"source: expected a folder, a .zip or a music file ({' '.join(MUSIC_EXTENSIONS)}), got {text!r}")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder without permission
        return False
