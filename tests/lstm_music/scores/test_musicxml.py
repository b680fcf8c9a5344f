"""How MusicXML becomes notes and measures: the rules in the docstring of `lstm_music.scores.musicxml`."""

from fractions import Fraction

import pytest
from musicxml_text import FOUR_FOUR, attributes_of, chord, move, note, rest, score, sound, tied, time

from lstm_music.errors import RejectedInputError
from lstm_music.scores import musicxml, musicxml_tree
from lstm_music.scores.musicxml import read
from lstm_music.scores.score import count_bars

THIRD = Fraction(1, 3)


def rows(text, *arguments):
    """Return (onset, pitch, duration) of the notes, by onset."""
    return sorted((one.onset, one.pitch, one.end - one.onset) for one in read(text, *arguments).notes)


def lengths(text):
    return [measure.length for measure in read(text).measures]


def four_four(*contents):
    return [time(4, 4) + contents[0], *contents[1:]]


IMPLICIT = 'implicit="yes"'


def test_voices_go_back_and_forward_within_a_measure():
    text = score([note("C5", 2) + note("D5", 2) + move("backup", 4) + move("forward", 1) + note("C4", 3)])
    assert rows(text) == [(0, 72, 2), (1, 60, 3), (2, 74, 2)]


def test_a_backup_beyond_the_start_of_a_measure_stops_there():
    assert rows(score([note("C4") + move("backup", 9) + note("E4"), note("D4")])) == [
        (0, 60, 1),
        (0, 64, 1),
        (1, 62, 1),
    ]


def test_each_note_of_a_chord_has_its_length_and_the_first_moves_the_clock():
    text = score([note("C4", 4) + chord("E4", 2) + chord("G4", 1), note("C4")])
    assert rows(text) == [(0, 60, 4), (0, 64, 2), (0, 67, 1), (4, 60, 1)]


def test_a_chord_note_without_a_duration_lasts_as_long_as_the_first():
    bare = "<note><chord/><pitch><step>E</step><octave>4</octave></pitch></note>"
    assert rows(score([note("C4", 2) + bare])) == [(0, 60, 2), (0, 64, 2)]


def test_a_chord_note_of_the_same_type_as_the_first_lasts_as_long():
    half, other = (note("B4", quarters, after="<type>half</type>") for quarters in (2, 1.5))
    text = score([half + other.replace("<note>", "<note><chord/>") + chord("E4", 1, after="<type>quarter</type>")])
    assert rows(text) == [(0, 64, 1), (0, 71, 2), (0, 71, 2)]


def test_grace_notes_and_cue_notes_and_chord_symbols_are_silent():
    grace = "<note><grace/><pitch><step>B</step><octave>3</octave></pitch><type>eighth</type></note>"
    symbol = "<harmony><root><root-step>G</root-step></root><kind>major</kind></harmony>"
    assert rows(score([grace + symbol + note("C4") + note("E4", start="<cue/>") + note("F4")])) == [
        (0, 60, 1),
        (2, 65, 1),
    ]


def test_a_tuplet_that_divisions_can_only_round_is_exact():
    def triplet(name, duration):
        modification = (
            "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"
        )
        written = note(name, 0, after=f"<type>eighth</type>{modification}")
        return written.replace("<duration>0", f"<duration>{duration}")

    eighths = triplet("C4", 85) + triplet("D4", 86) + triplet("E4", 85)
    below = "<backup><duration>256</duration></backup>" + note("C3", 0).replace("<duration>0", "<duration>256")
    text = score(
        [attributes_of(divisions=256) + eighths + below, note("F4", 0).replace("<duration>0", "<duration>256")]
    )
    assert rows(text) == [(0, 48, 1), (0, 60, THIRD), (THIRD, 62, THIRD), (2 * THIRD, 64, THIRD), (1, 65, 1)]


