"""The MusicXML of ensembles: read back it has the same parts and notes, and it says what players and programs look for."""

import random
from collections import defaultdict
from fractions import Fraction
from xml.etree import ElementTree as ET

import pytest
from small_ensembles import ensemble, part, quartet_and_drums

from lstm_music.errors import RejectedInputError
from lstm_music.midi.general_midi import PROGRAMS
from lstm_music.midi.parts import Part, parts_of
from lstm_music.rendering.ensemble_score import ensemble_score
from lstm_music.rendering.ensemble_xml import ensemble_musicxml
from lstm_music.rendering.percussion import drum_of
from lstm_music.scores.musicxml import read

DIVISIONS = (1, 2, 3, 4)  # of a quarter


def written(piece, parts=(), **how):
    return ensemble_musicxml(ensemble_score(piece, parts), "a title", "somebody", **how)


def root_of(piece, parts=(), **how):
    return ET.fromstring(written(piece, parts, **how))


def from_first(rows):
    """Count onsets from the first one: a score begins where the music does."""
    first = min(onset for _, onset, *_ in rows)
    return {(who, onset - first, *others) for who, onset, *others in rows}


def notes_of(piece):
    """What each part plays: (part, onset, pitch, end), in quarters; of a drum no end, as it has none in a score."""
    parts, of_note = parts_of(piece)
    rows = []
    for note, number in zip(piece.notes, of_note.tolist(), strict=True):
        onset, long = (Fraction(int(note[name]), piece.ticks_per_quarter) for name in ("onset_ticks", "duration_ticks"))
        who = parts[number]
        rows.append((who, onset, int(note["pitch"]), 0 if who.is_drum else long))
    return from_first(rows)


def notes_read(text):
    """The same of a score that was read."""
    score = read(text)
    return from_first(
        [
            (
                Part(score.part_names[note.track], note.program, note.is_drum),
                note.onset,
                note.pitch,
                0 if note.is_drum else note.end - note.onset,
            )
            for note in score.notes
        ]
    )


def drawn(number):
    """Draw a few parts of any program, each of which plays up to two lines, in chords now and then."""
    chance = random.Random(number)
    programs = [chance.randrange(128) for _ in range(chance.randrange(1, 5))]
    parts = [Part(f"{PROGRAMS[program]} & <{place}>", program) for place, program in enumerate(programs)]
    parts += [Part("Drums", is_drum=True)] * chance.randrange(2)
    rows = {}
    for who, one in enumerate(parts):
        middle = chance.randrange(30, 97)
        for line in range(chance.choice((1, 2))):
            beat = chance.randrange(4)
            for _ in range(chance.randrange(1, 12)):
                division = chance.choice(DIVISIONS)
                for place in range(division):
                    lowest = middle + 12 * line + chance.randrange(8)
                    for pitch in (lowest, lowest + 4)[: chance.randrange(3)]:
                        key = 35 + pitch % 47 if one.is_drum else pitch
                        rows[who, beat + place / division, key] = 1 / division
                beat += chance.randrange(1, 4)
    notes = [(who, onset, long, pitch) for (who, onset, pitch), long in rows.items()] or [(0, 0, 1, 60)]
    signature = chance.choice([(4, 4), (3, 4), (6, 8), (5, 4), (2, 2)])
    return ensemble(
        parts, notes, sharps=chance.randrange(-6, 7), is_minor=chance.choice((False, True)), signature=signature
    )


@pytest.mark.parametrize("number", range(24))
def test_a_score_reads_back_as_the_same_parts_and_notes(number):
    piece = drawn(number)
    text = written(piece)
    assert notes_read(text) == notes_of(piece)
    key = read(text).key_signatures
    assert not key or (key[0][1] - piece.key_signatures[0].sharps) % 12 == 0


