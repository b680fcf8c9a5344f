"""Time within a MusicXML measure: where the next note stands, and values that change on the way.

Durations count in `divisions` of a quarter. Where these are too coarse, a program rounds: Sibelius writes 85, 86 and 85 of 256
for three triplet eighths, others 8 of 17 for an eighth. The note's type says what is meant. So the clock keeps both the counted
position, which `backup` and `forward` refer to, and the exact one.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic, TypeVar

ZERO = Fraction(0)
Value = TypeVar("Value")


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
        reached = self.now + exact
        self._counted += counted
        self._exact_at.setdefault(self._counted, reached)

    def go_back(self, counted: Fraction) -> None:
        """Go back by a length in divisions, at most to the start of the measure."""
        self._counted = max(self._counted - counted, ZERO)
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
        return next((value for start, value in reversed(self._changes) if start <= place), self._changes[0][1])

    def change(self, place: Fraction, value: Value) -> None:
        """Let the value hold from a place on, until the next change."""
        later = [change for change in self._changes if change[0] > place]
        del self._changes[len(self._changes) - len(later) :]
        self._changes += [(place, value), *later]

    def next_measure(self) -> None:
        """Begin the next measure with the latest value."""
        self._changes = [(ZERO, self.latest)]
