"""SoundFont 3, whose samples are Ogg Vorbis files, → SoundFont 2, whose samples are 16 bit numbers.

SoundFont 3 is a convention of MuseScore. A sample with the flag 16 of its type is compressed: its start and end count the
bytes of the chunk `smpl`, and its loop counts samples from its start. In SoundFont 2.04 (section 7.10) all four count samples of
the chunk, and 46 zeros follow each sample.
"""

import io
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lstm_music.errors import SourceError

MAX_SAMPLES = 1 << 29
"""Of all sounds together, 1 GiB: a small file of a stranger could hold hours of silence."""

_NOTHING = memoryview(b"")
_COMPRESSED = 16
_ZEROS = 46
_SAMPLE_HEADER = np.dtype(
    [
        ("name", "S20"),
        ("start", "<u4"),
        ("end", "<u4"),
        ("loop_start", "<u4"),
        ("loop_end", "<u4"),
        ("about_pitch", "V6"),
        ("link", "<u2"),
        ("type", "<u2"),
    ]
)


def decompressed(data: bytes) -> bytes:
    """Give a soundfont as SoundFont 2; one without compressed samples is returned as it is.

    What is wrong with the file otherwise is left to the synthesiser. Raises SourceError for compressed samples that cannot be
    decoded, or that are more than `MAX_SAMPLES`.
    """
    lists = dict(_lists(memoryview(data)))
    parameters = dict(_chunks(lists.get(b"pdta", _NOTHING)))
    headers = parameters.get(b"shdr", _NOTHING)
    if len(headers) % _SAMPLE_HEADER.itemsize:
        return data
    table = np.frombuffer(headers, _SAMPLE_HEADER).copy()
    if not (table["type"] & _COMPRESSED).any():
        return data
    samples = _decode(table, dict(_chunks(lists.get(b"sdta", _NOTHING))).get(b"smpl", _NOTHING))
    parameters[b"shdr"] = memoryview(table.tobytes())
    body = [
        b"sfbk",
        *_chunk(b"LIST", [b"INFO", lists.get(b"INFO", _NOTHING)]),
        *_chunk(b"LIST", [b"sdta", *_chunk(b"smpl", samples)]),
        *_chunk(b"LIST", [b"pdta", *(piece for name, one in parameters.items() for piece in _chunk(name, [one]))]),
    ]
    return b"".join(_chunk(b"RIFF", body))


def _decode(table: np.ndarray, stored: memoryview) -> list[bytes]:
    """Decode the samples one after another, and write into the table where each lies; the last row only ends it."""
    decoded = []
    place = 0
    for row in table[:-1]:
        first = 0 if row["type"] & _COMPRESSED else int(row["start"])  # what the loop counts from
        samples = _samples(row, stored, MAX_SAMPLES - place)
        row["loop_start"], row["loop_end"] = (
            place + min(max(int(row[end]) - first, 0), len(samples)) for end in ("loop_start", "loop_end")
        )
        row["start"], row["end"] = place, place + len(samples)
        row["type"] &= ~np.uint16(_COMPRESSED)
        decoded += [samples.astype("<i2", copy=False).tobytes(), bytes(2 * _ZEROS)]
        place += len(samples) + _ZEROS
    return decoded


def _samples(row: np.void, stored: memoryview, most: int) -> npt.NDArray[np.int16]:
    import soundfile

    start, end, name = int(row["start"]), int(row["end"]), row["name"].decode("ascii", "replace")
    if not row["type"] & _COMPRESSED:
        raw = stored[2 * start : min(2 * end, len(stored) // 2 * 2)]
        return np.frombuffer(raw, "<i2", count=_allowed(len(raw) // 2, most))
    try:
        with soundfile.SoundFile(io.BytesIO(stored[start:end])) as file:
            _allowed(file.frames, most)
            return np.asarray(file.read(dtype="int16", always_2d=True)[:, 0])
    except soundfile.LibsndfileError as error:
        raise SourceError(f"the compressed sample {name!r} is damaged") from error


def _allowed(samples: int, most: int) -> int:
    if samples > most:
        raise SourceError(f"has more than {MAX_SAMPLES:,} samples")
    return samples


def _lists(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield (kind, body) of the lists of a soundfont."""
    for name, body in _chunks(data[12:]):
        if name == b"LIST":
            yield bytes(body[:4]), body[4:]


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """Yield (name, body). After an odd one RIFF asks for a byte of padding, which MuseScore's files leave out."""
    place = 0
    while place + 8 <= len(data):
        end = place + 8 + int.from_bytes(data[place + 4 : place + 8], "little")
        yield bytes(data[place : place + 4]), data[place + 8 : end]
        is_padded = (end - place) % 2 == 1 and bytes(data[end : end + 1]) == b"\0"
        place = end + is_padded


def _chunk(name: bytes, body: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    """Give the pieces of a chunk, which are joined once, because the samples are large."""
    size = sum(map(len, body))
    return [name + size.to_bytes(4, "little"), *body, b"\0" * (size % 2)]
