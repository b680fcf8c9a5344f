"""How ABC becomes notes. Each case names what stands behind it: a section of the standard 2.1, or the readers that agree."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from lstm_music.errors import RejectedInputError
from lstm_music.scores import abc, abc_lines, abc_measures
from lstm_music.scores.abc import read
from lstm_music.scores.score import count_bars

HEADER = "X:1\nT:t\nM:4/4\nL:1/4\nK:C\n"
CASES = Path(__file__).parents[4] / "shared" / "cases"
MANY = "\n".join(f"m:~n{place} = {'n' * 50}" for place in range(2, 5))


def tune(music, **fields):
    """Return a tune in 4/4 with quarters for units and the key of C, but for other fields."""
    fields = {"X": "1", "M": "4/4", "L": "1/4", "K": "C", **fields}
    order = [*(name for name in fields if name != "K"), "K"]
    return "".join(f"{name}:{fields[name]}\n" for name in order) + music


def notes(text, repeats="once"):
    """Read (onset, pitch, duration) of all notes, in their order."""
    return sorted(
        (rounded(note.onset), note.pitch, rounded(note.end - note.onset)) for note in read(text, repeats).notes
    )


def rounded(quarters):
    return int(quarters) if quarters.denominator == 1 else round(float(quarters), 4)


def line(*pitches, lengths=1):
    """Return notes one after another."""
    lengths = [lengths] * len(pitches) if isinstance(lengths, int | float) else lengths
    return [(rounded(Fraction(sum(lengths[:place]))), pitch, lengths[place]) for place, pitch in enumerate(pitches)]


PITCHES = {
    "an accidental holds to the bar line (4.2)": ("^F F|F2|", line(66, 66, 65, lengths=[1, 1, 2])),
    "an accidental holds in its own octave (11.3)": ("^F f =f F|", line(66, 77, 77, 66)),
    "an accidental before a chord's note holds in the bar": ("[^FA] F|", [(0, 66, 1), (0, 69, 1), (1, 66, 1)]),
    "a double accidental and its end (4.2)": ("^^F __B =F B|", line(67, 69, 65, 69)),
    "a tie carries an accidental over the bar line (4.11)": ("^c4-|c2 c2|", line(73, 72, lengths=[6, 2])),
    "octaves (4.1)": ("C,, C, C c c' c''|", line(36, 48, 60, 72, 84, 96)),
    "all notes, when propagation is by octave (11.3)": ("%%propagate-accidentals octave\n^F f|", line(66, 78)),
    "one note, when propagation is off (11.3)": ("I:propagate-accidentals not\n^F F|", line(66, 65)),
    "a key in brackets (3.2)": ("F [K:D] F c [K:Bb] B|", line(65, 66, 73, 70)),
    "a key on its own line (3.2)": ("F\nK:D\nF|", line(65, 66)),
    "a key ends the accidentals of the bar": ("^F F [K:F] F B|", line(66, 66, 65, 70)),
}
LENGTHS = {
    "lengths (4.3)": ("C2 C/ C/2 C3/2 C// C3//|", line(60, 60, 60, 60, 60, 60, lengths=[2, 0.5, 0.5, 1.5, 0.25, 0.75])),
    "broken rhythm (4.4)": ("c>d e<<f|", line(72, 74, 76, 77, lengths=[1.5, 0.5, 0.25, 1.75])),
    "broken rhythm with spaces, a rest and a chord": (
        "c > z [ce]<d|",
        [(0, 72, 1.5), (2, 72, 0.5), (2, 76, 0.5), (2.5, 74, 1.5)],
    ),
    "broken rhythm over a grace note (abc2midi, abcjs)": ("c2>{d}e2|", line(72, 76, lengths=[3, 1])),
    "a triplet takes the time of two (4.13)": (
        "(3cde f|",
        [(0, 72, 0.6667), (0.6667, 74, 0.6667), (1.3333, 76, 0.6667), (2, 77, 1)],
    ),
    "a tuplet with all its numbers (4.13)": ("(3:4:2 cd e|", [(0, 72, 1.3333), (1.3333, 74, 1.3333), (2.6667, 76, 1)]),
    "a tuplet with a number left out (4.13)": ("(3::2 cd e|", [(0, 72, 0.6667), (0.6667, 74, 0.6667), (1.3333, 76, 1)]),
    "a broken rhythm in a triplet": ("(3c>de|", line(72, 74, 76, lengths=[1, 0.3333, 0.6667])),
    "a unit length in brackets (3.2)": ("c [L:1/8] c c|", line(72, 72, 72, lengths=[1, 0.5, 0.5])),
    "rests, spacers and invisible rests (4.5, 6.1.2)": ("c z y2 x2 d|", [(0, 72, 1), (4, 74, 1)]),
    "rests of whole bars (4.5)": ("c4|Z2|d4|X|e4|", [(0, 72, 4), (12, 74, 4), (20, 76, 4)]),
    "each note of a chord has its own length (4.17)": ("[C2E2G]2 c|", [(0, 60, 4), (0, 64, 4), (0, 67, 2), (4, 72, 1)]),
    "a tied chord is one chord (4.11)": ("[CE]2-[CE]2|", [(0, 60, 4), (0, 64, 4)]),
    "a tie in a chord holds its own note (4.17)": ("[C-E][CE]|", [(0, 60, 2), (0, 64, 1), (1, 64, 1)]),
    "a tie over a bar line and a space": ("c4 -|c2|", line(72, lengths=[6])),
    "a tie to another pitch joins nothing": ("c-d|", line(72, 74)),
    "chords as they were written before 1996 (10.2)": ("+CEG+ c|", [(0, 60, 1), (0, 64, 1), (0, 67, 1), (1, 72, 1)]),
}
SIGNS = {
    "chord symbols, annotations, decorations, slurs": ('"Am"(c "^up"!f!d) ~e .f|', line(72, 74, 76, 77)),
    "H is a fermata (4.14)": ("cHdef|", line(72, 74, 76, 77)),
    "old decorations (10.2)": ("+trill+c+ff+ d|", line(72, 74)),
    "grace notes take no time (4.12)": ("{gf}c {/b}d|", line(72, 74)),
    "a remark in brackets (2.2.5)": ("c d[r:bad] e|", line(72, 74, 76)),
    "comments and lyrics": ("c d % e f\nw:do re\n% a b\ne f|", line(72, 74, 76, 77)),
    "a text block (2.2.3)": ("c|\n%%begintext\ndeaf\n%%endtext\nd|", line(72, 74)),
    "a text block without an end is none": ("c|\n%%begintext\nd|", line(72, 74)),
    "a line that goes on (2.2.6)": ("c d\\\n%comment\ne f|", line(72, 74, 76, 77)),
    "a note before a repeat sign is no field": ("c d\nG:|", line(72, 74, 67)),
    "an overlay goes back to the start of the bar (7.4)": (
        "c4 & e2 f2|d4|",
        [(0, 72, 4), (0, 76, 2), (2, 77, 2), (4, 74, 4)],
    ),
    "a macro (9.1)": ("m:~G2 = {A}G{F}G\n~G2 A|", line(67, 67, 69)),
    "a macro for every note (9.2)": (
        "m:~n2 = no/m/\n~c2 ~B2|",
        line(72, 74, 71, 71, 72, 69, lengths=[1, 0.5, 0.5, 1, 0.5, 0.5]),
    ),
    "bar lines in the wild (4.8)": ("c|[|d.|e|]f[|]g||a|", line(72, 74, 76, 77, 79, 81)),
    "a voice after each of two lines (7)": (
        "V:1\nc4|\nV:2\nC4|\nV:1\nd4|\nV:2\nD4|",
        [(0, 60, 4), (0, 72, 4), (4, 62, 4), (4, 74, 4)],
    ),
    "voices in brackets (7)": (
        "[V:1]c4|[V:2]C4|\n[V:1]d4|\n[V:2]D4|",
        [(0, 60, 4), (0, 72, 4), (4, 62, 4), (4, 74, 4)],
    ),
    "bars begin together, although a voice leaves a beat out": (
        "V:1\nc4|d4|\nV:2\nC2|D4|",
        [(0, 60, 2), (0, 72, 4), (4, 62, 4), (4, 74, 4)],
    ),
}


@pytest.mark.parametrize(
    ("music", "expected"), [*PITCHES.values(), *LENGTHS.values(), *SIGNS.values()], ids=[*PITCHES, *LENGTHS, *SIGNS]
)
def test_music_is_read_as_the_standard_says(music, expected):
    score = read(tune(music))
    assert notes(tune(music)) == sorted(expected)
    assert score.warnings == ()


@pytest.mark.parametrize(
    ("key", "pitches"),
    [
        ("C", (60, 65, 71)),
        ("G", (60, 66, 71)),
        ("Bb", (60, 65, 70)),
        ("F#m", (61, 66, 71)),
        ("Gmix", (60, 65, 71)),
        ("D Dorian", (60, 65, 71)),
        ("E phr", (60, 65, 71)),
        ("F lydian", (60, 65, 71)),
        ("B loc", (60, 65, 71)),
        ("A Minor", (60, 65, 71)),
        ("Dm ^g", (60, 65, 70)),
        ("D =c", (60, 66, 71)),
        ("C exp _b ^c", (61, 65, 70)),
        ("HP", (61, 66, 71)),
        ("none", (60, 65, 71)),
        ("", (60, 65, 71)),
        ("clef=bass", (60, 65, 71)),
        ("G bass", (60, 66, 71)),
        ("C clef=treble-8", (48, 53, 59)),
        ("C treble+8", (72, 77, 83)),
        ("C octave=-1", (48, 53, 59)),
        ("C transpose=-2", (58, 63, 69)),
    ],
)
def test_a_key_alters_and_a_clef_moves_only_if_it_says_so(key, pitches):
    assert notes(tune("CFB|", K=key)) == line(*pitches)  # 3.1.14, 4.6


@pytest.mark.parametrize(
    ("fields", "beats"),
    [
        ({"Q": "1/4=90"}, 90),
        ({"Q": '"Allegro" 1/2=60 % quick'}, 120),
        ({"Q": "1/4 3/8 1/4 3/8=40"}, 200),
        ({"L": "1/8", "Q": "120"}, 60),
        ({"L": "1/8", "Q": "C3=40"}, 60),
    ],
)
def test_a_tempo_counts_its_beats(fields, beats):
    ((start, microseconds),) = read(tune("c|", **fields)).tempos  # 3.1.8, 10.1
    assert (start, round(60_000_000 / microseconds)) == (0, beats)


def test_a_tempo_in_brackets_begins_where_it_stands():
    assert read(tune("cd[Q:1/4=60]ef|", Q="1/4=120")).tempos == ((0, 500_000), (2, 1_000_000))
    assert read(tune("cd|", Q='"Allegro"')).tempos == ()


def test_meters_begin_with_their_bars():
    score = read(tune("c4|[M:3/4]d3|[M:(2+3)/8]e5/2|M|[M:C|]f4|"))
    assert score.time_signatures == ((0, 4, 4), (4, 3, 4), (7, 5, 8), (Fraction(19, 2), 2, 2))
    assert [measure.nominal for measure in score.measures] == [4, 3, Fraction(5, 2), 4]
    assert read("X:1\nM:6/8\nK:C\nc|").time_signatures == ((0, 6, 8),)


@pytest.mark.parametrize(
    ("meter", "length"), [("2/4", 0.25), ("3/4", 0.5), ("C", 0.5), ("none", 0.5), ("6/8", 0.5), ("3/8", 0.25)]
)
def test_without_a_unit_the_meter_gives_it(meter, length):
    assert notes(f"X:1\nM:{meter}\nK:C\nc|") == [(0, 72, length)]  # 3.1.7


def test_a_pickup_is_bar_zero_and_a_divided_bar_is_one():
    score = read(tune("G|c c d|e2 c|G2:|c|G3|", M="3/4"))
    assert [(bar.number, bar.begins_at) for bar in count_bars(score.measures)] == [
        (0, 2),
        (1, 0),
        (2, 0),
        (3, 0),
        (3, 2),
        (4, 0),
    ]


PLAYED = {
    "once without a sign to begin with": ("C4:|D4|", "CCD"),
    "two repeats beside each other": ("|:C4::D4:|", "CCDD"),
    "three times": ("|::C4::|D4|", "CCCD"),
    "two endings": ("|:C4|1D4:|2E4|F4|", "CDCEF"),
    "an ending for two times": ("|:C4|[1,2D4:|[3E4|", "CDCDCE"),
    "an ending that comes again": ("|:C4|[1,3D4:|[2E4:|F4|", "CDCECDF"),
    "endings for a range of times": ("|:C4|[1-3D4:|[4E4|", "CDCDCDCE"),
    "after the last ending a passage begins": ("C4|1D4:|2E4||F4|G4:|", "CDCEFGFG"),
    "the end of a repeat begins one": ("C4:|D4:|E4|", "CCDDE"),
    "da capo al fine": ("C4|!fine!D4|E4!D.C.alfine!|", "CDECD"),
    "dal segno al coda": ("C4|!segno!D4|E4!coda!|F4!D.S.alcoda!|!coda!G4|", "CDEFDG"),
    "da capo takes the last ending": ("|:C4|1D4:|2!fine!E4||F4!D.C.!|", "CDCEFCE"),
}


@pytest.mark.parametrize(
    ("music", "letters"),
    [
        ("|:C4|1D4:|2E4|F4|", "CEF"),
        ("C4|[1D4 E4:|[2F4|]", "CF"),
        ("|:C4|[1,3D4:|[2E4:|F4|", "CEF"),
        ("|:C4|1D4:|2E4||F4|:G4|1A4:|2B4|]", "CEFGB"),
        ("C4|1D4|2E4|", "CDE"),  # nothing leads back, so the endings are no choice
    ],
)
def test_once_takes_the_last_ending(music, letters):
    steps = {60: "C", 62: "D", 64: "E", 65: "F", 67: "G", 69: "A", 71: "B"}
    assert "".join(steps[pitch] for _, pitch, _ in notes(tune(music))) == letters


@pytest.mark.parametrize(("music", "letters"), PLAYED.values(), ids=PLAYED)
def test_as_played_follows_the_signs(music, letters):
    steps = {60: "C", 62: "D", 64: "E", 65: "F", 67: "G"}
    assert "".join(steps[pitch] for _, pitch, _ in notes(tune(music), "as_played")) == letters
    assert [pitch for _, pitch, _ in notes(tune(music))] == sorted({pitch for _, pitch, _ in notes(tune(music))})


def test_parts_are_played_in_the_order_of_the_header():
    text = tune("z4|P:x\n", P="A(AB)2.A")
    assert notes(text) == []
    text = tune("P:A\nC4|\nP:B\nD4|", P="A(AB)2A")
    assert [pitch for _, pitch, _ in notes(text, "as_played")] == [60, 60, 62, 60, 62, 60]
    assert [pitch for _, pitch, _ in notes(text)] == [60, 62]


def test_no_tie_leads_from_one_ending_to_the_next():
    text = tune("|:^c4-|1c4-:|2c4|")
    assert notes(text) == [(0, 73, 8)]  # into the ending that is played
    assert notes(text, "as_played") == [(0, 73, 8), (8, 73, 8)]  # the same after the repeat


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("|:C4-:|C4|", [(0, 60, 4), (4, 60, 8)]),  # only the second time it goes on
        ("|:CDEC-:|C4|", line(60, 62, 64, 60, 60, 62, 64, 60, lengths=[1, 1, 1, 1, 1, 1, 1, 5])),
        ("|:C4-|C2D2:|", line(60, 62, 60, 62, lengths=[6, 2, 6, 2])),
        ("|:C4-|1C4:|2C4|]", line(60, 60, lengths=[8, 8])),  # into the ending that is played
        ("C4|D4-!D.C.!|", line(60, 62, 60, 62, lengths=[4, 4, 4, 4])),
    ],
)
def test_no_tie_leads_back(music, expected):
    assert notes(tune(music), "as_played") == expected  # as abc2midi strikes the notes


def test_signs_of_one_voice_hold_for_all():
    text = tune("V:1\n|:c4:|d4|\nV:2\nC4|D4|")
    assert notes(text, "as_played") == [(0, 60, 4), (0, 72, 4), (4, 60, 4), (4, 72, 4), (8, 62, 4), (8, 74, 4)]


def test_voices_have_names_programs_and_drums():
    score = read(
        tune(
            'V:1 name="Flute" clef=treble+8\n%%MIDI program 73\nc|\nV:2 nm="Kit"\n%%MIDI channel 10\nC|\n'
            "[V:3 perc]D|\n[V:4][I:MIDI program 40]e|"
        )
    )
    assert score.part_names == ("Flute", "Kit", "", "")
    assert [(note.track, note.pitch, note.program, note.is_drum) for note in score.notes] == [
        (0, 84, 73, False),
        (1, 60, 0, True),
        (2, 62, 0, True),
        (3, 76, 40, False),
    ]


@pytest.mark.parametrize("space", [" ", "\t", " \t "])
def test_the_properties_of_a_voice_stand_behind_any_white_space(space):
    in_header = tune("V:2\nc|", V=f"2{space}octave=-1")
    in_body = tune(f"V:2{space}octave=-1\nc|")
    in_music = tune(f"[V:2{space}octave=-1]c|")
    assert [[note.pitch for note in read(text).notes] for text in (in_header, in_body, in_music)] == [[60]] * 3


def test_a_file_header_holds_for_its_tune():
    assert notes("%abc-2.1\nL:1/4\nM:4/4\n\nX:1\nK:C\nc|") == [(0, 72, 1)]  # 2.2.2


def test_a_tune_ends_at_an_empty_line_which_is_said_where_music_follows():
    score = read(tune("c d|\n\nfree text\n\ne f|\n"))
    assert [note.pitch for note in score.notes] == [72, 74]
    assert score.warnings == ("ends at an empty line; 1 line of music behind it is left out",)
    assert read("X:1\nL:1/4\n\nK:C\n\nc|\n\nThat was all.").warnings == ()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("X:1\nL:1/4\nc d|", "has no field K:, so it is read in C major"),
        (tune("c 5 d|"), "has a character that cannot be read and is left out ('5')"),
        (tune("c ] } d|"), "has 2 characters that cannot be read and are left out (first: ']')"),
        (tune('c "Am d|'), "has a character that cannot be read and is left out ('\"')"),
        (
            tune("c d,,,,,,,,|"),
            "has a note beyond the range of MIDI that cannot be read and is left out (d in octave -3)",
        ),
        (tune("c|", M="seven"), "has a meter that cannot be read and is left out ('seven')"),
        (
            tune("V:1\nc4|d4|\nV:2\nc4|"),
            "has voices with different numbers of bars (2, 1), so their bars may not begin together",
        ),
    ],
)
def test_nothing_is_left_out_in_silence(text, warning):
    score = read(text)
    assert score.notes[0].pitch == 72
    assert score.warnings == (warning,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (tune("c|\n\n") + tune("d|", X="2"), "is a book of 2 tunes"),
        (tune("C999999|"), "too long"),
        (tune("Z70000|"), "too long"),
        (tune("c4|" * 20_000), "too long"),
        (tune("|:::::::::c4:::::::::|" * 9 + "|:c4|[1-999 d4:|"), ""),
        (tune("P:A\nc4|", P="((((A99)99)99)99)"), "too long"),
        (tune("C9999999999|"), "has a number of 10 digits"),
        ("", "holds no ABC tune"),
        ("Dear Clara, this is no music.", "holds no ABC tune"),
        (tune("".join(f"c/{prime}" for prime in (101, 103, 107, 109, 113)) + "|"), "mixes note lengths"),
        (tune(f"{MANY}\n{'~c2' * 8000}|"), "has macros (m:) that make too much of it"),
        (tune("".join(f"V:{number}\nc|\n" for number in range(201))), "too many voices"),
        (tune("".join(f"V:{number}\nZ8000|\n" for number in range(190))), "too many bars"),
    ],
)
def test_a_tune_that_asks_for_too_much_is_rejected(text, reason):
    if not reason:
        assert len(notes(text, "as_played")) < 65_536
        return
    with pytest.raises(RejectedInputError, match=reason.replace("(", "\\(").replace(")", "\\)")):
        read(text, "as_played")


@pytest.mark.parametrize(
    ("module", "limit", "most", "repeats", "reason"),
    [
        (abc_measures, "MOST_NOTES", 4, "once", "too many notes: expected at most 4"),
        (abc, "MOST_NOTES", 9, "as_played", "too many notes: expected at most 9"),
        (abc_measures, "MOST_MEASURES_OF_VOICES", 0, "once", "too many bars: expected at most 0 in all voices"),
        (abc_measures, "MOST_MEASURES_OF_VOICES", 1, "as_played", "too many bars: expected at most 1 in all voices"),
        (abc_lines, "MOST_CHARACTERS", 28, "once", "is too long a text: expected at most 28 characters, got 29"),
    ],
)
def test_limits_hold_for_what_is_written_and_for_what_is_played(module, limit, most, repeats, reason, monkeypatch):
    text = tune("|:cdefg:|")
    assert len(read(text, repeats).notes) == (10 if repeats == "as_played" else 5)
    monkeypatch.setattr(module, limit, most)
    with pytest.raises(RejectedInputError, match=reason):
        read(text, repeats)


@pytest.mark.parametrize(
    "sign", ["[", "{", '"', "!", "+", "(", "|", ":", "[K:", "[V:", "(3:2:99", "c&", "[ce", "]", "_", "%%"]
)
def test_a_long_line_of_one_sign_is_read_to_its_end(sign):
    score = read(tune(f"c4|\n{sign * 20_000}\nd4|"))
    assert (score.notes[0].pitch, score.notes[-1].pitch) == (72, 74)
    assert len(score.warnings) <= 2


@pytest.mark.corpus
def test_the_cases_that_were_read_wrongly_are_right():
    if not CASES.is_dir():
        pytest.skip("the cases are absent: ../shared/cases")
    expected = json.loads((CASES / "EXPECTED.json").read_text(encoding="utf-8"))
    cases = {name: case for name, case in expected.items() if name.endswith(".abc")}
    assert len(cases) > 20
    for name, case in cases.items():
        text = (CASES / name).read_text(encoding="utf-8")
        score = read(text)
        found = {
            "notes": [list(row) for row in notes(text)],
            "times": [[start, *meter] for start, *meter in score.time_signatures],
            "tempos": [[start, round(60_000_000 / tempo)] for start, tempo in score.tempos],
        }
        assert found[case["what"]] == sorted(case["right"]), name
        assert score.warnings == (), name
