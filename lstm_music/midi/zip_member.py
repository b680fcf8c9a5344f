"""Unpacks one member of a zip in memory, within a limit on the bytes that come out.

The sizes in a zip cannot be trusted: a member of 1 MiB can unpack to 1 GiB. Both zips of pieces and `.mxl` scores are read
here. Nothing is written to disk. The rejection reasons are part of the key of `inputs`, so changing one changes that key.
"""

import stat
import struct
import zipfile
import zlib

from lstm_music.errors import RejectedInputError

MAX_MEMBER_BYTES = 16 << 20
MAX_RATIO = 200  # music compresses 5:1 to 50:1, a zip bomb 1000:1
RATIO_FREE_BYTES = 1 << 20  # below this size any ratio is harmless

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # bzip2 and LZMA have no bound on memory
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    RuntimeError,  # and NotImplementedError, which derives from it
)


def read_member(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    max_bytes: int = MAX_MEMBER_BYTES,
    max_ratio: int = MAX_RATIO,
) -> bytes:
    """Unpack `member` in memory: at most `max_bytes` and, above 1 MiB, at most `max_ratio` times its packed size.

    Raises RejectedInputError, with the reason, if it is encrypted, a symbolic link, packed by another method than deflate,
    damaged or too large.
    """
    _check_kind(member)
    ratio_bytes = max(RATIO_FREE_BYTES, max_ratio * member.compress_size)
    allowed = min(max_bytes, ratio_bytes)
    try:
        with archive.open(member) as file:
            data = file.read(allowed + 1)  # reading to the end checks the CRC
    except ZIP_ERRORS as error:
        raise RejectedInputError(f"cannot be unpacked: {error or type(error).__name__}") from error
    if len(data) <= allowed:
        return data
    if allowed == max_bytes:
        raise RejectedInputError(f"unpacks to more than {max_bytes:,} bytes")
    raise RejectedInputError(f"unpacks to more than {max_ratio} times its {member.compress_size:,} packed bytes")


def _check_kind(member: zipfile.ZipInfo) -> None:
    if member.flag_bits & 0x1:
        raise RejectedInputError("is encrypted: unpack it with its password and give the folder")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise RejectedInputError("is a symbolic link, which is not followed inside an archive")
    if member.compress_type not in _METHODS:
        raise RejectedInputError(f"is packed by method {member.compress_type}, not stored (0) or deflated (8)")
