"""The header of a MIDI file: its format, the number of tracks that it announces, and what a tick is."""

from dataclasses import dataclass

from lstm_music.errors import RejectedInputError
from lstm_music.midi.containers import SMF_MAGIC, Contents
from lstm_music.midi.damage import Damage

_BYTES = 6
_CHUNK_HEADER_BYTES = 8
_FORMATS = range(3)
_HALF_SECOND = 500_000  # microseconds


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says; `position` is that of the next chunk.

    In a file of SMPTE time a quarter note lasts `fixed_tempo` microseconds, else that is None. `scale` is by how much ticks are
    multiplied, so that a quarter has a whole number of them.
    """

    format: int
    tracks: int
    ticks_per_quarter: int
    fixed_tempo: int | None
    scale: int
    position: int


def read_header(contents: Contents, damage: Damage) -> Header:
    """Read the header chunk. Raises RejectedInputError if there is none, or if it does not say what a tick is."""
    data, start, end = contents.data, contents.start, contents.end
    if data[start : min(start + 4, end)] != SMF_MAGIC:
        problem = "is not a MIDI file" if start < end else "is empty"
        found = repr(data[start : min(start + 4, end)]) if start < end else "nothing"
        raise RejectedInputError(f"{problem}: expected b'MThd' at byte {start}, got {found}")
    if end - start < _CHUNK_HEADER_BYTES + _BYTES:
        raise RejectedInputError(f"truncated: the file ends at byte {end}, inside its header")
    smf_format, tracks, division = (int.from_bytes(data[start + at : start + at + 2], "big") for at in (8, 10, 12))
    if smf_format not in _FORMATS:
        damage.add("format", f"bad MIDI format at byte {start + 8}: expected 0, 1 or 2, got {smf_format}; read as 1")
        smf_format = 1
    ticks_per_quarter, fixed_tempo, scale = _time_unit(division, start + 12)
    position = _end_of_header(data, start, end, damage)
    return Header(smf_format, tracks, ticks_per_quarter, fixed_tempo, scale, position)


def _end_of_header(data: bytes, start: int, end: int, damage: Damage) -> int:
    """Return where the header ends by its length, or behind its six bytes if that cannot be."""
    size = int.from_bytes(data[start + 4 : start + 8], "big")
    position = start + _CHUNK_HEADER_BYTES + size
    if size >= _BYTES and position <= end:
        return position
    damage.add("header", f"bad header at byte {start + 4}: expected a length of {_BYTES} bytes or more, got {size:,}")
    return start + _CHUNK_HEADER_BYTES + _BYTES


def _time_unit(division: int, position: int) -> tuple[int, int | None, int]:
    """Return ticks per quarter, the microseconds of a quarter if they are fixed, and the scale of ticks."""
    if division == 0:
        raise RejectedInputError(f"bad ticks per quarter at byte {position}: expected 1 to 32,767, got 0")
    if not division & 0x8000:
        return division, None, 1
    frames, ticks_per_frame = 256 - (division >> 8), division & 0xFF
    if frames not in {24, 25, 29, 30} or ticks_per_frame == 0:
        raise RejectedInputError(
            f"bad time unit at byte {position}: expected 24, 25, 29 or 30 SMPTE frames a second "
            f"of 1 to 255 ticks, got {frames} of {ticks_per_frame}",
        )
    if frames == 29:  # 30 "drop frame": 30 / 1.001 frames a second
        return 15 * ticks_per_frame, _HALF_SECOND * 1001 // 1000, 1
    scale = 2 if frames * ticks_per_frame % 2 else 1
    return frames * ticks_per_frame * scale // 2, _HALF_SECOND, scale
