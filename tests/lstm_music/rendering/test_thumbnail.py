"""A thumbnail is the notes of a piece, in the box, and short however long the piece is."""

import re

import numpy as np
import pytest
from ensemble_music import BAND, band
from small_music import QUARTER, piece_of, small_piece

from lstm_music.midi.parts import parts_of
from lstm_music.rendering.thumbnail import DRUM_LANE, HEIGHT, WIDTH, part_thumbnails, thumbnail

STROKE = re.compile(r"M(\d+) (\d+)h(\d+)")


def strokes(piece):
    text = thumbnail(piece)
    found = STROKE.findall(text)
    assert "".join(f"M{x} {y}h{length}" for x, y, length in found) == text
    return [tuple(map(int, stroke)) for stroke in found]


def test_notes_lie_where_they_sound_and_higher_ones_above():
    rows = [(QUARTER, QUARTER, 60), (2 * QUARTER, QUARTER, 84), (3 * QUARTER, 2 * QUARTER, 72)]
    assert strokes(piece_of(rows)) == [(60, 2, 60), (120, 24, 120), (0, 46, 60)]


@pytest.mark.parametrize("quarters", [1, 24, 3000])
def test_all_lies_in_the_box_and_the_text_stays_short(quarters):
    found = strokes(small_piece(3, quarters))
    assert found
    assert all(x >= 0 and length >= 1 and x + length <= WIDTH and 0 <= y < HEIGHT for x, y, length in found)
    assert len(thumbnail(small_piece(3, quarters))) < 20_000


def test_a_piece_without_notes_is_no_stroke():
    assert thumbnail(piece_of([])) == ""


def test_each_part_has_a_path_and_drums_lie_below_the_others():
    piece = band()
    _, of_note = parts_of(piece)
    *others, drums = [
        [tuple(map(int, stroke)) for stroke in STROKE.findall(path)]
        for path in part_thumbnails(piece, of_note, len(BAND))
    ]
    assert all(others)
    assert max(y for part in others for _, y, _ in part) < HEIGHT - DRUM_LANE
    assert {(y, length) for _, y, length in drums} == {(HEIGHT - DRUM_LANE // 2, 1)}
    assert [x for x, *_ in drums] == pytest.approx([WIDTH * at / 16 for at in range(16)], abs=1)
    assert part_thumbnails(piece_of([]), np.zeros(0, np.int64), 2) == ["", ""]
