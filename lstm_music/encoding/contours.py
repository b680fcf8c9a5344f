"""Contours: the intervals of a piece's top voice, by which two versions of one piece are recognised.

A contour does not depend on the key, because it holds intervals. It does not depend on the tempo, because it holds no times
and measures chords by the piece's own pace. It stays the same when the accompaniment changes, as long as that stays below.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Intervals = npt.NDArray[np.int8]
Hashes = npt.NDArray[np.uint64]

WIDEST = 24  # semitones; wider leaps count as this
_TOLERANCE = 5  # notes closer together than a fifth of the piece's pace begin together
_LEGATO = 4  # a higher note may overlap a quarter of the next one without hiding it
_LOOK_BACK = 16  # notes of the top voice: a higher note that began before these no longer counts

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST_SHIFT = np.uint64(31)


def contour(onset: npt.NDArray[np.int64], duration: npt.NDArray[np.int64], pitch: npt.NDArray[np.int64]) -> Intervals:
    """Return the intervals between the notes of the top voice, in semitones: int8 [notes of the top voice - 1].

    `onset`, `duration` (in any unit) and `pitch` describe the pitched notes of a piece in any order, int64 [notes]. Of notes
    that begin together the highest is in the top voice, unless a higher one still sounds for at least a quarter of its length.
    """
    order = np.argsort(onset, kind="stable")
    (found,) = contours(onset[order], duration[order], pitch[order], np.array([0, len(order)]))
    return found


def contours(
    onset: npt.NDArray[np.int64],
    duration: npt.NDArray[np.int64],
    pitch: npt.NDArray[np.int64],
    borders: npt.NDArray[np.int64],
) -> list[Intervals]:
    """Return the contour of each of several pieces, as `contour` does; together they take a fraction of the time.

    The notes are those of one piece after another, in each by onset. Piece i has the notes `borders[i]` to `borders[i + 1]`.
    """
    sizes = np.diff(borders)
    if not len(onset):
        return [np.empty(0, np.int8) for _ in sizes]
    piece = np.repeat(np.arange(len(sizes)), sizes)
    firsts = np.flatnonzero(_begins(onset, piece, borders))
    top = np.maximum.reduceat(pitch, firsts)
    group = np.repeat(np.arange(len(firsts)), np.diff(firsts, append=len(onset)))
    tops = np.flatnonzero(pitch == top[group])
    highest = tops[np.diff(group[tops], prepend=-1) > 0]  # of equally high ones the first
    voice = highest[~_is_below(onset[highest], duration[highest], pitch[highest], piece[highest])]
    stops = np.cumsum(np.bincount(piece[voice], minlength=len(sizes)))
    intervals = np.clip(np.diff(pitch[voice]), -WIDEST, WIDEST).astype(np.int8)
    starts = np.concatenate([[0], stops[:-1]])
    return [
        intervals[start : max(stop - 1, start)] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    ]


def _begins(
    onset: npt.NDArray[np.int64], piece: npt.NDArray[np.int64], borders: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Say which notes begin later than the one before by more than the tolerance, or are the first of their piece."""
    steps = np.diff(onset, prepend=0)
    pace = np.array([_pace(steps[start + 1 : stop]) for start, stop in pairwise(borders.tolist())], np.int64)
    begins: npt.NDArray[np.bool_] = steps * _TOLERANCE > pace[piece]
    begins[np.flatnonzero(np.diff(piece, prepend=-1))] = True
    return begins


def _pace(steps: npt.NDArray[np.int64]) -> int:
    """Return the step in which the middle of the piece's time lies. The short steps within a rolled chord hardly count."""
    ordered = steps.copy()
    ordered.sort()
    time = ordered.cumsum()
    return int(ordered[time.searchsorted(time[-1] / 2)]) if len(steps) else 0


def _is_below(
    onset: npt.NDArray[np.int64],
    duration: npt.NDArray[np.int64],
    pitch: npt.NDArray[np.int64],
    piece: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """Say which notes have a higher one of their piece above them for at least a quarter of their length.

    Less than that is a legato overlap.
    """
    onset = onset + piece * ((onset + duration).max() + 1)  # one piece after another: none sounds into the next
    settled, end = onset * _LEGATO + duration, (onset + duration) * _LEGATO
    below = np.zeros(len(onset), bool)
    for back in range(1, min(_LOOK_BACK, len(onset) - 1) + 1):
        below[back:] |= (pitch[:-back] > pitch[back:]) & (end[:-back] >= settled[back:])
    return below


def runs(intervals: Intervals, length: int) -> Hashes:
    """Return a hash of each run of `length` intervals, uint64 [runs]; none if there are fewer intervals."""
    return runs_of_lengths(intervals, [length])[0]


def runs_of_lengths(intervals: Intervals, lengths: Sequence[int]) -> list[Hashes]:
    """Return what `runs` does for several lengths, in ascending order: the hash of a longer run goes on from a shorter one's."""
    steps = intervals.astype(np.int64).view(np.uint64)
    hashes = np.zeros(len(steps), np.uint64)
    scratch = np.empty_like(hashes)
    found = []
    for place in range(max(lengths)):
        number = max(len(steps) - place, 0)
        hashes = hashes[:number]
        hashes += steps[place:]
        hashes *= _GOLDEN
        _mix(hashes, scratch[:number])
        if place + 1 in lengths:
            found.append(hashes.copy())
    return found


def _mix(values: Hashes, scratch: Hashes) -> None:
    """Spread each bit over all others: the finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    for shift, factor in _ROUNDS:
        np.right_shift(values, shift, out=scratch)
        values ^= scratch
        values *= factor
    np.right_shift(values, _LAST_SHIFT, out=scratch)
    values ^= scratch
