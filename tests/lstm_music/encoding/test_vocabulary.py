"""Vocabularies: ids, closure under transposition, and the nearest value of an unknown one."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_music.encoding.chords import CHORD_ENCODINGS, PIANO_HIGHEST, PIANO_LOWEST, PITCH_NAMES
from lstm_music.encoding.grid import MAX_QUARTERS, Grid
from lstm_music.encoding.vocabulary import (
    END,
    SPECIAL_IDS,
    START,
    UNKNOWN,
    Vocabulary,
    fit,
    fit_notes,
    fit_steps,
    grown,
    transposition_table,
)
from lstm_music.errors import MismatchError

GRID = Grid((8, 6))
SHIFTS = range(-6, 6)
every_encoding = pytest.mark.parametrize("name", CHORD_ENCODINGS)
TEXTS = {
    "per_note": {"C4": 5, "A0": 1, "C8": 2},
    "pitch_set": {"C4.E4.G4": 5, "C4": 3, "A0.C8": 1, "C-1.C0": 1},
    "normal_order": {"0.4.7": 5, "0.4.8": 1, "C4": 3, "7": 1, "A0": 1},
}


def test_special_ids_come_first():
    vocabulary = fit_steps("offset", {"0": 3, "1/8": 1}, GRID)
    assert (START, END, UNKNOWN, SPECIAL_IDS) == (0, 1, 2, 3)
    assert vocabulary.size == 5
    assert vocabulary.encode(["1/8", "0", "1/3"]).tolist() == [4, 3, UNKNOWN]
    assert vocabulary.encode([]).dtype == np.int64
    assert [vocabulary.value(token) for token in (3, 4)] == ["0", "1/8"]


@pytest.mark.parametrize("token", [-1, START, END, UNKNOWN, 5])
def test_an_id_without_a_value_is_rejected(token):
    vocabulary = fit_steps("offset", {"0": 3, "1/8": 1}, GRID)
    with pytest.raises(MismatchError, match=f"offset vocabulary: expected the id of a value, 3 to 4, got {token}"):
        vocabulary.value(token)


def test_fractions_are_sorted_by_value_and_keep_their_counts():
    vocabulary = fit("duration", {"2": 1, "1/8": 5, "4/3": 2, "10": 3}, CHORD_ENCODINGS["per_note"], GRID)
    assert vocabulary.values == ("1/8", "4/3", "2", "10")
    assert vocabulary.counts == (5, 2, 1, 3)


def test_the_unknown_values_of_a_time_stream_are_counted():
    duration = fit_steps("duration", {"1": 1}, GRID)
    offset = fit_steps("offset", {"0": 1, "1": 1}, GRID)
    assert duration.log_unknown == pytest.approx(math.log(12 * MAX_QUARTERS - 1))
    assert offset.log_unknown == pytest.approx(math.log(24 * MAX_QUARTERS + 1 - 2))


def test_a_duration_of_zero_counts_only_if_it_is_a_value():
    without, with_none = (fit_steps("duration", counts, GRID) for counts in ({"1": 1}, {"0": 1, "1": 1}))
    # the alphabet grows by the one known value
    assert with_none.log_unknown == without.log_unknown == pytest.approx(math.log(12 * MAX_QUARTERS - 1))
    assert fit_steps("offset", {"1": 1}, GRID).log_unknown == pytest.approx(math.log(24 * MAX_QUARTERS))


@pytest.mark.parametrize("first", [0, 3])
def test_log_unknown_is_zero_if_every_duration_is_known(first, monkeypatch):
    monkeypatch.setattr("lstm_music.encoding.vocabulary.MAX_QUARTERS", 1)
    points = [steps for steps in range(first, 25) if GRID.on_grid([steps]).all()]
    complete, without_two = ({GRID.text(steps): 1 for steps in known} for known in (points, points[:-2]))
    assert fit_steps("duration", complete, GRID).log_unknown == 0.0
    assert fit_steps("duration", without_two, GRID).log_unknown == pytest.approx(math.log(2))


def test_log_unknown_is_zero_if_every_step_is_known(monkeypatch):
    monkeypatch.setattr("lstm_music.encoding.vocabulary.MAX_QUARTERS", 1)
    complete = {GRID.text(steps): 1 for steps in range(25)}
    assert fit_steps("offset", complete, GRID).log_unknown == 0.0


@pytest.mark.parametrize("text", ["C4", "1/0"])
def test_a_time_stream_rejects_a_text_that_is_not_a_fraction(text):
    with pytest.raises(MismatchError, match=f"expected a fraction of a quarter such as '4/3', got '{text}'"):
        fit_steps("offset", {text: 1}, GRID)


def test_notes_are_sorted_by_length_and_pitches():
    values = fit_notes(
        {"0.4.7": 1, "10.2": 1, "2.5": 1, "C4": 1, "B3": 1, "0": 1}, CHORD_ENCODINGS["normal_order"]
    ).values
    assert values == ("B3", "C4", "0", "2.5", "10.2", "0.4.7")
    values = fit_notes({"C4.E4.G4": 1, "C5.E5": 1, "C4.G4": 1, "G9": 1}, CHORD_ENCODINGS["pitch_set"]).values
    assert values == ("G9", "C4.G4", "C5.E5", "C4.E4.G4")


def test_per_note_always_has_all_pitches():
    vocabulary = fit("note", {"C4": 7}, CHORD_ENCODINGS["per_note"], GRID, SHIFTS)
    assert vocabulary.values == PITCH_NAMES
    assert sum(vocabulary.counts) == vocabulary.counts[60] == 7
    assert vocabulary.log_unknown == 0.0


@every_encoding
def test_the_vocabulary_is_closed_under_the_shifts(name):
    encoding = CHORD_ENCODINGS[name]
    vocabulary = fit_notes(TEXTS[name], encoding, SHIFTS)
    for text in TEXTS[name]:
        for shift in SHIFTS:
            moved = encoding.transposed(text, shift, PIANO_LOWEST, PIANO_HIGHEST)
            assert moved is None or moved in vocabulary.values
    assert {value: count for value, count in zip(vocabulary.values, vocabulary.counts, strict=True) if count} == TEXTS[
        name
    ]
    assert vocabulary.log_unknown == pytest.approx(encoding.log_unknown(len(vocabulary.values)))


def test_a_training_value_stays_even_if_every_shift_leaves_the_range():
    assert fit_notes({"C-1.C0": 1}, CHORD_ENCODINGS["pitch_set"], [1]).values == ("C-1.C0",)


@every_encoding
def test_the_transposition_table_matches_the_encoding(name):
    encoding = CHORD_ENCODINGS[name]
    vocabulary = fit_notes(TEXTS[name], encoding, SHIFTS)
    table = transposition_table(vocabulary, encoding, list(SHIFTS))
    assert table.shape == (12, vocabulary.size)
    assert table.dtype == np.int64
    assert (table[:, :SPECIAL_IDS] == [START, END, UNKNOWN]).all()
    assert (table[list(SHIFTS).index(0)] == np.arange(vocabulary.size)).all()
    for row, shift in zip(table.tolist(), SHIFTS, strict=True):
        for token in range(SPECIAL_IDS, vocabulary.size):
            moved = encoding.transposed(vocabulary.value(token), shift, PIANO_LOWEST, PIANO_HIGHEST)
            if row[token] == UNKNOWN:
                assert moved is None or moved not in vocabulary.values
            else:
                assert vocabulary.value(row[token]) == moved


def test_training_values_within_range_never_become_unknown():
    encoding = CHORD_ENCODINGS["pitch_set"]
    vocabulary = fit_notes(TEXTS["pitch_set"], encoding, SHIFTS)
    table = transposition_table(vocabulary, encoding, list(SHIFTS))
    assert (table[:, vocabulary.encode(["C4.E4.G4", "C4"])] != UNKNOWN).all()
    assert (table[:, vocabulary.encode(["A0.C8"])] == UNKNOWN).sum() == 11


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [("1", "1"), ("7/8", "1"), ("1/16", "0"), ("1/2", "0"), ("100", "4"), ("5/2", "1"), ("0", "0")],
)
def test_the_nearest_fraction(wanted, nearest):
    vocabulary = fit_steps("offset", {"0": 1, "1": 1, "4": 1}, GRID)
    assert vocabulary.value(vocabulary.nearest(wanted)) == nearest


@pytest.mark.parametrize(
    ("name", "values", "wanted", "nearest"),
    [
        ("pitch_set", ["C4.E4", "C4.E4.G4", "D4"], "C4.E4.G4.B-4", "C4.E4.G4"),  # most pitches in common
        ("pitch_set", ["C4.E4", "C5.E5.G5", "D4.A4"], "C3.E3.G3", "C5.E5.G5"),  # then most pitch classes
        ("pitch_set", ["C5.E5.G5.B5", "C5.E5.G5"], "C3.E3.G3", "C5.E5.G5"),  # then fewest others
        ("pitch_set", ["C1", "C5"], "C4", "C5"),  # then closest
        ("normal_order", ["C2", "0.4", "0.4.7"], "0.4.7.10", "0.4.7"),
        ("normal_order", ["C2", "C6", "0.4.7"], "C3", "C2"),
        ("normal_order", ["0.4.7", "2.6.9"], "E5", "0.4.7"),
    ],
)
def test_the_nearest_chord(name, values, wanted, nearest):
    vocabulary = fit_notes(dict.fromkeys(values, 1), CHORD_ENCODINGS[name])
    assert vocabulary.value(vocabulary.nearest(wanted)) == nearest


@given(st.sets(st.integers(0, 127), min_size=1).map(sorted), st.integers(0, 127))
def test_the_nearest_single_pitch(known, wanted):
    vocabulary = fit_notes({PITCH_NAMES[pitch]: 1 for pitch in known}, CHORD_ENCODINGS["pitch_set"])
    rivals = [pitch for pitch in known if pitch % 12 == wanted % 12] or known
    found = PITCH_NAMES.index(vocabulary.value(vocabulary.nearest(PITCH_NAMES[wanted])))
    assert found in rivals
    assert abs(found - wanted) == min(abs(pitch - wanted) for pitch in rivals)


def test_an_empty_vocabulary_has_no_nearest_value():
    with pytest.raises(
        MismatchError, match="duration vocabulary: expected at least one value, to replace '1', got none"
    ):
        fit_steps("duration", {}, GRID).nearest("1")


@every_encoding
def test_a_vocabulary_survives_json(name):
    vocabulary = fit_notes(TEXTS[name], CHORD_ENCODINGS[name], SHIFTS)
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary


def test_the_digest_depends_on_the_meaning_of_the_ids():
    one = fit_steps("offset", {"0": 3, "1": 1}, GRID)
    assert len(one.digest) == 64
    assert fit_steps("offset", {"1": 9, "0": 9}, GRID).digest == one.digest
    assert fit_steps("duration", {"0": 3, "1": 1}, GRID).digest != one.digest
    assert fit_steps("offset", {"0": 3, "1": 1, "2": 1}, GRID).digest != one.digest


def test_a_vocabulary_that_grows_keeps_its_ids():
    before = fit_steps("offset", {"1": 3, "2": 1}, GRID)
    fitted = fit_steps("offset", {"0": 2, "1": 5, "3/2": 1, "2": 1}, GRID)
    after = grown(before, fitted)
    assert after.values == ("1", "2", "0", "3/2")
    assert after.counts == (5, 1, 2, 1)
    assert after.log_unknown == fitted.log_unknown < before.log_unknown
    assert after.encode(before.values).tolist() == before.encode(before.values).tolist()


def test_a_vocabulary_does_not_lose_values_by_growing():
    with pytest.raises(
        MismatchError, match="offset vocabulary: expected all values of the earlier one, got none for 2;"
    ):
        grown(fit_steps("offset", {"1": 3, "2": 1}, GRID), fit_steps("offset", {"1": 1}, GRID))
