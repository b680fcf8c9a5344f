"""Standard MIDI File bytes → the events of each track, in file order.

The format is "Standard MIDI Files 1.0" (MIDI Manufacturers Association, RP-001). Where real files differ from it, this reader
reads what is whole and says what is not:

- Chunks count, not the header: a file has the tracks that are there. Other chunks are skipped, as the standard demands.
- A track whose length leads to no chunk and not to the end of the file ends at its end-of-track event, or before the next
  `MTrk`. A track can lack that event; bytes behind it in the track's chunk are not read.
- A track that breaks off, or has an event that cannot be, keeps what stands before it.
- Meta and system exclusive events keep the running status, because real files rely on it. Messages for a cable (real-time and
  system common) are skipped.
- A second data byte above 127 counts as 127. An event with a first one above 127 is left out.
- Format 2 is read as its tracks one after another. Of SMPTE time, a quarter note is half a second.
- RIFF (`.rmi`), gzip and MacBinary around a MIDI file are taken off.

Each kind of damage gives one warning with the position of its first byte. If no note is left, or the header cannot be used,
the file is rejected with that sentence. `RejectedInputError` is the only error, whatever the bytes are.
"""

from array import array
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lstm_music.errors import RejectedInputError
from lstm_music.midi.chunks import Chunk, next_chunk
from lstm_music.midi.containers import find_smf
from lstm_music.midi.damage import Damage
from lstm_music.midi.fresh_loops import loops
from lstm_music.midi.header import Header, read_header

DRUM_CHANNEL = 9  # the tenth, as in General MIDI
BANK_SELECT, SUSTAIN_PEDAL = 0, 64
FIRST_OTHER = 0xA0  # the first status behind those of notes
NOTE_OFF, NOTE_ON, CONTROLLER, PROGRAM = 0x80, 0x90, 0xB0, 0xC0
TRACK_NAME, END_OF_TRACK, SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE = 0x03, 0x2F, 0x51, 0x58, 0x59
SEQUENCER_SPECIFIC, SYSTEM_EXCLUSIVE, META = 0x7F, 0xF0, 0xFF
MAX_TRACKS = 1024
LARGEST_DENOMINATOR_POWER = 7  # of a time signature: a 128th note

_KEPT_KINDS = {TRACK_NAME, SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE, SEQUENCER_SPECIFIC, SYSTEM_EXCLUSIVE}
_KEPT = bytes(kind in _KEPT_KINDS for kind in range(256))


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """The limits of a MIDI file (inclusive): within them, reading takes seconds and at most some hundred megabytes."""

    max_bytes: int = 16 << 20
    max_notes: int = 2_000_000
    max_changes: int = 500_000  # tempos, signatures, track names and pedal events together
    max_tracks: int = MAX_TRACKS
    max_quarters: int = 65_536  # the time until the last note ends, in quarter notes; silence has no limit


class SystemEvent(NamedTuple):
    """A meta event of one of the kinds above, or a system exclusive one; `start` is the position of its `data`."""

    tick: int
    track: int
    place: int
    data: bytes
    start: int


@dataclass(frozen=True, eq=False, slots=True)
class TrackEvents:
    """The channel events of one track, of every kind, in file order: arrays [events].

    `ticks` int64 since the start of the piece, `status` uint8 (0x80 to 0xEF, running status resolved), `first` and `second`
    uint8 data bytes (0 to 127; `second` is 0 if the event has only one). `end_tick` is the end of the track.
    """

    ticks: np.ndarray
    status: np.ndarray
    first: np.ndarray
    second: np.ndarray
    end_tick: int


@dataclass(frozen=True, eq=False, slots=True)
class SmfFile:
    """A Standard MIDI File.

    The arrays of channel events are those of `TrackEvents` for all tracks, one track after another; `places` is where the
    data of each event stands in `data`. `starts` int64 [tracks + 1] says where each track begins in the arrays, `end_ticks`
    int64 [tracks] where it ends in time, `is_broken` bool [tracks] whether it breaks off. `system_ticks`, `system_places` (of
    the first byte) and `system_starts` are the same for meta and system exclusive events, and `system_kinds` uint8 is the kind
    of the meta event, or `SYSTEM_EXCLUSIVE`. `others` are the rows of channel events that are no notes, and `other_kinds` uint8
    their status without the channel. `fixed_tempo` is the length of a quarter in microseconds if the file counts seconds.
    """

    format: int
    ticks_per_quarter: int
    fixed_tempo: int | None
    data: bytes
    ticks: np.ndarray
    status: np.ndarray
    first: np.ndarray
    second: np.ndarray
    places: np.ndarray
    starts: np.ndarray
    end_ticks: np.ndarray
    is_broken: np.ndarray
    system_ticks: np.ndarray
    system_places: np.ndarray
    system_starts: np.ndarray
    system_kinds: np.ndarray
    others: np.ndarray
    other_kinds: np.ndarray
    damage: Damage

    @property
    def tracks(self) -> tuple[TrackEvents, ...]:
        """The channel events of each track."""
        bounds = map(slice, self.starts[:-1].tolist(), self.starts[1:].tolist())
        return tuple(
            TrackEvents(self.ticks[at], self.status[at], self.first[at], self.second[at], end)
            for at, end in zip(bounds, self.end_ticks.tolist(), strict=True)
        )

    def system_events(self, rows: np.ndarray) -> list[SystemEvent]:
        """Read the system events at the indices `rows`."""
        if not len(rows):
            return []
        tracks = self.system_starts.searchsorted(rows, side="right") - 1
        columns = (self.system_ticks.take(rows).tolist(), tracks.tolist(), self.system_places.take(rows).tolist())
        return [
            SystemEvent(tick, track, place, *self._data_at(place)) for tick, track, place in zip(*columns, strict=True)
        ]

    def _data_at(self, place: int) -> tuple[bytes, int]:
        """Return the data of the system event at `place`, and its position."""
        position = place + (2 if self.data[place] == META else 1)
        length = self.data[position] & 127
        while self.data[position] > 127:
            position += 1
            length = length << 7 | self.data[position] & 127
        return self.data[position + 1 : position + 1 + length], position + 1


