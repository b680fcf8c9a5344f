"""Where the track chunks of a MIDI file begin and end, also if their lengths are wrong."""

from typing import NamedTuple

from lstm_music.midi.damage import Damage

_TRACK = b"MTrk"
_HEADER_BYTES = 8


class Chunk(NamedTuple):
    """The contents of a track chunk: bytes `start` to `stop` (exclusive).

    `nominal_stop` is the end by its length. If that leads nowhere, the chunk is not `is_exact`: `stop` is where the next chunk
    or the end of the file comes, and the track's own end counts.
    """

    start: int
    stop: int
    nominal_stop: int
    is_exact: bool


def next_chunk(data: bytes, position: int, end: int, damage: Damage) -> Chunk | None:
    """Find the first track chunk from `position` on; None if there is no further one before `end`."""
    while position < end:
        if not _begins_chunk(data, position, end):
            found = data.find(_TRACK, position, end)
            if found < 0:
                return None  # what follows the last track is not read
            damage.add("gap", f"has {found - position:,} bytes at byte {position} that belong to no chunk")
            position = found
        size = int.from_bytes(data[position + 4 : position + _HEADER_BYTES], "big")
        start = position + _HEADER_BYTES
        if data[position : position + 4] != _TRACK:
            position = start + size
        elif start > end:
            damage.add(
                "track", f"truncated: the file ends at byte {end}, inside the head of the track at byte {position}"
            )
            return None
        else:
            return _chunk(data, start, start + size, end)
    return None


def _chunk(data: bytes, start: int, nominal_stop: int, end: int) -> Chunk:
    if nominal_stop == end or (nominal_stop < end and _begins_chunk(data, nominal_stop, end)):
        return Chunk(start, nominal_stop, nominal_stop, is_exact=True)
    following = data.find(_TRACK, start, end)
    return Chunk(start, end if following < 0 else following, nominal_stop, is_exact=False)


def _begins_chunk(data: bytes, position: int, end: int) -> bool:
    """Whether a track chunk begins here, or another one (four letters or digits) that ends within the file."""
    if data.startswith(_TRACK, position, end):
        return True
    kind = data[position : min(position + 4, end)]
    size = int.from_bytes(data[position + 4 : position + _HEADER_BYTES], "big")
    return kind.isalnum() and len(kind) == 4 and position + _HEADER_BYTES + size <= end
