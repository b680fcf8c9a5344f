"""Notation: every bar is filled with signs that exist, and no note is lost or shortened that four voices per hand can hold."""

import zipfile

import numpy as np
import pytest
from small_music import QUARTER, piece_of, small_piece

from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, TimeSignature
from lstm_music.midi.reader import read_midi
from lstm_music.rendering.notation import write_bars
from lstm_music.rendering.voices import MAX_VOICES

PLAIN = {3, 6, 9, 12, 18, 24, 36, 48, 72, 96, 144}  # thirty-second to dotted whole, in steps
IN_TUPLETS = {4, 8, 16}


def signs(bars, hand=0, voice=0):
    """What a voice of a hand holds: (start, length, pitches, tied from, tied on) of each bar's values."""
    return [
        [(one.start, one.length, one.pitches, one.is_tied_from, one.is_tied_on) for one in bar.staves[hand][voice]]
        for bar in bars
    ]


def right_hand(rows, **changes):
    """The bars of some notes, times in steps of 1/24 quarter, all so high that the right hand plays them."""
    notes = piece_of([(at * QUARTER // 24, long * QUARTER // 24, pitch) for at, long, pitch in rows])
    return write_bars(PieceNotes(QUARTER, notes.notes, **changes))


def require_well_written(bars):
    """Raise AssertionError unless voices fill bars with signs that exist, in tuplets that are whole."""
    for bar in bars:
        for voices in bar.staves:
            assert 1 <= len(voices) <= MAX_VOICES
            for number, values in enumerate(voices, start=1):
                assert [one.start for one in values] == np.cumsum([0, *(one.length for one in values[:-1])]).tolist()
                assert sum(one.length for one in values) == bar.steps
                assert number < len(voices) or len(voices) == 1 or any(one.pitches for one in values)
                is_open = False
                for one in values:
                    is_rest_of_bar = not one.pitches and len(values) == 1
                    assert is_rest_of_bar or one.length in (IN_TUPLETS if one.tuplet else PLAIN)
                    assert is_open == (one.tuplet in {"inside", "stop"})
                    is_open = one.tuplet in {"start", "inside"}
                assert not is_open


def heads(bars):
    """How many notes begin."""
    values = [value for bar in bars for voices in bar.staves for voice in voices for value in voice]
    return sum(len(value.pitches) for value in values if not value.is_tied_from)


def lengths(bars):
    """The (onset, pitch, length) of all notes, ties joined."""
    found, open_notes, first = set(), {}, 0
    for bar in bars:
        for values in (values for voices in bar.staves for values in voices):
            for value in values:
                for pitch in value.pitches:
                    at = first + bar.skipped + value.start
                    start, length = open_notes.pop((pitch, at), (at, 0)) if value.is_tied_from else (at, 0)
                    if value.is_tied_on:
                        open_notes[pitch, at + value.length] = (start, length + value.length)
                    else:
                        found.add((start, pitch, length + value.length))
        first += bar.skipped + bar.steps
    assert not open_notes
    return found


def test_a_note_over_a_bar_line_is_tied():
    first, second = signs(right_hand([(0, 24, 79), (72, 48, 80)]))
    assert first == [(0, 24, (79,), False, False), (24, 48, (), False, False), (72, 24, (80,), False, True)]
    assert second == [(0, 24, (80,), True, False), (24, 72, (), False, False)]


def test_triplets_and_thirty_seconds_are_told_apart():
    triplets = right_hand([(0, 8, 80), (8, 8, 81), (16, 8, 82)])
    assert [one.tuplet for one in triplets[0].staves[0][0][:3]] == ["start", "inside", "stop"]
    straight = right_hand([(0, 3, 80), (3, 3, 81), (6, 6, 82), (12, 12, 83)])
    assert [one.length for one in straight[0].staves[0][0][:4]] == [3, 3, 6, 12]
    sextuplets = right_hand([(at, 4, 80 + at // 4) for at in range(0, 24, 4)])
    assert [one.tuplet for one in sextuplets[0].staves[0][0][:6]] == 2 * ["start", "inside", "stop"]


def test_notes_beside_the_grid_are_moved_to_it():
    rows = [(0, 470, 80), (487, 460, 81), (966, 500, 82)]  # ticks: nearly quarters
    (bar,) = write_bars(piece_of(rows))
    values = [(one.start, one.length, one.pitches) for one in bar.staves[0][0]]
    assert values == [(0, 24, (80,)), (24, 24, (81,)), (48, 24, (82,)), (72, 24, ())]


def test_two_voices_hold_different_lengths():
    bars = right_hand([(0, 48, 84), (0, 24, 79), (24, 24, 77)])
    assert signs(bars, voice=0)[0][0] == (0, 48, (84,), False, False)
    assert signs(bars, voice=1)[0][:2] == [(0, 24, (79,), False, False), (24, 24, (77,), False, False)]


def test_four_voices_keep_every_length_and_a_fifth_note_shortens_another():
    rows = [(0, 96, 88), (12, 84, 84), (24, 72, 81), (36, 60, 79)]
    assert lengths(right_hand(rows)) == {(start, pitch, length) for start, length, pitch in rows}
    bars = right_hand([*rows, (48, 48, 77)])
    require_well_written(bars)
    assert heads(bars) == 5
    assert {length for *_, length in lengths(bars)} == {48, 84, 72, 60}


def test_the_higher_notes_are_in_the_first_voice_also_where_they_begin_later():
    bars = right_hand([(0, 96, 72), (24, 24, 84), (48, 48, 83)])
    assert [one.pitches for one in bars[0].staves[0][0]] == [(), (84,), (83,)]
    assert [one.pitches for one in bars[0].staves[0][1]] == [(72,)]


def test_thirty_seconds_and_triplets_of_one_beat_are_in_two_voices():
    bars = right_hand([(0, 6, 84), (6, 6, 86), (12, 12, 88), (0, 8, 76), (8, 8, 77), (16, 8, 79)])
    require_well_written(bars)
    assert lengths(bars) == {(0, 84, 6), (6, 86, 6), (12, 88, 12), (0, 76, 8), (8, 77, 8), (16, 79, 8)}


def test_a_length_that_no_division_of_its_beat_has_ends_at_the_nearest_point():
    """From a sixteenth on for a third of a quarter: to 7/12, which is written as 5/8."""
    assert lengths(right_hand([(0, 6, 80), (6, 8, 82), (24, 24, 84)])) == {(0, 80, 6), (6, 82, 9), (24, 84, 24)}


def test_music_that_begins_within_a_bar_begins_with_a_pickup_bar():
    first, second = right_hand([(72, 24, 80), (96, 96, 82)])
    assert (first.steps, first.skipped, second.steps, second.skipped) == (24, 72, 96, 0)
    assert [(one.start, one.length, one.pitches) for one in first.staves[0][0]] == [(0, 24, (80,))]
    assert [(one.start, one.length, one.pitches) for one in first.staves[1][0]] == [(0, 24, ())]
    triplet = right_hand([(80, 8, 80), (88, 8, 81), (96, 96, 82)])  # the group of three stays whole
    assert (triplet[0].steps, triplet[0].skipped) == (24, 72)
    assert [one.tuplet for one in triplet[0].staves[0][0]] == ["start", "inside", "stop"]
    assert right_hand([(0, 24, 80)])[0].skipped == 0


def random_voice(chance, lowest, quarters=64):
    """Draw a voice whose beats are in sixteenths, thirty-seconds, triplets or sextuplets, with rests and held notes."""
    rows, start, pitch = [], 0, lowest
    for beat in range(0, 24 * quarters, 24):
        division = int(chance.choice([24, 24, 12, 6, 3, 8, 4]))
        for at in range(beat, beat + 24, division):
            if chance.random() < 0.6:
                if pitch:
                    rows.append((start, at - start, pitch))
                start, pitch = at, int(lowest + chance.integers(12)) if chance.random() < 0.8 else 0
    return [row for row in rows if row[1]]


@pytest.mark.parametrize("number", range(6))
def test_three_voices_of_a_hand_keep_their_lengths(number):
    """Random ones, in different divisions of a beat: not 1 in 100 notes changes its length, and none is lost."""
    chance = np.random.default_rng(number)
    rows = [row for lowest in (96, 84, 72) for row in random_voice(chance, lowest)]
    bars = right_hand(rows)
    require_well_written(bars)
    wanted = {(start, pitch, length) for start, length, pitch in rows}
    assert len(wanted) > 250
    assert heads(bars) >= 0.99 * len(wanted)
    assert len(wanted - lengths(bars)) <= 0.01 * len(wanted)


@pytest.mark.parametrize(
    ("signature", "steps"), [((3, 4), 72), ((6, 8), 72), ((5, 8), 60), ((2, 2), 96), ((7, 16), 42), ((9, 8), 108)]
)
def test_bars_are_as_long_as_their_signature_says(signature, steps):
    bars = right_hand(
        [(at, 12, 80 + at % 5) for at in range(0, 240, 12)], time_signatures=(TimeSignature(0, *signature),)
    )
    assert {bar.steps for bar in bars} == {steps}
    assert {(bar.numerator, bar.denominator) for bar in bars} == {signature}
    require_well_written(bars)


def test_a_dotted_quarter_is_one_sign_in_compound_time():
    bars = right_hand([(0, 36, 80), (36, 36, 81)], time_signatures=(TimeSignature(0, 6, 8),))
    assert [one.length for one in bars[0].staves[0][0]] == [36, 36]


def test_a_signature_may_change_within_a_bar():
    changes = (TimeSignature(0, 4, 4), TimeSignature(6 * QUARTER, 3, 4))
    bars = right_hand([(at, 24, 80) for at in range(0, 216, 24)], time_signatures=changes)
    assert [(bar.steps, bar.numerator) for bar in bars] == [(96, 4), (48, 4), (72, 3)]
    require_well_written(bars)


def test_a_signature_may_change_within_a_quarter():
    """The bars after it lie beside the quarters of the piece, and triplets are found there too."""
    changes = (TimeSignature(0, 3, 8), TimeSignature(36 * QUARTER // 24, 2, 4))
    bars = right_hand([(at, 8, 80) for at in range(36, 84, 8)], time_signatures=changes)
    assert [bar.steps for bar in bars] == [36, 48]
    assert [one.tuplet for one in bars[1].staves[0][0]] == 2 * ["start", "inside", "stop"]
    odd = (TimeSignature(0, 4, 4), TimeSignature(777, 3, 4))
    require_well_written(right_hand([(at, 7, 80) for at in range(0, 300, 7)], time_signatures=odd))


def test_a_signature_that_no_sign_can_fill_is_passed_over():
    bars = right_hand([(0, 24, 80)], time_signatures=(TimeSignature(0, 3, 64), TimeSignature(0, 1, 256)))
    assert [(bar.numerator, bar.denominator) for bar in bars] == [(4, 4)]


@pytest.mark.parametrize("number", range(4))
def test_pieces_made_by_chance_are_well_written(number):
    """Also with onsets and durations that lie anywhere."""
    piece = small_piece(number)
    require_well_written(write_bars(piece))
    chance = np.random.default_rng(number)
    notes = piece.notes.copy()
    notes["onset_ticks"] = np.sort(chance.integers(0, 40_000, len(notes)))
    notes["duration_ticks"] = chance.integers(0, 3_000, len(notes))
    bars = write_bars(PieceNotes(QUARTER, notes))
    require_well_written(bars)
    assert heads(bars) > 0.95 * len(notes)


def test_drums_are_not_written():
    note, drum = piece_of([(0, QUARTER, 80)]).notes, piece_of([(0, QUARTER, 40)], drums=True).notes
    assert heads(write_bars(PieceNotes(QUARTER, np.concatenate([note, drum])))) == 1
    assert not heads(write_bars(PieceNotes(QUARTER, np.empty(0, NOTE_DTYPE))))


@pytest.mark.corpus
def test_piano_pieces_keep_their_notes(collection_zip):
    """Two notes of one pitch at one onset are one in a score."""
    kept, total = 0, 0
    with zipfile.ZipFile(collection_zip) as archive:
        for name in sorted(name for name in archive.namelist() if name.endswith(".mid"))[::25]:
            piece = read_midi(archive.read(name))
            bars = write_bars(piece)
            require_well_written(bars)
            kept, total = kept + heads(bars), total + len(piece.notes)
    assert total > 10_000
    assert kept > 0.998 * total
