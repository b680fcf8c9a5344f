"""The chorales by J. S. Bach in the package music21, so that a first run needs no download.

They are the 371 numbers of Riemenschneider's edition. The edition prints some chorales twice, so there are 350 files for
371 numbers. A file of two numbers is yielded for each of them, and counted as a duplicate.
"""

from collections.abc import Iterator
from pathlib import Path

from lstm_music.errors import SourceError
from lstm_music.sources.entry import Credit, Entry
from lstm_music.sources.file import read_file

_EXTENSIONS = (".mxl", ".xml", ".krn")  # three chorales exist as MusicXML and as kern: the first wins

CREDIT = Credit(
    composer="bach",
    source="music21 corpus, chorales by J. S. Bach",
    licence="distributed with music21 by permission of the encoders; commercial use may be restricted, "
    "see corpus/license.txt in the music21 package",
)


class Corpus:
    """The chorales in the installed music21."""

    title = CREDIT.source

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or _installed_corpus()
        if not (self._folder / "bach").is_dir():
            raise SourceError(
                "source 'corpus': the installed music21 has no corpus; install music21 from PyPI, or give a folder, a zip or "
                "a music file",
            )

    def entries(self) -> Iterator[Entry]:
        """Yield a file for each of the 371 numbers, sorted by names such as `bach/bwv269.mxl`."""
        for name in sorted(self._file_name(stem) for stem in _chorales()):
            yield read_file(self._folder / name, name)

    def describe(self, name: str) -> Credit:  # noqa: ARG002 (every piece here has the same credit)
        """Credit Bach and the encoders."""
        return CREDIT

    def _file_name(self, stem: str) -> str:
        """Give the file name of a chorale: that of `stem`, else the shortest that begins with it (bwv18.5-l, -lz)."""
        paths = [path for path in self._folder.glob(stem + "*") if path.suffix in _EXTENSIONS]
        if not paths:
            return stem + _EXTENSIONS[0]  # reading it will report that it is missing
        path = min(paths, key=lambda path: (len(path.stem), _EXTENSIONS.index(path.suffix)))
        return path.relative_to(self._folder).as_posix()


def _installed_corpus() -> Path:
    from music21.corpus import chorales

    return Path(chorales.__file__).parent


def _chorales() -> Iterator[str]:
    """Yield the file name, without extension, of each of Riemenschneider's numbers."""
    from music21.corpus import chorales

    yield from chorales.Iterator(numberingSystem="riemenschneider", returnType="filename")
