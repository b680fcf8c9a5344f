"""Loops: how often finished music repeats itself immediately.

The content of a bar is the set of (position in the bar, note, duration) of the events that begin in it; two bars are the
same where these are equal, pitches included. A bar in which nothing begins is silent. Silence alone is no repeat,
but may be a part of one. A bar that sounds more than `LOOP_TIMES` times in a row is a loop.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.errors import MismatchError

LOOP_TIMES = 4
"""This many times in a row is not yet a loop."""
SILENT = -1

IntArray = npt.NDArray[np.integer]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Repeats:
    """The most times in a row that a pattern of half a bar, a bar and two bars is heard, and how many bars are loops.

    Each counts for itself: a bar heard six times in a row is two bars heard three times. Half a bar begins in the first or
    second half of a bar, a bar with a bar, two bars with any bar. 1 is music without repeats, 0 no music.
    """

    half_bar: int
    bar: int
    two_bars: int
    loops: int


def place(onset_steps: IntArray, bar_steps: int, first_position: int = 0) -> tuple[Ids, Ids]:
    """Give the bar, from 0 on, and the position in it, in steps, of each onset; both int64 [events].

    All bars last `bar_steps`; step 0 lies `first_position` steps after the beginning of bar 0.
    Raises MismatchError for bars of no length.
    """
    if bar_steps < 1:
        raise MismatchError(f"loops: expected bars of 1 step or more, got {bar_steps}")
    bar, position = np.divmod(onset_steps.astype(np.int64) + first_position, bar_steps)
    return bar, position


def repeats(
    bar: IntArray, position_steps: IntArray, note: IntArray, duration_steps: IntArray, bar_steps: IntArray | int
) -> Repeats:
    """Look for repeats in a piece: parallel arrays [events], each event with its bar and its position in that bar.

    `note` is anything that is equal for equal notes, a pitch or a token. `bar_steps` is the length of all bars, or for each
    event that of its bar. The bars ascend.
    """
    whole = bar_contents(bar, position_steps, note, duration_steps)
    twice = 2 * position_steps.astype(np.int64)  # in half steps, for a bar may have an odd number of steps
    second = twice >= bar_steps
    half = bar_contents(2 * bar.astype(np.int64) + second, twice - second * bar_steps, note, duration_steps)
    return Repeats(longest_repeat(half), longest_repeat(whole), longest_repeat(whole, 2), loop_count(whole))


def bar_contents(bar: IntArray, position_steps: IntArray, note: IntArray, duration_steps: IntArray) -> Ids:
    """Number the content of each bar from the first to the last, int64 [bars]: equal numbers are equal contents.

    Parallel arrays [events], in the order of the bars; other parts than bars may be numbered as well. SILENT is a bar in
    which nothing begins. Numbers are given in the order of their first bar.
    """
    if not len(bar):
        return np.empty(0, np.int64)
    event = _number_rows(np.stack([position_steps, note, duration_steps], axis=1))
    first, last = int(bar[0]), int(bar[-1])
    event = event[np.lexsort((event, bar))]
    borders = np.searchsorted(bar, np.arange(first, last + 2))
    numbers: dict[bytes, int] = {b"": SILENT}
    found = [
        numbers.setdefault(event[start:stop].tobytes(), len(numbers) - 1)
        for start, stop in zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True)
    ]
    return np.array(found, np.int64)


def longest_repeat(contents: Ids, bars: int = 1) -> int:
    """Give the most times that a pattern of so many bars is heard in a row, from any bar on; 0 where nothing is heard."""
    return max(_repeated(contents, bars), default=int((contents != SILENT).any()))


def loop_count(contents: Ids, times: int = LOOP_TIMES) -> int:
    """Count the stretches of one bar that is heard more than so many times in a row."""
    return sum(heard > times for heard in _repeated(contents, 1))


def _repeated(contents: Ids, bars: int) -> list[int]:
    """Give how many times in a row each pattern of so many bars is heard that is heard twice or more."""
    start, stop = _runs(contents[:-bars] == contents[bars:])
    heard = [(contents[begin : begin + bars] != SILENT).any() for begin in start.tolist()]
    times = ((stop - start) // bars + 1)[np.array(heard, np.bool_)]
    return [int(count) for count in times if count > 1]


def _runs(marks: npt.NDArray[np.bool_]) -> tuple[Ids, Ids]:
    """Give where the runs of True begin (inclusive) and end (exclusive)."""
    change = np.flatnonzero(np.diff(marks.astype(np.int8), prepend=0, append=0))
    return change[::2], change[1::2]


def _number_rows(rows: IntArray) -> Ids:
    """Number rows, int [rows, columns]: equal numbers are equal rows."""
    numbers = np.zeros(len(rows), np.int64)
    for column in rows.T:
        _, place_of = np.unique(column, return_inverse=True)
        _, numbers = np.unique(numbers * len(rows) + place_of, return_inverse=True)
    return numbers
