"""Rejects pieces without a pitched note, which hold nothing to learn from."""

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import PieceNotes


def require_music(piece: PieceNotes) -> None:
    """Raise RejectedInputError, with the reason, for a piece without a pitched note."""
    notes = len(piece.notes)
    if notes == 0:
        raise RejectedInputError("holds no notes")
    if piece.notes["is_drum"].all():
        raise RejectedInputError(f"holds only drums ({notes:,} note{'s' if notes > 1 else ''} on channel 10)")
