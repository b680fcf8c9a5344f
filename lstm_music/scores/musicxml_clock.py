"""Time within a MusicXML measure: where the next note stands, and values that change on the way.

Durations count in `divisions` of a quarter. Where these are too coarse, a program rounds: Sibelius writes 85, 86 and 85 of 256
for three triplet eighths, others 8 of 17 for an eighth. The note's type says what is meant. So the clock keeps both the counted
position, which `backup` and `forward` refer to, and the exact one.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from operator import itemgetter
from typing import Generic, TypeVar

from lstm_music.scores.score import ROUNDED_TICKS_PER_QUARTER

ZERO = Fraction(0)
Value = TypeVar("Value")
_FINEST = 1 << 40


def bounded(place: Fraction) -> Fraction:
    """Return a position, rounded if it has too many digits, as it gets in a file that counts in ever new divisions."""
    if place.denominator <= _FINEST:
        return place
    return Fraction(round(place * ROUNDED_TICKS_PER_QUARTER), ROUNDED_TICKS_PER_QUARTER)


@dataclass(slots=True)
class Clock:
    """The position in a measure, in quarters from its start."""

    _counted: Fraction = ZERO
    _exact_at: dict[Fraction, Fraction] = field(default_factory=lambda: {ZERO: ZERO})

    @property
    def now(self) -> Fraction:
        """The exact position."""
        return self._exact_at[self._counted]

    def advance(self, counted: Fraction, exact: Fraction) -> None:
        """Go on by a length, which is `counted` in divisions and means `exact`."""
        reached = bounded(self.now + exact)
        self._counted = bounded(self._counted + counted)
        self._exact_at.setdefault(self._counted, reached)

    def go_back(self, counted: Fraction) -> None:
        """Go back by a length in divisions, at most to the start of the measure."""
        self._counted = max(bounded(self._counted - counted), ZERO)
        self._exact_at.setdefault(self._counted, self._counted)


class Timeline(Generic[Value]):
    """A value that changes at places of a measure, whatever the order in which the file has them."""

    def __init__(self, value: Value) -> None:
        self._changes: list[tuple[Fraction, Value]] = [(ZERO, value)]

    @property
    def latest(self) -> Value:
        """The value at the end of the measure."""
        return self._changes[-1][1]

    def at(self, place: Fraction) -> Value:
        """Return the value at a place."""
        if len(self._changes) == 1:
            return self._changes[0][1]
        return self._changes[max(self._index(place) - 1, 0)][1]

    def change(self, place: Fraction, value: Value) -> None:
        """Let the value hold from a place on, until the next change."""
        self._changes.insert(self._index(place), (place, value))

    def _index(self, place: Fraction) -> int:
        return bisect_right(self._changes, place, key=itemgetter(0))

    def next_measure(self) -> None:
        """Begin the next measure with the latest value."""
        self._changes = [(ZERO, self.latest)]
