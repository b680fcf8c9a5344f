"""How simultaneous notes become one value: one entry in `CHORD_ENCODINGS` for each way.

Pitches are named as music21 names them, `str(Pitch(midi=n))`, but for two: music21 calls MIDI numbers 4 and 11 `E-1`
and `B-1`, as it does 27 (E flat 1) and 34 (B flat 1), which the piano has. Here 4 is `En-1` and 11 is `Bn-1` (natural).
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
_CLASSES = frozenset(map(str, range(12)))
_MIDDLE_C = 60

IntArray = npt.NDArray[np.int64]


class ChordEncoding(Protocol):
    """A way to write the notes that sound together as one text, and to read them back."""

    @property
    def always(self) -> tuple[str, ...]:
        """The values that a vocabulary has even where no training piece does."""

    def groups(self, onset: IntArray, duration: IntArray, pitch: IntArray) -> IntArray:
        """Give each note the number of its event: 0, 1, … in the order of (onset, lowest pitch), none left out.

        The three arrays are parallel, a place a note, in any order; no two notes share both onset and pitch.
        """

    def text(self, pitches: Sequence[int]) -> str:
        """Write one group of MIDI numbers (at least one)."""

    def pitches(self, text: str) -> tuple[int, ...]:
        """Read a text as MIDI numbers, ascending. Raises MismatchError for a text that this encoding does not write."""

    def transposed(self, text: str, semitones: int, lowest: int, highest: int) -> str | None:
        """Move a value; None where one of its pitches leaves lowest … highest (inclusive). By 0 semitones it stays."""

    def log_unknown(self, known: int) -> float:
        """Give ln of the number of values of the whole alphabet beyond `known` ones; 0.0 where there are none."""


def normal_order(pitches: Sequence[int]) -> tuple[int, ...]:
    """Give the pitch classes in normal order: the rotation of least span, then packed most tightly to the left (Forte).

    Of rotations that are equal in this the one with the lowest first class is taken, as music21 does.
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
    """Give what a value of any encoding holds: the MIDI numbers that it names, and its pitch classes, both ascending.

    Raises MismatchError for a text that no encoding writes.
    """
    parts = text.split(".")
    if all(part in _CLASSES for part in parts):
        return (), tuple(sorted(map(int, parts)))
    pitches = _named_pitches(text)
    return pitches, tuple(sorted({pitch % 12 for pitch in pitches}))


def _named_pitches(text: str) -> tuple[int, ...]:
    pitches = tuple(_PITCHES.get(part, -1) for part in text.split("."))
    if pitches[0] < 0 or any(low >= high for low, high in pairwise(pitches)):
        raise MismatchError(f"{text!r} is not one pitch, or several in ascending order, such as 'C4.E4.G4'")
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
    """One event a note: `C#4`."""

    always: tuple[str, ...] = PITCH_NAMES

    def groups(self, onset: IntArray, duration: IntArray, pitch: IntArray) -> IntArray:
        """Give each note an event of its own."""
        groups = np.empty(len(duration), dtype=np.int64)
        groups[np.lexsort((pitch, onset))] = np.arange(len(duration))
        return groups

    def text(self, pitches: Sequence[int]) -> str:
        """Name the one pitch."""
        (pitch,) = pitches
        return PITCH_NAMES[pitch]

    def pitches(self, text: str) -> tuple[int, ...]:
        """Read one name. Raises MismatchError for anything else."""
        if text not in _PITCHES:
            raise MismatchError(f"{text!r} is not a pitch such as 'C#4'")
        return (_PITCHES[text],)

    def transposed(self, text: str, semitones: int, lowest: int, highest: int) -> str | None:
        """Move the pitch; None where it leaves lowest … highest."""
        return _moved(self.pitches(text), semitones, lowest, highest)

    def log_unknown(self, known: int) -> float:
        """Give ln of the number of pitches that are not known: 0.0, for all 128 always are."""
        return _log_rest(len(PITCH_NAMES), known)


@dataclass(frozen=True)
class PitchSet:
    """One event for the notes of equal onset and duration, every pitch kept: `C4.E4.G4`."""

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
        """Move all pitches; None where one leaves lowest … highest."""
        return _moved(self.pitches(text), semitones, lowest, highest)

    def log_unknown(self, known: int) -> float:
        """Give ln of the number of sets of 128 pitches that are not known; the empty set is none."""
        return _log_rest(2**128 - 1, known)


@dataclass(frozen=True)
class NormalOrder:
    """The report's: notes of equal onset and duration become pitch classes in normal order, `0.4.7`; one its name.

    Octaves and inversions are lost on purpose. Two or more octaves of one pitch class are that class alone, `0`.
    """

    always: tuple[str, ...] = ()

    def groups(self, onset: IntArray, duration: IntArray, pitch: IntArray) -> IntArray:
        """Group notes of equal onset and duration."""
        return _simultaneous_groups(onset, duration, pitch)

    def text(self, pitches: Sequence[int]) -> str:
        """Name a single pitch; write more as their normal order, joined by dots."""
        if len(pitches) == 1:
            return PITCH_NAMES[pitches[0]]
        return ".".join(map(str, normal_order(pitches)))

    def pitches(self, text: str) -> tuple[int, ...]:
        """Read a name as it stands, and pitch classes in the octave of middle C, where music21 puts them too.

        One class alone stands for several octaves of it, so it is read as two. Raises MismatchError for anything else.
        """
        if text in _PITCHES:
            return (_PITCHES[text],)
        classes = self._classes(text)
        if len(classes) == 1:
            return (_MIDDLE_C + classes[0], _MIDDLE_C + classes[0] + 12)
        return tuple(sorted(_MIDDLE_C + pitch_class for pitch_class in classes))

    def transposed(self, text: str, semitones: int, lowest: int, highest: int) -> str | None:
        """Move a name within lowest … highest; pitch classes have no range, so they always move."""
        if text in _PITCHES:
            return _moved(self.pitches(text), semitones, lowest, highest)
        return ".".join(map(str, normal_order([pitch_class + semitones for pitch_class in self._classes(text)])))

    def log_unknown(self, known: int) -> float:
        """Give ln of the number of values (128 names, 4,095 sets of pitch classes) that are not known."""
        return _log_rest(len(PITCH_NAMES) + 2**12 - 1, known)

    def _classes(self, text: str) -> tuple[int, ...]:
        parts = text.split(".")
        classes = tuple(map(int, parts)) if _CLASSES.issuperset(parts) else ()
        if not classes or normal_order(classes) != classes:
            raise MismatchError(f"{text!r} is neither a pitch such as 'C#4' nor a normal order such as '0.4.7'")
        return classes


CHORD_ENCODINGS: dict[str, ChordEncoding] = {
    "per_note": PerNote(),
    "pitch_set": PitchSet(),
    "normal_order": NormalOrder(),
}
