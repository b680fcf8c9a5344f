"""Real music for the tests of statistics: chorales of music21's corpus, read as the pipeline reads them, and excerpts of them."""

from functools import cache

from lstm_music.evaluation.statistics import excerpt
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.score import read_scores
from lstm_music.sources.corpus import Corpus
from lstm_music.sources.entry import Found

CHORALES = 48
EXCERPT_NOTES = 120


@cache
def chorales() -> tuple[PieceNotes, ...]:
    """Read the first chorales of the corpus that are long enough, each once."""
    files = {entry.name: entry.data for entry in Corpus().entries() if isinstance(entry, Found)}
    names = [name for name in files if name.endswith(".mxl")][:CHORALES]
    pieces = [piece for _, piece in read_scores([(name, "musicxml", files[name]) for name in names])]
    return tuple(piece for piece in pieces if isinstance(piece, PieceNotes) and len(piece.notes) >= EXCERPT_NOTES)


@cache
def excerpts() -> tuple[PieceNotes, ...]:
    """Cut the same number of notes from each."""
    return tuple(excerpt(piece, 0, EXCERPT_NOTES) for piece in chorales())
