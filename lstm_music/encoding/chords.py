"""Chord encodings: how simultaneous notes become one value. `CHORD_ENCODINGS` has one entry per encoding.

Pitch names are those of music21, `str(Pitch(midi=n))`, with two exceptions. music21 names MIDI numbers 4 and 11 `E-1` and
`B-1`, the same names as 27 (E flat 1) and 34 (B flat 1), which lie on the piano. Here 4 is `En-1` and 11 is `Bn-1` (natural).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lstm_music.errors import MismatchError

PIANO_LOWEST, PIANO_HIGHEST = 21, 108  # A0 and C8, both inclusive

_PITCH_CLASS_NAMES = ("C", "C#", "D", "E-", "E", "F", "F#", "G", "G#", "A", "B-", "B")
_NATURALS = {4: "En-1", 11: "Bn-1"}
PITCH_NAMES: tuple[str, ...] = tuple(
    _NATURALS.get(pitch, f"{_PITCH_CLASS_NAMES[pitch % 12]}{pitch // 12 - 1}") for pitch in range(128)
)
_PITCHES = {name: pitch for pitch, name in enumerate(PITCH_NAMES)}
DRUM_NAMES: tuple[str, ...] = tuple(f"drum{key}" for key in range(128))
_DRUM_KEYS = {name: key for key, name in enumerate(DRUM_NAMES)}
_CLASSES = frozenset(map(str, range(12)))
_MIDDLE_C = 60

IntArray = npt.NDArray[np.int64]


class ChordEncoding(Protocol):
    """Writes the notes that sound together as one text, and reads them back."""

    @property
    def always(self) -> tuple[str, ...]:
        """The values that every vocabulary has, even if no training piece has them."""

    def groups(self, onset: IntArray, duration: IntArray, pitch: IntArray) -> IntArray:
        """Return the event number of each note: 0, 1, … in the order of (onset, lowest pitch), without gaps.

        The three arrays are parallel, one entry per note, in any order. No two notes share both onset and pitch.
        """

    def text(self, pitches: Sequence[int]) -> str:
        """Write one group of MIDI numbers (at least one)."""

    def pitches(self, text: str) -> tuple[int, ...]:
        """Read a text as ascending MIDI numbers. Raises MismatchError for a text that this encoding never writes."""

    def transposed(self, text: str, semitones: int, lowest: int, highest: int) -> str | None:
        """Transpose a value; None if a pitch leaves lowest … highest (inclusive). 0 semitones return it unchanged."""

    def log_unknown(self, known: int) -> float:
        """Return ln of the number of unknown values: the alphabet's size less `known`. 0.0 if all are known."""


def normal_order(pitches: Sequence[int]) -> tuple[int, ...]:
    """Return the pitch classes in normal order: the rotation of least span, then packed most tightly to the left (Forte).

    If rotations tie, the one with the lowest first class wins, as in music21.
    """
    return _normal_order(frozenset(pitch % 12 for pitch in pitches))


@cache
def _normal_order(classes: frozenset[int]) -> tuple[int, ...]:
    ascending = sorted(classes)
    rotations = [(*ascending[place:], *ascending[:place]) for place in range(len(ascending))]

    def looseness(rotation: tuple[int, ...]) -> tuple[int, list[int], int]:
        intervals = [(pitch_class - rotation[0]) % 12 for pitch_class in rotation]
        return intervals[-1], intervals, rotation[0]

    return min(rotations, key=looseness)


