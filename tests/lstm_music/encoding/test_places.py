"""Places: the position of an event in its bar, as the models read it."""

import numpy as np

from lstm_music.encoding.bars import place_in_bars, signature_at
from lstm_music.encoding.grid import Grid
from lstm_music.encoding.places import PLACES, QUARTERS, bar_steps, place_sizes, place_tokens
from lstm_music.midi.notes import TimeSignature

GRID = Grid((4, 3))


def test_a_place_is_a_step_in_the_quarter_and_a_quarter_in_the_bar():
    assert place_tokens([0, 4, 11, 12, 45], GRID).tolist() == [[0, 0], [4, 0], [11, 0], [0, 1], [9, 3]]
    assert place_tokens(np.array(13), GRID).tolist() == [1, 1]


def test_places_in_long_bars_have_ids():
    sizes = place_sizes(GRID)
    assert sizes == {"step_in_quarter": 12, "quarter_in_bar": QUARTERS}
    tokens = place_tokens(np.arange(12 * 40), GRID)
    assert tokens.max(0).tolist() == [sizes[name] - 1 for name in PLACES]
    assert tokens[12 * 39].tolist() == [0, QUARTERS - 1]


def test_the_time_signature_decides_the_length_of_a_bar():
    assert [bar_steps(*signature, GRID) for signature in ((4, 4), (3, 4), (6, 8), (5, 16))] == [48, 36, 36, 15]
    assert bar_steps(1, 64, Grid((1,))) == 1


def test_the_latest_signature_applies():
    signatures = (TimeSignature(0, 3, 4), TimeSignature(1440, 6, 8), TimeSignature(2880, 5, 16))
    found = [signature_at(signatures, tick, 480, GRID) for tick in (0, 1300, 1440, 2750, 2880, 99_999)]
    assert found == [(3, 4), (3, 4), (6, 8), (6, 8), (5, 16), (5, 16)]
    assert signature_at((), 5000, 480, GRID) == (4, 4)
    assert signature_at((TimeSignature(480, 2, 4),), 0, 480, GRID) == (4, 4)


def test_each_bar_starts_at_position_zero():
    _, positions = place_in_bars(np.arange(200), (TimeSignature(0, 3, 4),), 480, GRID)
    assert (positions == np.arange(200) % bar_steps(3, 4, GRID)).all()
