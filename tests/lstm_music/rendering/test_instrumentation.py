"""Where instruments stand in a score, how they are called, and how transposing ones are written."""

import pytest
from small_ensembles import part

from lstm_music.midi.general_midi import PROGRAMS
from lstm_music.midi.parts import Part
from lstm_music.rendering.instrument_styles import OTHER_FAMILIES, STYLES, TREBLE_8
from lstm_music.rendering.instrumentation import (
    abbreviations,
    file_names,
    full_names,
    score_order,
    style_of,
    written_key,
)
from lstm_music.rendering.percussion import drum_of


def ordered(*parts):
    return [parts[place].name for place in score_order(parts)]


def test_an_orchestra_stands_in_its_usual_order_and_equals_in_theirs():
    strings = [part("Cello", "cello"), part("Violin 2", "violin"), part("Violin 1", "violin"), part("Viola", "viola")]
    winds = [part("Horn", "french horn"), part("Oboe", "oboe"), part("Flute", "flute"), part("Trumpet", "trumpet")]
    others = [part("Drums"), part("Timpani", "timpani"), part("Choir", "choir aahs"), part("Harp", "orchestral harp")]
    assert ordered(*strings, *winds, *others) == [
        *("Flute", "Oboe", "Horn", "Trumpet", "Timpani", "Drums", "Harp", "Choir"),
        *("Violin 2", "Violin 1", "Viola", "Cello"),
    ]


def test_a_band_has_its_rhythm_section_below():
    bass, guitar = part("Bass", "electric bass (pick)"), part("Guitar", "electric guitar (clean)")
    piano, sax = part("Piano", "acoustic grand piano"), part("Sax", "alto sax")
    assert ordered(part("Drums"), bass, piano, guitar, sax) == ["Sax", "Guitar", "Piano", "Bass", "Drums"]


def test_singers_of_a_score_are_voices_though_they_have_the_program_of_a_piano():
    singers = [Part(name) for name in ("Bass", "Tenor 2", "Alto", "Soprano")]
    assert ordered(*singers) == ["Soprano", "Alto", "Tenor 2", "Bass"]
    assert style_of(singers[1]).clefs[0] == TREBLE_8
    assert style_of(part("Bass", "acoustic bass")).family == "bass"
    assert style_of(Part("Piano")).staves == 2


def test_a_name_says_which_instrument_plays_where_the_program_does_not():
    for name, instrument in (("Viola", "viola"), ("Violin II", "violin"), ("Violoncello", "cello")):
        assert style_of(part(name, "string ensemble 1")) == style_of(Part(name)) == STYLES[instrument]
    assert style_of(part("Viola", "flute")) == STYLES["flute"]
    assert style_of(part("Bass", "string ensemble 1")) == STYLES["string ensemble 1"]


def test_names_say_the_key_and_abbreviations_the_number():
    parts = [part("Clarinet 2", "clarinet"), part("Horn", "french horn"), part("Trumpet in B♭", "trumpet")]
    parts += [part("Lead", "overdriven guitar"), part("Rhythm Guitar", "electric guitar (clean)")]
    assert full_names(parts) == ["Clarinet in B♭ 2", "Horn in F", "Trumpet in B♭", "Lead", "Rhythm Guitar"]
    assert abbreviations(parts) == ["Cl. 2", "Hn.", "Tpt.", "Lead", "Rhyt. Guit."]


def test_file_names_are_safe_and_distinct():
    names = ["Violin 1", "violin-1", "../../etc/passwd", "Flöte", "", "♭", "violin 1 2", "x" * 300]
    assert file_names([Part(name) for name in names]) == [
        *("violin_1", "violin_1_3", "etc_passwd", "flote", "player_5", "player_6", "violin_1_2"),
        "x" * 40,
    ]


@pytest.mark.parametrize("sharps", range(-7, 8))
@pytest.mark.parametrize("program", ["clarinet", "alto sax", "french horn", "baritone sax", "contrabass", "flute"])
def test_a_written_key_sounds_as_the_key_of_the_piece(program, sharps):
    transposition = STYLES[program].transposition
    written, moved = written_key(sharps, transposition)
    assert (written + 7 * moved.semitones - sharps) % 12 == 0
    assert moved.total == transposition.total
    if transposition.semitones:
        assert abs(written) <= 6
    else:
        assert written == sharps
    assert written + 7 * moved.semitones - 12 * moved.steps == sharps  # on the line of fifths, not an enharmonic key


def test_an_alto_saxophone_reads_a_flat_major_where_b_major_sounds():
    written, moved = written_key(5, STYLES["alto sax"].transposition)
    assert (written, moved.steps, moved.semitones) == (-4, -6, -9)


def test_every_style_is_that_of_a_program():
    assert set(STYLES) <= set(PROGRAMS)
    assert all(style_of(Part("a part", program)) for program in range(128))
    assert {style_of(Part("", program)).family for program in range(80, 104)} == {"synthesizers"}
    assert set(OTHER_FAMILIES) == {"synth lead", "synth pad", "percussive", "ethnic"}


def test_no_two_drums_look_alike():
    looks = [(drum_of(key).place, drum_of(key).head) for key in range(27, 88)]
    assert len(set(looks)) == len(looks)
    assert drum_of(1).name == "Percussion 1"
