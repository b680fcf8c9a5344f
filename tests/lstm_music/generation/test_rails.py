"""What rails leave of the values of an event, given what is asked of its bar and what the bar has already."""

import numpy as np
import pytest
from asked_bars import BAR, COLUMNS, STEPS, asked_of, small_grammar

from lstm_music.encoding.controls import CONTROLS
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.generation.conditioning import Conditioning
from lstm_music.generation.rails import Rails


@pytest.fixture(scope="module")
def grammar():
    return small_grammar()


def rails(grammar, asked, stream, events, position):
    """Say which ids are left after events of one bar, rows of (position, note id, steps), for what follows at a position."""
    conditioning = Conditioning(grammar, COLUMNS, asked)
    so_far, before = conditioning.before(np.zeros((0, 1, 9), np.int32)), 0
    for begins, note, steps in events:
        event = np.array([[SPECIAL_IDS, note, SPECIAL_IDS - 1 + steps, *[0] * len(CONTROLS)]], np.int32)
        numbers = [np.array([value], np.int32) for value in (begins - before, begins, BAR)]
        so_far = conditioning.condition(event, so_far, *numbers)
        so_far, before = conditioning.after(so_far, event), begins
    if stream != "offset":
        numbers = [np.array([value], np.int32) for value in (position - before, position, BAR)]
        so_far = conditioning.condition(np.zeros((1, 9), np.int32), so_far, *numbers)
    size = {"offset": len(STEPS), "note": 14, "duration": 12}[stream] + SPECIAL_IDS
    all_of = np.arange(size)[None] >= (0 if stream == "offset" else SPECIAL_IDS)
    rails_of = Rails(grammar, asked)
    left = rails_of.allowed(stream, all_of, so_far, np.array([position], np.int32), np.array([BAR], np.int32))
    return np.flatnonzero(left[0])


def test_a_full_bar_is_left_and_one_with_too_few_notes_is_not(grammar):
    asked = asked_of(1, density=np.array([3], np.float64))
    leaves = {*range(SPECIAL_IDS), *(SPECIAL_IDS + steps for steps in STEPS if steps >= BAR - 4)}
    everything = {*range(SPECIAL_IDS + len(STEPS))}
    two = [(0, 5, 4), (4, 6, 4)]
    assert {*rails(grammar, asked, "offset", two, 4).tolist()} == everything - leaves
    assert {*rails(grammar, asked, "offset", [*two, (4, 8, 4)], 4).tolist()} == leaves
    assert {*rails(grammar, asked_of(1), "offset", two, 4).tolist()} == everything


def test_a_note_may_not_draw_the_mean_pitch_away(grammar):
    asked = asked_of(1, mean_pitch=np.array([60], np.float64))
    low = [(0, SPECIAL_IDS, 4)] * 3  # three times C3
    left = grammar.pitches[rails(grammar, asked, "note", low, 4)]
    assert {*left.tolist()} == {*grammar.pitches.tolist()} - {-1}, "with none the mean comes near, so all are left"
    in_the_middle = [(0, SPECIAL_IDS + 7, 4)] * 3  # three times C4
    left = grammar.pitches[rails(grammar, asked, "note", in_the_middle, 4)]
    assert {*left.tolist()} == {p for p in grammar.pitches.tolist() if p >= 0 and abs(p - 60) / 4 <= 4.5}


def durations_left(grammar, asked, events, position):
    return (rails(grammar, asked, "duration", events, position) - SPECIAL_IDS + 1).tolist()


def test_a_note_may_not_last_so_long_that_too_many_sound(grammar):
    sounding = [(0, SPECIAL_IDS, 12)]
    asked = asked_of(1, polyphony=np.array([1.6], np.float64))
    assert durations_left(grammar, asked, sounding, 0) == [1, 2, 3, 4], "some of the bar is left to later notes"
    full = asked_of(1, polyphony=np.array([1.0], np.float64))
    assert durations_left(grammar, full, sounding, 0) == [1]


def test_while_too_few_sound_notes_are_not_short_and_the_bar_is_not_left(grammar):
    sounding = [(0, SPECIAL_IDS, 12)]
    thin = asked_of(1, polyphony=np.array([3], np.float64))
    assert durations_left(grammar, thin, sounding, 0) == [*range(2, 13)]
    left = rails(grammar, thin, "offset", sounding, 0)
    assert left.max() < SPECIAL_IDS + BAR
    assert left.min() >= SPECIAL_IDS


def test_a_note_does_not_fill_the_next_bar(grammar):
    asked = asked_of(2, polyphony=np.array([3, 0.5], np.float64))
    assert durations_left(grammar, asked, [], 8) == [*range(3, 11)]
