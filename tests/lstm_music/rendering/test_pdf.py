"""The PDF of a score: every page, every sign, and text in any alphabet."""

import base64
import re
import zlib
from xml.etree import ElementTree as ET

import pytest
from small_music import small_piece

from lstm_music.errors import RejectedInputError
from lstm_music.rendering.engraving import score_svg
from lstm_music.rendering.pdf import _absolute, score_pdf
from lstm_music.rendering.sheet_music import musicxml

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def pages():
    return score_svg(musicxml(small_piece(1, quarters=400), "Чайковский"))


def streams(data):
    """What the streams of a PDF hold: ReportLab deflates them and writes that in base 85."""
    found = re.findall(rb"ASCII85Decode[^>]*>>\s*stream\r?\n(.*?)~>", data, re.DOTALL)
    return [zlib.decompress(base64.a85decode(one)) for one in found]


def test_every_page_is_there(pages):
    data = score_pdf(pages)
    assert len(pages) > 1
    assert data.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", data)) == len(pages)
    assert re.search(rb"/BaseFont /[A-Z]+\+DejaVuSerif", data)
    assert not re.search(rb"D:20[1-9]\d", data)


def test_every_sign_of_the_picture_is_drawn(pages):
    """Glyphs as forms, which are kept once a page; beams, stems and staff lines as paths; titles as text."""
    root = ET.fromstring(pages[0])
    glyphs = {element.get("id") for element in root.iterfind(f"{SVG}defs/{SVG}g")}
    data = score_pdf(pages[:1])
    assert len(re.findall(rb"/Subtype\s*/Form\b", data)) == len(glyphs)
    (page,) = (stream for stream in streams(data) if b" Do" in stream)
    assert len(re.findall(rb" Do\b", page)) == len(list(root.iter(SVG + "use")))
    shapes = [element for kind in ("path", "polygon", "ellipse") for element in root.iterfind(f"{SVG}svg//{SVG}{kind}")]
    assert len(re.findall(rb"\b(?:f\*?|B\*?|S|b\*?)\s", page)) >= len(shapes)
    assert page.count(b"BT") >= len(list(root.iterfind(f"{SVG}svg//{SVG}text")))


def test_the_same_pages_give_the_same_bytes(pages):
    assert score_pdf(pages) == score_pdf(pages)
    assert score_pdf(pages[:1]) != score_pdf(pages[1:])


def test_paths_are_read_with_all_that_svg_allows():
    """SVG 1.1, section 8.3: relative commands, repeated ones, lines along an axis, and smooth curves."""
    assert list(_absolute("M10 20l5-5 1 1h4v-3z")) == [
        ("M", [10, 20]),
        ("L", [15, 15]),
        ("L", [16, 16]),
        ("L", [20, 16]),
        ("L", [20, 13]),
        ("Z", []),
    ]
    assert list(_absolute("m1 1 2 2c1 0 2 1 2 2s-1 2-2 2M0,0 C1,2 3,4 5,6")) == [
        ("M", [1, 1]),
        ("L", [3, 3]),
        ("C", [4, 3, 5, 4, 5, 5]),
        ("C", [5, 6, 4, 7, 3, 7]),
        ("M", [0, 0]),
        ("C", [1, 2, 3, 4, 5, 6]),
    ]


def test_what_is_no_page_is_rejected():
    with pytest.raises(RejectedInputError, match="no picture of verovio's"):
        score_pdf([f'<svg xmlns="{SVG[1:-1]}"/>'])
