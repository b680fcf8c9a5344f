"""Standard MIDI File bytes → the events of each track, in file order.

The format is that of "Standard MIDI Files 1.0" (MIDI Manufacturers Association, RP-001). Where files and specification
disagree, this is what is done here:

- A chunk that is no track is skipped, as the specification asks. A longer header is read for its first six bytes.
- The header says how many tracks there are: fewer is a truncated file, and what follows the last of them is not read.
- A track may lack its end-of-track event; what stands behind that event in the track's chunk is not read.
- Meta events leave the running status as it is (files in the wild rely on it); system exclusive events end it.
- A RIFF file of type RMID (`.rmi`) is read for the MIDI file inside it.

Whatever the bytes are, the only error is `RejectedInputError`: one sentence with the position of the byte in the file.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lstm_music.errors import RejectedInputError

DRUM_CHANNEL = 9  # the tenth, as General MIDI has it
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
    """What a MIDI file may hold at most (inclusive), so that none takes more than seconds or some hundred megabytes."""

    max_bytes: int = 16 << 20
    max_notes: int = 2_000_000
    max_changes: int = 500_000  # tempos, signatures, track names and pedal events together
    max_tracks: int = MAX_TRACKS
    max_quarters: int = 65_536  # the length of the piece in quarter notes


# A meta event of one of `KEPT_META_KINDS`: tick, kind, data, position of the data in the file. A plain tuple, as a file
# may have more of them than notes (rubato written as tempos).
MetaEvent = tuple[int, int, bytes, int]


@dataclass(frozen=True, eq=False, slots=True)
class TrackEvents:
    """The events of one track, in file order.

    The four arrays have one entry a channel event, of every kind: `ticks` int64 since the start of the piece, `status`
    uint8 (0x80 to 0xEF, running status resolved), `first` and `second` uint8 data bytes (0 to 127; `second` is 0 where
    the event has only one). `end_tick` is where the track ends.
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

    Raises RejectedInputError for what is no whole file of format 0 or 1 with ticks per quarter, or is beyond `limits`.
    """
    if len(data) > limits.max_bytes:
        raise RejectedInputError(f"too large: {len(data):,} bytes, where {limits.max_bytes:,} are read at most")
    start, end = _find_smf(data)
    smf_format, track_count, ticks_per_quarter, position = _read_header(data, start, end)
    if track_count > limits.max_tracks:
        raise RejectedInputError(
            f"too many tracks: {track_count:,} at byte {start + 10}, where {limits.max_tracks:,} are read at most",
        )
    max_tick = limits.max_quarters * ticks_per_quarter
    tracks: list[TrackEvents] = []
    chunks = _track_chunks(data, position, end)
    while len(tracks) < track_count:
        chunk = next(chunks, None)
        if chunk is None:
            raise RejectedInputError(
                f"truncated: ends at byte {end} after {len(tracks)} of the {track_count} tracks that are announced",
            )
        tracks.append(_read_track(data[chunk.start : chunk.stop], chunk.start, max_tick))
    return SmfFile(smf_format, ticks_per_quarter, tuple(tracks))


def _find_smf(data: bytes) -> tuple[int, int]:
    """Find the start and the end (exclusive) of the MIDI file in `data`: all of it, or a data chunk of RIFF."""
    if data[:4] != b"RIFF" or data[8:12] != b"RMID":
        return 0, len(data)
    position = 12
    while position + 8 <= len(data):
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        if data[position : position + 4] == b"data":
            return position + 8, min(position + 8 + size, len(data))
        position += 8 + size + size % 2  # RIFF chunks begin at even positions
    raise RejectedInputError(f"truncated: a RIFF file of type RMID that ends at byte {len(data)} without a data chunk")


def _read_header(data: bytes, start: int, end: int) -> tuple[int, int, int, int]:
    """Read the header chunk; return (format, number of tracks, ticks per quarter, position of the next chunk)."""
    if data[start : min(start + 4, end)] != b"MThd":
        found = f"begins with {data[start : min(start + 4, end)]!r}" if start < end else "is empty"
        raise RejectedInputError(f"no MIDI file: {found} at byte {start}, where a MIDI file begins with b'MThd'")
    size = int.from_bytes(data[start + 4 : start + 8], "big")
    position = start + 8 + size
    if position > end or end - start < 8 + _HEADER_BYTES:
        raise RejectedInputError(f"truncated: ends at byte {end}, inside its header")
    if size < _HEADER_BYTES:
        raise RejectedInputError(
            f"bad header: {size} bytes long at byte {start + 4}, where a header has {_HEADER_BYTES}",
        )
    smf_format, track_count, division = (int.from_bytes(data[start + at : start + at + 2], "big") for at in (8, 10, 12))
    if smf_format > 1:
        raise RejectedInputError(f"MIDI format {smf_format} at byte {start + 8}, where formats 0 and 1 are read")
    if division & 0x8000:
        raise RejectedInputError(f"time in SMPTE frames at byte {start + 12}, where ticks per quarter note are read")
    if division == 0:
        raise RejectedInputError(f"0 ticks per quarter note at byte {start + 12}, where 1 to 32,767 are possible")
    return smf_format, track_count, division, position


def _track_chunks(data: bytes, position: int, end: int) -> Iterator[range]:
    """Yield the byte range of the contents of each track chunk from `position` on."""
    while position < end:
        start = position + 8
        size = int.from_bytes(data[position + 4 : start], "big")
        if start + size > end:
            raise RejectedInputError(
                f"truncated: the chunk at byte {position} ends at byte {start + size}, and the file at byte {end}",
            )
        if data[position : position + 4] == b"MTrk":
            yield range(start, start + size)
        position = start + size


def _read_track(chunk: bytes, base: int, max_tick: int) -> TrackEvents:
    """Read the contents of one track chunk, which begins at byte `base` of the file."""
    ticks, places = array("q"), array("q")
    meta: list[MetaEvent] = []
    try:
        end_tick = _decode(chunk, base, ticks, places, meta)
    except RejectedInputError:
        _channel_events(chunk, base, np.frombuffer(places, np.int64))  # a fault before this one is the one to tell
        raise
    status, first, second = _channel_events(chunk, base, np.frombuffer(places, np.int64))
    if end_tick > max_tick:
        raise RejectedInputError(
            f"too long: the track at byte {base} lasts {end_tick:,} ticks, where {max_tick:,} is the most",
        )
    return TrackEvents(np.frombuffer(ticks, np.int64), status, first, second, tuple(meta), end_tick)


def _decode(chunk: bytes, base: int, ticks: "array[int]", places: "array[int]", meta: list[MetaEvent]) -> int:
    """Find the events of one track; return the tick at which it ends.

    Each channel event adds its tick to `ticks` and the position of its first data byte in the chunk to `places`; meta
    events go to `meta`. Reading spends its time in this loop, so it only finds where events are: numpy reads them.
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
                if low < 128:  # two bytes are the most frequent, and a call would cost more than all the rest
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
                data_bytes = 1 if 0xC0 <= event < 0xE0 else 2  # program change and channel pressure have one
                position += 1
            elif data_bytes == 0:
                raise RejectedInputError(
                    f"bad event at byte {base + position}: {event}, where an event begins with a byte of 128 or more",
                )
            add_tick(tick)
            add_place(position)
            position += data_bytes
    except IndexError:
        position = size + 1
    if position > size:
        raise RejectedInputError(
            f"truncated: the track at byte {base} ends at byte {base + size}, in the middle of an event"
        )
    return tick