def test_divisions_that_cannot_halve_a_quarter_are_rounded_and_the_type_is_meant():
    def of_17(name, duration, kind, tie=""):
        return note(name, 0, inside=tie, after=f"<type>{kind}</type>").replace("<duration>0", f"<duration>{duration}")

    held = of_17("E4", 17, "quarter", '<tie type="start"/>')
    first = of_17("C4", 8, "eighth") + of_17("D4", 8, "eighth") + held
    text = score([attributes_of(divisions=17) + first, of_17("E4", 8, "eighth", '<tie type="stop"/>')])
    assert rows(text) == [(0, 60, 0.5), (0.5, 62, 0.5), (1, 64, 1.5)]


def test_a_whole_rest_is_as_long_as_its_duration_says():
    whole_rest = rest(3).replace("</note>", "<type>whole</type></note>")
    text = score([attributes_of(divisions=1) + whole_rest.replace("36", "3") + note("C4", 0).replace(">0<", ">1<")])
    assert rows(text) == [(3, 60, 1)]


def test_a_measure_is_as_long_in_every_part():
    full, short = note("C5", 4), note("C3", 2)
    text = score(four_four(full, full), [short, short])
    assert rows(text) == [(0, 48, 2), (0, 72, 4), (4, 48, 2), (4, 72, 4)]
    assert lengths(text) == [4, 4]


@pytest.mark.parametrize(
    "other", ["", move("forward", 1), rest(1), rest(4), rest(4, ' measure="yes"'), move("forward", 4)]
)
def test_whatever_another_part_writes_into_a_pickup_it_is_as_short_as_its_notes(other):
    text = score([(IMPLICIT, time(4, 4) + note("G4")), note("C5", 4)], [(IMPLICIT, time(4, 4) + other), note("C3", 4)])
    assert rows(text) == [(0, 67, 1), (1, 48, 4), (1, 72, 4)]
    first, second = count_bars(read(text).measures)
    assert (first.number, first.begins_at, second.number, second.begins_at) == (0, 3, 1, 0)


def test_a_bar_that_a_repeat_sign_divides_is_one_bar_also_where_a_part_leaves_its_rest_out():
    first, rest_of_bar, last = note("C5", 3), (IMPLICIT, note("D5")), note("E5", 4)
    text = score(
        [time(4, 4) + note("C5", 4), first, rest_of_bar, last], [note("C3", 4), note("C3", 3), (IMPLICIT, ""), last]
    )
    assert lengths(text) == [4, 3, 1, 4]
    assert [(bar.number, bar.begins_at) for bar in count_bars(read(text).measures)] == [(1, 0), (2, 0), (2, 3), (3, 0)]


@pytest.mark.parametrize(
    ("first", "second", "bars"),
    [
        ("", IMPLICIT, [(1, 0), (1, 3), (2, 0)]),  # a repeat sign divides the first bar
        (IMPLICIT, IMPLICIT, [(0, 1), (1, 3), (2, 0)]),
        ("", "", [(0, 1), (1, 0), (2, 0)]),
    ],
)
def test_a_first_bar_that_an_uncounted_measure_completes_is_no_pickup(first, second, bars):
    text = score([(first, time(4, 4) + note("C5", 3)), (second, note("D5")), note("E5", 4)])
    assert [(bar.number, bar.begins_at) for bar in count_bars(read(text).measures)] == bars


def test_a_forward_at_the_end_of_a_measure_fills_the_bar_and_no_more():
    text = score(four_four(note("C4") + move("forward", 7), note("D4", 4)))
    assert rows(text) == [(0, 60, 1), (4, 62, 4)]


def test_an_empty_measure_is_a_whole_bar():
    text = score(four_four("", rest(4, ' measure="yes"'), rest(7, ' measure="yes"'), note("C4", 4)))
    assert lengths(text) == [4, 4, 4, 4]
    assert rows(text) == [(12, 60, 4)]


def test_a_measure_is_longer_than_its_bar_if_its_notes_are():
    assert lengths(score(four_four(note("C4", 4) + note("D4", 2), note("C4", 4)))) == [6, 4]


def test_a_measure_that_rounded_durations_leave_a_little_short_is_a_whole_bar():
    short = note("C4", 4).replace("<duration>48", "<duration>3999")
    assert lengths(score([attributes_of(FOUR_FOUR, divisions=1000) + short, note("C4", 0)])) == [4, 4]