@dataclass(slots=True)
class _Found:
    """What the byte loop found so far, track after track."""

    ticks: "array[int]"
    places: "array[int]"
    system_ticks: "array[int]"
    system_places: "array[int]"
    starts: list[int]
    system_starts: list[int]
    end_ticks: list[int]
    is_broken: list[bool]


def read_smf(data: bytes, limits: ReadLimits) -> SmfFile:
    """Read the bytes of a MIDI file into events. Raises RejectedInputError if nothing of it is whole, or it is too large."""
    if len(data) > limits.max_bytes:
        raise RejectedInputError(f"too large: expected at most {limits.max_bytes:,} bytes, got {len(data):,}")
    damage = Damage()
    contents = find_smf(data, limits.max_bytes, damage)
    header = read_header(contents, damage)
    found = _find_events(contents.data, header, contents.end, limits.max_tracks, damage)
    smf = _resolved(contents.data, header, found, damage)
    if damage.first and not ((smf.status & 0xF0 == NOTE_ON) & (smf.second > 0)).any():
        raise RejectedInputError(damage.first)
    return smf


def _find_events(data: bytes, header: Header, end: int, max_tracks: int, damage: Damage) -> _Found:
    size = end - header.position
    most, most_system = size // 2 + 1, size // 4 + 1  # a time and a data byte; a time, two for the kind and a length
    longs, ints = array("q", [0]), array("i", [0])
    found = _Found(longs * most, ints * most, longs * most_system, ints * most_system, [0], [0], [], [])
    chunk = next_chunk(data, header.position, end, damage)
    while chunk is not None:
        if len(found.end_ticks) == max_tracks:
            raise RejectedInputError(
                f"too many tracks: expected at most {max_tracks:,}, got more, at byte {chunk.start - 8}"
            )
        chunk = next_chunk(data, _read_track(data, chunk, found, damage), end, damage)
    tracks = len(found.end_ticks)
    if tracks < header.tracks and damage.first is None:
        damage.add("tracks", f"truncated: the file ends at byte {end} after {tracks} of {header.tracks} tracks")
    elif tracks != header.tracks and damage.first is None:
        damage.add("tracks", f"announces {_tracks(header.tracks)} in its header, and has {tracks}")
    return found


def _tracks(number: int) -> str:
    return f"{number:,} track{'' if number == 1 else 's'}"


def _read_track(data: bytes, chunk: Chunk, found: _Found, damage: Damage) -> int:
    """Read one track; return the position of what follows it."""
    count, system_count, tick, behind_end, fault, fault_at, stray, stray_at = loops.locate(
        data,
        chunk.start,
        chunk.stop,
        _KEPT,
        found.ticks,
        found.places,
        found.starts[-1],
        found.system_ticks,
        found.system_places,
        found.system_starts[-1],
    )
    if stray:
        damage.add("cable", f"has a message for a cable at byte {stray_at}, which is skipped", stray)
    has_end = behind_end >= 0
    is_broken = fault != loops.WHOLE or (not has_end and chunk.nominal_stop > chunk.stop)
    if is_broken:
        damage.add("track", _fault(data, chunk, fault, fault_at))
    elif has_end and not chunk.is_exact and behind_end != chunk.nominal_stop:
        there, said = behind_end - chunk.start, chunk.nominal_stop - chunk.start
        damage.add("length", f"wrong length at byte {chunk.start - 4}: the track has {there:,} bytes, not {said:,}")
    found.starts.append(count)
    found.system_starts.append(system_count)
    found.end_ticks.append(tick)
    found.is_broken.append(is_broken)
    return behind_end if has_end and not chunk.is_exact else chunk.stop


