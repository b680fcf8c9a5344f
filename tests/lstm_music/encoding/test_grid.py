"""The grid, compared with exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_music.encoding.grid import MAX_QUARTERS, Grid
from lstm_music.errors import MismatchError, RecipeError
from lstm_music.midi.reader import ReadLimits

DIVISORS = st.lists(st.integers(1, 12), min_size=1, max_size=3).map(tuple)
GRIDS = [Grid((8, 6)), Grid((4, 3)), Grid((12, 8)), Grid((1,)), Grid((5,))]


def nearest_point(ticks: int, ticks_per_quarter: int, divisors: tuple[int, ...]) -> Fraction:
    exact = Fraction(ticks, ticks_per_quarter)
    candidates = {Fraction(int(exact * d) + up, d) for d in divisors for up in (0, 1)}
    return min(candidates, key=lambda point: (abs(point - exact), point))


@given(DIVISORS, st.integers(1, 1000), st.lists(st.integers(0, 10**9), max_size=20))
def test_an_onset_moves_to_the_nearest_point_and_ties_go_to_the_earlier(divisors, ticks_per_quarter, ticks):
    grid = Grid(divisors)
    steps = grid.onsets(ticks, ticks_per_quarter)
    expected = [nearest_point(tick, ticks_per_quarter, divisors) for tick in ticks]
    assert [Fraction(step, grid.steps_per_quarter) for step in steps.tolist()] == expected
    assert steps.dtype == np.int64
    assert grid.on_grid(steps).all()


@given(DIVISORS, st.integers(1, 1000), st.lists(st.integers(0, 10**6), max_size=20))
def test_a_duration_is_the_nearest_point_but_never_zero(divisors, ticks_per_quarter, ticks):
    grid = Grid(divisors)
    shortest = Fraction(1, max(divisors))
    expected = [max(shortest, nearest_point(tick, ticks_per_quarter, divisors)) for tick in ticks]
    steps = grid.durations(ticks, ticks_per_quarter)
    assert [Fraction(step, grid.steps_per_quarter) for step in steps.tolist()] == expected


@given(DIVISORS)
def test_the_shortest_duration_is_the_first_point_after_zero(divisors):
    grid = Grid(divisors)
    assert Fraction(grid.shortest, grid.steps_per_quarter) == Fraction(1, max(divisors))


def test_ties_go_to_the_smaller_point():
    grid = Grid((4, 3))  # points of a quarter: 0 3 4 6 8 9 of 12 steps
    assert grid.onsets([60, 140, 180 + 480], 480).tolist() == [0, 3, 12 + 4]
    assert grid.onsets([61, 141, 220], 480).tolist() == [3, 4, 6]


def test_the_grid_points_of_the_default_grid():
    grid = Grid((8, 6))
    assert grid.steps_per_quarter == 24
    assert sorted(grid.residues) == [0, 3, 4, 6, 8, 9, 12, 15, 16, 18, 20, 21]
    assert grid.on_grid([0, 1, 3, 24 + 4, 48 + 5]).tolist() == [True, False, True, True, False]


@pytest.mark.parametrize(("divisors", "ticks"), [((8, 6), 480), ((5,), 480), ((7,), 483), ((500,), 500), ((1,), 480)])
def test_ticks_are_a_whole_multiple_of_the_steps(divisors, ticks):
    assert Grid(divisors).ticks_per_quarter == ticks


@given(DIVISORS, st.integers(0, 10**6))
def test_a_fraction_is_exact_and_can_be_read_back(divisors, steps):
    grid = Grid(divisors)
    assert grid.steps(grid.text(steps)) == steps
    assert Fraction(grid.text(steps)) == Fraction(steps, grid.steps_per_quarter)


def test_fractions_look_like_those_of_music21():
    assert [Grid((8, 6)).text(steps) for steps in (0, 32, 48, 3)] == ["0", "4/3", "2", "1/8"]


@pytest.mark.parametrize("text", ["1/5", "1/7"])
def test_a_fraction_off_the_grid_is_rejected(text):
    with pytest.raises(
        MismatchError, match=rf"multiple of 1/24 of a quarter \(quarter_length_divisors \[8, 6\]\), got '{text}'"
    ):
        Grid((8, 6)).steps(text)


@pytest.mark.parametrize("text", ["", "C4", "1/0"])
def test_a_text_that_is_not_a_fraction_is_rejected(text):
    with pytest.raises(MismatchError, match=f"expected a fraction of a quarter such as '4/3', got '{text}'"):
        Grid((8, 6)).steps(text)


@pytest.mark.parametrize("divisors", [(), (0,), (8, -6)])
def test_divisors_below_one_are_rejected(divisors):
    with pytest.raises(RecipeError, match="expected one or more whole numbers above 0"):
        Grid(divisors)


def test_a_grid_too_fine_for_a_midi_file_is_rejected():
    with pytest.raises(RecipeError, match="at most 32767, the ticks per quarter of a MIDI file, not 33263"):
        Grid((29, 31, 37))


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("quarters", [1, 3])
def test_the_sizes_of_the_alphabets(grid, quarters):
    end = quarters * grid.steps_per_quarter
    points = [step for step in range(10 * grid.steps_per_quarter) if step % grid.steps_per_quarter in grid.residues]
    distances = {b - a for a in points for b in points if 0 <= b - a <= end}
    assert grid.point_count(quarters) == len([point for point in points if point <= end])
    assert grid.offset_count(quarters) == len(distances)


def test_the_alphabets_end_at_the_longest_readable_piece():
    assert ReadLimits().max_quarters == MAX_QUARTERS
