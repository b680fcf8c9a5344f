"""Sheet music: MusicXML that other programs read as the same notes, and pictures and a PDF of it."""

import random
import re
from dataclasses import replace
from itertools import islice
from xml.etree import ElementTree as ET

import pytest
from small_music import QUARTER, piece_of, small_piece

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import KeySignature, Tempo, TimeSignature
from lstm_music.rendering.engraving import score_svg
from lstm_music.rendering.pdf import score_pdf
from lstm_music.rendering.sheet_music import musicxml
from lstm_music.scores.reading import read_score
from lstm_music.sources.corpus import Corpus
from lstm_music.sources.entry import music_format

SVG = "{http://www.w3.org/2000/svg}"
TITLE = 'Für "Élise" & <b>'


def quarters(piece):
    """The distinct (onset, pitch, duration) of a piece, in quarters."""
    notes = piece.notes
    columns = (
        notes["onset_ticks"] / piece.ticks_per_quarter,
        notes["pitch"],
        notes["duration_ticks"] / piece.ticks_per_quarter,
    )
    return {(float(onset), int(pitch), float(long)) for onset, pitch, long in zip(*columns, strict=True)}


def spelled(piece):
    """The (step, alteration, octave) that the notes of a piece are written as."""
    notes = [one.find("pitch") for one in ET.fromstring(musicxml(piece, "")).iter("note")]
    return [
        (pitch.findtext("step"), int(pitch.findtext("alter", "0")), int(pitch.findtext("octave")))
        for pitch in notes
        if pitch is not None
    ]


@pytest.fixture(scope="module")
def written():
    return musicxml(small_piece(3), TITLE, "Nobody & sons")


@pytest.fixture(scope="module")
def pages(written):
    return score_svg(written)


def test_the_score_holds_the_notes_of_the_piece(written):
    """Read back by music21's own reader."""
    back = read_score(written.encode("utf-8"), "musicxml")
    assert quarters(back) == quarters(small_piece(3))
    assert back.tempos[0].microseconds_per_quarter == 500_000


def test_chorales_come_back_note_by_note():
    """In a chorale two voices that meet on one note, or leave it, are one note head."""
    for entry in islice(Corpus().entries(), 3):
        piece = read_score(entry.data, music_format(entry.name))
        back = read_score(musicxml(piece, entry.name).encode("utf-8"), "musicxml")
        wanted, found = {row[:2] for row in quarters(piece)}, {row[:2] for row in quarters(back)}
        assert len(wanted & found) >= 0.97 * len(wanted | found), entry.name
        assert back.time_signatures[0].numerator == piece.time_signatures[0].numerator


def test_a_piece_that_begins_within_a_bar_has_a_pickup_bar_and_every_piece_a_final_bar_line():
    root = ET.fromstring(musicxml(piece_of([(3 * QUARTER, QUARTER, 80), (4 * QUARTER, 4 * QUARTER, 82)]), ""))
    first, second = root.iter("measure")
    assert (first.get("implicit"), first.get("number")) == ("yes", "0")
    assert (second.get("implicit"), second.get("number")) == ("no", "1")
    divisions = int(root.findtext(".//divisions"))
    assert {note.findtext("duration") for note in first.iter("note")} == {str(divisions)}
    assert first.find("barline") is None
    assert second.findtext("barline/bar-style") == "light-heavy"
    whole = ET.fromstring(musicxml(piece_of([(0, QUARTER, 80)]), ""))
    assert [one.get("implicit") for one in whole.iter("measure")] == ["no"]


def test_the_part_names_its_instrument_so_that_no_program_has_to_guess(written):
    """MuseScore 3 complains of a part without a score-instrument."""
    (part,) = ET.fromstring(written).iter("score-part")
    assert part.findtext("part-name") == "Piano"
    (instrument,), (midi,) = part.findall("score-instrument"), part.findall("midi-instrument")
    assert instrument.get("id") == midi.get("id")
    assert instrument.findtext("instrument-name") == "Piano"
    assert (midi.findtext("midi-channel"), midi.findtext("midi-program")) == ("1", "1")


