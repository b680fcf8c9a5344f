"""Which places of a piece make good prompts: ranked by what makes a prompt bad.

A model continues what it is given. So a place is worse if it lies at an edge of its piece, or is silent, monotonous, outside of
any scale, or unusually thin or dense. No weight was tuned: each fault counts at most 1, and a start within a bar `WITHIN_BAR`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11))  # major, and harmonic minor
REASONS = ("edge", "silence", "monotony", "off_scale", "density", "within_bar")
WITHIN_BAR = 0.1  # of 1: what it costs not to begin with a bar

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PieceView:
    """What the ranking reads of a piece, one element per event.

    `onset_steps` and `position_in_bar_steps` int [events], `bar_steps` the length of its bars, `notes` int [events] any
    number for each distinct note or chord, `pitch_classes` float [events, 12] how often each sounds in it.
    """

    onset_steps: npt.NDArray[np.int64]
    position_in_bar_steps: npt.NDArray[np.int64]
    bar_steps: int
    notes: npt.NDArray[np.int64]
    pitch_classes: Floats


def badness(piece: PieceView, length: int, usual_density: float) -> Floats:
    """Return how bad each place of a piece is, float [places, `REASONS`], each from 0 to 1.

    A place is `length` events from one on; `usual_density` how many events of the collection there are in a step.
    """
    onsets, bar = piece.onset_steps, piece.bar_steps
    places = len(onsets) - length + 1
    firsts, lasts = onsets[:places], onsets[length - 1 :]
    edge = (firsts < onsets[0] + bar) | (lasts > onsets[-1] - bar)
    gaps = np.lib.stride_tricks.sliding_window_view(np.diff(onsets, prepend=onsets[0]), length)
    longest = gaps[:, 1:].max(1, initial=0)
    silence = np.clip(longest / bar - 0.5, 0, 1)
    density = np.abs(np.log(length / np.maximum(lasts - firsts, 1) / usual_density)) / np.log(8)
    columns = (
        edge,
        silence,
        _monotony(piece.notes, length),
        _off_scale(piece.pitch_classes, length),
        np.clip(density, 0, 1),
        WITHIN_BAR * (piece.position_in_bar_steps[:places] > 0),
    )
    return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)


def ends_with_bars(piece: PieceView, length: int) -> npt.NDArray[np.bool_]:
    """Say of each place whether the event after it begins a bar, bool [places]."""
    onsets, positions = piece.onset_steps, piece.position_in_bar_steps
    places = np.arange(len(onsets) - length + 1)
    after = np.minimum(places + length, len(onsets) - 1)
    begins: npt.NDArray[np.bool_] = (positions[after] == 0) & (onsets[after] > onsets[places + length - 1])
    return begins


def density_of(pieces: Sequence[PieceView]) -> float:
    """Return events per step, the median over pieces."""
    return float(np.median([len(piece.onset_steps) / max(int(np.ptp(piece.onset_steps)), 1) for piece in pieces]))


def good_places(bad: Floats, length: int) -> list[int]:
    """List places of a piece, the best first; none overlaps a better one."""
    taken = np.zeros(len(bad) + length, np.bool_)
    chosen = []
    for place in np.argsort(bad.sum(1), kind="stable").tolist():
        if not taken[place] and not taken[place + length - 1]:
            chosen.append(place)
            taken[place : place + length] = True
    return chosen


def _monotony(notes: npt.NDArray[np.int64], length: int) -> Floats:
    """Give how far the entropy of the notes is below that of as many different ones as a quarter of the events."""
    _, ids = np.unique(notes, return_inverse=True)
    heard = _in_windows(np.eye(ids.max() + 1)[ids], length) / length
    logs = np.log(heard, where=heard > 0, out=np.zeros_like(heard))
    wanted = np.log(max(length / 4, 2))
    monotony: Floats = np.clip(1 + (heard * logs).sum(1) / wanted, 0, 1)
    return monotony


def _off_scale(pitch_classes: Floats, length: int) -> Floats:
    """Give the share of notes outside of the scale that fits best."""
    heard = _in_windows(pitch_classes, length)
    scales = np.zeros((len(SCALES) * 12, 12))
    for number, scale in enumerate(SCALES):
        for key in range(12):
            scales[12 * number + key, [(key + degree) % 12 for degree in scale]] = 1
    outside: Floats = 1 - (heard @ scales.T).max(1) / np.maximum(heard.sum(1), 1)
    return outside


def _in_windows(values: Floats, length: int) -> Floats:
    """Sum over every window of `length` rows."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    in_windows: Floats = sums[length:] - sums[:-length]
    return in_windows
