"""The notes of one piece in memory, with its tempos, signatures, track names and pedal.

A `PieceNotes` keeps all the musical content of a file: no grid and no encoding has been applied yet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar, overload

import numpy as np

Record = TypeVar("Record")

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


class Records(Sequence[Record]):
    """A sequence of records of one kind that is kept as columns; a record is made when it is asked for.

    A file can have more tempos or pedal events than notes, and as objects they would take most of the time of reading it.
    It equals any sequence of the same records.
    """

    __slots__ = ("_kind", "columns")

    def __init__(self, kind: type[Record], *columns: np.ndarray) -> None:
        self._kind = kind
        self.columns = columns

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Record]:
        return map(self._kind, *(column.tolist() for column in self.columns))

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> "Records[Record]": ...
    def __getitem__(self, index: int | slice) -> "Record | Records[Record]":
        if isinstance(index, slice):
            return Records(self._kind, *(column[index] for column in self.columns))
        return self._kind(*(column[index].item() for column in self.columns))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(tuple(self))


@dataclass(frozen=True, eq=False, slots=True)
class PieceNotes:
    """The notes of one piece, as read.

    `notes` is an array of `NOTE_DTYPE`, sorted by (onset_ticks, pitch, track, channel, duration_ticks, velocity). `tempos`, the
    signatures, `bars` and `pedal` are sorted by tick, then by position in the file. A MIDI file has no `bars`: they follow
    from its time signatures. `warnings` say, each in one sentence without a subject, what of the file could not be read.
    """

    ticks_per_quarter: int
    notes: np.ndarray
    tempos: Sequence[Tempo] = ()
    time_signatures: tuple[TimeSignature, ...] = ()
    key_signatures: tuple[KeySignature, ...] = ()
    track_names: tuple[str, ...] = ()
    pedal: Sequence[Pedal] = ()
    bars: tuple[Bar, ...] = ()
    warnings: tuple[str, ...] = ()


_AS_BYTES = np.dtype((np.void, NOTE_DTYPE.itemsize))
"""A note for NumPy to move as it is: it moves fields one by one, which takes ten to forty times as long."""


def joined_notes(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Join arrays of `NOTE_DTYPE` (at least one), as np.concatenate does."""
    return np.concatenate([part.astype(NOTE_DTYPE, copy=False).view(_AS_BYTES) for part in parts]).view(NOTE_DTYPE)


def chosen_notes(notes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return `notes[chosen]` of an array of `NOTE_DTYPE`; `chosen` holds indices, or a bool for each note."""
    moved: np.ndarray = notes.view(_AS_BYTES)[chosen]
    return moved.view(NOTE_DTYPE)


_SORTED_BY = ("onset_ticks", "pitch", "track", "channel", "duration_ticks", "velocity")
_ONSET_LIMIT = 1 << 37  # what is left of 63 bits beside pitch (7), track (15) and channel (4)


def sorted_notes(notes: np.ndarray) -> np.ndarray:
    """Sort an array of `NOTE_DTYPE` into the order of `PieceNotes.notes`."""
    onset, pitch, track, channel, duration, velocity = (notes[name].astype(np.int64) for name in _SORTED_BY)
    if not len(notes) or onset.min() < 0 or onset.max() >= _ONSET_LIMIT or track.min() < 0:
        return chosen_notes(notes, np.lexsort([velocity, duration, channel, track, pitch, onset]))
    key = onset << 26 | pitch << 19 | track << 4 | channel
    order = np.argsort(key)
    in_order = key[order]
    is_equal = in_order[1:] == in_order[:-1]
    if is_equal.any():
        tied = np.append(is_equal, False) | np.append(False, is_equal)
        rows = order[tied]
        order[tied] = rows[np.lexsort([velocity[rows], duration[rows], key[rows]])]
    return chosen_notes(notes, order)
