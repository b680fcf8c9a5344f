"""Piano rolls are well-formed pictures in which every note has its place."""

from xml.etree import ElementTree as ET

import pytest
from small_music import QUARTER, piece_of

from lstm_music.rendering.piano_roll import MARGIN, PIXELS_PER_PITCH, PIXELS_PER_QUARTER, piano_roll

SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture, kind, tag="rect"):
    return [element for element in ET.fromstring(picture).iter(SVG + tag) if element.get("class") == kind]


def test_every_note_is_a_rectangle_at_its_time_and_pitch():
    picture = piano_roll(piece_of([(0, QUARTER, 60), (QUARTER, 2 * QUARTER, 61), (1200, 120, 59)]), "a piece")
    notes = drawn(picture, "result")
    assert [float(note.get("x")) for note in notes] == [MARGIN + PIXELS_PER_QUARTER * at for at in (0, 1, 2.5)]
    assert [float(note.get("width")) for note in notes] == [PIXELS_PER_QUARTER * long - 1 for long in (1, 2, 0.25)]
    c, c_sharp, b = (int(note.get("y")) for note in notes)
    assert (c - c_sharp, b - c) == (PIXELS_PER_PITCH, PIXELS_PER_PITCH)
    assert not drawn(picture, "seed")
    assert not drawn(picture, "border", "line")


def test_a_seed_segment_stands_before_the_result_with_a_line_between():
    seed = piece_of([(0, QUARTER, 60), (QUARTER, QUARTER, 62)])
    result = piece_of([(QUARTER // 2, QUARTER, 80)])
    picture = piano_roll(result, "a piece", seed, result_at_quarters=2)
    assert [float(note.get("x")) for note in drawn(picture, "seed")] == [MARGIN, MARGIN + PIXELS_PER_QUARTER]
    (note,) = drawn(picture, "result")
    (border,) = drawn(picture, "border", "line")
    assert note.get("x") == border.get("x1") == f"{MARGIN + 2.5 * PIXELS_PER_QUARTER:.1f}"
    assert {"seed segment", "result"} <= {text.text for text in ET.fromstring(picture).iter(SVG + "text")}


def test_black_keys_and_bars_are_drawn():
    picture = piano_roll(piece_of([(0, 9 * QUARTER, 60)]), "a piece")
    assert len(drawn(picture, "key")) == 2  # of 58 to 62: 58 and 61
    assert len(drawn(picture, "bar", "line")) == 3
    waltz = drawn(piano_roll(piece_of([(0, 9 * QUARTER, 60)]), "a waltz", bar_quarters=3), "bar", "line")
    assert [float(line.get("x1")) for line in waltz] == [MARGIN + PIXELS_PER_QUARTER * at for at in (0, 3, 6, 9)]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("<script>alert(1)</script>", None),
        ('"quoted" & <b>', None),
        ("Für Elise ♪", None),
        ("a\x1b[31m\x00b", "a\ufffd[31m\ufffdb"),
        ("\udcff", "\ufffd"),
    ],
)
def test_a_title_is_text_whatever_it_holds(title, shown):
    picture = piano_roll(piece_of([(0, QUARTER, 60)]), title)
    root = ET.fromstring(picture.encode("utf-8"))
    assert root.find(f"{SVG}title").text == (shown or title)
    assert root.find(f"{SVG}text").text == (shown or title)
    assert "<script" not in picture
    assert {element.tag for element in root} <= {SVG + tag for tag in ("title", "style", "text", "rect", "line")}
