"""Contours: the top voice as intervals, whatever the key, the tempo and the accompaniment."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_music.encoding.contours import WIDEST, contour, contours, runs, runs_of_lengths

MELODY = [60, 62, 64, 60, 67, 65, 64, 62, 60, 59]


def found(notes):
    """The contour of (onset, duration, pitch), in any order."""
    columns = np.array(notes, np.int64).reshape(-1, 3).T
    return contour(*columns).tolist()


def melody(shift=0, stretch=1):
    return [(4 * stretch * place, 4 * stretch, pitch + shift) for place, pitch in enumerate(MELODY)]


@given(st.integers(-30, 30), st.integers(1, 50), st.randoms())
def test_key_tempo_and_order_do_not_count(shift, stretch, random):
    notes = melody(shift, stretch)
    random.shuffle(notes)
    assert found(notes) == np.diff(MELODY).tolist()


@given(st.lists(st.tuples(st.integers(0, 38), st.integers(1, 20), st.integers(20, 58)), max_size=40))
def test_what_lies_below_the_melody_does_not_count(below):
    chords = [
        (onset // 4 * 4, duration, pitch) for onset, duration, pitch in below
    ]  # between melody notes: see the next test
    assert found(melody() + [note for note in chords if note[0] < 40]) == np.diff(MELODY).tolist()


def test_an_accompaniment_between_long_notes_does_not_count():
    walking = [(onset, 1, 40 + onset % 7) for onset in range(40)]
    assert found(melody() + walking) == np.diff(MELODY).tolist()


def test_a_rolled_chord_is_one_onset_and_a_legato_overlap_hides_nothing():
    rolled = [(100 * onset, 110 * duration, pitch) for onset, duration, pitch in melody()]
    rolled += [(100 * onset - 5, 100 * duration, pitch - 12) for onset, duration, pitch in melody()[1:]]
    assert found(rolled) == np.diff(MELODY).tolist()


@pytest.mark.parametrize("notes", [[], [(0, 1, 60)], [(0, 1, 60), (0, 1, 64)]])
def test_music_without_two_onsets_has_no_contour(notes):
    assert found(notes) == []


def test_a_wide_leap_counts_as_the_widest():
    assert found([(0, 1, 0), (1, 1, 127), (2, 1, 0)]) == [WIDEST, -WIDEST]


@given(st.lists(st.integers(-3, 3), max_size=60), st.integers(1, 9))
def test_two_runs_have_one_hash_if_they_are_equal(intervals, length):
    hashes = runs(np.array(intervals, np.int8), length).tolist()
    texts = [tuple(intervals[start : start + length]) for start in range(len(intervals) - length + 1)]
    assert len(hashes) == len(texts)
    assert len(set(zip(hashes, texts, strict=True))) == len(set(hashes)) == len(set(texts))


NOTES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40), st.integers(40, 80)), max_size=25)


@given(st.lists(NOTES, max_size=6))
def test_pieces_together_have_the_contours_that_each_has_alone(pieces):
    by_onset = [sorted(piece, key=lambda note: note[0]) for piece in pieces]
    columns = np.array([note for piece in by_onset for note in piece], np.int64).reshape(-1, 3).T
    borders = np.cumsum([0, *map(len, by_onset)])
    assert [one.tolist() for one in contours(*columns, borders)] == [found(piece) for piece in pieces]


@given(st.lists(st.integers(-3, 3), max_size=30), st.sets(st.integers(1, 9), min_size=1))
def test_runs_of_several_lengths_are_those_of_each(intervals, lengths):
    steps = np.array(intervals, np.int8)
    together = runs_of_lengths(steps, sorted(lengths))
    assert [one.tolist() for one in together] == [runs(steps, length).tolist() for length in sorted(lengths)]
