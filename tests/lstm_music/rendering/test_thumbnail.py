"""A thumbnail is the notes of a piece, in the box, and short however long the piece is."""

import re

import pytest
from small_music import QUARTER, piece_of, small_piece

from lstm_music.rendering.thumbnail import HEIGHT, WIDTH, thumbnail

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
