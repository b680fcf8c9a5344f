"""The MusicXML files of ../shared/cases: small inputs that were read wrongly, with what is right.

Behind each value stands a paragraph of the MusicXML 4.0 specification, or the readers that agree on it (verovio, MuseScore,
partitura): `EXPECTED.json` and the table beside it name them. The same kinds are tested on inputs of our own in
`test_musicxml.py`.
"""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from lstm_music.scores.musicxml import read
from lstm_music.scores.score import count_bars

CASES = Path(__file__).parents[4] / "shared" / "cases"
EXPECTED = CASES / "EXPECTED.json"


def notes(score):
    rows = sorted((note.onset, note.pitch, note.end - note.onset) for note in score.notes)
    return [list(row) for row in rows]


WHATS = {
    "notes": notes,
    "tempos": lambda score: [[place, round(60_000_000 / tempo)] for place, tempo in score.tempos],
    "programs": lambda score: [note.program for note in score.notes],
}

# [onset, pitch, duration] of the files that have no entry in EXPECTED.json.
NOTES = {
    "60-cue-notes": [[0, 72, 1], [1, 74, 1], [2, 76, 2], [4, 60, 4], [4, 79, 4]],  # cue: "silent"
    "63b-dc-al-fine": [[0, 60, 4], [4, 62, 4], [8, 64, 4], [12, 65, 4]],
    "64-timewise": [[0, 48, 4], [0, 72, 4], [4, 50, 4], [4, 74, 4]],
    "66-octave-shift": [[0, 84, 2], [2, 86, 2], [4, 72, 4]],  # "pitch" is the sounding one of an octave line
    "67-transpose-change": [[0, 72, 4], [4, 72, 4], [8, 71, 4]],
    "67b-double-bass": [[0, 36, 4]],
    "68-drumset": [[0, 36, 1], [0, 60, 4], [1, 38, 1], [2, 36, 1], [3, 38, 1]],  # midi-unpitched counts from 1
    "69-tie-across-voices": [[0, 60, 8], [8, 64, 4]],
    "72-multi-rest": [[12, 60, 4]],
    "74-chord-different-lengths": [[0, 60, 4], [0, 64, 2], [0, 67, 1]],
    "xml_score_timewise": [[0, 48, 4], [0, 72, 4]],
}

AS_PLAYED = {
    "63-repeat-endings": [60, 62, 64, 65, 67, 71, 60, 62, 64, 65, 67, 60],
    "63b-dc-al-fine": [60, 62, 64, 65, 60, 62],
    "xml_endings": [72, 74, 72, 76],
}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not EXPECTED.exists(), reason="the cases are absent: ../shared/cases"),
]


def read_case(name, *arguments):
    return read((CASES / f"{name}.musicxml").read_text(), *arguments)


def expected():
    values = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
    return [(name, value["what"], value["right"]) for name, value in values.items() if name.endswith(".musicxml")]


@pytest.mark.parametrize(("name", "what", "right"), expected())
def test_a_case_of_the_table_is_right(name, what, right):
    exact = [[Fraction(number) for number in row] if isinstance(row, list) else row for row in right]
    assert WHATS[what](read_case(name.removesuffix(".musicxml"))) == exact


@pytest.mark.parametrize("name", NOTES)
def test_the_notes_of_a_case_are_right(name):
    assert notes(read_case(name)) == NOTES[name]


@pytest.mark.parametrize("name", AS_PLAYED)
def test_repeats_are_played_when_the_recipe_asks_for_it(name):
    assert [note.pitch for note in read_case(name, "as_played").notes] == AS_PLAYED[name]


def test_played_once_the_first_ending_is_not_joined_to_the_second():
    pitches = [note.pitch for note in read_case("63-repeat-endings").notes]
    assert pitches == [60, 62, 64, 65, 67, 60]  # not …, 67, 71, 67, 60
    assert [note.pitch for note in read_case("xml_endings").notes] == [72, 76]


def test_a_pickup_is_bar_0_and_begins_within_it():
    score = read_case("71-pickup")
    bars = count_bars(score.measures)
    places = [
        (bar.number, note.onset - bar.start + bar.begins_at) for note in score.notes for bar in [bar_at(bars, note)]
    ]
    assert places == [(0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 2), (3, 0), (4, 0)]


def bar_at(bars, note):
    return [bar for bar in bars if bar.start <= note.onset][-1]


def test_drums_are_marked_as_drums():
    assert [note.is_drum for note in read_case("68-drumset").notes] == [True] * 4 + [False]
    on_channel_10 = read_case("68b-pitched-notes-on-channel-10")
    assert {(note.track, note.is_drum) for note in on_channel_10.notes} == {(0, True), (1, False)}
    assert [note.pitch for note in on_channel_10.notes if note.is_drum][:2] == [36, 38]


def test_a_tempo_counts_in_whatever_part_it_stands():
    assert read_case("75-tempo-in-second-part").tempos == ((0, 833_333), (4, 416_667))


def test_divisions_can_change_on_the_way():
    score = read_case("76-divisions-change")
    assert [note.end - note.onset for note in score.notes] == [1, 1, 2, *[Fraction(1, 3)] * 6, 2]
