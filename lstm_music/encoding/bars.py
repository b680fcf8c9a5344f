"""Bars: the bar of each onset, and its position in that bar.

A score has bars of its own (`PieceNotes.bars`). In a MIDI file they follow from the time signatures, and from a pickup that is
estimated where nothing in the file says how its bars lie.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.grid import Grid, Steps
from lstm_music.encoding.pickups import estimated_pickup
from lstm_music.midi.notes import Bar, PieceNotes, TimeSignature

_COMMON_TIME = (4, 4)
_FINEST = 1024  # MIDI can write denominators up to 2**255

Number = TypeVar("Number", int, Steps)


class _Stretch(NamedTuple):
    """Bars of one length, one after another: where the first begins, its number, and how much of it lies before its music."""

    start: int  # steps
    number: int
    begins_at: int  # steps
    quarter_parts: int  # the steps per bar, times the denominator
    denominator: int


_ENDLESS = 1 << 62  # the length of a bar that another one follows, wherever that is


def places_of(piece: PieceNotes, onset_steps: Steps, grid: Grid) -> tuple[Steps, Steps]:
    """Return the bar of each onset of a piece, and its position in that bar in steps; both int64.

    Bars count from 1, and a pickup is bar 0: its music begins at the position that it would have in a whole bar.
    """
    return places_of_all([piece], np.zeros(len(onset_steps), np.int64), onset_steps, grid)


def places_of_all(
    pieces: Sequence[PieceNotes], piece: npt.NDArray[np.int64], onset_steps: Steps, grid: Grid
) -> tuple[Steps, Steps]:
    """Return what `places_of` does, for the onsets of several pieces: `piece` int64 [onsets] says of which one each is."""
    return _place(piece, onset_steps, [_stretches_of(one, grid) for one in pieces])


def _stretches_of(piece: PieceNotes, grid: Grid) -> list[_Stretch]:
    if piece.bars:
        return _written_bars(piece.bars, piece.ticks_per_quarter, grid)
    if pickup := estimated_pickup(piece):
        numerator, denominator = piece.time_signatures[0].numerator, piece.time_signatures[0].denominator
        bar = 4 * numerator * piece.ticks_per_quarter // denominator
        shift = int(grid.onsets(bar - pickup, piece.ticks_per_quarter))
        (stretch,) = _stretches(piece.time_signatures[:1], piece.ticks_per_quarter, grid)
        return [stretch._replace(number=0, begins_at=shift)]
    return _stretches(piece.time_signatures, piece.ticks_per_quarter, grid)


def _written_bars(bars: Sequence[Bar], ticks_per_quarter: int, grid: Grid) -> list[_Stretch]:
    starts = grid.onsets([bar.tick for bar in bars], ticks_per_quarter).tolist()
    begins_at = grid.onsets([bar.begins_at_ticks for bar in bars], ticks_per_quarter).tolist()
    places = zip(starts, bars, begins_at, strict=True)
    return [_Stretch(start, bar.number, begins, _ENDLESS, 1) for start, bar, begins in places]


def _stretches(signatures: Sequence[TimeSignature], ticks_per_quarter: int, grid: Grid) -> list[_Stretch]:
    """Return the bars of a MIDI file that follow from its time signatures."""
    stretches: list[_Stretch] = []
    number = 1
    for start, (numerator, denominator) in _spans(signatures, ticks_per_quarter, grid):
        if stretches:
            before = stretches[-1]
            number += _bars_begun(start - before.start - 1, before.quarter_parts, before.denominator) + 1
        stretches.append(_Stretch(start, number, 0, 4 * numerator * grid.steps_per_quarter, denominator))
    return stretches


def _place(
    piece: npt.NDArray[np.int64], onset_steps: Steps, stretches: Sequence[Sequence[_Stretch]]
) -> tuple[Steps, Steps]:
    """Return the bar of each onset and its position there, by the stretches of each piece (at least one)."""
    table = np.array([stretch for one in stretches for stretch in one], np.int64)
    counts = np.array([len(one) for one in stretches], np.int64)
    firsts = np.cumsum(counts) - counts
    wide = max(int(onset_steps.max(initial=0)), int(table[:, 0].max())) + 1
    begins = np.repeat(np.arange(len(counts)) * wide, counts) + table[:, 0]
    index = np.searchsorted(begins, piece * wide + onset_steps, side="right") - 1
    index = np.maximum(index, firsts[piece])  # before the first written bar
    start, number, begins_at, quarter_parts, denominator = (column[index] for column in table.T)
    since = np.maximum(begins_at + onset_steps - start, 0)
    whole_bars = _bars_begun(since, quarter_parts, denominator)
    return number + whole_bars, since - whole_bars * quarter_parts // denominator


def place_in_bars(
    onset_steps: Steps,
    signatures: Sequence[TimeSignature],
    ticks_per_quarter: int,
    grid: Grid,
) -> tuple[Steps, Steps]:
    """Return the bar (from 1 on) of each onset, and the steps since that bar began; both int64.

    A piece is in 4/4 until its first signature. A signature that differs from the previous one starts a new bar at the
    nearest grid point, so a pickup is a bar that its time signature makes short. A bar that would start between two steps starts
    on the earlier one.
    """
    return _place(np.zeros(len(onset_steps), np.int64), onset_steps, [_stretches(signatures, ticks_per_quarter, grid)])


def signature_at(signatures: Sequence[TimeSignature], tick: int, ticks_per_quarter: int, grid: Grid) -> tuple[int, int]:
    """Return the (numerator, denominator) in effect at a tick."""
    step = int(grid.onsets(tick, ticks_per_quarter))
    begun = [fraction for start, fraction in _spans(signatures, ticks_per_quarter, grid) if start <= step]
    return begun[-1]


def _bars_begun(since: Number, quarter_parts: Number, denominator: Number) -> Number:
    """Count the whole bars before each step: the largest k with floor(k * quarter_parts / denominator) <= since."""
    return ((since + 1) * denominator - 1) // quarter_parts


def _spans(
    signatures: Sequence[TimeSignature],
    ticks_per_quarter: int,
    grid: Grid,
) -> list[tuple[int, tuple[int, int]]]:
    """Return (first step, (numerator, denominator)) of each stretch of one signature.

    No stretch is empty, and two neighbours always differ. Signatures that no score can hold are skipped: a numerator or
    denominator of 0, or a denominator above 1024.
    """
    usable = [signature for signature in signatures if signature.numerator > 0 and 0 < signature.denominator <= _FINEST]
    steps = grid.onsets([signature.tick for signature in usable], ticks_per_quarter).tolist()
    last_at = {0: _COMMON_TIME}
    for step, signature in zip(steps, usable, strict=True):
        last_at[step] = (signature.numerator, signature.denominator)
    spans: list[tuple[int, tuple[int, int]]] = []
    for step, fraction in sorted(last_at.items()):
        if not spans or spans[-1][1] != fraction:
            spans.append((step, fraction))
    return spans
