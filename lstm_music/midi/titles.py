"""What people call a piece and its composer: titles and names instead of paths."""

import re
from pathlib import PurePosixPath

from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.text import printable

_EXTENSIONS = frozenset({".gz", ".mid", ".midi", ".kar", ".rmi", ".musicxml", ".mxl", ".xml", ".abc", ".krn"})
_CATALOGUES = {  # how a catalogue of works, or a word of it, is written
    name.casefold(): name
    for name in ("BWV", "BuxWV", "D", "HWV", "Hob", "K", "KV", "No", "Nr", "Op", "RV", "TWV", "WoO")
}
_WITH_POINT = frozenset({"Hob", "No", "Nr", "Op"})
_CATALOGUED = re.compile(
    rf"(?:\b|(?<=\d)(?=N[or]))({'|'.join(sorted(_CATALOGUES, key=len, reverse=True))})\.? ?(?=\d)", re.IGNORECASE
)
"""A catalogue before a number, as in `bwv30` and `op27no2`."""

_EXCERPT = re.compile(r"(.+) bars (\d+)-\d+")

_NO_PERSONS = frozenset(
    {
        *("abc", "kar", "kern", "krn", "mid", "midi", "midis", "mp3", "musicxml", "mxl", "xml"),
        *("music", "musics", "piece", "pieces", "score", "scores", "song", "songs", "tune", "tunes"),
        *("data", "files", "unsorted", "various"),
        *("train", "training", "validation", "test"),
    }
)
"""Folders that are called after what lies in them, and not after a person."""


def piece_title(name: str, piece: PieceNotes | None = None) -> str:
    """Give the title of a piece: what its conductor track is called, else its file's name, as "BWV 30.6" for `bach/bwv30.6.mxl`.

    The conductor track of a MIDI file is its first one, if that holds no notes; of a piece that is not given there is none.
    """
    if piece is not None and len(piece.track_names) > 1 and not (piece.notes["track"] == 0).any():
        written = " ".join(printable(piece.track_names[0]).split())
        if any(character.isalpha() for character in written):
            return written
    return title_of_file(name)


def title_of_file(name: str) -> str:
    """Make a title of a file's name: without folders and extension, in words, catalogues of works as they are written."""
    stem = PurePosixPath(printable(name)).name
    while PurePosixPath(stem).suffix.casefold() in _EXTENSIONS and PurePosixPath(stem).stem:
        stem = PurePosixPath(stem).stem
    words = re.sub(r"[_\s]+|(?<=[^\W\d])-|-(?=[^\W\d])", " ", stem).strip()
    words = _CATALOGUED.sub(_catalogued, words)
    return words[:1].upper() + words[1:] or printable(name)


def excerpt_stem(stem: str, first_bar: int, last_bar: int) -> str:
    """Name an excerpt by its piece and the bars there, as "bwv258 bars 2-6"."""
    return f"{stem} bars {first_bar}-{last_bar}"


def place_in_piece(title: str, first_bar: int, last_bar: int) -> tuple[str, int, int]:
    """Give the title and the bars of a piece for bars of its excerpt, whose title is of its `excerpt_stem`; else what is given.

    Bars 1 to 4 of "BWV 258 bars 2-6" are bars 2 to 5 of "BWV 258".
    """
    found = _EXCERPT.fullmatch(title)
    if not found:
        return title, first_bar, last_bar
    before = int(found[2]) - 1
    return found[1], first_bar + before, last_bar + before


def person_name(folder: str) -> str:
    """Make a name of a folder's: "Bach" for `bach`, "Johann Sebastian Bach" for `johann_sebastian_bach`; "" for `musics`."""
    if folder.strip().casefold() in _NO_PERSONS:
        return ""
    words = re.split(r"[_\s]+", printable(folder).strip())
    return " ".join(word[:1].upper() + word[1:] for word in words if word)


def _catalogued(found: re.Match[str]) -> str:
    written = _CATALOGUES[found[1].casefold()]
    follows_number = found.string[: found.start()][-1:].isdigit()
    return f"{' ' if follows_number else ''}{written}{'.' if written in _WITH_POINT else ''} "