def test_measures_of_a_part_that_leaves_some_out_stand_where_their_numbers_are():
    long = four_four(note("C5", 4), note("D5", 4), note("E5", 4))
    short = '<part id="P1"><measure number="3">' + attributes_of() + note("C3", 4) + "</measure></part>"
    text = score(long, [""]).replace(score(long, [""]).split("</part>")[1] + "</part>", short)
    assert rows(text) == [(0, 72, 4), (4, 74, 4), (8, 48, 4), (8, 76, 4)]


def test_time_signatures_can_be_sums_and_can_be_missing():
    several = "<time><beats>3+2</beats><beat-type>8</beat-type><beats>1</beats><beat-type>4</beat-type></time>"
    free = "<attributes><time><senza-misura/></time></attributes>"
    text = score([attributes_of(several) + note("C4", 3.5), free + note("C4", 9), time(2, 2) + note("C4", 4)])
    assert [(one.length, one.nominal) for one in read(text).measures] == [(3.5, 3.5), (9, 9), (4, 4)]
    assert read(text).time_signatures == ((0, 7, 8), (12.5, 2, 2))
    assert [one.nominal for one in read(score([note("C4", 5)])).measures] == [5]


def test_of_different_time_signatures_that_of_the_measures_length_counts():
    text = score([time(2, 4) + note("C5", 3)], [time(6, 8) + note("C4", 3)])
    assert read(text).time_signatures == ((0, 6, 8),)
    assert [one.nominal for one in read(text).measures] == [3]


@pytest.mark.parametrize("where", [{"voice": "2"}, {"staff": "2"}, {}])
def test_a_tie_joins_over_bar_lines_voices_and_staves(where):
    text = score([tied("C4", 4, "start"), tied("C4", 4, "stop", "start", **where), tied("C4", 2, "stop")])
    assert rows(text) == [(0, 60, 10)]


def test_a_tie_leads_from_a_measure_that_its_part_leaves_short_to_the_next():
    text = score([note("C5", 4), note("D5", 4)], [tied("C4", 3, "start"), tied("C4", 2, "stop")])
    assert rows(text) == [(0, 60, 6), (0, 72, 4), (4, 74, 4)]


def test_two_tied_notes_of_one_pitch_each_find_the_one_of_their_voice():
    lower = move("backup", 2) + tied("C4", 2, "start", voice="2")
    lower_end = move("backup", 3) + tied("C4", 1, "stop", voice="2")
    text = score([tied("C4", 2, "start") + lower, tied("C4", 3, "stop") + lower_end])
    assert rows(text) == [(0, 60, 3), (0, 60, 5)]


@pytest.mark.parametrize(("symbol", "joined"), [("brace", [(0, 60, 8)]), ("bracket", [(0, 60, 4), (4, 60, 4)])])
def test_a_tie_joins_two_parts_only_if_they_are_one_keyboard(symbol, joined):
    brace = f'<part-group type="start" number="1"><group-symbol>{symbol}</group-symbol></part-group>'
    text = score([tied("C4", 4, "start"), rest(4)], [rest(4), tied("C4", 4, "stop")], head=brace)
    assert rows(text) == joined


def test_the_picture_of_a_tie_counts_only_where_its_sound_is_missing():
    start, stop = (note("C4", after=f'<notations><tied type="{kind}"/></notations>') for kind in ("start", "stop"))
    assert rows(score([start + stop])) == [(0, 60, 2)]
    silent = note("C4", inside='<tie type="stop"/>', after='<notations><tied type="start"/></notations>')
    assert rows(score([silent + stop])) == [(0, 60, 1), (1, 60, 1)]


def test_transposition_changes_where_it_stands_also_for_a_voice_that_is_written_later():
    def down(semitones, octaves=0):
        change = f"<chromatic>{semitones}</chromatic><octave-change>{octaves}</octave-change>"
        return f"<attributes><transpose>{change}</transpose></attributes>"

    text = score(
        [down(-2) + note("D5", 2) + down(0, -1) + note("C5", 2) + move("backup", 4) + note("D4") + note("E4", 3)]
    )
    assert rows(text) == [(0, 60, 1), (0, 72, 2), (1, 62, 3), (2, 60, 2)]


