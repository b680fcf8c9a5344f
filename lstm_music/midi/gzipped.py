"""Unpacks gzip in memory, within a limit on the bytes that come out."""

import zlib

from lstm_music.errors import RejectedInputError
from lstm_music.midi.zip_member import MAX_RATIO, RATIO_FREE_BYTES

GZIP_MAGIC = b"\x1f\x8b"
_WITH_GZIP_HEADER = 31  # zlib's window size for gzip


def gunzip(data: bytes, max_bytes: int) -> tuple[bytes, str]:
    """Unpack `data`: at most `max_bytes` and, above 1 MiB, at most `MAX_RATIO` times its size.

    Returns the bytes, and what is wrong with them: "" if the whole of `data` is intact, else a clause, and the bytes are those
    before the damage. Raises RejectedInputError if nothing can be unpacked, or too much.
    """
    allowed = min(max_bytes, max(RATIO_FREE_BYTES, MAX_RATIO * len(data)))
    unpacked, damage = bytearray(), ""
    while data[: len(GZIP_MAGIC)] == GZIP_MAGIC and not damage:  # a file can have several members
        unpacker = zlib.decompressobj(_WITH_GZIP_HEADER)
        damage = _unpack(unpacker, data, unpacked, allowed + 1)
        if len(unpacked) > allowed:
            limit = f"{max_bytes:,} bytes" if allowed == max_bytes else f"{MAX_RATIO} times its packed size"
            raise RejectedInputError(f"unpacks to more than {limit}")
        data = unpacker.unused_data
    if damage and not unpacked:
        raise RejectedInputError(f"cannot be unpacked: {damage}")
    return bytes(unpacked), damage


def _unpack(unpacker: "zlib._Decompress", data: bytes, unpacked: bytearray, most: int) -> str:
    """Append what one member unpacks to, up to `most` bytes in all; return the damage, or ""."""
    try:
        while not unpacker.eof and len(unpacked) < most:
            piece = unpacker.decompress(data, min(most - len(unpacked), RATIO_FREE_BYTES))
            unpacked += piece
            data = unpacker.unconsumed_tail
            if not piece and not data:
                return f"its gzip data ends too early, after {len(unpacked):,} unpacked bytes"
    except zlib.error as error:
        return f"its gzip data is damaged after {len(unpacked):,} unpacked bytes ({error})"
    return ""
