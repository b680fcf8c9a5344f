"""Standard MIDI Files written byte by byte for tests, and pieces made by hypothesis."""

import numpy as np
from hypothesis import strategies as st

from lstm_music.midi.notes import (
    NOTE_DTYPE,
    KeySignature,
    Pedal,
    PieceNotes,
    Tempo,
    TimeSignature,
    sorted_notes,
)

END = b"\x00\xff\x2f\x00"
MIDDLE_C_FOR_A_QUARTER = b"\x00\x90\x3c\x40\x83\x60\x80\x3c\x40"


def track(*events: bytes, end: bytes = END) -> bytes:
    contents = b"".join(events) + end
    return b"MTrk" + len(contents).to_bytes(4, "big") + contents


def header(tracks: int, file_format: int = 1, division: int = 480) -> bytes:
    return b"MThd\x00\x00\x00\x06" + b"".join(number.to_bytes(2, "big") for number in (file_format, tracks, division))


def smf(*tracks: bytes, file_format: int = 1, division: int = 480) -> bytes:
    return header(len(tracks), file_format, division) + b"".join(tracks)


def note_rows(piece: PieceNotes, *names: str) -> list[tuple]:
    names = names or ("pitch", "onset_ticks", "duration_ticks", "velocity", "program", "is_drum")
    return sorted(tuple(note) for note in piece.notes[list(names)].tolist())


def piece_of(*notes: tuple[int, int, int], **facts) -> PieceNotes:
    """Make a piece of (onset, duration, pitch), all of track 1 and channel 0."""
    rows = [(1, 0, 0, False, pitch, 80, onset, duration) for onset, duration, pitch in notes]
    return PieceNotes(480, sorted_notes(np.array(rows, NOTE_DTYPE)), **facts)


ticks = st.integers(0, 5000) | st.integers(0, 1 << 31)
_notes = st.tuples(
    st.integers(0, 4),
    st.integers(0, 15),
    st.sampled_from([0, 0, 40, 127]),
    st.booleans(),
    st.sampled_from([0, 60, 60, 61, 127]),
    st.integers(1, 127),
    st.integers(0, 40) | ticks,
    st.integers(0, 40) | ticks,
)


@st.composite
def pieces(draw) -> PieceNotes:
    """Pieces in which notes of one pitch often overlap, touch or have no duration."""
    notes = np.array(draw(st.lists(_notes, max_size=30)), NOTE_DTYPE)

    def changes(*columns):
        return tuple(sorted(draw(st.lists(st.tuples(ticks, *columns), max_size=4)), key=lambda change: change[0]))

    return PieceNotes(
        ticks_per_quarter=draw(st.integers(1, 32_767)),
        notes=sorted_notes(notes),
        tempos=tuple(Tempo(*change) for change in changes(st.integers(1, (1 << 24) - 1))),
        time_signatures=tuple(
            TimeSignature(*change) for change in changes(st.integers(1, 255), st.sampled_from([1, 2, 4, 8, 128]))
        ),
        key_signatures=tuple(KeySignature(*change) for change in changes(st.integers(-7, 7), st.booleans())),
        track_names=tuple(draw(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=6))),
        pedal=tuple(Pedal(*change) for change in changes(st.integers(0, 5), st.integers(0, 15), st.integers(0, 127))),
    )