def test_the_key_of_a_transposing_instrument_is_the_one_that_sounds():
    change = "<key><fifths>2</fifths><mode>minor</mode></key><transpose><chromatic>-2</chromatic></transpose>"
    assert read(score([attributes_of(change) + note("D5")])).key_signatures == ((0, 0, True),)
    plain = "<key><fifths>-3</fifths></key>"
    assert read(score([attributes_of(plain) + note("D5")])).key_signatures == ((0, -3, False),)


def test_an_octave_line_and_a_clef_change_no_pitch():
    line = '<direction><direction-type><octave-shift type="down" size="8"/></direction-type></direction>'
    clef = "<attributes><clef><sign>G</sign><clef-octave-change>-1</clef-octave-change></clef></attributes>"
    assert rows(score([clef + line + note("C6")])) == [(0, 84, 1)]


def test_microtones_are_rounded_and_pitches_beyond_midi_are_left_out_with_a_warning():
    quarter_tone = note("C4").replace("<step>C</step>", "<step>C</step><alter>0.4</alter>")
    too_high = note("B9").replace("<octave>9", "<octave>10")
    piece = read(score([quarter_tone + too_high + note("G9")]))
    assert [one.pitch for one in piece.notes] == [60, 127]
    assert piece.warnings == ("has 1 note whose pitch MIDI does not have, which is left out",)


def test_a_sound_tempo_is_what_is_played():
    def mark(unit, number, tempo=""):
        metronome = f"<metronome><beat-unit>{unit}</beat-unit>{number}</metronome>"
        return f"<direction><direction-type>{metronome}</direction-type>{tempo}</direction>"

    minute = "<per-minute>c. 60</per-minute>"
    assert read(score([mark("quarter", minute, sound(tempo=120)) + note("C4")])).tempos == ((0, 500_000),)
    assert read(score([mark("half", minute) + note("C4")])).tempos == ((0, 500_000),)
    assert read(score([mark("quarter", "<beat-unit-dot/>" + minute) + note("C4")])).tempos == ((0, 666_667),)
    assert read(score([mark("quarter", "<beat-unit>half</beat-unit>") + note("C4")])).tempos == ()
    in_another_part = score([mark("quarter", minute) + note("C5")], [sound(tempo=90) + note("C4") + sound(tempo=45)])
    assert read(in_another_part).tempos == ((0, 666_667), (1, 1_333_333))


def test_loudness_is_that_of_the_note_or_else_of_the_last_sound():
    loud = note("C4", attributes=' dynamics="100"')
    text = score(
        [note("C4") + sound(dynamics=50) + note("C4") + loud + sound(dynamics="999") + note("C4")], [note("C3")]
    )
    assert [one.velocity for one in read(text).notes] == [80, 45, 90, 127, 80]


def test_faults_are_counted_in_a_warning():
    broken = "<note><pitch><step>C</step><octave>4</octave></pitch><duration>x</duration></note>"
    read_score = read(score([broken + broken + "<backup/>" + note("C4")]))
    assert read_score.warnings == (
        "has 1 backup without a duration, which is left out",
        "has 2 notes without a duration, which are left out",
    )
    assert len(read_score.notes) == 1


def test_a_score_with_a_namespace_and_no_list_of_parts_is_read():
    text = score([note("C4")]).replace("<score-partwise", '<score-partwise xmlns="urn:x"')
    assert rows(text.replace(text[text.index("<part-list>") : text.index("<part id")], "")) == [(0, 60, 1)]


def test_a_timewise_score_is_the_same_score():
    first, second = attributes_of() + note("C5", 4), attributes_of() + note("C3", 4)
    parts = f'<part id="A">{first}</part><part id="B">{second}</part>', '<part id="B">' + note("D3", 4) + "</part>"
    measures = "".join(f'<measure number="{place}">{part}</measure>' for place, part in enumerate(parts))
    text = f"<score-timewise>{measures}</score-timewise>"
    assert rows(text) == [(0, 48, 4), (0, 72, 4), (4, 50, 4)]


