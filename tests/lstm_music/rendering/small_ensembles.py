"""Small pieces for several parts, as generated ones are: written as MIDI and read back."""

from collections.abc import Sequence

import numpy as np

from lstm_music.midi.general_midi import PROGRAMS
from lstm_music.midi.notes import NOTE_DTYPE, KeySignature, PieceNotes, Tempo, TimeSignature
from lstm_music.midi.parts import Part, in_parts
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi

TICKS = 480  # a quarter


def part(name: str, program: str = "") -> Part:
    """A part by the name of its program; without one, drums."""
    return Part(name, PROGRAMS.index(program)) if program else Part(name, is_drum=True)


def ensemble(
    parts: Sequence[Part],
    rows: Sequence[tuple[int, float, float, int]],
    *,
    sharps: int = 0,
    is_minor: bool = False,
    signature: tuple[int, int] = (4, 4),
) -> PieceNotes:
    """Make a piece of (part, onset, duration, pitch), in quarters."""
    ordered = sorted(rows, key=lambda row: (row[1], row[0], row[3]))
    notes = np.array(
        [(0, 0, 0, 0, pitch, 80, round(onset * TICKS), round(long * TICKS)) for _, onset, long, pitch in ordered],
        NOTE_DTYPE,
    )
    piece = PieceNotes(
        TICKS,
        notes,
        tempos=(Tempo(0, 500_000),),
        time_signatures=(TimeSignature(0, *signature),),
        key_signatures=(KeySignature(0, sharps, is_minor),),
    )
    of_note = np.array([row[0] for row in ordered], np.int64)
    return read_midi(write_midi(in_parts(piece, parts, of_note, "a title")))


def quartet_and_drums() -> PieceNotes:
    """Ten bars of a clarinet that waits for four of them, a piano, a contrabass and drums."""
    parts = [part("Clarinet", "clarinet"), part("Piano", "acoustic grand piano"), part("Contrabass", "contrabass")]
    rows = [(0, 16 + at / 2, 0.5, 64 + at % 7) for at in range(48)]
    for beat in range(40):
        rows += [(1, beat, 1, pitch) for pitch in (48, 64, 67, 72)]
        rows += [(2, beat, 1, 36 + beat % 5), (3, beat, 0.25, 42), (3, beat + 0.5, 0.25, 46)]
        rows.append((3, beat, 0.25, 38 if beat % 2 else 36))
    return ensemble([*parts, part("Drums")], rows, sharps=-1)
