"""Instruments that people name: programs, families, numbers, the names of scores, and one for each part."""

import pytest

from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.instruments import instruments_by_part, program_of, programs_by_part, written
from lstm_music.errors import RecipeError
from lstm_music.midi.general_midi import FAMILIES, FAMILY_SIZE, PROGRAMS

CHOIR = EventSpec(parts="names", part_names=("soprano", "alto", "violin 1", "violin 2"))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("strings", "string ensemble 1"),
        (" String  Ensemble 1 ", "string ensemble 1"),
        ("49", "string ensemble 1"),
        ("1", "acoustic grand piano"),
        ("128", "gunshot"),
        ("violin", "violin"),
        ("Vln", "violin"),
        ("Violoncelli", "cello"),
        ("tenor saxophone", "tenor sax"),
        ("nylon guitar", "acoustic guitar (nylon)"),
        ("bass", "electric bass (finger)"),
        ("soprano", "choir aahs"),
        ("corno", "french horn"),
    ],
)
def test_an_instrument_by_its_name_family_number_or_that_of_a_score(text, wanted):
    assert PROGRAMS[program_of(text)] == wanted


def test_every_program_and_every_family_is_found():
    assert [program_of(name) for name in PROGRAMS] == [*range(128)]
    families = [program_of(name) // FAMILY_SIZE for name in FAMILIES if name != "strings"]
    assert families == [number for number, name in enumerate(FAMILIES) if name != "strings"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("vilin", r"such as violin or viola"),
        ("0", r"its number from 1 to 128"),
        ("129", r"its number from 1 to 128"),
        ("", r"such as violin or strings"),
        ("Drums", r"an instrument with pitches \(add_drums adds a drum part\)"),
    ],
)
def test_what_is_no_instrument(text, sentence):
    with pytest.raises(RecipeError, match=sentence):
        program_of(text)


def test_an_instrument_for_each_part():
    found = instruments_by_part("Soprano = flute, ALTO=corno inglese")
    assert found == {"soprano": "flute", "alto": "english horn"}
    assert instruments_by_part(written(found)) == found
    assert instruments_by_part("") == {}
    assert programs_by_part("soprano=flute, violin=viola", CHOIR) == {"Soprano": 73, "Violin 1": 41, "Violin 2": 41}
    assert programs_by_part("flute", EventSpec()) == {"": 73}


@pytest.mark.parametrize("text", ["violin,flute", "soprano=flute,violin", "soprano=flute,soprano=oboe", "=flute"])
def test_one_instrument_or_one_for_each_part(text):
    with pytest.raises(RecipeError, match="expected one instrument, or one for each part"):
        instruments_by_part(text)


@pytest.mark.parametrize(
    ("text", "events", "sentence"),
    [
        ("flute", CHOIR, "so say which part plays it: soprano=flute; instruments chooses"),
        ("soprano=flute", EventSpec(), "give its name alone: flute"),
        ("tenor=flute", CHOIR, "instrument: expected some of soprano, alto, violin 1, violin 2; got 'tenor'"),
        ("drums=flute", EventSpec(parts="families"), "they stay drums"),
    ],
)
def test_instruments_that_do_not_fit_the_parts(text, events, sentence):
    with pytest.raises(RecipeError, match=sentence):
        programs_by_part(text, events)