def test_a_piano_has_a_track_for_each_hand():
    text = score([attributes_of("<staves>2</staves>") + note("C5", after="<staff>1</staff>")], [note("C4")])
    assert [(one.track, one.pitch) for one in read(text).notes] == [(0, 72), (2, 60)]
    assert read(text).part_names == ("Part 0", "Part 0", "Part 1")


ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 100}">' for n in range(1, 9))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello", "is not well-formed XML (syntax error: line 1, column 0)"),
        ("", "is not well-formed XML (no element found: line 1, column 0)"),
        ("<mei/>", "is not a MusicXML score: expected the element score-partwise or score-timewise, got mei"),
        (f'<!DOCTYPE a [<!ENTITY e0 "{"x" * 99}">{ENTITIES}]><score-partwise>&e8;</score-partwise>', "amplification"),
        (
            '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><score-partwise>&e;</score-partwise>',
            "undefined entity",
        ),
    ],
)
def test_what_is_no_score_is_rejected_with_a_reason(text, reason):
    with pytest.raises(RejectedInputError) as refusal:
        read(text)
    assert reason in str(refusal.value)


def test_numbers_without_sense_change_nothing():
    hostile = attributes_of("<time><beats>0</beats><beat-type>4</beat-type></time>") + attributes_of(divisions="1e99")
    far = "<forward><duration>1e999999</duration></forward>"
    assert rows(score([hostile + attributes_of(divisions=0) + far + sound(tempo="-1") + note("C4")])) == [(0, 60, 1)]
    assert rows("<score-partwise/>") == []


def test_silence_may_be_long_but_not_music():
    text = score([note("C4") + move("forward", 9_000_000), "", note("D4")])
    assert [one.start for one in read(score([note("C4") + move("forward", 9_000_000), ""])).measures] == [0]
    assert [one.onset for one in read(text).notes] == [0, 9_000_001]  # `to_json` rejects it


def test_too_many_elements_are_refused_before_they_fill_memory(monkeypatch):
    monkeypatch.setattr(musicxml_tree, "MOST_ELEMENTS", 100)
    for text in ("<a>" * 101, "<score-partwise>" + "<a/>" * 100 + "</score-partwise>"):
        with pytest.raises(RejectedInputError, match=r"has too many elements: expected at most 100, got about 101"):
            musicxml_tree.parts_of(text)


def test_a_small_file_that_becomes_a_huge_score_is_rejected(monkeypatch):
    again = '<barline><repeat direction="backward" times="9"/></barline>'
    text = score([note("C4") + note("D4") + again], [note("C4")])
    monkeypatch.setattr(musicxml, "MOST_NOTES", 26)
    assert len(read(text).notes) == 3
    with pytest.raises(RejectedInputError, match="has too many notes: expected at most 26, got 27"):
        read(text, "as_played")
    monkeypatch.setattr(musicxml_tree, "MOST_MEASURES_OF_PARTS", 17)
    with pytest.raises(RejectedInputError, match="expected at most 17 in all parts together, got 2 parts of 9"):
        read(text, "as_played")
    with pytest.raises(RejectedInputError, match=r"has too many measures: .*, got 2 parts of 10"):
        read(score([""] * 10, [""]))


def test_the_parts_of_a_timewise_score_are_counted_before_they_are_filled_up():
    measures = "".join(f'<measure><part id="P{number}"/></measure>' for number in range(2_000))
    with pytest.raises(RejectedInputError, match=r"has too many measures: .*, got 101 parts of 2,000"):
        read(f"<score-timewise><part-list/>{measures}</score-timewise>")


@pytest.mark.parametrize("in_one_measure", [False, True])
def test_a_score_that_counts_in_ever_new_divisions_keeps_its_places(in_one_measure):
    beats = [attributes_of(divisions=999_000_001 + 2 * place) + note("C4", 83_250_000) for place in range(300)]
    piece = read(score(["".join(beats)] if in_one_measure else beats))
    onsets = [one.onset for one in piece.notes]
    assert max(onset.denominator for onset in onsets) <= 1 << 40
    assert abs(onsets[-1] - sum(Fraction(999_000_000, 999_000_001 + 2 * place) for place in range(299))) < Fraction(
        1, 100
    )
