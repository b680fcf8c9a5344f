"""A piano roll as small as a stamp: one SVG path of a few bytes per note, for lists of many pieces."""

import numpy as np

from lstm_music.midi.notes import PieceNotes

WIDTH = 240
HEIGHT = 48
"""The size of the view box: the whole piece from left to right, its pitches from bottom to top."""

MARGIN = 2  # above the highest note and below the lowest
LEAST_SEMITONES = 24  # so that a piece of few pitches is not blown up


def thumbnail(piece: PieceNotes) -> str:
    """Give the path data of a piece: a horizontal stroke per note in a view box of `WIDTH` x `HEIGHT`; "" without notes.

    Notes that touch on this scale share a stroke, so that the text stays short however long the piece is.
    """
    notes = piece.notes
    if not len(notes):
        return ""
    first, end = int(notes["onset_ticks"].min()), int((notes["onset_ticks"] + notes["duration_ticks"]).max())
    low, high = int(notes["pitch"].min()), int(notes["pitch"].max())
    columns, semitones = WIDTH / max(end - first, 1), max(high - low, LEAST_SEMITONES)
    start = ((notes["onset_ticks"].astype(float) - first) * columns).round().astype(int).clip(0, WIDTH - 1)
    length = (notes["duration_ticks"].astype(float) * columns).round().astype(int).clip(1)
    above_middle = notes["pitch"].astype(float) - (low + high) / 2
    row = (HEIGHT / 2 - above_middle / semitones * (HEIGHT - 2 * MARGIN)).round().astype(int)
    grid = np.zeros((HEIGHT, WIDTH), np.bool_)
    for y, x, width in zip(row.tolist(), start.tolist(), length.tolist(), strict=True):
        grid[y, x : x + width] = True
    return "".join(f"M{x} {y}h{stop - x}" for y, x, stop in _runs(grid))


def _runs(grid: np.ndarray) -> list[tuple[int, int, int]]:
    """Give (row, first column, column after the last) of each run of true cells."""
    edges = np.diff(np.pad(grid, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, stops = np.argwhere(edges == 1).tolist(), np.argwhere(edges == -1).tolist()
    return [(row, start, stop) for (row, start), (_, stop) in zip(starts, stops, strict=True)]
