"""What a musician types is read, and anything else gets a sentence with what would be right."""

import pytest
from pydantic import ValidationError

from lstm_music.generation.spec import OPTIONAL, GenerationSpec
from lstm_music.generation.steering import STEERING, Key, read_bars, read_key, read_meter, read_register
from lstm_music.midi.key import key_name


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("A minor", Key(0, is_minor=True)),
        ("a minor", Key(0, is_minor=True)),
        ("Bb major", Key(-2, is_minor=False)),
        ("bb major", Key(-2, is_minor=False)),
        ("B minor", Key(2, is_minor=True)),
        ("F♯ Minor", Key(3, is_minor=True)),
        ("Gb major", Key(-6, is_minor=False)),
        ("C# major", Key(7, is_minor=False)),
        ("Cb major", Key(-7, is_minor=False)),
        ("F major", Key(-1, is_minor=False)),
        ("Am", Key(0, is_minor=True)),
        ("F#m", Key(3, is_minor=True)),
        ("bbm", Key(-5, is_minor=True)),
        (" A  minor ", Key(0, is_minor=True)),
    ],
)
def test_keys(text, key):
    assert read_key(text) == key
    assert read_key(key_name(key.sharps, is_minor=key.is_minor)) == key


def test_every_key_has_a_name_that_is_read_again():
    for sharps in range(-7, 8):
        for is_minor in (False, True):
            assert read_key(key_name(sharps, is_minor=is_minor)).sharps == sharps


@pytest.mark.parametrize(
    ("text", "pitches"),
    [
        ("C3-C6", (48, 84)),
        ("c3 - c6", (48, 84)),
        ("48-84", (48, 84)),
        ("Bb2-F#5", (46, 78)),
        ("C-1-G9", (0, 127)),
        ("b3-B♭4", (59, 70)),
        ("60-60", (60, 60)),
    ],
)
def test_registers(text, pitches):
    assert read_register(text) == pitches


def test_meters_and_bars():
    assert read_meter("6/8") == (6, 8)
    assert read_bars("1-8") == (1, 8)
    assert read_bars("0-2") == (0, 2)
    assert read_bars("5") == (5, 5)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"key": "A"}, "expected a key such as 'A minor'"),
        ({"key": "H minor"}, "expected a key such as 'A minor'"),
        ({"key": "AM"}, "expected a key such as 'A minor'"),
        ({"key": "G# major"}, "at most 7 sharps or flats, such as 'Ab major', which sounds the same"),
        ({"key": "Db minor"}, "at most 7 sharps or flats, such as 'C# minor', which sounds the same"),
        ({"pitch_range": "C6-C3"}, "expected the lowest note first"),
        ({"pitch_range": "C3"}, "expected the lowest and the highest note"),
        ({"pitch_range": "60-128"}, "from 0 .* to 127"),
        ({"meter": "3"}, "expected a time signature such as 3/4"),
        ({"meter": "4/5"}, "expected a time signature such as 3/4"),
        ({"meter": "0/4"}, "expected a time signature such as 3/4"),
        ({"prompt_bars": "8-1"}, "expected the first and the last bar"),
        ({"tempo": 3}, "expected 10 to 500 quarter notes a minute"),
        ({"velocity": 128}, "less than or equal to 127"),
        ({"bars": -1}, "greater than or equal to 0"),
        ({"bars": 8, "seconds": 20}, "bars: excludes seconds, because both say where the music ends; leave one out"),
        ({"key": "A minor", "prompt": "none"}, "key: the prompt is moved to it, .*; leave one out"),
    ],
)
def test_anything_else_is_refused_with_what_would_be_right(wrong, sentence):
    with pytest.raises(ValidationError, match=sentence):
        GenerationSpec(**wrong)


@pytest.mark.parametrize(
    ("setting", "texts", "written"),
    [
        ("key", ["A minor", "a minor", "Am", "A  minor"], "A minor"),
        ("key", ["B♭ Major"], "Bb major"),
        ("pitch_range", ["C3-C6", "c3 - c6", "48-84", "C3\u2013C6"], "C3-C6"),
        ("pitch_range", ["A#-1-Gb9"], "Bb-1-F#9"),
        ("meter", ["3/4", " 3/4", "03/4"], "3/4"),
        ("prompt_bars", ["5-6", "5\u20136", "05-6"], "5-6"),
        ("prompt_bars", ["3", "3-3"], "3"),
        ("key", ["", " "], ""),
    ],
)
def test_what_means_the_same_is_written_the_same(setting, texts, written):
    assert {getattr(GenerationSpec(**{setting: text}), setting) for text in texts} == {written}
    assert getattr(GenerationSpec(**{setting: written}), setting) == written


def test_what_asks_nothing_is_not_written():
    assert not GenerationSpec().model_dump().keys() & {*OPTIONAL}
    asked = GenerationSpec(bars=8, key="A minor").model_dump()
    assert asked.keys() & {*STEERING} == {"bars", "key"}
    assert GenerationSpec.model_validate(asked) == GenerationSpec(bars=8, key="A minor")
