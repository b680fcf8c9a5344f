"""The text inside a score's bytes, friendly and hostile."""

import io
import zipfile

import pytest

from lstm_music.errors import RejectedInputError
from lstm_music.midi.score_text import score_text

CONTAINER = '<container><rootfiles><rootfile media-type="x" full-path="{}"/></rootfiles></container>'
SCORE = "<score-partwise/>"


def mxl(**members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return data.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        mxl(wrong_xml="<no/>", **{"META-INF__container_xml": CONTAINER.format("in/side.xml")}, in__side_xml=SCORE),
        mxl(**{"META-INF__container_xml": CONTAINER.format("absent.xml")}, other_xml=SCORE),
        mxl(**{"META-INF__x_xml": "<no/>"}, readme="no", only_xml=SCORE),
        SCORE.encode(),
        SCORE.encode("utf-8-sig"),
        SCORE.encode("utf-16"),
    ],
)
def test_the_score_is_found_in_an_mxl_or_as_it_is(data):
    assert score_text(data, "musicxml") == SCORE


def test_xml_is_read_in_the_encoding_that_it_declares():
    declared = '<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>'
    assert score_text(declared.encode("latin-1"), "musicxml") == declared


@pytest.mark.parametrize("score_format", ["abc", "kern"])
def test_plain_text_has_line_feeds_alone(score_format):
    assert score_text(b"\xef\xbb\xbfa\r\nb\rc\xfc\n", score_format) == "a\nb\ncü\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PK nothing", "cannot be read as a compressed MusicXML file: File is not a zip file"),
        (mxl(readme="no"), "is a compressed MusicXML file without a score in it"),
        (mxl(bomb_xml=" " * (3 << 20)), "unpacks to more than 200 times its"),
        (b"\xff", "is not text in the encoding utf-8 that its XML declares"),
        (b'<?xml version="1.0" encoding="klingon"?>', "is not text in the encoding klingon"),
        (b'<?xml version="1.0" encoding="hex"?>', "is not text in the encoding hex"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_its_reason(data, reason):
    with pytest.raises(RejectedInputError, match=reason):
        score_text(data, "musicxml")