def _fault(data: bytes, chunk: Chunk, fault: int, fault_at: int) -> str:
    """Say what ends a track early."""
    base, at = chunk.start, fault_at
    if fault == loops.NO_STATUS:
        return f"bad event at byte {at}: expected a byte of 128 or more, got {data[at]}"
    if fault == loops.LONG_QUANTITY:
        return f"bad length or time at byte {at}: expected at most {loops.LONGEST_QUANTITY_BYTES} bytes, got more"
    if chunk.nominal_stop > chunk.stop:
        return f"truncated: the track at byte {base} should end at byte {chunk.nominal_stop}, but ends at {chunk.stop}"
    if fault == loops.LONG_EVENT:
        return f"truncated: the event at byte {at} goes on behind its track, which ends at byte {chunk.stop}"
    return f"truncated: the track at byte {base} ends at byte {chunk.stop}, inside an event"


def _resolved(data: bytes, header: Header, found: _Found, damage: Damage) -> SmfFile:
    """Resolve the events whose data was found: status and data bytes, and ticks of which a quarter has a whole number."""
    starts, system_starts = np.array(found.starts, np.int64), np.array(found.system_starts, np.int64)
    end_ticks = np.array(found.end_ticks, np.int64)
    ticks, places = _filled(found.ticks, np.int64, starts), _filled(found.places, np.int32, starts)
    status, first, second = _channel_events(data, places)
    if len(first) and (first.max() > 127 or second.max() > 127):
        is_wrong = (first | second) > 127
        is_kept = first < 128
        _report_data(data, places + np.where(is_kept, 1, 0), is_wrong, status, damage)
        starts = np.concatenate([[0], np.cumsum(is_kept)])[starts]
        ticks, places, status, first = ticks[is_kept], places[is_kept], status[is_kept], first[is_kept]
        second = np.minimum(second[is_kept], 127)
    system_ticks = _filled(found.system_ticks, np.int64, system_starts)
    system_places = _filled(found.system_places, np.int32, system_starts)
    if header.scale > 1 or header.format == 2:
        end_ticks = end_ticks * header.scale
        shifts = np.cumsum(end_ticks) - end_ticks if header.format == 2 else np.zeros_like(end_ticks)
        ticks = ticks * header.scale + np.repeat(shifts, np.diff(starts))
        system_ticks = system_ticks * header.scale + np.repeat(shifts, np.diff(system_starts))
        end_ticks = end_ticks + shifts
    others = (status >= FIRST_OTHER).nonzero()[0]
    return SmfFile(
        format=header.format,
        ticks_per_quarter=header.ticks_per_quarter,
        fixed_tempo=header.fixed_tempo,
        data=data,
        ticks=ticks,
        status=status,
        first=first,
        second=second,
        places=places,
        starts=starts,
        end_ticks=end_ticks,
        is_broken=np.array(found.is_broken, np.bool_),
        system_ticks=system_ticks,
        system_places=system_places,
        system_starts=system_starts,
        system_kinds=_kinds(data, system_places),
        others=others,
        other_kinds=status.take(others) & 0xF0,
        damage=damage,
    )


def _kinds(data: bytes, places: np.ndarray) -> np.ndarray:
    """Return the kinds of the meta and system exclusive events at `places`."""
    content = np.frombuffer(data, np.uint8)
    status = content.take(places)
    kinds: np.ndarray = np.where(status == META, content.take(places + 1), status)
    return kinds


def _filled(values: "array[int]", dtype: type[np.signedinteger[Any]], starts: np.ndarray) -> np.ndarray:
    """Return the part of an array that the byte loop has filled."""
    return np.frombuffer(values, dtype)[: starts[-1]]


def _channel_events(data: bytes, places: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read status, first and second data byte, uint8 [events], of the channel events whose data is at `places`."""
    content = np.frombuffer(data + b"\0", np.uint8)  # one more byte, because the last event can have only one
    places = places.astype(np.int64)  # what numpy indexes with
    status = content.take(places - 1)
    # The byte before the data is the event's status or, with running status, the last byte of a time, below 128.
    has_status = status > 127
    if not has_status.all():
        status = status.take(np.maximum.accumulate(np.where(has_status, np.arange(len(places)), 0)))
    first, second = content.take(places), content.take(places + 1)
    second[status & 0xE0 == PROGRAM] = 0  # program change and channel pressure have one
    return status, first, second


def _report_data(data: bytes, places: np.ndarray, is_wrong: np.ndarray, status: np.ndarray, damage: Damage) -> None:
    """Note the first event with a data byte above 127; the wrong byte of each is at `places`."""
    event = int(np.argmax(is_wrong))
    at = int(places[event])
    damage.add(
        "data",
        f"bad event at byte {at}: expected a data byte of {status[event]:#04x}, 0 to 127, got {data[at]}",
        int(np.count_nonzero(is_wrong)),
    )
