"""Bars and the positions in them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_music.encoding.bars import bar_starts, place_in_bars, places_of, tick_grid
from lstm_music.encoding.bars import bars_of as all_bars_of
from lstm_music.encoding.grid import Grid
from lstm_music.midi.notes import NOTE_DTYPE, Bar, PieceNotes, TimeSignature

GRID = Grid((8, 6))  # 24 steps a quarter
QUARTER = 24


def bars_of(onsets, *signatures):
    bar, position = place_in_bars(np.array(onsets), [TimeSignature(*signature) for signature in signatures], 480, GRID)
    return list(zip(bar.tolist(), position.tolist(), strict=True))


def test_without_a_signature_a_bar_has_four_quarters():
    assert bars_of([0, 95, 96, 4 * 96 + 5]) == [(1, 0), (1, 95), (2, 0), (5, 5)]


def test_a_signature_applies_from_its_tick():
    places = bars_of([0, 72, 144, 144 + 36], (0, 3, 4), (480 * 6, 6, 8), (480 * 7 + 240, 3, 8))
    assert places == [(1, 0), (2, 0), (3, 0), (4, 0)]


def test_a_change_within_a_bar_begins_a_new_bar():
    assert bars_of([47, 48, 48 + 72], (960, 3, 4)) == [(1, 47), (2, 0), (3, 0)]


def test_the_same_signature_again_changes_nothing():
    assert bars_of([0, 60, 100], (0, 4, 4), (960, 4, 4)) == bars_of([0, 60, 100])


def test_of_signatures_at_one_point_the_last_applies():
    assert bars_of([0, 72], (0, 2, 4), (1, 3, 4)) == [(1, 0), (2, 0)]


def test_a_signature_change_moves_to_the_grid_like_its_notes():
    assert bars_of([96], (480 * 4 + 7, 3, 4)) == [(2, 0)]


@pytest.mark.parametrize("signature", [(0, 0, 4), (0, 4, 0), (0, 4, 2**200)])
def test_a_signature_that_no_score_can_hold_is_skipped(signature):
    assert bars_of([96], signature) == [(2, 0)]


@given(st.integers(1, 40), st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128, 256]), st.integers(0, 20_000))
def test_bar_and_position_add_up_to_the_onset(numerator, denominator, onset):
    ((bar, position),) = bars_of([onset], (0, numerator, denominator))
    begins = [number * numerator * 4 * QUARTER // denominator for number in (bar - 1, bar)]
    assert begins[0] + position == onset
    assert onset < begins[1]


def test_bars_shorter_than_a_step_are_counted():
    # a bar is 3/32 of a step: of all the bars that begin on a step, an onset there lies in the last
    assert bars_of([2, 3], (0, 1, 1024)) == [(32, 0), (43, 0)]


def test_without_onsets_there_are_no_bars():
    assert bars_of([], (0, 3, 4)) == []


def written_bars_of(onsets, *bars):
    piece = PieceNotes(480, np.empty(0, NOTE_DTYPE), bars=tuple(Bar(*bar) for bar in bars))
    bar, position = places_of(piece, np.array(onsets), GRID)
    return list(zip(bar.tolist(), position.tolist(), strict=True))


def test_a_pickup_of_a_score_ends_where_a_whole_bar_does():
    pickup, following = (0, 0, 960, 1440), (480, 1, 0, 1440)
    assert written_bars_of([0, QUARTER, 3 * QUARTER], pickup, following) == [(0, 48), (1, 0), (1, 48)]


def test_the_rest_of_a_divided_bar_has_its_number():
    bars = [(0, 1, 0, 1920), (1440, 1, 1440, 1920), (1920, 2, 0, 1920)]
    assert written_bars_of([48, 72, 96], *bars) == [(1, 48), (1, 72), (2, 0)]


def test_a_piece_without_bars_has_those_of_its_signatures():
    piece = PieceNotes(480, np.empty(0, NOTE_DTYPE), time_signatures=(TimeSignature(0, 3, 4),))
    assert [column.tolist() for column in places_of(piece, np.array([72]), GRID)] == [[2], [0]]


signatures = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 9), st.sampled_from([1, 2, 4, 8])), max_size=4).map(
    lambda rows: tuple(TimeSignature(*row) for row in sorted(rows, key=lambda row: row[0]))
)


@given(signatures, st.lists(st.integers(0, 900), min_size=1, max_size=8))
def test_counting_bar_after_bar_gives_the_same_places(changes, onsets):
    """With 12 ticks a quarter every bar begins on a tick, so one can walk from bar to bar."""
    piece = PieceNotes(12, np.zeros(0, NOTE_DTYPE), time_signatures=changes)
    begins, number, metre = 0, 1, (4, 4)
    metres = {sign.tick: (sign.numerator, sign.denominator) for sign in changes}
    places = {}
    for tick in range(901):
        is_other = metres.get(tick, metre) != metre
        if is_other or tick == begins + 48 * metre[0] // metre[1]:
            begins, number = tick, number + (tick > 0)
        metre = metres.get(tick, metre)
        places[tick] = (number, tick - begins)
    found = places_of(piece, np.array(onsets), tick_grid(piece))
    assert list(zip(*(column.tolist() for column in found), strict=True)) == [places[onset] for onset in onsets]
    starts = list(bar_starts(all_bars_of(piece, tick_grid(piece)), 901))
    assert starts == [tick for tick, (_, position) in places.items() if position == 0]


def test_bars_begin_where_they_are_written():
    bars = (Bar(0, 0, 24, 36), Bar(12, 1, 0, 36), Bar(36, 1, 24, 36), Bar(48, 2, 0, 36), Bar(84, 3, 0, 0))
    piece = PieceNotes(12, np.zeros(0, NOTE_DTYPE), bars=bars)
    written = all_bars_of(piece, tick_grid(piece))
    assert list(bar_starts(written, 60)) == [0, 12, 48]
    assert [column.tolist() for column in places_of(piece, np.array([40, 90]), tick_grid(piece))] == [[1, 3], [28, 6]]
    assert written[0].length - written[0].begins_at == 12


def test_an_estimated_pickup_is_bar_zero():
    notes = np.zeros(9, NOTE_DTYPE)
    notes["onset_ticks"], notes["duration_ticks"] = [0, *range(12, 12 + 8 * 48, 48)], [12, *[48] * 8]
    piece = PieceNotes(12, notes, time_signatures=(TimeSignature(0, 4, 4),))
    bars = all_bars_of(piece, tick_grid(piece))
    assert [(one.number, one.begins_at, one.length) for one in bars] == [(0, 36, 48)]
    assert list(bar_starts(bars, 100)) == [0, 12, 60]
    assert [column.tolist() for column in places_of(piece, np.array([0, 12, 61]), tick_grid(piece))] == [
        [0, 1, 2],
        [36, 0, 1],
    ]
