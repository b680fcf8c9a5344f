"""Programs and drums of MusicXML."""

import pytest
from musicxml_text import attributes_of, note, score

from lstm_music.errors import RejectedInputError
from lstm_music.scores import musicxml_part
from lstm_music.scores.instruments import named_drum, named_program
from lstm_music.scores.musicxml import read

CHANGES = [("a", 74), ("b", 73), ("a", 74), ("a", 57)]  # only the last one has another number
PERCUSSION_CLEF = attributes_of("<clef><sign>percussion</sign></clef>")


def part(*instruments, name="P"):
    """Return the entry of a part; an instrument is (id, name, content of its `midi-instrument`, or "" without one)."""
    listed = "".join(
        f'<score-instrument id="{key}"><instrument-name>{words}</instrument-name></score-instrument>'
        for key, words, _ in instruments
    )
    midi = "".join(
        f'<midi-instrument id="{key}">{inside}</midi-instrument>' for key, _, inside in instruments if inside
    )
    return {0: f'<score-part id="P0"><part-name>{name}</part-name>{listed}{midi}</score-part>'}


def program(number):
    return f"<midi-program>{number}</midi-program>"


def by(name):
    return f'<instrument id="{name}"/>'


def unpitched(quarters=1, *, place="<display-step>E</display-step><display-octave>4</display-octave>", instrument=""):
    return f"<note><unpitched>{place}</unpitched><duration>{quarters * 12}</duration>{instrument}</note>"


def programs(content, listed):
    return [one.program for one in read(score([content], listed=listed)).notes]


def drums(content, listed=None):
    return [(one.is_drum, one.pitch) for one in read(score([content], listed=listed)).notes]


def test_the_program_of_the_file_counts_more_than_any_name():
    assert programs(note("C4"), part(("a", "Violin", program(1)), name="Violin")) == [0]
    assert programs(note("C4"), part(("a", "Violin", ""))) == [40]
    assert programs(note("C4"), part(name="2 Oboes")) == [68]
    assert programs(note("C4"), part(name="Soprano")) == [0]
    assert programs(note("C4"), part(("a", "Violin", program(200)))) == [40]


def test_a_note_is_played_by_the_instrument_that_it_names():
    two = part(("a", "Flute", program(74)), ("b", "Piccolo", program(73)))
    content = note("C5", inside=by("a")) + note("D5", inside=by("b")) + note("E5") + note("F5", inside=by("unknown"))
    assert programs(content, two) == [73, 72, 73, 0]


def test_a_sound_changes_the_instrument_from_where_it_stands():
    two = part(("a", "Flute", program(74)), ("b", "Piccolo", ""))
    to_the_other = f'<sound><midi-instrument id="b">{program(73)}</midi-instrument></sound>'
    named = '<instrument-change id="a"><instrument-sound>brass.trumpet.bflat</instrument-sound></instrument-change>'
    content = note("C5") + to_the_other + note("D5") + f"<direction><sound>{named}</sound></direction>" + note("E5")
    assert programs(content, two) == [73, 72, 56]
    assert programs(note("C5") + "<sound><midi-instrument/></sound>" + note("D5"), two) == [73, 73]


def test_instruments_are_copied_only_where_one_changes(monkeypatch):
    two = part(("a", "Flute", program(74)), ("b", "Piccolo", program(73)))
    changes = [
        f'<sound><midi-instrument id="{name}">{program(number)}</midi-instrument></sound>' for name, number in CHANGES
    ]
    content = "".join(change + note("C5") for change in changes)
    monkeypatch.setattr(musicxml_part, "MOST_COPIED_INSTRUMENTS", 2)
    assert programs(content, two) == [73, 72, 73, 56]
    monkeypatch.setattr(musicxml_part, "MOST_COPIED_INSTRUMENTS", 1)
    with pytest.raises(RejectedInputError, match="changes its instruments too often"):
        programs(content, two)


def test_unpitched_notes_are_drums_of_the_pitch_that_the_file_gives_from_1():
    kit = part(
        ("k", "Kick", "<midi-channel>10</midi-channel><midi-unpitched>36</midi-unpitched>"),
        ("s", "Snare Drum", "<midi-channel>10</midi-channel>"),
        ("x", "Thing", ""),
    )
    content = "".join(unpitched(instrument=by(key)) for key in "ksx")
    assert drums(content, kit) == [(True, 35), (True, 38), (True, 64)]
    assert drums(unpitched(place="")) == [(True, 71)]


@pytest.mark.parametrize(
    ("clef", "channel", "is_drum"),
    [("", 10, True), ("", 9, False), (PERCUSSION_CLEF, None, True), (PERCUSSION_CLEF, 3, False), ("", None, False)],
)
def test_pitched_notes_are_drums_on_channel_10_or_under_a_percussion_clef_without_a_channel(clef, channel, is_drum):
    listed = part(("a", "x", f"<midi-channel>{channel}</midi-channel>" if channel else program(1)))
    assert drums(clef + note("C2"), listed) == [(is_drum, 36)]


def test_names_are_found_in_other_words_and_languages():
    assert named_program("wind.flutes.flute") == 73
    assert named_program("Zwei Blockflöten", "Violin") == 40
    assert named_program("", "Violini I") == 40
    assert named_program("Bass Clarinet in Bb") == 71
    assert named_program("Oboe_1 (solo)") == 68
    assert named_program("Bass", "Chor") is None
    assert named_drum("drum.bass-drum") == 36
    assert named_drum("Closed Hi-Hat") == 42
    assert named_drum("Voice") is None
