"""A few real chorales, from those that music21 carries."""

from functools import cache

from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.score import read_scores
from lstm_music.sources.corpus import Corpus

NAMES = ("bach/bwv253.mxl", "bach/bwv269.mxl", "bach/bwv277.mxl", "bach/bwv347.mxl")


@cache
def read_chorales() -> tuple[PieceNotes, ...]:
    """Read them once for all tests; music21 takes seconds to start."""
    data = {entry.name: entry.data for entry in Corpus().entries() if entry.name in NAMES}
    return tuple(piece for _, piece in read_scores([(name, "musicxml", data[name]) for name in NAMES]))
