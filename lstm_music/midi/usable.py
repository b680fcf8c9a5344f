"""Rejects pieces that hold nothing to learn from: no note, or only drums where drums are left out."""

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import PieceNotes


def require_notes(piece: PieceNotes) -> None:
    """Raise RejectedInputError for a piece without a note."""
    if not len(piece.notes):
        raise RejectedInputError("holds no notes")


def require_music(piece: PieceNotes, *, has_drums: bool = False) -> None:
    """Raise RejectedInputError for a piece that models cannot go on from: no note, or drums alone where they know none."""
    require_notes(piece)
    if not has_drums and piece.notes["is_drum"].all():
        raise RejectedInputError(f"{only_drums(len(piece.notes))}, and these models know no drums")


def only_drums(notes: int) -> str:
    """Say what a piece of so many drum notes is."""
    return f"holds only drums ({notes:,} note{'s' if notes > 1 else ''} on channel 10)"


def left_out(notes: int) -> str:
    """Say why a recipe without drums rejects such a piece, and what to do."""
    return f"{only_drums(notes)}, which this recipe leaves out; use one with parts = 'families', such as ensemble"
