"""Collections in the package music21, so that a first run needs no download.

- The chorales by J. S. Bach: the 371 numbers of Riemenschneider's edition. The edition prints some chorales twice, so there are
  350 files for 371 numbers. A file of two numbers is yielded for each of them, and counted as a duplicate.
- String quartets by Haydn, Mozart and Beethoven, and the vocal movements by Palestrina: all of their files. Where a movement is
  there as MusicXML and as kern, the first is taken.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from lstm_music.errors import SourceError
from lstm_music.sources.entry import Credit, Entry
from lstm_music.sources.file import read_file

_EXTENSIONS = (".mxl", ".xml", ".krn")  # the first wins

_LICENCE = (
    "distributed with music21 by permission of the encoders; commercial use may be restricted, "
    "see corpus/license.txt in the music21 package"
)
CREDIT = Credit(composer="bach", source="music21 corpus, chorales by J. S. Bach", licence=_LICENCE)


@dataclass(frozen=True)
class _Collection:
    """What a collection is called, the folders that must be there, and its files by their paths without extension."""

    source: str
    folders: tuple[str, ...]
    stems: Callable[[Path], Iterator[str]]


class Corpus:
    """A collection in the installed music21: `corpus` are the chorales, `corpus:quartets` and `corpus:palestrina` the others."""

    def __init__(self, text: str = "corpus", folder: Path | None = None) -> None:
        name = text.partition(":")[2] or "chorales"
        if name not in COLLECTIONS:
            raise SourceError(
                f"source {text!r}: expected corpus, or one of {', '.join(f'corpus:{known}' for known in COLLECTIONS)}"
            )
        self._collection = COLLECTIONS[name]
        self.title = self._collection.source
        self._folder = folder or _installed_corpus()
        if not all((self._folder / name).is_dir() for name in self._collection.folders):
            raise SourceError(
                f"source {text!r}: the installed music21 has no corpus; install music21 from PyPI, or give a folder, a zip or "
                "a music file",
            )

    def entries(self) -> Iterator[Entry]:
        """Yield the files of the collection, sorted by names such as `bach/bwv269.mxl`."""
        for name in sorted(self._file_name(stem) for stem in self._collection.stems(self._folder)):
            yield read_file(self._folder / name, name)

    def describe(self, name: str) -> Credit:
        """Credit the composer, whose folder a file is in, and the encoders."""
        return Credit(composer=name.partition("/")[0], source=self.title, licence=_LICENCE)

    def _file_name(self, stem: str) -> str:
        """Give the file name of a chorale: that of `stem`, else the shortest that begins with it (bwv18.5-l, -lz)."""
        paths = [path for path in self._folder.glob(stem + "*") if path.suffix in _EXTENSIONS]
        if not paths:
            return stem + _EXTENSIONS[0]  # reading it will report that it is missing
        path = min(paths, key=lambda path: (len(path.stem), _EXTENSIONS.index(path.suffix)))
        return path.relative_to(self._folder).as_posix()


def is_corpus(text: str) -> bool:
    """Whether a `--source` names a collection of music21."""
    return text == "corpus" or text.startswith("corpus:")


def _installed_corpus() -> Path:
    from music21.corpus import chorales

    return Path(chorales.__file__).parent


def _chorales(_: Path) -> Iterator[str]:
    """Yield the file name, without extension, of each of Riemenschneider's numbers."""
    from music21.corpus import chorales

    yield from chorales.Iterator(numberingSystem="riemenschneider", returnType="filename")


def _all_of(*composers: str) -> Callable[[Path], Iterator[str]]:
    def stems(folder: Path) -> Iterator[str]:
        paths = [path for name in composers for path in (folder / name).rglob("*") if path.suffix in _EXTENSIONS]
        yield from {path.relative_to(folder).with_suffix("").as_posix() for path in paths}

    return stems


_QUARTETS = ("beethoven", "haydn", "mozart")

COLLECTIONS: Mapping[str, _Collection] = MappingProxyType(
    {
        "chorales": _Collection(CREDIT.source, ("bach",), _chorales),
        "quartets": _Collection(
            "music21 corpus, string quartets by Haydn, Mozart and Beethoven", _QUARTETS, _all_of(*_QUARTETS)
        ),
        "palestrina": _Collection(
            "music21 corpus, vocal movements by Palestrina", ("palestrina",), _all_of("palestrina")
        ),
    }
)
"""The collections, by their names."""