def test_the_key_is_estimated_where_the_piece_has_none():
    minor = [(at * QUARTER, QUARTER, pitch) for at, pitch in enumerate((69, 71, 72, 74, 76, 77, 80, 81, 76, 72, 69))]
    root = ET.fromstring(musicxml(piece_of(minor), ""))
    assert (root.findtext(".//fifths"), root.findtext(".//mode")) == ("0", "minor")


def test_the_tempo_is_a_metronome_mark_and_drawn_as_a_note(written, pages):
    metronome = ET.fromstring(written).find(".//metronome")
    assert (metronome.findtext("beat-unit"), metronome.findtext("per-minute")) == ("quarter", "120")
    (tempo,) = [one for one in ET.fromstring(pages[0]).iter(SVG + "g") if one.get("class") == "tempo"]
    assert "".join(tempo.itertext()).split() == ["=", "120"]
    (note,) = tempo.iter(SVG + "use")
    assert note.get("href").startswith("#score-1-ECA5")


def test_title_and_composer_stand_above_the_first_page(pages):
    head = next(one for one in ET.fromstring(pages[0]).iter(SVG + "g") if one.get("class") == "pgHead")
    assert ["".join(text.itertext()) for text in head.iter(SVG + "text")] == [TITLE, "Nobody & sons"]


