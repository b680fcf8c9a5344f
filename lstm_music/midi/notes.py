"""The notes of one piece in memory, with its tempos, signatures, track names and pedal.

A `PieceNotes` keeps all the musical content of a file: no grid and no encoding has been applied yet.
"""

from dataclasses import dataclass

import numpy as np

NOTE_DTYPE = np.dtype(
    [
        ("track", np.int16),
        ("channel", np.int8),  # 0 to 15
        ("program", np.uint8),  # General MIDI, 0 to 127
        ("is_drum", np.bool_),
        ("pitch", np.uint8),  # MIDI number, 0 to 127
        ("velocity", np.uint8),  # 1 to 127
        ("onset_ticks", np.int64),
        ("duration_ticks", np.int64),
    ],
)


@dataclass(frozen=True, slots=True)
class Tempo:
    """From `tick` on, a quarter note lasts this long."""

    tick: int
    microseconds_per_quarter: int


@dataclass(frozen=True, slots=True)
class TimeSignature:
    """From `tick` on, a bar is `numerator`/`denominator`."""

    tick: int
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class KeySignature:
    """From `tick` on, this many sharps (negative: flats)."""

    tick: int
    sharps: int
    is_minor: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a score, or the part of it that the score writes as one measure.

    `number` counts bars from 1; a pickup before the first is 0. `begins_at_ticks` is the place in the bar at which the music
    begins: above 0 for a pickup, and for the rest of a bar that a repeat sign divides. `nominal_ticks` is how long the time
    signature makes a whole bar.
    """

    tick: int
    number: int
    begins_at_ticks: int
    nominal_ticks: int


@dataclass(frozen=True, slots=True)
class Pedal:
    """A sustain pedal event (controller 64): `value` is 0 to 127; from 64 on the pedal is down."""

    tick: int
    track: int
    channel: int
    value: int


@dataclass(frozen=True, eq=False, slots=True)
class PieceNotes:
    """The notes of one piece, as read.

    `notes` is an array of `NOTE_DTYPE`, sorted by (onset_ticks, pitch, track, channel, duration_ticks, velocity). `tempos`, the
    signatures, `bars` and `pedal` are sorted by tick, then by position in the file. A MIDI file has no `bars`: they follow
    from its time signatures. `warnings` say, each in one sentence without a subject, what of the file could not be read.
    """

    ticks_per_quarter: int
    notes: np.ndarray
    tempos: tuple[Tempo, ...] = ()
    time_signatures: tuple[TimeSignature, ...] = ()
    key_signatures: tuple[KeySignature, ...] = ()
    track_names: tuple[str, ...] = ()
    pedal: tuple[Pedal, ...] = ()
    bars: tuple[Bar, ...] = ()
    warnings: tuple[str, ...] = ()


def sorted_notes(notes: np.ndarray) -> np.ndarray:
    """Sort an array of `NOTE_DTYPE` into the order of `PieceNotes.notes`."""
    order = np.lexsort(
        [notes[name] for name in ("velocity", "duration_ticks", "channel", "track", "pitch", "onset_ticks")],
    )
    return notes[order]
