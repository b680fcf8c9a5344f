"""How scores become notes in JSON; here in the test's own process."""

from base64 import b64encode
from fractions import Fraction

import pytest

from lstm_music.errors import RejectedInputError
from lstm_music.scores import child
from lstm_music.scores import score as score_module
from lstm_music.scores.child import read_batch
from lstm_music.scores.score import Score, ScoreNote, common_ticks, to_json

ABC = "X:1\nM:3/4\nL:1/8\nK:D\n"
DIVISIONS = "<attributes><divisions>12</divisions></attributes>"
PIANO = '<score-instrument id="i"><instrument-name>Piano</instrument-name></score-instrument>'


def read(text, score_format="musicxml"):
    """Read one score; return the piece, or the reason of its rejection."""
    sent = []
    data = b64encode(text.encode()).decode()
    limits = {"cpu_seconds": 60, "clock_seconds": 600}
    read_batch({"scores": [{"format": score_format, "repeats": "once", "data": data}], **limits}, sent.append)
    started, answer = sent
    assert started["started"] == 0
    assert answer.pop("index") == 0
    return answer.get("piece") or answer["reason"]


def rows(piece, *columns):
    return list(zip(*(piece["notes"][column] for column in columns), strict=True))


def musicxml(*parts, instruments=""):
    """Return a score; each part is the content of its measures, with 12 divisions per quarter."""
    listed = "".join(
        f'<score-part id="P{place}"><part-name>Part {place}</part-name>{instruments}</score-part>'
        for place in range(len(parts))
    )
    inside = "".join(
        f'<part id="P{place}"><measure number="1">{DIVISIONS}{part}</measure></part>'
        for place, part in enumerate(parts)
    )
    return f'<score-partwise version="4.0"><part-list>{listed}</part-list>{inside}</score-partwise>'


def note(step, duration, octave=4, inside="", after="", *, chord=False):
    return (
        f"<note>{'<chord/>' * chord}{inside}<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
        f"<duration>{duration}</duration>{after}</note>"
    )


def tied(step, kind, *, chord=False):
    return note(step, 12, after=f'<tie type="{kind}"/>', chord=chord)


def test_an_abc_tune_has_its_notes_and_signatures():
    piece = read(ABC + "D2 (3EFG [FA]2|", "abc")
    assert piece["ticks_per_quarter"] == 3
    assert rows(piece, "pitch", "onset_ticks", "duration_ticks") == [
        (62, 0, 3),
        (64, 3, 1),
        (66, 4, 1),
        (67, 5, 1),
        (66, 6, 3),
        (69, 6, 3),
    ]
    assert piece["time_signatures"] == [(0, 3, 4)]
    assert piece["key_signatures"] == [(0, 2, False)]
    assert set(rows(piece, "track", "channel", "program", "is_drum", "velocity")) == {(0, 0, 0, 0, 80)}
    assert piece["tempos"] == []


def test_kern_has_one_track_per_spine():
    piece = read("**kern\t**kern\n*k[b-]\t*k[b-]\n*d:\t*d:\n4D\t8dd\n.\t8ee\n*-\t*-\n", "kern")
    assert {track for (track,) in rows(piece, "track")} == {0, 1}
    assert sorted(rows(piece, "pitch", "onset_ticks", "duration_ticks")) == [(50, 0, 2), (74, 0, 1), (76, 1, 1)]
    assert piece["key_signatures"][-1] == (0, -1, True)


def test_a_tie_in_a_chord_joins_only_its_own_pitch():
    piece = read(
        musicxml(tied("C", "start") + note("E", 12, chord=True) + tied("C", "stop") + note("F", 12, chord=True)),
    )
    assert sorted(rows(piece, "pitch", "onset_ticks", "duration_ticks")) == [(60, 0, 2), (64, 0, 1), (65, 1, 1)]


def test_a_transposing_instrument_is_read_at_its_sounding_pitch():
    clarinet = "<attributes><transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose></attributes>"
    assert rows(read(musicxml(clarinet + note("C", 12))), "pitch") == [(58,)]


