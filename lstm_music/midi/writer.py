"""`PieceNotes` → Standard MIDI File bytes.

A format 1 file: a conductor track (tempos, signatures), then one track a track of the piece. The same piece gives the
same bytes, and `read_midi` reads back the same notes: pitch, onset, duration, velocity, program, drum or not. That takes:

- A note-off does not say which of two overlapping notes of one pitch and channel it ends. So the later note goes to a further
  track, on a channel that the piece does not use while there is one: a synthesiser then sounds both. The name of that track is
  the name of the note's own track and `OVERLAPPING`.
- Drums go to channel 9, and only drums.
- Each channel chooses its program at time 0, and again whenever the program changes.
- At one tick, notes end first, then the pedal moves, then notes without duration sound, then notes begin: a note that
  is struck again where it ends is so read back as two.
- Where the piece's track 0 holds neither notes nor pedal it is the conductor track; else the tracks move up by one.
  Other tracks that hold nothing and have no name are left out.
- A tempo slower than a MIDI file can hold (16.8 seconds per quarter note) becomes the slowest one.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import KeySignature, Pedal, PieceNotes, Tempo, TimeSignature, sorted_notes
from lstm_music.midi.overlaps import place_notes
from lstm_music.midi.smf import (
    CONTROLLER,
    KEY_SIGNATURE,
    LARGEST_DENOMINATOR_POWER,
    MAX_TRACKS,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    SET_TEMPO,
    SUSTAIN_PEDAL,
    TIME_SIGNATURE,
    TRACK_NAME,
)

SLOWEST_TEMPO = (1 << 24) - 1  # microseconds per quarter note, in three bytes
EMPTY_TEXT = b"\xff\x01\x00"  # a message that says nothing, for a place in time
OVERLAPPING = ", overlapping notes"

_Message = tuple[int, bytes]  # tick, event without its time
_TICKS = range(1 << 32)
_NOTE_RANGES = {
    "channel": range(16),
    "program": range(128),
    "pitch": range(128),
    "velocity": range(1, 128),
    "onset_ticks": _TICKS,
    "duration_ticks": _TICKS,
}
_DENOMINATORS = tuple(2**power for power in range(LARGEST_DENOMINATOR_POWER + 1))
_LONGEST_QUANTITY = (1 << 28) - 1  # in four bytes
_RELEASE_VELOCITY = 64  # what an instrument without a release sensor sends
_NO_DATA_BYTE = -1
_HEADER_BYTES, _TRACK_COUNT = 14, slice(10, 12)
_END_OF_TRACK = b"\x00\xff\x2f\x00"
_FILE_BEGINS, _NOTES_END, _PEDAL_MOVES, _NOTES_WITHOUT_DURATION, _NOTES_BEGIN = range(5)  # the order within one tick
_EVENT_DTYPE = np.dtype(
    [(name, np.int64) for name in ("part", "tick", "rank", "sequence", "status", "first", "second")],
)


def write_midi(piece: PieceNotes, *, programs_at_start: bool = True) -> bytes:
    """Write a piece as the bytes of a MIDI file.

    Without `programs_at_start`, a channel chooses its first program at its first note instead of at time 0. Raises
    RejectedInputError for a value that a MIDI file cannot hold, and for notes of one pitch that overlap so often that the file
    would need more than `MAX_TRACKS` tracks.
    """
    _require_writable(piece)
    notes = sorted_notes(piece.notes)
    tracks = _tracks_to_write(piece)
    part, channel, track_of_part = place_notes(notes, tracks, MAX_TRACKS - 1)
    programs = _program_events(notes, part, channel, at_start=programs_at_start)
    events = np.concatenate([_note_events(notes, part, channel), programs, _pedal_events(piece, tracks)])
    events = events[np.lexsort([events[name] for name in ("sequence", "rank", "tick", "part")])]
    borders = np.searchsorted(events["part"], np.arange(len(track_of_part) + 1))
    contents = [_conductor_messages(piece)]
    contents += [_channel_messages(events[start:stop]) for start, stop in pairwise(borders)]
    names = ["" if 0 in tracks else _name(piece, 0), *_part_names(piece, tracks, track_of_part)]
    chunks = [_track_chunk(name, messages) for name, messages in zip(names, contents, strict=True)]
    return b"".join([_header(len(chunks), piece.ticks_per_quarter), *chunks])


def with_track(midi: bytes, messages: Sequence[tuple[int, bytes]]) -> bytes:
    """Put a track of messages (tick, event without its time), sorted by tick, before the others of a written file.

    Its messages come first at a tick. It makes the conductor track the second one: this is for synthesisers, not for readers.
    """
    tracks = int.from_bytes(midi[_TRACK_COUNT], "big") + 1
    header = midi[: _TRACK_COUNT.start] + tracks.to_bytes(2, "big") + midi[_TRACK_COUNT.stop : _HEADER_BYTES]
    return header + _track_chunk("", messages) + midi[_HEADER_BYTES:]


def _require_writable(piece: PieceNotes) -> None:
    """Raise RejectedInputError for the first value that a MIDI file cannot hold."""
    for what, values, allowed in _ranges(piece):
        wrong = next((value for value in values if value not in allowed), None)
        if wrong is not None:
            raise RejectedInputError(
                f"cannot be written as MIDI: {what}: expected {allowed[0]:,} to {allowed[-1]:,}, got {wrong}",
            )
    for signature in piece.time_signatures:
        if signature.denominator not in _DENOMINATORS:
            raise RejectedInputError(
                f"cannot be written as MIDI: time signature {signature.numerator}/{signature.denominator}: "
                f"expected a denominator of {', '.join(map(str, _DENOMINATORS))}",
            )


def _ranges(piece: PieceNotes) -> list[tuple[str, Iterable[int], range]]:
    """List the values of a piece by what they are, with those that a MIDI file can hold."""
    changes: list[Tempo | TimeSignature | KeySignature | Pedal] = [
        *piece.tempos,
        *piece.time_signatures,
        *piece.key_signatures,
        *piece.pedal,
    ]
    return [
        ("ticks per quarter", [piece.ticks_per_quarter], range(1, 32_768)),
        *((name, piece.notes[name].tolist(), values) for name, values in _NOTE_RANGES.items()),
        ("tick", (change.tick for change in changes), _TICKS),
        ("microseconds per quarter", (tempo.microseconds_per_quarter for tempo in piece.tempos), range(1, 1 << 40)),
        ("numerator", (signature.numerator for signature in piece.time_signatures), range(1, 256)),
        ("sharps", (signature.sharps for signature in piece.key_signatures), range(-7, 8)),
        ("pedal channel", (event.channel for event in piece.pedal), range(16)),
        ("pedal value", (event.value for event in piece.pedal), range(128)),
    ]


def _tracks_to_write(piece: PieceNotes) -> list[int]:
    """List the piece's tracks that have notes, pedal or a name, ascending; track 0 not for its name alone."""
    tracks = {*np.unique(piece.notes["track"]).tolist(), *(event.track for event in piece.pedal)}
    return sorted(tracks | {track for track, name in enumerate(piece.track_names) if name and track})


