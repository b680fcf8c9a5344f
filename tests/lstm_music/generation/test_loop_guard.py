"""The guard notices loops of any period, lets music say a thing four times, and forbids just the note that goes on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_music.generation.loop_guard import forbidden_note, history_of, remember

BAR = 8  # steps
MAX_REPEATS = 4


def listen(events, seed=(), max_repeats=MAX_REPEATS):
    """Play events (offset id, note, duration, steps passed) to the guard; give what it forbids before each, and after all."""
    rows = np.array([event[:3] for event in seed], np.int32).reshape(-1, 1, 3)
    history = history_of(rows, 3)
    forbidden = []
    for offset, note, duration, passed in events:
        asked = forbidden_note(history, np.array([offset]), max_repeats, np.array([BAR]))
        forbidden.append(int(asked[0]))
        event = np.array([[offset, note, duration]], np.int32)
        history = remember(history, event, np.array([passed]), asked == note)
    return forbidden, int(history.interventions[0])


def event(note, steps=2):
    return (10 + steps, note, 5, steps)


def pattern(period, times, steps=2):
    return [event(60 + place, steps) for place in range(period)] * times


@pytest.mark.parametrize("period", [1, 2, 3, 4, 7, 40, 128])
def test_what_fills_bars_may_be_heard_four_times_and_not_begin_a_fifth(period):
    steps = max(2, -(-BAR // period))  # the pattern lasts a bar or more
    forbidden, count = listen(pattern(period, MAX_REPEATS + 1, steps))
    assert set(forbidden[: MAX_REPEATS * period]) == {-1}
    assert forbidden[MAX_REPEATS * period] == 60
    assert count == period  # for the test plays on regardless


def test_a_pattern_shorter_than_a_bar_may_be_heard_until_four_bars_are_over():
    forbidden, _ = listen(pattern(1, 4 * BAR + 3, steps=1))  # a tremolo
    first = next(place for place, note in enumerate(forbidden) if note >= 0)
    assert first == 3 * BAR + 1


def test_a_change_in_any_stream_is_no_loop():
    for changed in ((13, 60, 5, 3), (12, 61, 5, 2), (12, 60, 6, 2)):
        events = []
        for _ in range(7):
            events += [*pattern(4, 1), changed if len(events) % 10 == 5 else event(60)]
        assert set(listen(events)[0]) == {-1}


def test_another_offset_leads_out_by_itself():
    assert listen([*pattern(4, 4), (99, 60, 5, 2)])[0][-1] == -1


def test_a_copy_of_the_prompt_is_a_loop_too():
    forbidden, _ = listen(pattern(4, 4), seed=pattern(4, 1))
    assert forbidden == [-1] * 12 + [60, 61, 62, 63]


@given(notes=st.lists(st.integers(60, 63), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_it_agrees_with_a_search_over_all_that_was_heard(notes):
    """Every note is a bar long, so a loop is a pattern of any period that was history four times, up to now."""
    history = [event(note, BAR) for note in notes]
    forbidden, _ = listen(history)
    for place, found in enumerate(forbidden):
        past = notes[:place]
        looping = [
            period
            for period in range(1, place // MAX_REPEATS + 1)
            if past[-period * MAX_REPEATS :] == past[-period:] * MAX_REPEATS
        ]
        assert found == (past[-looping[0]] if looping else -1)
