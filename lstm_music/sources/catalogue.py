"""The seam of the sources: every kind of source there is, and which of them a person means by what they typed."""

from collections.abc import Callable
from pathlib import Path

from lstm_music.errors import SourceError
from lstm_music.sources.archive import Archive
from lstm_music.sources.bucket import Bucket
from lstm_music.sources.corpus import Corpus
from lstm_music.sources.entry import MUSIC_EXTENSIONS, Remote, Report, Source
from lstm_music.sources.file import File
from lstm_music.sources.folder import Folder
from lstm_music.sources.kaggle import Kaggle, is_kaggle
from lstm_music.store import Store
from lstm_music.store.backend import is_url

SOURCES: dict[str, Callable[[str], Source | Remote]] = {
    "corpus": lambda _: Corpus(),
    "folder": Folder,
    "archive": Archive,
    "file": File,
    "kaggle": Kaggle,
    "bucket": Bucket,
}


def open_source(text: str) -> Source | Remote:
    """Open what `--source` names: `corpus`, `kaggle`, `kaggle:OWNER/NAME`, a folder, a `.zip`, a music file, or a URL.

    Raises SourceError when there is no such thing, or when it cannot be opened at all; what lies elsewhere is not looked at.
    """
    return SOURCES[_kind(text)](text)


def fetch_source(text: str, store: Store, report: Report) -> Source:
    """Open what `--source` names, and bring it here first where it lies elsewhere; `report` hears how much has come."""
    opened = open_source(text)
    return opened.fetch(store, report) if isinstance(opened, Remote) else opened


def _kind(text: str) -> str:
    if text == "corpus":
        return "corpus"
    if is_kaggle(text):
        return "kaggle"
    if is_url(text):
        return "bucket"
    path = Path(text)
    if not text or not _exists(path):
        raise SourceError(
            f"source {text!r}: not found; give 'corpus', 'kaggle', the path of a folder, a zip or a music file, or a URL"
        )
    if path.is_dir():
        return "folder"
    if path.suffix.lower() == ".zip":
        return "archive"
    if path.suffix.lower() in MUSIC_EXTENSIONS:
        return "file"
    raise SourceError(f"source {text!r}: not a folder, a .zip or a music file ({' '.join(MUSIC_EXTENSIONS)})")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder that may not be entered
        return False