@pytest.mark.parametrize("number", range(3))
def test_lengths_in_the_score_are_those_of_the_midi_file(number):
    """Read back by music21: chords whose notes last differently, and triplets over sixteenths, are in voices of their own."""
    chance = random.Random(number)
    rows = {}
    for beat in range(0, 64 * QUARTER, QUARTER):
        for lowest, division in ((79, chance.choice((4, 3))), (60, 2), (45, 1)):
            for at in range(division):
                length = chance.choice((1, 1, 1, 2)) * QUARTER // division
                rows[beat + at * QUARTER // division, lowest + chance.randrange(8)] = length
    piece = piece_of(sorted((onset, length, pitch) for (onset, pitch), length in rows.items()))
    wanted, found = quarters(piece), quarters(read_score(musicxml(piece, "").encode("utf-8"), "musicxml"))
    assert len(wanted) > 300
    assert len(wanted - found) <= 0.01 * len(wanted)


def test_every_voice_fills_every_bar(written):
    root = ET.fromstring(written)
    divisions = int(root.findtext(".//divisions"))
    for measure in root.iter("measure"):
        lengths = {}
        for note in measure.iter("note"):
            if note.find("chord") is None:
                voice = (note.findtext("staff"), note.findtext("voice"))
                lengths[voice] = lengths.get(voice, 0) + int(note.findtext("duration"))
        assert set(lengths.values()) == {4 * divisions}
        assert {staff for staff, _ in lengths} == {"1", "2"}


def test_titles_are_text_and_nothing_tells_the_day(written):
    root = ET.fromstring(written)
    assert root.findtext(".//work-title") == TITLE
    assert root.findtext(".//creator") == "Nobody & sons"
    assert not re.search(r"\d{4}-\d\d-\d\d", written)
    assert (
        ET.fromstring(musicxml(small_piece(3), "a\x00b\udcff" + "c" * 500)).findtext(".//work-title")[:5]
        == "a\ufffdb\ufffdc"
    )


def test_the_same_piece_gives_the_same_bytes(written, pages):
    assert musicxml(small_piece(3), TITLE, "Nobody & sons") == written
    assert score_svg(written) == pages
    assert score_pdf(pages) == score_pdf(pages)


def test_signatures_and_tempo_are_those_of_the_piece():
    piece = replace(
        small_piece(3),
        tempos=(Tempo(0, 400_000), Tempo(12 * QUARTER, 600_000)),
        time_signatures=(TimeSignature(0, 3, 4),),
        key_signatures=(KeySignature(0, -3, is_minor=True),),
    )
    root = ET.fromstring(musicxml(piece, "a piece"))
    assert (root.findtext(".//beats"), root.findtext(".//beat-type"), root.findtext(".//fifths")) == ("3", "4", "-3")
    assert root.findtext(".//per-minute") == "120"  # on average


def test_pitches_are_spelled_in_the_key():
    scale = [(at * QUARTER, QUARTER, pitch) for at, pitch in enumerate((62, 64, 66, 67, 69, 71, 73, 74))]
    assert spelled(piece_of(scale))[2] == ("F", 1, 4)
    flats = replace(
        piece_of([(0, QUARTER, 61), (QUARTER, QUARTER, 71)]), key_signatures=(KeySignature(0, -6, is_minor=False),)
    )
    assert spelled(flats) == [("D", -1, 4), ("C", -1, 5)]
    sharps = replace(piece_of([(0, QUARTER, 72)]), key_signatures=(KeySignature(0, 7, is_minor=False),))
    assert spelled(sharps) == [("B", 1, 4)]


def test_accidentals_are_shown_once_a_bar_and_where_the_key_does_not_say_them():
    """In D major: F#, F#, F, F, F# in one bar, F# over the bar line, F#."""
    rows = [(at * QUARTER, QUARTER, pitch) for at, pitch in enumerate((78, 78, 77, 77, 78))]
    rows += [(5 * QUARTER, 2 * QUARTER, 78), (7 * QUARTER, QUARTER, 78)]
    piece = replace(
        piece_of(rows),
        key_signatures=(KeySignature(0, 2, is_minor=False),),
        time_signatures=(TimeSignature(0, 6, 4),),
    )
    notes = [one for one in ET.fromstring(musicxml(piece, "")).iter("note") if one.find("pitch") is not None]
    assert [one.findtext("pitch/alter", "0") for one in notes] == list("11001111")
    assert [one.findtext("accidental", "") for one in notes] == ["", "", "natural", "", "sharp", "", "", ""]


def test_pages_are_pictures_with_ids_of_their_own(written, pages):
    other = score_svg(written, prefix="other")
    ids = [re.findall(r'\bid="([^"]+)"', page) for page in (*pages, *other)]
    assert len({name for names in ids for name in names}) == sum(map(len, ids))
    assert all(name.startswith("other-") for names in ids[len(pages) :] for name in names)
    for page in pages:
        root = ET.fromstring(page)
        known = {element.get("id") for element in root.iter() if element.get("id")}
        used = [element.get("href") for element in root.iter(SVG + "use")]
        assert len(used) > 50
        assert {name.removeprefix("#") for name in used} <= known
    heads = [element for element in ET.fromstring(pages[0]).iter() if element.get("class") == "notehead"]
    assert len(heads) == len(small_piece(3).notes)


def test_an_excerpt_is_one_picture_of_its_bars(written):
    (excerpt,) = score_svg(written, bars=(2, 3))
    measures = [element for element in ET.fromstring(excerpt).iter() if element.get("class") == "measure"]
    assert len(measures) == 2
    assert TITLE not in excerpt
    width, height = map(float, ET.fromstring(excerpt).get("viewBox").split()[2:])
    assert height < width / 2
    (whole,) = score_svg(written, bars=(1, 99))
    assert sum(element.get("class") == "measure" for element in ET.fromstring(whole).iter()) == 6
    with pytest.raises(RejectedInputError, match="no bars 7 to 9"):
        score_svg(written, bars=(7, 9))


def test_what_is_no_score_is_rejected():
    with pytest.raises(RejectedInputError, match="no MusicXML"):
        score_svg("<html></html>")
    with pytest.raises(RejectedInputError, match="no pitched notes"):
        musicxml(piece_of([(0, QUARTER, 40)], drums=True), "drums")
