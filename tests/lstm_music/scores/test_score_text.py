"""The text of scores, from valid and hostile bytes."""

import io
import zipfile

import pytest

from lstm_music.errors import RejectedInputError
from lstm_music.scores.text import score_text

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
def test_the_text_of_a_score_is_read_plain_or_from_an_mxl(data):
    assert score_text(data, "musicxml") == SCORE


def test_xml_is_read_in_its_declared_encoding():
    declared = '<?xml version="1.0" encoding="ISO-8859-1"?><a>ü</a>'
    assert score_text(declared.encode("latin-1"), "musicxml") == declared


@pytest.mark.parametrize("score_format", ["abc", "kern"])
def test_line_ends_become_line_feeds(score_format):
    assert score_text(b"\xef\xbb\xbfa\r\nb\rc\xfc\n", score_format) == "a\nb\ncü\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PK nothing", "is not a readable compressed MusicXML file: File is not a zip file"),
        (mxl(readme="no"), "is a compressed MusicXML file without a score"),
        (mxl(bomb_xml=" " * (3 << 20)), "unpacks to more than 200 times its"),
        (b"\xff", "is not text in utf-8, the encoding that its XML declares"),
        (b'<?xml version="1.0" encoding="klingon"?>', "is not text in klingon"),
        (b'<?xml version="1.0" encoding="hex"?>', "is not text in hex"),
        (b'<?xml version="1.0" encoding="undefined"?>', "is not text in undefined"),
        (b'<?xml version="1.0" encoding="punycode"?>', "is not text in punycode"),
    ],
)
def test_an_unreadable_score_is_rejected_with_a_reason(data, reason):
    with pytest.raises(RejectedInputError, match=reason):
        score_text(data, "musicxml")


def test_a_table_of_contents_that_never_closes_its_tags_is_no_obstacle():
    contents = "<rootfile " * 50_000
    assert score_text(mxl(**{"META-INF__container_xml": contents}, only_xml=SCORE), "musicxml") == SCORE
