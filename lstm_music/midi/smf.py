"""Standard MIDI File bytes → the events of each track, in file order.

The format is "Standard MIDI Files 1.0" (MIDI Manufacturers Association, RP-001). Where real files differ from the
specification, this reader follows these rules:

- It skips chunks that are not tracks, as the specification demands. From a longer header it reads the first six bytes.
- The header gives the number of tracks. A file with fewer is truncated; bytes after the last track are not read.
- A track can lack its end-of-track event. Bytes after that event in the track's chunk are not read.
- Meta events keep the running status (real files rely on it); system exclusive events end it.
- From a RIFF file of type RMID (`.rmi`) it reads the MIDI file inside.

Whatever the bytes are, the only error is `RejectedInputError`: one sentence with the byte position in the file.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lstm_music.errors import RejectedInputError

DRUM_CHANNEL = 9  # the tenth, as in General MIDI
SUSTAIN_PEDAL = 64
NOTE_OFF, NOTE_ON, CONTROLLER, PROGRAM = 0x80, 0x90, 0xB0, 0xC0
TRACK_NAME, END_OF_TRACK, SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x03, 0x2F, 0x51, 0x58, 0x59
MAX_TRACKS = 1024
LARGEST_DENOMINATOR_POWER = 7  # of a time signature: a 128th note

KEPT_META_KINDS = frozenset({TRACK_NAME, SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE})

_SYSTEM_EXCLUSIVE = (0xF0, 0xF7)
META = 0xFF
_HEADER_BYTES = 6
_LONGEST_QUANTITY_BYTES = 4


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """The limits of a MIDI file (inclusive): within them, reading takes seconds and at most some hundred megabytes."""

    max_bytes: int = 16 << 20
    max_notes: int = 2_000_000
    max_changes: int = 500_000  # tempos, signatures, track names and pedal events together
    max_tracks: int = MAX_TRACKS
    max_quarters: int = 65_536  # the length of the piece in quarter notes


# A meta event of one of `KEPT_META_KINDS`: tick, kind, data, position of the data in the file. A plain tuple, because a
# file can have more of them than notes (rubato written as tempos).
MetaEvent = tuple[int, int, bytes, int]


@dataclass(frozen=True, eq=False, slots=True)
class TrackEvents:
    """The events of one track, in file order.

    The four arrays have one entry per channel event, of every kind: `ticks` int64 since the start of the piece, `status`
    uint8 (0x80 to 0xEF, running status resolved), `first` and `second` uint8 data bytes (0 to 127; `second` is 0 if the
    event has only one). `end_tick` is the end of the track.
    """

    ticks: np.ndarray
    status: np.ndarray
    first: np.ndarray
    second: np.ndarray
    meta: tuple[MetaEvent, ...]
    end_tick: int


@dataclass(frozen=True, eq=False, slots=True)
class SmfFile:
    """A Standard MIDI File of format 0 or 1."""

    format: int
    ticks_per_quarter: int
    tracks: tuple[TrackEvents, ...]


def read_smf(data: bytes, limits: ReadLimits) -> SmfFile:
    """Read the bytes of a MIDI file into events.

    Raises RejectedInputError unless they are a complete file of format 0 or 1, with ticks per quarter, within `limits`.
    """
    if len(data) > limits.max_bytes:
        raise RejectedInputError(f"too large: expected at most {limits.max_bytes:,} bytes, got {len(data):,}")
    start, end = _find_smf(data)
    smf_format, track_count, ticks_per_quarter, position = _read_header(data, start, end)
    if track_count > limits.max_tracks:
        raise RejectedInputError(
            f"too many tracks at byte {start + 10}: expected at most {limits.max_tracks:,}, got {track_count:,}",
        )
    max_tick = limits.max_quarters * ticks_per_quarter
    tracks: list[TrackEvents] = []
    chunks = _track_chunks(data, position, end)
    while len(tracks) < track_count:
        chunk = next(chunks, None)
        if chunk is None:
            raise RejectedInputError(
                f"truncated: the file ends at byte {end} after {len(tracks)} of {track_count} tracks",
            )
        tracks.append(_read_track(data[chunk.start : chunk.stop], chunk.start, max_tick))
    return SmfFile(smf_format, ticks_per_quarter, tuple(tracks))


def _find_smf(data: bytes) -> tuple[int, int]:
    """Return the start and end (exclusive) of the MIDI file in `data`: all of it, or the data chunk of a RIFF file."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return 0, len(data)
    position = 12
    while position + 8 <= len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        if data[position : position + 4] == b"data":
            return position + 8, min(position + 8 + size, len(data))
        position += 8 + size + size % 2  # RIFF chunks start at even positions
    raise RejectedInputError(f"truncated: the RMID file ends at byte {len(data)} without a data chunk")


