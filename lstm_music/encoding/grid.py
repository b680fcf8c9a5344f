"""The time grid: the onsets and durations that events can have, in exact integer arithmetic.

Time on the grid is counted in *steps*. The number of steps per quarter is the least common multiple of the divisors. With
the divisors (8, 6) it is 24, and the grid points (all multiples of 1/8 and 1/6) are 0 3 4 6 8 9 12 15 16 18 20 21.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from lstm_music.errors import MismatchError, RecipeError
from lstm_music.midi.reader import ReadLimits

MAX_TICKS_PER_QUARTER = 32_767  # the division of a MIDI file has 15 bits
MIN_TICKS_PER_QUARTER = 480  # written files are at least as fine as those of notation programs
MAX_QUARTERS = ReadLimits().max_quarters  # the longest offset and duration: longer pieces are rejected

Steps = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Grid:
    """All multiples of 1/d of a quarter, for each d in `divisors` (music21's quarterLengthDivisors).

    Raises RecipeError for no divisor, a divisor below 1, or more steps per quarter than a MIDI file can hold.
    """

    divisors: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.divisors or min(self.divisors) < 1:
            raise RecipeError(
                "expected one or more whole numbers above 0",
            )
        if self.steps_per_quarter > MAX_TICKS_PER_QUARTER:
            raise RecipeError(
                f"expected a least common multiple of at most {MAX_TICKS_PER_QUARTER}, the ticks per quarter "
                f"of a MIDI file, not {self.steps_per_quarter}",
            )

    @cached_property
    def steps_per_quarter(self) -> int:
        """The least common multiple of the divisors."""
        return math.lcm(*self.divisors)

    @cached_property
    def ticks_per_quarter(self) -> int:
        """The ticks per quarter of written files: the smallest multiple of the steps that is 480 or more."""
        return self.steps_per_quarter * -(-MIN_TICKS_PER_QUARTER // self.steps_per_quarter)

    @cached_property
    def residues(self) -> frozenset[int]:
        """The grid points within a quarter, in steps from 0 to steps_per_quarter - 1."""
        steps = self.steps_per_quarter
        return frozenset(step for divisor in self.divisors for step in range(0, steps, steps // divisor))

    @cached_property
    def _points(self) -> Steps:
        """The grid points of a quarter in ascending order, and the first of the next quarter."""
        return np.array([*sorted(self.residues), self.steps_per_quarter], dtype=np.int64)

    @cached_property
    def _nearest(self) -> Steps:
        """The nearest grid point to each half step of a quarter, its end included; ties go to the earlier point."""
        twice_midpoints = self._points[:-1] + self._points[1:]
        points = self._points[np.searchsorted(twice_midpoints, np.arange(2 * self.steps_per_quarter + 1), side="left")]
        return np.asarray(points, np.int64)

    def onsets(self, ticks: npt.ArrayLike, ticks_per_quarter: int | Steps) -> Steps:
        """Move each tick to the nearest grid point, in steps; ties go to the earlier point.

        `ticks_per_quarter` is one number, or one per tick.
        """
        # Points and midpoints are whole half steps, so a tick between two half steps has the nearest point of the later one.
        half_steps = -(-2 * self.steps_per_quarter * np.asarray(ticks, dtype=np.int64) // ticks_per_quarter)
        quarters, rest = np.divmod(half_steps, 2 * self.steps_per_quarter)
        return quarters * self.steps_per_quarter + self._nearest[rest]

    def durations(self, ticks: npt.ArrayLike, ticks_per_quarter: int | Steps) -> Steps:
        """Move each duration in ticks to the nearest grid point, in steps; none becomes 0."""
        steps: Steps = np.maximum(self.onsets(ticks, ticks_per_quarter), self.shortest)
        return steps

    @property
    def shortest(self) -> int:
        """The shortest duration, in steps: the first grid point after 0."""
        return int(self._points[1])

    def on_grid(self, steps: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return for each of `steps` whether it is a grid point."""
        return np.isin(np.asarray(steps, dtype=np.int64) % self.steps_per_quarter, self._points)

    def text(self, steps: int) -> str:
        """Write steps as an exact fraction of a quarter: `4/3`, `2`, `0`."""
        return str(Fraction(steps, self.steps_per_quarter))

    def steps(self, text: str) -> int:
        """Read the fraction that `text` writes. Raises MismatchError unless it is a whole number of steps."""
        try:
            steps = Fraction(text) * self.steps_per_quarter
        except (ValueError, ZeroDivisionError) as error:
            raise MismatchError(f"expected a fraction of a quarter such as '4/3', got {text!r}") from error
        if steps.denominator != 1:
            raise MismatchError(
                f"expected a multiple of 1/{self.steps_per_quarter} of a quarter "
                f"(quarter_length_divisors {list(self.divisors)}), got {text!r}"
            )
        return int(steps)

    def point_count(self, max_quarters: int) -> int:
        """Count the grid points from 0 to `max_quarters`, both inclusive. Without 0, these are all durations."""
        return len(self.residues) * max_quarters + 1

    def offset_count(self, max_quarters: int) -> int:
        """Count the possible distances between two grid points, from 0 to `max_quarters` quarters, both inclusive."""
        distances = {(b - a) % self.steps_per_quarter for a in self.residues for b in self.residues}
        return len(distances) * max_quarters + 1
