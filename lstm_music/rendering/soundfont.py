"""Soundfonts: the default one, and files of the user's."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from lstm_music.errors import SourceError


def default_soundfont() -> Path:
    """Find TimGM6mb.sf2 in the package pretty_midi, which is not imported; SourceError where it is not installed."""
    package = find_spec("pretty_midi")
    font = Path(package.origin).with_name("TimGM6mb.sf2") if package and package.origin else None
    if font is None or not font.is_file():
        raise SourceError(
            "soundfont: none was given, and pretty_midi is not installed; install it, or give a .sf2 or .sf3 file"
        )
    return font


def require_soundfont(path: Path) -> None:
    """Raise SourceError unless a file can be read and is a soundfont by its first bytes."""
    try:
        with path.open("rb") as file:
            header = file.read(12)
    except OSError as error:
        raise SourceError(f"soundfont {path}: {error.strerror}; give the path of a .sf2 or .sf3 file") from error
    if header[:4] != b"RIFF" or header[8:] != b"sfbk":
        raise SourceError(f"soundfont {path}: is no soundfont by its first bytes; give a .sf2 or .sf3 file")


def soundfont_bytes(path: Path) -> bytes:
    """Read a soundfont as bytes of SoundFont 2, once per process; the samples of a .sf3 file are decoded.

    Raises SourceError for a file that cannot be read, or whose compressed samples are damaged.
    """
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise SourceError(f"soundfont {path}: {error.strerror}; give the path of a .sf2 or .sf3 file") from error


@lru_cache(maxsize=1)
def _read(path: Path, changed: int) -> bytes:  # noqa: ARG001 (a part of the key)
    from lstm_music.rendering.compressed_soundfont import decompressed

    data = path.read_bytes()
    try:
        return decompressed(data)
    except SourceError as error:
        raise SourceError(f"soundfont {path}: {error}; give another .sf2 or .sf3 file") from error
