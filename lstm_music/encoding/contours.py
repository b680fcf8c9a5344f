"""Contours: the intervals of a piece's top voice, by which two versions of one piece are recognised.

A contour does not depend on the key, because it holds intervals. It does not depend on the tempo, because it holds no times
and measures chords by the piece's own pace. It stays the same when the accompaniment changes, as long as that stays below.
"""

import numpy as np
import numpy.typing as npt

Intervals = npt.NDArray[np.int8]

WIDEST = 24  # semitones; wider leaps count as this
_TOLERANCE = 5  # notes closer together than a fifth of the piece's pace begin together
_LEGATO = 4  # a higher note may overlap a quarter of the next one without hiding it
_LOOK_BACK = 16  # notes of the top voice: a higher note that began before these no longer counts


def contour(onset: npt.NDArray[np.int64], duration: npt.NDArray[np.int64], pitch: npt.NDArray[np.int64]) -> Intervals:
    """Return the intervals between the notes of the top voice, in semitones: int8 [notes of the top voice - 1].

    `onset`, `duration` (in any unit) and `pitch` describe the pitched notes of a piece in any order, int64 [notes]. Of notes
    that begin together the highest is in the top voice, unless a higher one still sounds for at least a quarter of its length.
    """
    order = np.lexsort((-pitch, onset))
    onset, duration, pitch = onset[order], duration[order], pitch[order]
    steps = np.diff(onset)
    together = np.cumsum(np.concatenate([[0], steps * _TOLERANCE > _pace(steps)])[: len(onset)])
    highest = np.lexsort((-pitch, together))[np.flatnonzero(np.diff(together, prepend=-1))]
    return _intervals(pitch[highest][~_is_below(onset[highest], duration[highest], pitch[highest])])


def _pace(steps: npt.NDArray[np.int64]) -> int:
    """Return the step in which the middle of the piece's time lies. The short steps within a rolled chord hardly count."""
    ordered = np.sort(steps)
    time = np.cumsum(ordered)
    return int(ordered[np.searchsorted(time, time[-1] / 2)]) if len(steps) else 0


def _is_below(
    onset: npt.NDArray[np.int64], duration: npt.NDArray[np.int64], pitch: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Say which notes have a higher one above them for at least a quarter of their length: more than a legato overlap."""
    settled, end = onset + duration / _LEGATO, onset + duration
    below = np.zeros(len(onset), bool)
    for back in range(1, min(_LOOK_BACK, len(onset) - 1) + 1):
        below[back:] |= (pitch[:-back] > pitch[back:]) & (end[:-back] >= settled[back:])
    return below


def _intervals(pitch: npt.NDArray[np.int64]) -> Intervals:
    return np.clip(np.diff(pitch), -WIDEST, WIDEST).astype(np.int8)


def runs(intervals: Intervals, length: int) -> npt.NDArray[np.uint64]:
    """Return a hash of each run of `length` intervals, uint64 [runs]; none if there are fewer intervals."""
    number = max(len(intervals) - length + 1, 0)
    hashes = np.zeros(number, np.uint64)
    steps = intervals.astype(np.int64).view(np.uint64)
    for place in range(length):
        hashes = _mixed((hashes + steps[place : place + number]) * np.uint64(0x9E3779B97F4A7C15))
    return hashes


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread each bit over all others: the finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
