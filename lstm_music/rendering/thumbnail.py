"""A piano roll as small as a stamp: one SVG path of a few bytes per note, for lists of many pieces."""

import numpy as np
import numpy.typing as npt

from lstm_music.midi.notes import PieceNotes

WIDTH = 240
HEIGHT = 48
"""The size of the view box: the whole piece from left to right, its pitches from bottom to top."""

MARGIN = 2  # above the highest note and below the lowest
DRUM_LANE = 6
LEAST_SEMITONES = 24  # so that a piece of few pitches is not blown up


def thumbnail(piece: PieceNotes) -> str:
    """Give the path data of a piece: a horizontal stroke per note in a view box of `WIDTH` x `HEIGHT`; "" without notes.

    Notes that touch on this scale share a stroke, so that the text stays short however long the piece is.
    """
    return _paths(piece, np.zeros(len(piece.notes), np.int64), 1)[0]


def part_thumbnails(piece: PieceNotes, of_note: npt.NDArray[np.int64], parts: int) -> list[str]:
    """Give the path data of each part in the box of all; `of_note` int64 [notes] is the index of each note's part.

    Drums are short strokes on a line below the other notes.
    """
    return _paths(piece, of_note, parts)


def _paths(piece: PieceNotes, of_note: npt.NDArray[np.int64], parts: int) -> list[str]:
    notes = piece.notes
    if not len(notes):
        return [""] * parts
    first, end = int(notes["onset_ticks"].min()), int((notes["onset_ticks"] + notes["duration_ticks"]).max())
    columns = WIDTH / max(end - first, 1)
    start = ((notes["onset_ticks"].astype(float) - first) * columns).round().astype(int).clip(0, WIDTH - 1)
    length = (notes["duration_ticks"].astype(float) * columns).round().astype(int).clip(1)
    in_lane = notes["is_drum"] & (parts > 1)
    length[in_lane] = 1
    row = _rows(notes["pitch"].astype(float), in_lane)
    grids = np.zeros((parts, HEIGHT, WIDTH), np.bool_)
    for part, y, x, width in zip(of_note.tolist(), row.tolist(), start.tolist(), length.tolist(), strict=True):
        grids[part, y, x : x + width] = True
    return ["".join(f"M{x} {y}h{stop - x}" for y, x, stop in _runs(grid)) for grid in grids]


def _rows(pitch: npt.NDArray[np.float64], in_lane: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Give the row of each note, the highest pitch at the top; a lane of drums takes `DRUM_LANE` rows of the height."""
    tonal = pitch[~in_lane] if not in_lane.all() else pitch
    low, high = tonal.min(), tonal.max()
    height = HEIGHT - DRUM_LANE * int(in_lane.any())
    above_middle = pitch - (low + high) / 2
    row = height / 2 - above_middle / max(high - low, LEAST_SEMITONES) * (height - 2 * MARGIN)
    row[in_lane] = HEIGHT - DRUM_LANE / 2
    return np.asarray(row.round(), np.int64)


def _runs(grid: np.ndarray) -> list[tuple[int, int, int]]:
    """Give (row, first column, column after the last) of each run of true cells."""
    edges = np.diff(np.pad(grid, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, stops = np.argwhere(edges == 1).tolist(), np.argwhere(edges == -1).tolist()
    return [(row, start, stop) for (row, start), (_, stop) in zip(starts, stops, strict=True)]
