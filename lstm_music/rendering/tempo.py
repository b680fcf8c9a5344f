"""The tempo of a piece as a score gives it: one number for all of it."""

from lstm_music.midi.notes import PieceNotes
from lstm_music.rendering.audio import seconds_at


def average_tempo(piece: PieceNotes) -> int:
    """Return the quarters a minute of a piece, on average, at least 1; 120 for a piece that lasts no time."""
    end = int((piece.notes["onset_ticks"] + piece.notes["duration_ticks"]).max())
    seconds = float(seconds_at(piece, end))
    return max(1, round(60 * end / piece.ticks_per_quarter / seconds)) if seconds else 120