def _part_names(piece: PieceNotes, tracks: list[int], track_of_part: list[int]) -> list[str]:
    """Name each part as its track is named; a part for overlapping notes, which come after the tracks, says that it is one."""
    names = [_name(piece, track) for track in track_of_part]
    own = len(tracks)
    return [*names[:own], *(name and name + OVERLAPPING for name in names[own:])]


def _name(piece: PieceNotes, track: int) -> str:
    return piece.track_names[track] if 0 <= track < len(piece.track_names) else ""


def _events(size: int, **columns: np.ndarray | int) -> np.ndarray:
    events = np.empty(size, _EVENT_DTYPE)
    for name, values in columns.items():
        events[name] = values
    return events


def _note_events(notes: np.ndarray, part: np.ndarray, channel: np.ndarray) -> np.ndarray:
    """Return the note-ons and note-offs of sorted notes.

    In `sequence`, note i has 3i for a change of program before it, 3i + 1 for its on, 3i + 2 for its off.
    """
    count = len(notes)
    index = 3 * np.arange(count)
    has_duration = notes["duration_ticks"] > 0
    ons = _events(
        count,
        part=part,
        tick=notes["onset_ticks"],
        rank=_on_ranks(notes),
        sequence=index + 1,
        status=NOTE_ON | channel,
        first=notes["pitch"],
        second=notes["velocity"],
    )
    offs = _events(
        count,
        part=part,
        tick=notes["onset_ticks"] + notes["duration_ticks"],
        rank=np.where(has_duration, _NOTES_END, _NOTES_WITHOUT_DURATION),
        sequence=index + 2,
        status=NOTE_OFF | channel,
        first=notes["pitch"],
        second=_RELEASE_VELOCITY,
    )
    return np.concatenate([ons, offs])


def _on_ranks(notes: np.ndarray) -> np.ndarray:
    return np.where(notes["duration_ticks"] > 0, _NOTES_BEGIN, _NOTES_WITHOUT_DURATION)


