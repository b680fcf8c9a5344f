"""The pickup of a MIDI file without a sign of one."""

from dataclasses import replace

import numpy as np
import pytest

from lstm_music.encoding.bars import places_of
from lstm_music.encoding.grid import Grid
from lstm_music.encoding.pickups import estimated_pickup
from lstm_music.midi.notes import NOTE_DTYPE, Bar, PieceNotes, TimeSignature

QUARTER = 480


def piece(numerator, denominator, pickup_beats, beats_of_a_bar, bars=8):
    """Bars whose first beat is a long chord of three notes, after a pickup of short single notes."""
    beat = QUARTER * 4 // denominator
    rows = []
    onset = 0
    for number in range(-1, bars):
        beats = beats_of_a_bar if number >= 0 else [1] * pickup_beats
        for place, length in enumerate(beats):
            strong = number >= 0 and place == 0
            rows += [(60 + pitch, onset, length * beat) for pitch in ((0, 4, 7) if strong else (0,))]
            onset += length * beat
    notes = np.zeros(len(rows), NOTE_DTYPE)
    notes["pitch"], notes["onset_ticks"], notes["duration_ticks"] = np.array(rows).T
    return PieceNotes(QUARTER, notes, time_signatures=(TimeSignature(0, numerator, denominator),))


@pytest.mark.parametrize("pickup_beats", [0, 1, 2, 3])
def test_long_and_full_chords_say_where_bars_begin(pickup_beats):
    assert estimated_pickup(piece(4, 4, pickup_beats, [2, 1, 1])) == pickup_beats * QUARTER


def test_a_pickup_is_bar_0_and_ends_where_a_whole_bar_does():
    grid = Grid((4,))
    found = piece(4, 4, 1, [2, 1, 1])
    number, position = places_of(found, grid.onsets([0, QUARTER, 3 * QUARTER, 5 * QUARTER], QUARTER), grid)
    assert number.tolist() == [0, 1, 1, 2]
    assert position.tolist() == [3 * 4, 0, 2 * 4, 0]


@pytest.mark.parametrize(
    "changes",
    [
        {"bars": (Bar(0, 1, 0, 4 * QUARTER),)},
        {"time_signatures": ()},
        {"time_signatures": (TimeSignature(0, 4, 4), TimeSignature(QUARTER, 3, 4))},
        {"time_signatures": (TimeSignature(8 * QUARTER, 4, 4),)},
    ],
)
def test_what_the_file_says_or_cannot_say_is_not_estimated(changes):
    assert estimated_pickup(replace(piece(4, 4, 1, [2, 1, 1]), **changes)) == 0


def test_a_rest_before_the_first_note_is_a_sign():
    late = piece(4, 4, 1, [2, 1, 1])
    late.notes["onset_ticks"] += 3 * QUARTER
    assert estimated_pickup(late) == 0


def test_a_few_bars_are_too_few():
    assert estimated_pickup(piece(4, 4, 1, [2, 1, 1], bars=3)) == 0


def test_an_empty_piece_and_one_of_drums_have_none():
    found = piece(4, 4, 1, [2, 1, 1])
    assert estimated_pickup(replace(found, notes=found.notes[:0])) == 0
    found.notes["is_drum"] = True
    assert estimated_pickup(found) == 0