def content(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the MIDI numbers that a value of any encoding names, and its pitch classes, both ascending.

    A drum has neither. Raises MismatchError for a text that no encoding writes.
    """
    if text in _DRUM_KEYS:
        return (), ()
    parts = text.split(".")
    if all(part in _CLASSES for part in parts):
        return (), tuple(sorted(map(int, parts)))
    pitches = _named_pitches(text)
    return pitches, tuple(sorted({pitch % 12 for pitch in pitches}))


def drum_key(text: str) -> int | None:
    """Return the percussion key that a value names; None for anything else."""
    return _DRUM_KEYS.get(text)


def _named_pitches(text: str) -> tuple[int, ...]:
    pitches = tuple(_PITCHES.get(part, -1) for part in text.split("."))
    if pitches[0] < 0 or any(low >= high for low, high in pairwise(pitches)):
        raise MismatchError(f"expected one pitch, or several in ascending order such as 'C4.E4.G4', got {text!r}")
    return pitches


def _moved(pitches: Sequence[int], semitones: int, lowest: int, highest: int) -> str | None:
    moved = [pitch + semitones for pitch in pitches]
    if semitones and not lowest <= moved[0] <= moved[-1] <= highest:
        return None
    return ".".join([PITCH_NAMES[pitch] for pitch in moved])


def _log_rest(alphabet: int, known: int) -> float:
    return math.log(alphabet - known) if alphabet > known else 0.0


def _simultaneous_groups(onset: IntArray, duration: IntArray, pitch: IntArray) -> IntArray:
    """Group notes of equal onset and duration."""
    order = np.lexsort((pitch, duration, onset))
    is_first = np.ones(len(order), dtype=np.bool_)
    is_first[1:] = (np.diff(onset[order]) != 0) | (np.diff(duration[order]) != 0)
    firsts = order[is_first]  # the lowest note of each group
    number = np.empty(len(firsts), dtype=np.int64)
    number[np.lexsort((pitch[firsts], onset[firsts]))] = np.arange(len(firsts))
    groups = np.empty(len(order), dtype=np.int64)
    groups[order] = number[np.cumsum(is_first) - 1]
    return groups


@dataclass(frozen=True)
class PerNote:
    """One event per note: `C#4`."""

    always: tuple[str, ...] = PITCH_NAMES

    def groups(self, onset: IntArray, duration: IntArray, pitch: IntArray) -> IntArray:
        """Return a separate event number for each note."""
        groups = np.empty(len(duration), dtype=np.int64)
        groups[np.argsort(onset << 7 | pitch, kind="stable")] = np.arange(len(duration))  # a pitch is below 128
        return groups

    def text(self, pitches: Sequence[int]) -> str:
        """Name the one pitch."""
        (pitch,) = pitches
        return PITCH_NAMES[pitch]

    def pitches(self, text: str) -> tuple[int, ...]:
        """Read one name. Raises MismatchError for anything else."""
        if text not in _PITCHES:
            raise MismatchError(f"expected a pitch such as 'C#4', got {text!r}")
        return (_PITCHES[text],)

    def transposed(self, text: str, semitones: int, lowest: int, highest: int) -> str | None:
        """Transpose the pitch; None if it leaves lowest … highest."""
        return _moved(self.pitches(text), semitones, lowest, highest)

    def log_unknown(self, known: int) -> float:
        """Return ln of the number of unknown pitches: 0.0, because all 128 are always known."""
        return _log_rest(len(PITCH_NAMES), known)


@dataclass(frozen=True)
class PerNoteAndDrum(PerNote):
    """One event per note; drums have values of their own, which no transposition moves: `drum36`."""

    always: tuple[str, ...] = (*PITCH_NAMES, *DRUM_NAMES)

    def pitches(self, text: str) -> tuple[int, ...]:
        """Read one name as a pitch or a percussion key. Raises MismatchError for anything else."""
        key = drum_key(text)
        return super().pitches(text) if key is None else (key,)

    def transposed(self, text: str, semitones: int, lowest: int, highest: int) -> str | None:
        """Transpose a pitch; a drum stays."""
        return text if text in _DRUM_KEYS else super().transposed(text, semitones, lowest, highest)

    def log_unknown(self, known: int) -> float:
        """Return ln of the number of unknown values: 0.0, because all pitches and drums are always known."""
        return _log_rest(len(PITCH_NAMES) + len(DRUM_NAMES), known)


@dataclass(frozen=True)
class PitchSet:
    """One event for all notes of equal onset and duration. Every pitch is kept: `C4.E4.G4`."""

    always: tuple[str, ...] = ()

    def groups(self, onset: IntArray, duration: IntArray, pitch: IntArray) -> IntArray:
        """Group notes of equal onset and duration."""
        return _simultaneous_groups(onset, duration, pitch)

    def text(self, pitches: Sequence[int]) -> str:
        """Name the pitches in ascending order, joined by dots."""
        return ".".join(PITCH_NAMES[pitch] for pitch in sorted(pitches))

    def pitches(self, text: str) -> tuple[int, ...]:
        """Read the names. Raises MismatchError for anything else."""
        return _named_pitches(text)

    def transposed(self, text: str, semitones: int, lowest: int, highest: int) -> str | None:
        """Transpose all pitches; None if one leaves lowest … highest."""
        return _moved(self.pitches(text), semitones, lowest, highest)

    def log_unknown(self, known: int) -> float:
        """Return ln of the number of unknown non-empty sets of the 128 pitches."""
        return _log_rest(2**128 - 1, known)


@dataclass(frozen=True)
class NormalOrder:
    """The report's encoding: one event for all notes of equal onset and duration.

    A single note is written as its name, a chord as its pitch classes in normal order, `0.4.7`. Octaves and inversions are
    lost on purpose. Two or more octaves of one pitch class become that class alone, `0`.
    """

    always: tuple[str, ...] = ()

    def groups(self, onset: IntArray, duration: IntArray, pitch: IntArray) -> IntArray:
        """Group notes of equal onset and duration."""
        return _simultaneous_groups(onset, duration, pitch)

    def text(self, pitches: Sequence[int]) -> str:
        """Name a single pitch; write several as their normal order, joined by dots."""
        if len(pitches) == 1:
            return PITCH_NAMES[pitches[0]]
        return ".".join(map(str, normal_order(pitches)))

    def pitches(self, text: str) -> tuple[int, ...]:
        """Read a name as its pitch, and pitch classes in the octave of middle C, as music21 does.

        A single class stands for several octaves, so it is read as two notes. Raises MismatchError for anything else.
        """
        if text in _PITCHES:
            return (_PITCHES[text],)
        classes = self._classes(text)
        if len(classes) == 1:
            return (_MIDDLE_C + classes[0], _MIDDLE_C + classes[0] + 12)
        return tuple(sorted(_MIDDLE_C + pitch_class for pitch_class in classes))

    def transposed(self, text: str, semitones: int, lowest: int, highest: int) -> str | None:
        """Transpose a name within lowest … highest. Pitch classes have no range, so they always move."""
        if text in _PITCHES:
            return _moved(self.pitches(text), semitones, lowest, highest)
        return ".".join(map(str, normal_order([pitch_class + semitones for pitch_class in self._classes(text)])))

    def log_unknown(self, known: int) -> float:
        """Return ln of the number of unknown values, of 128 names and 4,095 sets of pitch classes."""
        return _log_rest(len(PITCH_NAMES) + 2**12 - 1, known)

    def _classes(self, text: str) -> tuple[int, ...]:
        parts = text.split(".")
        classes = tuple(map(int, parts)) if _CLASSES.issuperset(parts) else ()
        if not classes or normal_order(classes) != classes:
            raise MismatchError(f"expected a pitch such as 'C#4' or a normal order such as '0.4.7', got {text!r}")
        return classes


CHORD_ENCODINGS: dict[str, ChordEncoding] = {
    "per_note": PerNote(),
    "pitch_set": PitchSet(),
    "normal_order": NormalOrder(),
}
