"""Real music for the tests of evaluation: chorales of music21's corpus, read as the pipeline reads them, and excerpts of them."""

from collections.abc import Sequence
from functools import cache

from lstm_music.encoding.bars import place_in_bars, signature_at
from lstm_music.encoding.grid import Grid
from lstm_music.midi.notes import PieceNotes, TimeSignature
from lstm_music.scores.reading import read_scores
from lstm_music.sources.corpus import Corpus

FOUR = ("bach/bwv253.mxl", "bach/bwv269.mxl", "bach/bwv277.mxl", "bach/bwv347.mxl")
CHORALES = 48
EXCERPT_NOTES = 120


@cache
def four_chorales() -> tuple[PieceNotes, ...]:
    """Read a few chorales."""
    return _read(FOUR)


@cache
def excerpts() -> tuple[PieceNotes, ...]:
    """Cut the same number of notes from the first chorales of the corpus that are long enough."""
    pieces = _read([name for name in _files() if name.endswith(".mxl")][:CHORALES])
    return tuple(excerpt(piece, 0, EXCERPT_NOTES) for piece in pieces if len(piece.notes) >= EXCERPT_NOTES)


def excerpt(piece: PieceNotes, first: int, length: int) -> PieceNotes:
    """Cut out notes, moved so that the first keeps its place in its bar, and that bar begins at tick 0."""
    ticks = Grid((piece.ticks_per_quarter,))
    notes = piece.notes[first : first + length].copy()
    start = notes["onset_ticks"][:1]
    _, into_bar = place_in_bars(start, piece.time_signatures, piece.ticks_per_quarter, ticks)
    signature = signature_at(piece.time_signatures, int(start[0]), piece.ticks_per_quarter, ticks)
    notes["onset_ticks"] -= start - into_bar
    return PieceNotes(piece.ticks_per_quarter, notes, time_signatures=(TimeSignature(0, *signature),))


def first_bar_quarters(piece: PieceNotes) -> float:
    """Say how long the first bar of an excerpt is, in quarter lengths."""
    signature = piece.time_signatures[0]
    return 4 * signature.numerator / signature.denominator


def _read(names: Sequence[str]) -> tuple[PieceNotes, ...]:
    """Read files of the corpus in one go; music21 takes seconds to start."""
    return tuple(piece for _, piece in read_scores([(name, "musicxml", _files()[name]) for name in names]))


@cache
def _files() -> dict[str, bytes]:
    return {entry.name: entry.data for entry in Corpus().entries()}
