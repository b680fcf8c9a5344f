"""Loops, in music made for them and in chorales."""

import numpy as np
import pytest
from chorale_pieces import four_chorales
from hypothesis import given
from hypothesis import strategies as st

from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.events import decode, encode
from lstm_music.errors import MismatchError
from lstm_music.evaluation.loops import (
    SILENT,
    Repeats,
    bar_contents,
    longest_repeat,
    loop_count,
    place,
    repeats,
)
from lstm_music.midi.notes import TimeSignature
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi

SPEC = EventSpec()
STEPS = SPEC.grid.steps_per_quarter
BAR = 4 * STEPS
TICKS = SPEC.grid.ticks_per_quarter


def made_of(bars: list[tuple[int, ...]], bar_steps: int = BAR) -> tuple[np.ndarray, ...]:
    """Write bars of evenly spread pitches as MIDI, and read them back: bar, position, pitch, duration."""
    onset = [
        bar * bar_steps + place * bar_steps // len(notes)
        for bar, notes in enumerate(bars)
        for place in range(len(notes))
    ]
    notes = [SPEC.encoding.text([pitch]) for notes in bars for pitch in notes]
    signature = TimeSignature(0, bar_steps // STEPS, 4)
    piece = decode(notes, np.diff(onset, prepend=0), [STEPS] * len(notes), 80, SPEC, time_signatures=[signature])
    return places_of(read_midi(write_midi(piece)))


def places_of(piece) -> tuple[np.ndarray, ...]:
    events = encode(piece, SPEC)
    pitch = np.array([SPEC.encoding.pitches(text)[0] for text in events.note])
    return events.bar, events.position_in_bar_steps, pitch, events.duration_steps


A, B, C, D = (60, 62, 64, 65), (67, 65), (72, 71, 69), (55, 57, 59, 60)


@pytest.mark.parametrize(
    ("bars", "expected"),
    [
        ([A], Repeats(1, 1, 1, 0)),
        ([A, B, C, D], Repeats(1, 1, 1, 0)),
        ([A] * 4 + [B], Repeats(1, 4, 2, 0)),
        ([A] * 5 + [B], Repeats(1, 5, 2, 1)),
        ([C, A, A, A, A, A, A, B], Repeats(1, 6, 3, 1)),
        ([A] * 5 + [B] * 6 + [A] * 5, Repeats(1, 6, 3, 3)),
        ([D, A, B, A, B, A, B, C], Repeats(1, 1, 3, 0)),
        ([A, (60, 62, 60, 62), B], Repeats(2, 1, 1, 0)),
        ([(60, 62, 60, 62)] * 3, Repeats(6, 3, 1, 0)),
    ],
)
def test_patterns_are_counted_each_for_itself(bars, expected):
    found = repeats(*made_of(bars), BAR)
    assert found == expected


def test_bars_of_three_quarters_are_bars_too():
    assert repeats(*made_of([(60, 62, 64)] * 6, 3 * STEPS), 3 * STEPS).bar == 6


def test_a_bar_has_the_length_that_its_events_say():
    bar, position = np.array([1, 1, 2, 2]), np.array([0, 24, 0, 36])
    same = np.zeros(4, np.int64)
    assert repeats(bar, position, same, same, np.array([48, 48, 72, 72])).half_bar == 4


def test_the_half_of_a_bar_of_odd_steps_lies_between_two():
    bar, position = place(np.array([0, 3]), 7)
    assert repeats(bar, position, np.array([60, 60]), np.array([1, 1]), 7).half_bar == 1
    bar, position = place(np.array([0, 4]), 7)
    assert bar_contents(bar * 2 + (2 * position >= 7), position % 4, bar, bar).tolist() == [0, 0]


@pytest.mark.parametrize("column", [1, 2, 3])
def test_another_position_pitch_or_duration_is_another_bar(column):
    bar, *rest = made_of([A] * 5)
    assert repeats(bar, *rest, BAR).bar == 5
    rest[column - 1][bar == 3] += 1
    assert repeats(bar, *rest, BAR).bar == 2


def test_silence_is_not_heard_but_may_be_a_part_of_what_is():
    onset, same = np.array([0, 2 * BAR, 4 * BAR, 6 * BAR]), np.zeros(4, np.int64)
    bar, position = place(onset, BAR)
    assert bar_contents(bar, position, same, same).tolist() == [0, SILENT, 0, SILENT, 0, SILENT, 0]
    assert repeats(bar, position, same, same, BAR) == Repeats(1, 1, 3, 0)
    gap, position = place(np.array([0, 30 * BAR]), BAR)
    assert repeats(gap, position, np.array([60, 61]), np.zeros(2, np.int64), BAR) == Repeats(1, 1, 1, 0)


def test_the_order_in_which_a_bar_is_told_does_not_matter():
    bar, position = np.array([0, 0, 1, 1]), np.zeros(4, np.int64)
    assert bar_contents(bar, position, np.array([60, 64, 64, 60]), position).tolist() == [0, 0]
    assert bar_contents(bar, position, np.array([60, 60, 60, 64]), position).tolist() == [0, 1]


def test_no_music_repeats_nothing():
    nothing = np.empty(0, np.int64)
    assert repeats(nothing, nothing, nothing, nothing, BAR) == Repeats(0, 0, 0, 0)


def test_onsets_are_placed_in_bars():
    bar, position = place(np.array([0, 10, 40, 100]), 48, first_position=12)
    assert bar.tolist() == [0, 0, 1, 2]
    assert position.tolist() == [12, 22, 4, 16]


def test_bars_of_no_length_are_refused():
    with pytest.raises(MismatchError, match="expected bars of 1 step or more, got 0"):
        place(np.array([0]), 0)


@given(st.lists(st.integers(SILENT, 1), max_size=30), st.integers(1, 3))
def test_repeats_are_those_that_trying_finds(contents, bars):
    longest = 1 if any(content != SILENT for content in contents) else 0
    for start in range(len(contents) - bars + 1):
        pattern, times = contents[start : start + bars], 1
        while contents[start + times * bars : start + (times + 1) * bars] == pattern:
            times += 1
        if set(pattern) != {SILENT}:
            longest = max(longest, times)
    assert longest_repeat(np.array(contents, np.int64), bars) == longest


def test_loops_are_counted_above_any_number():
    contents = np.array([0, 0, 0, 1, 1, 2, 2, 2])
    assert loop_count(contents, 2) == 2
    assert loop_count(contents, 1) == 3
    assert loop_count(contents) == 0


@pytest.fixture(scope="module")
def chorales():
    return four_chorales()


def test_chorales_do_not_loop(chorales):
    for piece in chorales:
        bar, position, pitch, duration = places_of(piece)
        found = repeats(bar, position, pitch, duration, BAR)
        assert found.loops == 0
        assert 1 <= found.bar <= 2


def test_a_bar_of_a_chorale_set_on_repeat_is_a_loop(chorales):
    bar, position, pitch, duration = places_of(chorales[0])
    one = bar == 3
    assert one.any()
    times = 7
    looped = [np.tile(column[one], times) for column in (position, pitch, duration)]
    number = np.repeat(np.arange(times), one.sum())
    found = repeats(number, *looped, BAR)
    assert (found.bar, found.two_bars, found.loops) == (times, times // 2, 1)