def _channel_events(chunk: bytes, base: int, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read status, first and second data byte, uint8 [events], of the channel events whose data is at `places`."""
    content = np.frombuffer(chunk + b"\0\0", np.uint8)  # two more, as the last event may be cut
    before = content[places - 1]
    # The byte before the data is the event's status or, where the status runs on, the last byte of a time, below 128.
    status = before[np.maximum.accumulate(np.where(before > 127, np.arange(len(places)), 0))]
    first, second = content[places], content[places + 1]
    second[(status >= 0xC0) & (status < 0xE0)] = 0
    wrong = (first | second) > 127
    if wrong.any():
        event = int(np.argmax(wrong))
        at = int(places[event]) + int(first[event] <= 127)
        raise RejectedInputError(
            f"bad event at byte {base + at}: {content[at]}, where {status[event]:#04x} has data bytes of 0 to 127",
        )
    return status, first, second


def _quantity(chunk: bytes, position: int, base: int) -> tuple[int, int]:
    """Read a variable-length quantity (seven bits a byte, only the last below 128); return it and the next position."""
    value = 0
    for at in range(position, position + _LONGEST_QUANTITY_BYTES):
        byte = chunk[at]
        value = value << 7 | byte & 127
        if byte < 128:
            return value, at + 1
    raise RejectedInputError(
        f"bad length or time at byte {base + position}: more than the {_LONGEST_QUANTITY_BYTES} bytes that it may have",
    )


def _system_event(chunk: bytes, position: int, base: int, tick: int, meta: list[MetaEvent]) -> int:
    """Read the meta or system exclusive event at `position`; return the next position, the last at the end of track."""
    event = chunk[position]
    kind = -1
    if event == META:
        position += 1
        kind = chunk[position]
    elif event not in _SYSTEM_EXCLUSIVE:
        raise RejectedInputError(
            f"bad event at byte {base + position}: {event:#04x}, where a track has channel, meta or sysex events",
        )
    length, position = _quantity(chunk, position + 1, base)
    after = position + length
    if after > len(chunk):
        raise RejectedInputError(
            f"truncated: {length:,} bytes are announced for an event at byte {base + position}, "
            f"and its track ends at byte {base + len(chunk)}",
        )
    if kind in KEPT_META_KINDS:
        meta.append((tick, kind, chunk[position:after], base + position))
    return len(chunk) if kind == END_OF_TRACK else after
