"""The text of a score: unpacks `.mxl` (a zip with a table of contents) and decodes the bytes."""

import codecs
import io
import re
import zipfile

from lstm_music.errors import RejectedInputError
from lstm_music.midi.text import decode_text
from lstm_music.midi.zip_member import ZIP_ERRORS, read_member

_CONTAINER = "META-INF/container.xml"
_ROOT_FILE = re.compile(r"<rootfile\s[^<>]{0,1000}?full-path\s*=\s*[\"']([^\"']+)[\"']")
_XML_ENCODING = re.compile(rb"\A<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def score_text(data: bytes, score_format: str) -> str:
    """Return the text of a score in the format "musicxml" (plain or `.mxl`), "abc" or "kern"; line ends become LF.

    Raises RejectedInputError if an `.mxl` cannot be unpacked, or the bytes do not match their declared encoding.
    """
    text = _xml_text(data) if score_format == "musicxml" else decode_text(data.removeprefix(codecs.BOM_UTF8))
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _xml_text(data: bytes) -> str:
    if data.startswith(b"PK"):
        data = _unpack_mxl(data)
    encoding = _xml_encoding(data)
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError) as error:  # also of codecs that are no encoding of text, such as "undefined"
        raise RejectedInputError(f"is not text in {encoding}, the encoding that its XML declares ({error})") from error


def _xml_encoding(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return encoding
    declared = _XML_ENCODING.match(data)
    return declared[1].decode("ascii") if declared else "utf-8"


def _unpack_mxl(data: bytes) -> bytes:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except ZIP_ERRORS as error:
        raise RejectedInputError(f"is not a readable compressed MusicXML file: {error}") from error
    with archive:
        return read_member(archive, _root_file(archive))


def _root_file(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Find the score in the table of contents, or else take the first XML file."""
    members = {member.filename: member for member in archive.infolist()}
    if _CONTAINER in members:
        contents = _ROOT_FILE.search(decode_text(read_member(archive, members[_CONTAINER])))
        if contents and contents[1] in members:
            return members[contents[1]]
    for name, member in members.items():
        if name.lower().endswith((".xml", ".musicxml")) and not name.startswith("META-INF/"):
            return member
    raise RejectedInputError("is a compressed MusicXML file without a score")