def test_grace_notes_and_chord_symbols_are_left_out():
    grace = "<note><grace/><pitch><step>B</step><octave>3</octave></pitch><type>eighth</type></note>"
    symbol = "<harmony><root><root-step>G</root-step></root><kind>major</kind></harmony>"
    assert rows(read(musicxml(grace + symbol + note("C", 12))), "pitch", "onset_ticks") == [(60, 0)]


def test_each_program_has_a_channel_and_drums_have_the_tenth():
    sounds = PIANO + '<midi-instrument id="i"><midi-program>41</midi-program></midi-instrument>'
    drum = (
        "<note><unpitched><display-step>E</display-step><display-octave>4</display-octave></unpitched>"
        "<duration>12</duration></note>"
    )
    piece = read(musicxml(note("C", 12) + drum, note("G", 12), instruments=sounds))
    assert rows(piece, "track", "channel", "program", "is_drum", "pitch") == [
        (0, 0, 40, 0, 60),
        (0, 9, 40, 1, 64),
        (1, 0, 40, 0, 67),
    ]
    assert piece["track_names"] == ["Part 0", "Part 1"]


def test_tempos_and_velocities_come_from_the_score():
    loud = note("C", 12).replace("<note>", '<note dynamics="100">')
    tempo = '<direction><direction-type><words>x</words></direction-type><sound tempo="90"/></direction>'
    piece = read(musicxml(tempo + loud + note("D", 12)))
    assert piece["tempos"] == [(0, 666_667)]
    assert rows(piece, "velocity") == [(90,), (80,)]


def test_signatures_that_midi_cannot_hold_are_left_out():
    nine_sharps = "<attributes><key><fifths>9</fifths></key></attributes>"
    assert read(musicxml(nine_sharps + note("C", 12)))["key_signatures"] == []


@pytest.mark.parametrize(
    ("text", "score_format", "reason"),
    [
        ("hello", "musicxml", "is not well-formed XML (syntax error: line 1, column 0)"),
        (
            "<mei/>",
            "musicxml",
            "is not a MusicXML score: expected the element score-partwise or score-timewise, got mei",
        ),
        ("zzz", "kern", "has no **kern spine; expected a line such as "),
        ("", "abc", "holds no ABC tune"),
        (f"{ABC}CDE|\n\n{ABC}EDC|".replace("X:1", "X:2", 1), "abc", "is a book of 2 tunes"),
        (ABC + "C9999999|", "abc", "too long: expected at most 65,536 quarter notes, got "),
        (musicxml(*[note("C", 12)] * 3), "musicxml", "too many parts: expected at most 2, got 3"),
    ],
)
def test_an_unreadable_score_is_rejected_with_a_reason(text, score_format, reason, monkeypatch):
    monkeypatch.setattr(score_module, "_LIMITS", score_module.ReadLimits(max_tracks=2))
    assert reason in read(text, score_format)


def test_a_score_that_needs_too_much_memory_is_rejected(monkeypatch):
    def greedy(*_):
        raise MemoryError

    monkeypatch.setattr(child, "READERS", {"abc": greedy})
    assert read(ABC, "abc") == "needs more memory than the limit for one score"


def score_note(onset, end, tie="", pitch=60):
    return ScoreNote(0, 0, is_drum=False, pitch=pitch, velocity=80, onset=Fraction(onset), end=Fraction(end), tie=tie)


def test_ticks_are_exact_if_a_midi_file_can_hold_them():
    assert common_ticks([]) == 1
    assert common_ticks([Fraction(1, 4), Fraction(1, 3), Fraction(2)]) == 12
    assert common_ticks([Fraction(1, 32_767)]) == 32_767
    assert common_ticks([Fraction(1, 32_768)]) == 30_240


def test_a_note_before_the_start_is_rejected():
    with pytest.raises(RejectedInputError, match="has a note before the start of the score"):
        to_json(Score((score_note(-1, 1),)))