def _program_events(notes: np.ndarray, part: np.ndarray, channel: np.ndarray, *, at_start: bool) -> np.ndarray:
    """Return a program change before each note whose program is not the last one of its channel, all tracks merged.

    With `at_start`, the first one of each channel comes at tick 0, before everything else.
    """
    rank, sequence = _on_ranks(notes), 3 * np.arange(len(notes))
    order = np.lexsort([sequence, rank, part, notes["onset_ticks"], channel])
    program, sorted_channel = notes["program"][order], channel[order]
    is_first = np.ones(len(notes), np.bool_)
    is_first[1:] = sorted_channel[1:] != sorted_channel[:-1]
    is_change = is_first.copy()
    is_change[1:] |= program[1:] != program[:-1]
    at, moves = order[is_change], is_first[is_change] & at_start
    return _events(
        len(at),
        part=part[at],
        tick=np.where(moves, 0, notes["onset_ticks"][at]),
        rank=np.where(moves, _FILE_BEGINS, rank[at]),
        sequence=sequence[at],
        status=PROGRAM | channel[at],
        first=notes["program"][at],
        second=_NO_DATA_BYTE,
    )


def _pedal_events(piece: PieceNotes, tracks: list[int]) -> np.ndarray:
    """Return the sustain pedal events, those of one tick in their order; `tracks` says which part each track is."""
    part_of_track = {track: part for part, track in enumerate(tracks)}
    return _events(
        len(piece.pedal),
        part=np.array([part_of_track[event.track] for event in piece.pedal], np.int64),
        tick=np.array([event.tick for event in piece.pedal], np.int64),
        rank=_PEDAL_MOVES,
        sequence=np.arange(len(piece.pedal)),
        status=np.array([CONTROLLER | event.channel for event in piece.pedal], np.int64),
        first=SUSTAIN_PEDAL,
        second=np.array([event.value for event in piece.pedal], np.int64),
    )


def _conductor_messages(piece: PieceNotes) -> list[_Message]:
    """List the tempos and signatures as meta events, by tick."""
    messages = [
        *((change.tick, _meta(TIME_SIGNATURE, _time_signature(change))) for change in piece.time_signatures),
        *((change.tick, _meta(KEY_SIGNATURE, _key_signature(change))) for change in piece.key_signatures),
        *((change.tick, _meta(SET_TEMPO, _tempo(change))) for change in piece.tempos),
    ]
    return sorted(messages, key=lambda message: message[0])


def _tempo(tempo: Tempo) -> bytes:
    return min(tempo.microseconds_per_quarter, SLOWEST_TEMPO).to_bytes(3, "big")


def _time_signature(signature: TimeSignature) -> bytes:
    clocks_per_click, notated_32nds_per_quarter = 24, 8
    power = signature.denominator.bit_length() - 1
    return bytes([signature.numerator, power, clocks_per_click, notated_32nds_per_quarter])


def _key_signature(signature: KeySignature) -> bytes:
    return bytes([signature.sharps & 0xFF, signature.is_minor])


def _channel_messages(events: np.ndarray) -> list[_Message]:
    columns = (events[name].tolist() for name in ("tick", "status", "first", "second"))
    return [
        (tick, bytes((status, first)) if second == _NO_DATA_BYTE else bytes((status, first, second)))
        for tick, status, first, second in zip(*columns, strict=True)
    ]


def _header(track_count: int, ticks_per_quarter: int) -> bytes:
    fields = ((6, 4), (1, 2), (track_count, 2), (ticks_per_quarter, 2))
    return b"MThd" + b"".join(value.to_bytes(size, "big") for value, size in fields)


def _track_chunk(name: str, messages: Sequence[_Message]) -> bytes:
    """Write a track chunk of its name and of messages sorted by tick; it ends with the last of them."""
    contents = bytearray()
    if name:
        contents += b"\x00" + _meta(TRACK_NAME, name.encode("utf-8", "replace"))
    now = 0
    for tick, message in messages:
        contents += _delta(tick - now) + message
        now = tick
    contents += _END_OF_TRACK
    return b"MTrk" + len(contents).to_bytes(4, "big") + contents


def _meta(kind: int, data: bytes) -> bytes:
    return bytes([0xFF, kind]) + _quantity(len(data)) + data


def _delta(ticks: int) -> bytes:
    """Write a time difference, with empty text events wherever it is longer than one quantity can say."""
    fillers, rest = divmod(ticks, _LONGEST_QUANTITY)
    return (_quantity(_LONGEST_QUANTITY) + EMPTY_TEXT) * fillers + _quantity(rest)


def _quantity(value: int) -> bytes:
    """Write a variable-length quantity: seven bits a byte, all but the last with the top bit set."""
    digits = [value & 127]
    while value := value >> 7:
        digits.append(value & 127 | 128)
    return bytes(reversed(digits))
