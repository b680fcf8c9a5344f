"""What the classifier of generated music reads: how often short patterns of notes occur, under names that a musician knows.

There are five kinds of patterns, each of one, two or three elements in a row:

- `melody`: the intervals between the highest notes of successive onsets.
- `chord`: the intervals between neighbouring notes of one onset, from the bottom up; an onset of one note is "a single note".
- `rhythm`: the times from an onset to the next.
- `length`: how long the highest notes of successive onsets last.
- `metre`: where in the bar successive onsets lie.

A feature is the share of a pattern among all patterns of its kind and length in an excerpt. So shares hardly depend on the length
of an excerpt, and not on its key.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "melody": "intervals between the highest notes of successive onsets",
        "chord": "intervals between neighbouring notes of one onset",
        "rhythm": "times between onsets",
        "length": "lengths of the highest notes",
        "metre": "places in the bar of onsets",
    },
)
"""The kinds of patterns, and what each is made of."""

LONGEST_PATTERN = 3  # elements
FAR = 13  # semitones: all wider intervals are one element
LONG = Fraction(8)  # quarters: all longer times are one element, and so are later places in a bar

_INTERVALS = (
    *("unison", "minor 2nd", "major 2nd", "minor 3rd", "major 3rd", "4th", "tritone"),
    *("5th", "minor 6th", "major 6th", "minor 7th", "major 7th", "octave", "more than an octave"),
)
_NOTE_VALUES = MappingProxyType(
    {
        Fraction(6): "dotted whole",
        Fraction(4): "whole",
        Fraction(3): "dotted half",
        Fraction(2): "half",
        Fraction(3, 2): "dotted quarter",
        Fraction(1): "quarter",
        Fraction(3, 4): "dotted eighth",
        Fraction(2, 3): "quarter of a triplet",
        Fraction(1, 2): "eighth",
        Fraction(3, 8): "dotted 16th",
        Fraction(1, 3): "eighth of a triplet",
        Fraction(1, 4): "16th",
        Fraction(1, 6): "16th of a triplet",
        Fraction(1, 8): "32nd",
        Fraction(1, 12): "32nd of a triplet",
    },
)
_SINGLE = "a single note"

Ints = npt.NDArray[np.int64]
Pattern = tuple[str, tuple[int | str, ...]]
"""A kind, and the elements of a pattern: semitones, or steps of the grid."""


@dataclass(frozen=True, eq=False, slots=True)
class NoteList:
    """The notes of an excerpt, by onset and pitch: int64 [notes] each.

    `onset` counts steps from any beginning, `position` those from the beginning of the note's bar.
    """

    onset: Ints
    position: Ints
    pitch: Ints
    duration: Ints
    steps_per_quarter: int

    @classmethod
    def of(
        cls,
        onset: npt.ArrayLike,
        position: npt.ArrayLike,
        pitch: npt.ArrayLike,
        duration: npt.ArrayLike,
        steps_per_quarter: int,
    ) -> "NoteList":
        """Sort notes that may come in any order."""
        onsets, pitches = np.asarray(onset, np.int64), np.asarray(pitch, np.int64)
        order = np.lexsort([pitches, onsets])
        positions, durations = (np.asarray(column, np.int64)[order] for column in (position, duration))
        return cls(onsets[order], positions, pitches[order], durations, steps_per_quarter)


def pattern_shares(notes: NoteList) -> dict[str, float]:
    """Give the share of each pattern that occurs among those of its kind and length, by `KIND: NAME`."""
    counts: Counter[Pattern] = Counter()
    totals: Counter[tuple[str, int]] = Counter()
    for kind, elements in _sequences(notes):
        for length in range(1, LONGEST_PATTERN + 1):
            found = Counter(zip(*(elements[start:] for start in range(length)), strict=False))
            counts.update({(kind, pattern): count for pattern, count in found.items()})
            totals[kind, length] += found.total()
    return {
        _name(pattern, notes.steps_per_quarter): count / totals[pattern[0], len(pattern[1])]
        for pattern, count in counts.items()
    }


def kind_of(name: str) -> str:
    """Give the kind of a feature by its name."""
    return name.partition(":")[0]


def _sequences(notes: NoteList) -> Iterable[tuple[str, Sequence[int | str]]]:
    """Give the sequences that patterns are cut from; each chord is one of its own."""
    first = np.flatnonzero(np.diff(notes.onset, prepend=-1)) if len(notes.onset) else np.empty(0, np.int64)
    top = np.append(first[1:], len(notes.onset)) - 1
    top = top[: len(first)]
    longest = int(LONG * notes.steps_per_quarter) + 1
    yield "melody", np.clip(np.diff(notes.pitch[top]), -FAR, FAR).tolist()
    yield "rhythm", np.minimum(np.diff(notes.onset[first]), longest).tolist()
    yield "length", np.minimum(notes.duration[top], longest).tolist()
    yield "metre", np.minimum(notes.position[first], longest).tolist()
    for start, stop in zip(first.tolist(), (top + 1).tolist(), strict=True):
        yield "chord", np.minimum(np.diff(notes.pitch[start:stop]), FAR).tolist() or [_SINGLE]


def _name(pattern: Pattern, steps_per_quarter: int) -> str:
    """Name a pattern, such as `melody: major 2nd up, minor 2nd down`."""
    kind, elements = pattern
    spell = {"melody": _melodic, "chord": _harmonic, "metre": lambda element: _place(element, steps_per_quarter)}.get(
        kind, lambda element: _time(element, steps_per_quarter)
    )
    return f"{kind}: {', '.join(map(spell, elements))}"


def _melodic(semitones: int | str) -> str:
    interval = _INTERVALS[abs(int(semitones))]
    return interval if semitones == 0 else f"{interval} {'up' if int(semitones) > 0 else 'down'}"


def _harmonic(semitones: int | str) -> str:
    return semitones if isinstance(semitones, str) else _INTERVALS[semitones]


def _time(steps: int | str, steps_per_quarter: int) -> str:
    quarters = Fraction(int(steps), steps_per_quarter)
    if quarters > LONG:
        return f"over {LONG} quarters"
    return _NOTE_VALUES.get(quarters) or f"{quarters} quarter{'' if quarters == 1 else 's'}"


def _place(steps: int | str, steps_per_quarter: int) -> str:
    """Spell a place as `beat 2`, or `beat 2 + 1/3` a third of a quarter later; a beat is a quarter."""
    quarters = Fraction(int(steps), steps_per_quarter)
    if quarters > LONG:
        return f"after beat {LONG + 1}"
    beat, rest = divmod(quarters, 1)
    return f"beat {beat + 1}" + (f" + {rest}" if rest else "")
