"""Unpacking gzip around a file of a source, so that a content has one id, packed or not."""

from lstm_music.errors import RejectedInputError
from lstm_music.midi.containers import is_midi
from lstm_music.midi.gzipped import GZIP_MAGIC, gunzip
from lstm_music.sources.entry import MAX_FILE_BYTES, Found, Refused


def unpacked(found: Found, max_bytes: int = MAX_FILE_BYTES) -> Found | Refused:
    """Return a file without gzip around it, whatever its name says, or refuse it with a reason.

    Of a MIDI file whose gzip data is damaged the beginning is returned: its reader says what is missing. Other formats have no
    beginning that can be read.
    """
    if found.data[: len(GZIP_MAGIC)] != GZIP_MAGIC:
        return found
    try:
        data, damage = gunzip(found.data, max_bytes)
    except RejectedInputError as error:
        return Refused(found.name, str(error))
    if damage and not is_midi(data):
        return Refused(found.name, f"cannot be unpacked: {damage}")
    return Found(found.name, data)
