"""Piano rolls are well-formed pictures in which every note has its place."""

from xml.etree import ElementTree as ET

import pytest
from small_music import QUARTER, piece_of

from lstm_music.rendering import piano_roll as piano_roll_module
from lstm_music.rendering.piano_roll import MARGIN, PIXELS_PER_PITCH, PIXELS_PER_QUARTER, piano_roll, x_of

SVG = "{http://www.w3.org/2000/svg}"


def drawn(picture, kind, tag="rect"):
    return [element for element in ET.fromstring(picture).iter(SVG + tag) if kind in element.get("class").split()]


def test_every_note_is_a_rectangle_at_its_time_and_pitch():
    picture = piano_roll(piece_of([(0, QUARTER, 60), (QUARTER, 2 * QUARTER, 61), (1200, 120, 59)]), "a piece")
    notes = drawn(picture, "result")
    assert [float(note.get("x")) for note in notes] == [MARGIN + PIXELS_PER_QUARTER * at for at in (0, 1, 2.5)]
    assert [float(note.get("width")) for note in notes] == [PIXELS_PER_QUARTER * long - 1 for long in (1, 2, 0.25)]
    c, c_sharp, b = (int(note.get("y")) for note in notes)
    assert (c - c_sharp, b - c) == (PIXELS_PER_PITCH, PIXELS_PER_PITCH)
    assert not drawn(picture, "prompt")
    assert not drawn(picture, "border", "line")


def test_a_prompt_stands_before_the_result_with_a_line_between():
    prompt = piece_of([(0, QUARTER, 60), (QUARTER, QUARTER, 62)])
    result = piece_of([(QUARTER // 2, QUARTER, 80)])
    picture = piano_roll(result, "a piece", prompt, result_at_quarters=2)
    assert [float(note.get("x")) for note in drawn(picture, "prompt")] == [MARGIN, MARGIN + PIXELS_PER_QUARTER]
    (note,) = drawn(picture, "result")
    (border,) = drawn(picture, "border", "line")
    assert note.get("x") == border.get("x1") == f"{MARGIN + 2.5 * PIXELS_PER_QUARTER:.1f}"
    assert {"prompt", "result"} <= {text.text for text in ET.fromstring(picture).iter(SVG + "text")}


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


def test_hands_differ_by_more_than_colour_and_are_named():
    picture = piano_roll(piece_of([(0, QUARTER, 40), (0, QUARTER, 80)]), "a piece")
    (left,), (right,) = (
        [note for note in drawn(picture, hand) if "result" in note.get("class")] for hand in ("left", "right")
    )
    assert int(float(left.get("y"))) > int(right.get("y"))
    style = ET.fromstring(picture).find(f"{SVG}style").text
    assert ".lstm-roll .left { fill: var(--c-left); stroke:" in style
    assert ".lstm-roll .right { fill: var(--c-right); }" in style
    named = {text.text for text in ET.fromstring(picture).iter(SVG + "text")}
    assert {"right hand (filled)", "left hand (outlined)"} <= named


def test_the_prompt_lies_on_a_shade_up_to_the_line():
    picture = piano_roll(piece_of([(0, QUARTER, 80)]), "a piece", piece_of([(0, QUARTER, 60)]), result_at_quarters=2)
    (shade,), (border,) = drawn(picture, "shade"), drawn(picture, "border", "line")
    assert float(shade.get("x")) + float(shade.get("width")) == float(border.get("x1"))
    assert not drawn(piano_roll(piece_of([(0, QUARTER, 80)]), "a piece"), "shade")


def test_the_root_says_where_time_lies():
    prompt, result = piece_of([(0, QUARTER, 60)]), piece_of([(QUARTER, QUARTER, 80)])
    root = ET.fromstring(piano_roll(result, "a piece", prompt, result_at_quarters=3.5))
    (note,) = (rect for rect in root.iter(SVG + "rect") if rect.get("class") == "result right")
    start, rate = float(root.get("data-start-x")), float(root.get("data-pixels-per-quarter"))
    assert start == x_of(3.5)
    assert float(note.get("x")) == start + rate == x_of(4.5)


def test_nothing_reaches_out_of_the_picture():
    """In a page of HTML a style rules the whole document, and ids are shared."""
    picture = piano_roll(piece_of([(0, QUARTER, 60)]), "a piece")
    style = ET.fromstring(picture).find(f"{SVG}style").text
    selectors = [part.split("}")[-1].strip() for part in style.split("{")[:-1]]
    assert {selector.split(" ")[0] for selector in selectors} == {".lstm-roll", "@media"}
    assert " id=" not in picture


def contrast(one, other):
    """The contrast of two colours by WCAG 2.2, relative luminance."""

    def luminance(colour):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_colours_have_the_contrast_that_wcag_asks_for(dark):
    colours = {name: pair[dark] for name, pair in piano_roll_module._COLOURS.items()}
    for behind in ("background", "key", "shade"):
        for mark in ("right", "left-line", "prompt-right", "prompt-left-line", "border"):
            assert contrast(colours[mark], colours[behind]) >= 3, (mark, behind)
    assert contrast(colours["text"], colours["background"]) >= 4.5
