"""The seam of the sources: every kind of source there is, and which of them a person means by what they typed."""

from collections.abc import Callable
from pathlib import Path

from lstm_music.errors import SourceError
from lstm_music.sources.archive import Archive
from lstm_music.sources.corpus import Corpus
from lstm_music.sources.entry import MUSIC_EXTENSIONS, Source
from lstm_music.sources.file import File
from lstm_music.sources.folder import Folder

SOURCES: dict[str, Callable[[str], Source]] = {
    "corpus": lambda _: Corpus(),
    "folder": Folder,
    "archive": Archive,
    "file": File,
    # "kaggle": the dataset downloaded by its name comes here, and its word into `_kind`.
}


def open_source(text: str) -> Source:
    """Open what `--source` names: the word `corpus`, a folder, a `.zip`, or a music file.

    Raises SourceError when there is no such thing, or when it cannot be opened at all.
    """
    return SOURCES[_kind(text)](text)


def _kind(text: str) -> str:
    if text == "corpus":
        return "corpus"
    if text == "kaggle":
        raise SourceError("source 'kaggle': cannot be downloaded yet; download the dataset's zip and give its path")
    path = Path(text)
    if not text or not _exists(path):
        raise SourceError(f"source {text!r}: not found; give 'corpus', or the path of a folder, a zip or a music file")
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
