"""Fixtures for the tests of notes, events and tokens."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, TimeSignature, sorted_notes
from lstm_music.midi.reader import read_midi


@pytest.fixture
def make_piece() -> Callable[..., PieceNotes]:
    """Return a function that makes a piece from rows (onset_ticks, duration_ticks, pitch)."""

    def make(
        rows: Sequence[tuple[int, int, int]],
        *,
        ticks_per_quarter: int = 480,
        velocity: int = 80,
        signatures: Sequence[TimeSignature] = (),
    ) -> PieceNotes:
        notes = np.zeros(len(rows), dtype=NOTE_DTYPE)
        for note, (onset, duration, pitch) in zip(notes, rows, strict=True):
            note["onset_ticks"], note["duration_ticks"], note["pitch"], note["velocity"] = (
                onset,
                duration,
                pitch,
                velocity,
            )
        return PieceNotes(ticks_per_quarter, sorted_notes(notes), time_signatures=tuple(signatures))

    return make


@pytest.fixture(scope="session")
def collection(collection_zip: Path) -> dict[str, PieceNotes]:
    """The 296 piano pieces by name."""
    with zipfile.ZipFile(collection_zip) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".mid"))
        return {name: read_midi(archive.read(name)) for name in names}
