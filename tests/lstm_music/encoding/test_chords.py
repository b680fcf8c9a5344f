"""Chord encodings: names and normal orders equal music21's, and each encoding preserves what it should."""

import math
import re
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_music.encoding.chords import (
    CHORD_ENCODINGS,
    PIANO_HIGHEST,
    PIANO_LOWEST,
    PITCH_NAMES,
    content,
    normal_order,
)
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.errors import MismatchError

PITCHES = st.integers(0, 127)
CHORDS = st.sets(PITCHES, min_size=1, max_size=8).map(sorted)
every_encoding = pytest.mark.parametrize("name", CHORD_ENCODINGS)


def chord_of(name: str, pitches: list[int]) -> list[int]:
    return pitches[:1] if name == "per_note" else pitches


def test_the_recipe_offers_every_encoding():
    assert get_args(EventSpec.model_fields["chords"].annotation) == tuple(CHORD_ENCODINGS)


def test_pitch_names_are_those_of_music21_unless_ambiguous():
    from music21.pitch import Pitch

    names = [str(Pitch(midi=pitch)) for pitch in range(128)]
    differing = {pitch for pitch in range(128) if PITCH_NAMES[pitch] != names[pitch]}
    assert differing == {4, 11}
    assert (names[4], names[11]) == (names[27], names[34]) == ("E-1", "B-1")
    assert len(set(PITCH_NAMES)) == 128


def test_normal_order_equals_music21_for_all_sets_of_pitch_classes():
    from music21.chord import Chord
    from music21.pitch import Pitch

    pitches = [Pitch(midi=60 + pitch_class) for pitch_class in range(12)]
    for members in range(1, 2**12):
        classes = [pitch_class for pitch_class in range(12) if members >> pitch_class & 1]
        expected = Chord([pitches[pitch_class] for pitch_class in classes]).normalOrder
        assert list(normal_order(classes)) == expected


@every_encoding
@given(pitches=CHORDS)
def test_a_value_survives_reading_and_writing(name, pitches):
    encoding = CHORD_ENCODINGS[name]
    text = encoding.text(chord_of(name, pitches))
    assert encoding.text(encoding.pitches(text)) == text


@pytest.mark.parametrize("name", ["per_note", "pitch_set"])
@given(pitches=CHORDS)
def test_exact_encodings_preserve_the_pitches(name, pitches):
    encoding = CHORD_ENCODINGS[name]
    chord = chord_of(name, pitches)
    assert list(encoding.pitches(encoding.text(chord))) == chord


@given(pitches=CHORDS)
def test_normal_order_preserves_pitch_classes_and_single_pitches(pitches):
    encoding = CHORD_ENCODINGS["normal_order"]
    back = encoding.pitches(encoding.text(pitches))
    assert {pitch % 12 for pitch in back} == {pitch % 12 for pitch in pitches}
    assert len(pitches) > 1 or list(back) == pitches
    assert list(back) == sorted(set(back))


def test_examples_of_chord_texts():
    assert CHORD_ENCODINGS["per_note"].text([61]) == "C#4"
    assert CHORD_ENCODINGS["pitch_set"].text([67, 60, 63]) == "C4.E-4.G4"
    assert CHORD_ENCODINGS["normal_order"].text([64, 67, 72]) == "0.4.7"
    assert CHORD_ENCODINGS["normal_order"].text([48, 60]) == "0"
    assert CHORD_ENCODINGS["normal_order"].text([48]) == "C3"
    assert CHORD_ENCODINGS["normal_order"].pitches("10.2.5") == (62, 65, 70)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("per_note", ""),
        ("per_note", "H4"),
        ("per_note", "C4.E4"),
        ("per_note", "60"),
        ("pitch_set", ""),
        ("pitch_set", "E4.C4"),
        ("pitch_set", "C4.C4"),
        ("pitch_set", "C4.7"),
        ("pitch_set", "0.4.7"),
        ("pitch_set", "C4.H4"),
        ("normal_order", ""),
        ("normal_order", "C4.E4"),
        ("normal_order", "4.7.0"),
        ("normal_order", "0.12"),
        ("normal_order", "00"),
        ("normal_order", "²"),
    ],
)
def test_a_text_that_the_encoding_does_not_write_is_rejected(name, text):
    with pytest.raises(MismatchError, match=rf"^expected .*, got {re.escape(repr(text))}$"):
        CHORD_ENCODINGS[name].pitches(text)
    with pytest.raises(MismatchError):
        CHORD_ENCODINGS[name].transposed(text, 1, 0, 127)


@every_encoding
@given(pitches=CHORDS, semitones=st.integers(-12, 12))
def test_transposing_a_text_transposes_its_pitches(name, pitches, semitones):
    encoding = CHORD_ENCODINGS[name]
    chord = chord_of(name, pitches)
    moved = [pitch + semitones for pitch in chord]
    text = encoding.transposed(encoding.text(chord), semitones, PIANO_LOWEST, PIANO_HIGHEST)
    has_range = name != "normal_order" or len(chord) == 1
    if semitones and has_range and not PIANO_LOWEST <= min(moved) <= max(moved) <= PIANO_HIGHEST:
        assert text is None
    elif has_range:
        assert text == encoding.text(moved)
    else:
        assert text == ".".join(map(str, normal_order(moved)))


@every_encoding
@given(
    notes=st.dictionaries(
        st.tuples(st.integers(0, 3), PITCHES),
        st.integers(1, 3),
        max_size=20,
    ),
    data=st.data(),
)
def test_groups_are_numbered_by_onset_and_lowest_pitch(name, notes, data):
    rows = data.draw(st.permutations([(onset, duration, pitch) for (onset, pitch), duration in notes.items()]))
    onset, duration, pitch = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    numbers = CHORD_ENCODINGS[name].groups(onset, duration, pitch).tolist()
    groups: dict[tuple[int, ...], list[int]] = {}
    for row_onset, row_duration, row_pitch in rows:
        key = (row_onset, row_pitch) if name == "per_note" else (row_onset, row_duration)
        groups.setdefault(key, []).append(row_pitch)
    order = sorted(groups, key=lambda key: (key[0], min(groups[key])))
    expected = [order.index((row[0], row[2]) if name == "per_note" else (row[0], row[1])) for row in rows]
    assert numbers == expected


def test_the_number_of_unknown_values():
    assert CHORD_ENCODINGS["per_note"].always == PITCH_NAMES
    assert CHORD_ENCODINGS["per_note"].log_unknown(128) == 0.0
    assert CHORD_ENCODINGS["per_note"].log_unknown(0) == math.log(128)
    assert CHORD_ENCODINGS["pitch_set"].log_unknown(1) == math.log(2**128 - 2)
    assert CHORD_ENCODINGS["normal_order"].log_unknown(1000) == math.log(128 + 4095 - 1000)
    assert CHORD_ENCODINGS["normal_order"].log_unknown(128 + 4095) == 0.0


def test_content_of_a_value_of_any_encoding():
    assert content("C4") == ((60,), (0,))
    assert content("E4.C5.G5") == ((64, 72, 79), (0, 4, 7))
    assert content("10.2.5") == ((), (2, 5, 10))
    with pytest.raises(MismatchError):
        content("C4.7")
