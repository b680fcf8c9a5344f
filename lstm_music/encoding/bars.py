"""Bars: the bar of each onset, and its position in that bar.

A score has bars of its own (`PieceNotes.bars`). In a MIDI file they follow from the time signatures, and from a pickup that is
estimated where nothing in the file says how its bars lie.
"""

from collections.abc import Sequence

import numpy as np

from lstm_music.encoding.grid import Grid, Steps
from lstm_music.encoding.pickups import estimated_pickup
from lstm_music.midi.notes import Bar, PieceNotes, TimeSignature

_COMMON_TIME = (4, 4)
_FINEST = 1024  # MIDI can write denominators up to 2**255


def places_of(piece: PieceNotes, onset_steps: Steps, grid: Grid) -> tuple[Steps, Steps]:
    """Return the bar of each onset of a piece, and its position in that bar in steps; both int64.

    Bars count from 1, and a pickup is bar 0: its music begins at the position that it would have in a whole bar.
    """
    if piece.bars:
        return _place_in_written_bars(onset_steps, piece.bars, piece.ticks_per_quarter, grid)
    if pickup := estimated_pickup(piece):
        numerator, denominator = piece.time_signatures[0].numerator, piece.time_signatures[0].denominator
        bar = 4 * numerator * piece.ticks_per_quarter // denominator
        shift = int(grid.onsets(bar - pickup, piece.ticks_per_quarter))
        number, position = place_in_bars(onset_steps + shift, piece.time_signatures[:1], piece.ticks_per_quarter, grid)
        return number - 1, position
    return place_in_bars(onset_steps, piece.time_signatures, piece.ticks_per_quarter, grid)


def _place_in_written_bars(
    onset_steps: Steps, bars: Sequence[Bar], ticks_per_quarter: int, grid: Grid
) -> tuple[Steps, Steps]:
    starts = grid.onsets([bar.tick for bar in bars], ticks_per_quarter)
    index = np.maximum(np.searchsorted(starts, onset_steps, side="right") - 1, 0)
    numbers = np.array([bar.number for bar in bars], np.int64)
    begins_at = grid.onsets([bar.begins_at_ticks for bar in bars], ticks_per_quarter)
    return numbers[index], np.maximum(begins_at[index] + onset_steps - starts[index], 0)


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
    bar = np.zeros(len(onset_steps), dtype=np.int64)
    position = np.zeros(len(onset_steps), dtype=np.int64)
    bars_before = 0
    spans = _spans(signatures, ticks_per_quarter, grid)
    starts = [start for start, _ in spans]
    for (start, (numerator, denominator)), end in zip(spans, [*starts[1:], None], strict=True):
        quarter_parts = 4 * numerator * grid.steps_per_quarter  # the steps per bar, times the denominator
        inside = (onset_steps >= start) if end is None else (onset_steps >= start) & (onset_steps < end)
        since = onset_steps[inside] - start
        whole_bars = _bars_begun(since, quarter_parts, denominator)
        bar[inside] = bars_before + whole_bars + 1
        position[inside] = since - whole_bars * quarter_parts // denominator
        if end is not None:
            bars_before += int(_bars_begun(np.int64(end - start - 1), quarter_parts, denominator)) + 1
    return bar, position


def signature_at(signatures: Sequence[TimeSignature], tick: int, ticks_per_quarter: int, grid: Grid) -> tuple[int, int]:
    """Return the (numerator, denominator) in effect at a tick."""
    step = int(grid.onsets(tick, ticks_per_quarter))
    begun = [fraction for start, fraction in _spans(signatures, ticks_per_quarter, grid) if start <= step]
    return begun[-1]


def _bars_begun(since: Steps | np.int64, quarter_parts: int, denominator: int) -> Steps:
    """Count the whole bars before each step: the largest k with floor(k * quarter_parts / denominator) <= since."""
    return np.asarray(((since + 1) * denominator - 1) // quarter_parts, dtype=np.int64)


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