@pytest.mark.parametrize("number", range(6))
def test_each_part_alone_has_its_notes_and_all_bars(number):
    """Bars are alike in all parts, and every voice fills each of them."""
    score = ensemble_score(drawn(number))
    together = ET.fromstring(ensemble_musicxml(score, ""))
    lengths = set()
    for place, one in enumerate(score.parts):
        alone = ET.fromstring(ensemble_musicxml(score, "", only=place))
        own = together.findall("part")[place]
        assert [note.findtext("voice") for note in alone.iter("note")] == [
            note.findtext("voice") for note in own.iter("note")
        ]
        found = []
        for measure in alone.iter("measure"):
            voices = defaultdict(int)
            for note in measure.iter("note"):
                voices[note.findtext("voice")] += int(note.findtext("duration")) if note.find("chord") is None else 0
            (length,) = set(voices.values())
            found.append(length)
        lengths.add(tuple(found))
        assert len(one.clefs) == int(alone.findtext(".//staves", "1"))
    assert len(lengths) == 1


def test_parts_stand_in_the_order_of_a_score_with_what_programs_look_for():
    """MuseScore 3 complains of a part without a score-instrument."""
    root = root_of(quartet_and_drums())
    names = [one.findtext("part-name") for one in root.iter("score-part")]
    assert names == ["Clarinet", "Drums", "Piano", "Contrabass"]
    clarinet, drums, piano, bass = root.iter("score-part")
    assert [one.findtext("part-abbreviation") for one in (clarinet, drums, piano, bass)] == [
        "Cl.",
        "Dr.",
        "Pno.",
        "Cb.",
    ]
    assert clarinet.findtext("part-name-display/display-text") == "Clarinet in B♭"
    for one, sound, program in ((clarinet, "wind.reed.clarinet.bflat", "72"), (bass, "strings.contrabass", "44")):
        (instrument,), (midi,) = one.findall("score-instrument"), one.findall("midi-instrument")
        assert instrument.get("id") == midi.get("id")
        assert (instrument.findtext("instrument-sound"), midi.findtext("midi-program")) == (sound, program)
    keys = {one.findtext("midi-unpitched") for one in drums.findall("midi-instrument")}
    assert keys == {"37", "39", "43", "47"}
    assert {one.findtext("midi-channel") for one in drums.findall("midi-instrument")} == {"10"}


def test_players_read_their_own_clef_key_and_pitch():
    root = root_of(quartet_and_drums())
    clarinet, drums, piano, bass = root.findall("part")
    assert [clef.findtext("sign") for clef in root.iter("clef")] == ["G", "percussion", "G", "F", "F"]
    assert [one.findtext(".//fifths") for one in (clarinet, drums, piano, bass)] == ["1", None, "-1", "-1"]
    assert clarinet.findtext(".//transpose/chromatic") == "-2"
    assert bass.findtext(".//transpose/octave-change") == "-1"
    note = next(one for one in clarinet.iter("note") if one.find("pitch") is not None)  # sounds as E4
    assert (note.findtext("pitch/step"), note.findtext("pitch/alter"), note.findtext("pitch/octave")) == ("F", "1", "4")
    assert note.find("accidental") is None


def test_drums_name_their_instrument_and_hands_and_feet_have_stems_of_their_own():
    drums = root_of(quartet_and_drums()).findall("part")[1]
    stems = {
        (note.findtext("stem"), note.findtext("voice")) for note in drums.iter("note") if note.find("rest") is None
    }
    assert stems == {("up", "1"), ("down", "2")}
    struck = [note for note in drums.iter("note") if note.find("stem") is not None]
    heads = {note.find("instrument").get("id"): note.findtext("notehead") for note in struck}
    assert heads == {"P2-I36": None, "P2-I38": None, "P2-I42": "x", "P2-I46": "circle-x"}
    snare = next(note for note in drums.iter("note") if note.find("instrument[@id='P2-I38']") is not None)
    assert snare.findtext("unpitched/display-step") + snare.findtext("unpitched/display-octave") == drum_of(38).place