def _read_header(data: bytes, start: int, end: int) -> tuple[int, int, int, int]:
    """Read the header chunk; return (format, number of tracks, ticks per quarter, position of the next chunk)."""
    if data[start : min(start + 4, end)] != b"MThd":
        problem = "is not a MIDI file" if start < end else "is empty"
        found = repr(data[start : min(start + 4, end)]) if start < end else "nothing"
        raise RejectedInputError(f"{problem}: expected b'MThd' at byte {start}, got {found}")
    size = int.from_bytes(data[start + 4 : start + 8], "big")
    position = start + 8 + size
    if position > end or end - start < 8 + _HEADER_BYTES:
        raise RejectedInputError(f"truncated: the file ends at byte {end}, inside its header")
    if size < _HEADER_BYTES:
        raise RejectedInputError(
            f"bad header at byte {start + 4}: expected a length of {_HEADER_BYTES} bytes or more, got {size}",
        )
    smf_format, track_count, division = (int.from_bytes(data[start + at : start + at + 2], "big") for at in (8, 10, 12))
    if smf_format > 1:
        raise RejectedInputError(f"bad MIDI format at byte {start + 8}: expected 0 or 1, got {smf_format}")
    if division & 0x8000:
        raise RejectedInputError(f"bad time unit at byte {start + 12}: expected ticks per quarter, got SMPTE frames")
    if division == 0:
        raise RejectedInputError(f"bad ticks per quarter at byte {start + 12}: expected 1 to 32,767, got 0")
    return smf_format, track_count, division, position


def _track_chunks(data: bytes, position: int, end: int) -> Iterator[range]:
    """Yield the byte range of the contents of each track chunk from `position` on."""
    while position < end:
        start = position + 8
        size = int.from_bytes(data[position + 4 : start], "big")
        if start + size > end:
            raise RejectedInputError(
                f"truncated: the chunk at byte {position} should end at byte {start + size}, but the file ends at {end}",
            )
        if data[position : position + 4] == b"MTrk":
            yield range(start, start + size)
        position = start + size


def _read_track(chunk: bytes, base: int, max_tick: int) -> TrackEvents:
    """Read the contents of one track chunk, which starts at byte `base` of the file."""
    ticks, places = array("q"), array("q")
    meta: list[MetaEvent] = []
    try:
        end_tick = _decode(chunk, base, ticks, places, meta)
    except RejectedInputError:
        _channel_events(chunk, base, np.frombuffer(places, np.int64))  # raises for an earlier error, if any
        raise
    status, first, second = _channel_events(chunk, base, np.frombuffer(places, np.int64))
    if end_tick > max_tick:
        raise RejectedInputError(
            f"too long: expected at most {max_tick:,} ticks in the track at byte {base}, got {end_tick:,}",
        )
    return TrackEvents(np.frombuffer(ticks, np.int64), status, first, second, tuple(meta), end_tick)


