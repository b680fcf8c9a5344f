"""Bars: where they begin, the bar of each onset, and its position in that bar.

A score has bars of its own (`PieceNotes.bars`). In a MIDI file they follow from the time signatures, and from a pickup that is
estimated where nothing in the file says how its bars lie. All of it is counted in the steps of a grid: that of a recipe for its
events, and that of a piece's own ticks (`tick_grid`) to look at what was read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.grid import Grid, Steps
from lstm_music.encoding.pickups import estimated_pickup
from lstm_music.midi.notes import Bar, PieceNotes, TimeSignature

_COMMON_TIME = (4, 4)
_FINEST = 1024  # MIDI can write denominators up to 2**255
_ENDLESS = 1 << 62


@dataclass(frozen=True, slots=True)
class Bars:
    """Equal bars one after another, or one bar of a score, or the measure that is a part of one; in steps of a grid.

    `start` is where the first of them begins, and `number` its number, counted from 1; a pickup is 0. `begins_at` is where in
    its bar the music begins: above 0 for a pickup, and for the rest of a divided bar. `length` is that of a whole bar: one that
    would begin between two steps begins on the earlier one. If it `is_series`, more bars follow until the next entry.
    """

    start: int
    number: int
    begins_at: int
    length: Fraction
    is_series: bool = True


def tick_grid(piece: PieceNotes) -> Grid:
    """Return the grid whose steps are the ticks of a piece."""
    return Grid((piece.ticks_per_quarter,))


def bars_of(piece: PieceNotes, grid: Grid) -> list[Bars]:
    """Return the bars of a piece in order; there is always a first."""
    if piece.bars:
        return _written_bars(piece.bars, piece.ticks_per_quarter, grid)
    if pickup := estimated_pickup(piece):
        (bars,) = _bars_by_signature(piece.time_signatures[:1], piece.ticks_per_quarter, grid)
        whole = int(bars.length / grid.steps_per_quarter * piece.ticks_per_quarter)
        return [Bars(0, 0, int(grid.onsets(whole - pickup, piece.ticks_per_quarter)), bars.length)]
    return _bars_by_signature(piece.time_signatures, piece.ticks_per_quarter, grid)


def places_of(piece: PieceNotes, onset_steps: Steps, grid: Grid) -> tuple[Steps, Steps]:
    """Return the bar of each onset of a piece, and its position in that bar in steps; both int64.

    Bars count from 1, and a pickup is bar 0: its music begins at the position that it would have in a whole bar.
    """
    return places_in(bars_of(piece, grid), onset_steps)


def places_of_all(
    pieces: Sequence[PieceNotes], piece: npt.NDArray[np.int64], onset_steps: Steps, grid: Grid
) -> tuple[Steps, Steps]:
    """Return what `places_of` does, for the onsets of several pieces: `piece` int64 [onsets] says of which one each is."""
    return _places([bars_of(one, grid) for one in pieces], piece, onset_steps)


def place_in_bars(
    onset_steps: Steps,
    signatures: Sequence[TimeSignature],
    ticks_per_quarter: int,
    grid: Grid,
) -> tuple[Steps, Steps]:
    """Return the bar (from 1 on) of each onset, and the steps since that bar began; both int64.

    A piece is in 4/4 until its first signature. A signature that differs from the previous one starts a new bar at the
    nearest grid point, so a pickup is a bar that its time signature makes short.
    """
    return places_in(_bars_by_signature(signatures, ticks_per_quarter, grid), onset_steps)


def places_in(bars: Sequence[Bars], onset_steps: Steps) -> tuple[Steps, Steps]:
    """Return the number of the bar of each onset, and its position in that bar in steps; both int64."""
    return _places([bars], np.zeros(len(onset_steps), np.int64), onset_steps)


def _places(bars: Sequence[Sequence[Bars]], piece: npt.NDArray[np.int64], onset_steps: Steps) -> tuple[Steps, Steps]:
    """Do what `places_in` does, for the bars of each piece (at least one) and onsets of any of them."""
    table = np.array([_row(one) for of_piece in bars for one in of_piece], np.int64)
    counts = np.array([len(of_piece) for of_piece in bars], np.int64)
    wide = max(int(onset_steps.max(initial=0)), int(table[:, 0].max())) + 1
    starts = np.repeat(np.arange(len(counts)) * wide, counts) + table[:, 0]
    index = np.searchsorted(starts, piece * wide + onset_steps, side="right") - 1
    index = np.maximum(index, (np.cumsum(counts) - counts)[piece])  # before the first bar
    start, number, begins_at, parts, denominator = (np.take(column, index) for column in table.T)
    since = np.maximum(onset_steps - start + begins_at, 0)
    whole_bars = _bars_begun(since, parts, denominator)
    return number + whole_bars, since - whole_bars * parts // denominator


def _row(bars: Bars) -> tuple[int, int, int, int, int]:
    """Give start, number, where the music begins, and the length as a fraction; a bar that no other follows never ends."""
    length = (bars.length.numerator, bars.length.denominator) if bars.is_series else (_ENDLESS, 1)
    return bars.start, bars.number, bars.begins_at, *length


def bar_starts(bars: Sequence[Bars], end: int) -> Iterator[int]:
    """Yield the steps before `end` at which a bar begins, a pickup too."""
    for bar, until in zip(bars, [*(following.start for following in bars[1:]), end], strict=True):
        if bar.start < end and (not bar.begins_at or bar.number == 0):
            yield bar.start
        count = 1
        while bar.is_series and (start := bar.start - bar.begins_at + int(count * bar.length)) < min(until, end):
            yield start
            count += 1


def _written_bars(bars: Sequence[Bar], ticks_per_quarter: int, grid: Grid) -> list[Bars]:
    starts = grid.onsets([bar.tick for bar in bars], ticks_per_quarter).tolist()
    begins_at = grid.onsets([bar.begins_at_ticks for bar in bars], ticks_per_quarter).tolist()
    steps_per_tick = Fraction(grid.steps_per_quarter, ticks_per_quarter)
    return [
        Bars(start, bar.number, begins, bar.nominal_ticks * steps_per_tick, is_series=False)
        for bar, start, begins in zip(bars, starts, begins_at, strict=True)
    ]


def _bars_by_signature(signatures: Sequence[TimeSignature], ticks_per_quarter: int, grid: Grid) -> list[Bars]:
    bars: list[Bars] = []
    for start, (numerator, denominator) in _spans(signatures, ticks_per_quarter, grid):
        number = 1
        if bars:
            last, _ = places_in(bars[-1:], np.array([start - 1]))
            number = int(last[0]) + 1  # a change of the signature begins a new bar
        bars.append(Bars(start, number, 0, Fraction(4 * numerator * grid.steps_per_quarter, denominator)))
    return bars


def signature_at(signatures: Sequence[TimeSignature], tick: int, ticks_per_quarter: int, grid: Grid) -> tuple[int, int]:
    """Return the (numerator, denominator) in effect at a tick."""
    step = int(grid.onsets(tick, ticks_per_quarter))
    begun = [fraction for start, fraction in _spans(signatures, ticks_per_quarter, grid) if start <= step]
    return begun[-1]


def _bars_begun(since: Steps, parts: Steps, denominator: Steps) -> Steps:
    """Count the whole bars before each step: the largest k with floor(k * parts / denominator) <= since."""
    return ((since + 1) * denominator - 1) // parts


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
