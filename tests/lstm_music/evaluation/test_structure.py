"""Bars that return, in small pieces written by hand."""

import numpy as np

from lstm_music.evaluation.note_ngrams import NoteList
from lstm_music.evaluation.structure import bar_numbers, joined, returns

BAR = 16
THEME = ((0, 60, 4), (4, 64, 4), (8, 67, 8))
OTHER = ((0, 62, 8), (8, 65, 4), (12, 69, 4))
THIRD = ((0, 62, 4), (4, 65, 4), (12, 69, 4))
SILENCE = ()


def piece(*bars: tuple[tuple[int, int, int], ...], moved: tuple[int, ...] = ()) -> NoteList:
    """Put bars one after another, each moved by so many semitones."""
    rows = [
        (number * BAR + place, place, pitch + (moved[number] if moved else 0), duration)
        for number, bar in enumerate(bars)
        for place, pitch, duration in bar
    ]
    return NoteList.of(*np.array(rows).T, 4)


def test_a_theme_comes_again_in_another_key_and_then_as_it_was():
    found = returns(piece(THEME, OTHER, THEME, THIRD, THEME, moved=(0, 0, 5, 0, 0)), BAR)
    assert (found.bars, found.in_any_key, found.as_it_was) == (5, 2, 1)
    assert found.distances == {"1": 0, "2": 2, "3-4": 0, "5-8": 0, "9 or more": 0}


def test_the_distance_counts_silent_bars_and_is_that_from_the_last_equal_bar():
    found = returns(piece(THEME, THEME, SILENCE, SILENCE, SILENCE, THEME, OTHER, *[SILENCE] * 9, OTHER), BAR)
    assert found.distances == {"1": 1, "2": 0, "3-4": 1, "5-8": 0, "9 or more": 1}


def test_another_length_or_place_is_another_bar_and_two_notes_are_too_few():
    longer = ((0, 60, 4), (4, 64, 4), (8, 67, 4))
    later = ((0, 60, 4), (6, 64, 4), (8, 67, 8))
    few = THEME[:2]
    found = returns(piece(THEME, longer, later, few, few), BAR)
    assert (found.bars, found.in_any_key) == (3, 0)


def test_a_change_of_metre_moves_no_bar():
    onset = np.array([0, 8, 16, 24, 28, 40])
    notes = NoteList.of(onset, [0, 8, 0, 0, 4, 0], [60] * 6, [4] * 6, 4)  # 4/4, then 2/4, then 4/4
    assert bar_numbers(notes, BAR).tolist() == [0, 0, 1, 2, 2, 3]


def test_shares_are_those_of_all_bars_of_all_excerpts():
    found = joined([returns(piece(THEME, THEME), BAR), returns(piece(THEME, OTHER), BAR)])
    assert found["in_any_key"] == found["as_it_was"] == 0.25
    assert found["distances"]["1"] == 0.25
    empty = NoteList.of([], [], [], [], 4)
    assert joined([returns(empty, BAR)])["in_any_key"] == 0