def _decode(chunk: bytes, base: int, ticks: "array[int]", places: "array[int]", meta: list[MetaEvent]) -> int:
    """Find the events of one track; return its end tick.

    Each channel event adds its tick to `ticks` and the position of its first data byte in the chunk to `places`. Meta
    events go to `meta`. Most reading time is spent in this loop, so it only locates events; numpy reads them.
    """
    add_tick, add_place = ticks.append, places.append
    size = len(chunk)
    position = tick = data_bytes = 0
    try:
        while position < size:
            delta = chunk[position]
            position += 1
            if delta > 127:
                low = chunk[position]
                if low < 128:  # two bytes are the most frequent length; a function call would dominate the time
                    delta = (delta & 127) << 7 | low
                    position += 1
                else:
                    delta, position = _quantity(chunk, position - 1, base)
            tick += delta
            event = chunk[position]
            if event > 127:
                if event >= 0xF0:
                    data_bytes = data_bytes if event == META else 0
                    position = _system_event(chunk, position, base, tick, meta)
                    continue
                data_bytes = 1 if 0xC0 <= event < 0xE0 else 2  # one for program change and channel pressure
                position += 1
            elif data_bytes == 0:
                raise RejectedInputError(
                    f"bad event at byte {base + position}: expected a byte of 128 or more, got {event}",
                )
            add_tick(tick)
            add_place(position)
            position += data_bytes
    except IndexError:
        position = size + 1
    if position > size:
        raise RejectedInputError(f"truncated: the track at byte {base} ends at byte {base + size}, inside an event")
    return tick


def _channel_events(chunk: bytes, base: int, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read status, first and second data byte, uint8 [events], of the channel events whose data is at `places`."""
    content = np.frombuffer(chunk + b"\0\0", np.uint8)  # two more bytes, because the last event can be cut
    before = content[places - 1]
    # The byte before the data is the event's status or, with running status, the last byte of a time, below 128.
    status = before[np.maximum.accumulate(np.where(before > 127, np.arange(len(places)), 0))]
    first, second = content[places], content[places + 1]
    second[(status >= 0xC0) & (status < 0xE0)] = 0
    wrong = (first | second) > 127
    if wrong.any():
        event = int(np.argmax(wrong))
        at = int(places[event]) + int(first[event] <= 127)
        raise RejectedInputError(
            f"bad event at byte {base + at}: expected a data byte of {status[event]:#04x}, 0 to 127, got {content[at]}",
        )
    return status, first, second


def _quantity(chunk: bytes, position: int, base: int) -> tuple[int, int]:
    """Read a variable-length quantity (seven bits per byte, only the last below 128); return it and the next position."""
    value = 0
    for at in range(position, position + _LONGEST_QUANTITY_BYTES):
        byte = chunk[at]
        value = value << 7 | byte & 127
        if byte < 128:
            return value, at + 1
    raise RejectedInputError(
        f"bad length or time at byte {base + position}: expected at most {_LONGEST_QUANTITY_BYTES} bytes, got more",
    )


def _system_event(chunk: bytes, position: int, base: int, tick: int, meta: list[MetaEvent]) -> int:
    """Read the meta or system exclusive event at `position`; return the next position (after an end of track, the last)."""
    event = chunk[position]
    kind = -1
    if event == META:
        position += 1
        kind = chunk[position]
    elif event not in _SYSTEM_EXCLUSIVE:
        raise RejectedInputError(
            f"bad event at byte {base + position}: expected a channel, meta or sysex event, got {event:#04x}",
        )
    length, position = _quantity(chunk, position + 1, base)
    after = position + length
    if after > len(chunk):
        raise RejectedInputError(
            f"truncated: the event at byte {base + position} has {length:,} bytes, "
            f"but its track ends at byte {base + len(chunk)}",
        )
    if kind in KEPT_META_KINDS:
        meta.append((tick, kind, chunk[position:after], base + position))
    return len(chunk) if kind == END_OF_TRACK else after