def test_a_stroke_is_written_until_the_next_one_or_the_end_of_its_beat():
    piece = ensemble([part("Drums")], [(0, 0, 0.1, 38), (0, 0.5, 0.1, 38), (0, 1, 0.1, 38), (0, 3, 3, 38)])
    notes = [(note.find("rest") is None, note.findtext("type")) for note in root_of(piece).iter("note")]
    assert notes == [(True, "eighth"), (True, "eighth"), (True, "quarter"), (False, "quarter"), (True, "quarter")]


@pytest.mark.parametrize(
    ("signature", "bar", "wanted"),
    [
        ((4, 4), [(0, 1)], "quarter quarter half"),
        ((4, 4), [(2, 1)], "half quarter quarter"),
        ((4, 4), [(0.5, 0.5), (3.5, 0.5)], "eighth eighth quarter quarter eighth eighth"),
        ((3, 4), [(0, 1)], "quarter quarter quarter"),
        ((4, 4), [(0, 0.25)], "16th 16th eighth quarter half"),
        ((6, 8), [(0, 1.5)], "quarter quarter"),
    ],
)
def test_rests_show_the_beats(signature, bar, wanted):
    """After a bar that is full, so that the second one is no pickup."""
    quarters = 4 * signature[0] / signature[1]
    rows = [(0, 0, quarters, 60), *((0, quarters + start, long, 72) for start, long in bar)]
    root = root_of(ensemble([part("Oboe", "oboe")], rows, signature=signature))
    assert [note.findtext("type") for note in root.findall(".//measure")[1].iter("note")] == wanted.split()


def test_a_family_that_stands_together_has_a_bracket():
    strings = [
        part(name, program) for name, program in (("Violin 1", "violin"), ("Viola", "viola"), ("Cello", "cello"))
    ]
    piece = ensemble([part("Flute", "flute"), *strings], [(who, 0, 4, 60) for who in range(4)])
    listed = [(one.tag, one.get("type")) for one in root_of(piece).find("part-list")]
    one, group = ("score-part", None), "part-group"
    assert listed == [one, (group, "start"), one, one, one, (group, "stop")]


def test_a_part_that_rests_for_bars_says_so_with_one_sign_and_its_name_above():
    piece = quartet_and_drums()
    alone = root_of(piece, only=0)
    (rest,) = alone.iter("multiple-rest")
    assert rest.text == "4"
    assert alone.findtext("credit/credit-words") == "Clarinet in B♭"
    assert alone.find(".//part-name").get("print-object") == "no"
    assert alone.find(".//metronome") is not None
    assert next(root_of(piece).iter("multiple-rest"), None) is None


def test_a_part_without_notes_stands_in_the_score_all_the_same():
    parts = [part("Harp", "orchestral harp"), part("Drums"), part("Oboe", "oboe")]
    piece = ensemble(parts, [(2, 0, 4, 72), (2, 4, 4, 74)])
    root = root_of(piece, parts)
    assert [one.findtext("part-name") for one in root.iter("score-part")] == ["Oboe", "Harp", "Drums"]
    assert [len(one.findall("measure")) for one in root.findall("part")] == [2, 2, 2]
    assert notes_read(written(piece, parts)) == notes_of(piece)


def test_notes_below_the_lowest_octave_of_musicxml_are_written_higher():
    piece = ensemble(
        [part("Glockenspiel", "glockenspiel"), Part("Piano")], [(0, 0, 4, 20), (1, 0, 2, 0), (1, 2, 2, 60)]
    )
    text = written(piece)
    assert min(int(octave.text) for octave in ET.fromstring(text).iter("octave")) >= 0
    assert notes_read(text) == notes_of(piece)


def test_the_same_piece_gives_the_same_bytes():
    assert written(quartet_and_drums()) == written(quartet_and_drums())


def test_a_piece_without_notes_is_rejected():
    piece = ensemble([part("Oboe", "oboe")], [(0, 0, 1, 72)])
    with pytest.raises(RejectedInputError, match="no notes"):
        ensemble_score(type(piece)(480, piece.notes[:0]))
