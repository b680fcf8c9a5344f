"""What a MIDI file can be wrapped in: RIFF (`.rmi`), gzip (`.mid.gz`) and MacBinary."""

from dataclasses import dataclass

from lstm_music.errors import RejectedInputError
from lstm_music.midi.damage import Damage
from lstm_music.midi.gzipped import GZIP_MAGIC, gunzip

SMF_MAGIC = b"MThd"
_MAC_HEADER_BYTES = 128
_MAC_FORK_LENGTH = slice(83, 87)
_CHUNK_HEADER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Contents:
    """The bytes that hold a MIDI file from `start` to `end` (exclusive)."""

    data: bytes
    start: int
    end: int


def find_smf(data: bytes, max_bytes: int, damage: Damage) -> Contents:
    """Find the MIDI file in `data`. Byte positions count from the start of the unpacked bytes.

    Raises RejectedInputError if a container holds none; whether the bytes are a MIDI file is not looked at.
    """
    if data[: len(GZIP_MAGIC)] == GZIP_MAGIC:
        data, wrong = gunzip(data, max_bytes)
        if wrong:
            damage.add("gzip", f"truncated: {wrong}")
    if data[:4] == b"RIFF" and data[8:12] == b"RMID":
        return _in_riff(data)
    if _is_mac_binary(data):
        length = int.from_bytes(data[_MAC_FORK_LENGTH], "big")
        end = min(_MAC_HEADER_BYTES + length, len(data)) if length else len(data)
        return Contents(data, _MAC_HEADER_BYTES, end)
    return Contents(data, 0, len(data))


def is_midi(data: bytes) -> bool:
    """Whether bytes begin as a MIDI file does, or as a container of one that is not gzip."""
    return data[:4] in {SMF_MAGIC, b"RIFF"} or _is_mac_binary(data)


def _is_mac_binary(data: bytes) -> bool:
    """Whether a header of MacBinary (a zero, the length of a name below 64) comes before a MIDI file."""
    start = slice(_MAC_HEADER_BYTES, _MAC_HEADER_BYTES + len(SMF_MAGIC))
    return data[:1] == b"\0" and 0 < data[1] < 64 and data[start] == SMF_MAGIC if len(data) > start.stop else False


def _in_riff(data: bytes) -> Contents:
    """Return the data chunk of a RIFF file; one whose length cannot be goes on to the end."""
    position = 12
    while position + _CHUNK_HEADER_BYTES <= len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        start = position + _CHUNK_HEADER_BYTES
        if data[position : position + 4] == b"data":
            return Contents(data, start, min(start + size, len(data)))
        position = start + size + size % 2  # RIFF chunks start at even positions
    start = data.find(SMF_MAGIC, 12)
    if start < 0:
        raise RejectedInputError(f"truncated: the RMID file ends at byte {len(data)} without a data chunk")
    return Contents(data, start, len(data))
