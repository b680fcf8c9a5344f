"""Standard MIDI File bytes → `PieceNotes`.

How events are read:

- **Pairing.** A note-on (velocity above 0) ends at the nearest later note-off, or note-on of velocity 0, of the same
  pitch, channel and track. Two overlapping notes can end at the same event; this is music21's rule. A note without a
  later note-off ends where its track ends.
- **Program.** A channel is one instrument, whichever tracks use it. The tracks of a format 1 file form one stream of
  events by (tick, track, position in the track). A note has the latest program of its channel, or 0 (piano) if none was
  set.
- **Drums** are the notes on channel 9 (the tenth), as in General MIDI.
- **Time.** Tempos and signatures of all tracks are kept. A tempo of 0 or a bar without beats is rejected, because notes
  would have no time. An invalid key signature is ignored, because it moves no note.
"""

from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import (
    NOTE_DTYPE,
    KeySignature,
    Pedal,
    PieceNotes,
    Tempo,
    TimeSignature,
    sorted_notes,
)
from lstm_music.midi.smf import (
    CONTROLLER,
    DRUM_CHANNEL,
    KEY_SIGNATURE,
    LARGEST_DENOMINATOR_POWER,
    NOTE_OFF,
    NOTE_ON,
    PROGRAM,
    SET_TEMPO,
    SUSTAIN_PEDAL,
    TIME_SIGNATURE,
    TRACK_NAME,
    MetaEvent,
    ReadLimits,
    SmfFile,
    read_smf,
)
from lstm_music.midi.text import decode_text

__all__ = ["ReadLimits", "read_midi"]

_DEFAULT_LIMITS = ReadLimits()
_NO_TICKS = np.empty(0, np.int64)  # np.concatenate needs one array, even for a file without tracks
_NO_BYTES = np.empty(0, np.uint8)


@dataclass(frozen=True, eq=False, slots=True)
class _Events:
    """Channel events of all tracks, track after track, each in file order: arrays [events]."""

    tick: np.ndarray  # int64
    track: np.ndarray  # int64
    kind: np.ndarray  # uint8, the status without its channel
    channel: np.ndarray  # uint8
    first: np.ndarray  # uint8
    second: np.ndarray  # uint8

    def __getitem__(self, selected: np.ndarray) -> "_Events":
        return _Events(
            self.tick[selected],
            self.track[selected],
            self.kind[selected],
            self.channel[selected],
            self.first[selected],
            self.second[selected],
        )


def read_midi(data: bytes, limits: ReadLimits = _DEFAULT_LIMITS) -> PieceNotes:
    """Read the bytes of a MIDI file.

    Raises RejectedInputError with the reason and the byte position, and no other error, whatever the bytes are. A file
    without notes is accepted here: see `lstm_music.midi.usable`.
    """
    smf = read_smf(data, limits)
    events = _all_events(smf)
    pedal = events[(events.kind == CONTROLLER) & (events.first == SUSTAIN_PEDAL)]
    meta = [event for track in smf.tracks for event in track.meta]
    meta.sort(key=itemgetter(0))
    _require_within(limits, notes=int(np.count_nonzero(_is_onset(events))), changes=len(meta) + len(pedal.tick))
    notes = _pair_notes(events, np.array([track.end_tick for track in smf.tracks], np.int64))
    return PieceNotes(
        ticks_per_quarter=smf.ticks_per_quarter,
        notes=sorted_notes(notes),
        tempos=tuple(_tempo(event) for event in meta if event[1] == SET_TEMPO),
        time_signatures=tuple(_time_signature(event) for event in meta if event[1] == TIME_SIGNATURE),
        key_signatures=tuple(filter(None, (_key_signature(event) for event in meta if event[1] == KEY_SIGNATURE))),
        track_names=tuple(_track_name(track.meta) for track in smf.tracks),
        pedal=_pedal(pedal),
    )


def _require_within(limits: ReadLimits, *, notes: int, changes: int) -> None:
    if notes > limits.max_notes:
        raise RejectedInputError(f"too many notes: expected at most {limits.max_notes:,}, got {notes:,}")
    if changes > limits.max_changes:
        raise RejectedInputError(
            "too many changes of tempo, signature, name or pedal: "
            f"expected at most {limits.max_changes:,}, got {changes:,}",
        )


def _all_events(smf: SmfFile) -> _Events:
    tracks = smf.tracks
    lengths = [len(track.ticks) for track in tracks]
    status = np.concatenate([_NO_BYTES, *(track.status for track in tracks)])
    return _Events(
        tick=np.concatenate([_NO_TICKS, *(track.ticks for track in tracks)]),
        track=np.repeat(np.arange(len(tracks)), lengths),
        kind=status & 0xF0,
        channel=status & 0x0F,
        first=np.concatenate([_NO_BYTES, *(track.first for track in tracks)]),
        second=np.concatenate([_NO_BYTES, *(track.second for track in tracks)]),
    )


def _is_onset(events: _Events) -> np.ndarray:
    is_onset: np.ndarray = (events.kind == NOTE_ON) & (events.second > 0)
    return is_onset


def _pair_notes(events: _Events, end_ticks: np.ndarray) -> np.ndarray:
    """Pair note-ons with note-offs (see the module's rules); return an unsorted array of `NOTE_DTYPE`.

    `end_ticks` int64 [tracks] is the end of each track.
    """
    programs = _programs(events)
    is_note = (events.kind == NOTE_OFF) | (events.kind == NOTE_ON)
    events, programs = events[is_note], programs[is_note]
    key = events.track << 11 | events.channel.astype(np.int64) << 7 | events.first
    # Stable: within one (track, channel, pitch) the events stay in file order, so a later event is to the right.
    order = np.argsort(key, kind="stable")
    events, key = events[order], key[order]
    is_on = _is_onset(events)
    off_place = np.where(is_on, len(key) - 1, np.arange(len(key)))
    next_off = np.minimum.accumulate(off_place[::-1])[::-1][is_on]
    has_off = ~is_on[next_off] & (key[next_off] == key[is_on])
    ons = events[is_on]
    notes = np.empty(len(ons.tick), NOTE_DTYPE)
    notes["track"], notes["channel"] = ons.track, ons.channel
    notes["program"] = programs[order][is_on]
    notes["is_drum"] = ons.channel == DRUM_CHANNEL
    notes["pitch"], notes["velocity"] = ons.first, ons.second
    notes["onset_ticks"] = ons.tick
    notes["duration_ticks"] = np.where(has_off, events.tick[next_off], end_ticks[ons.track]) - ons.tick
    return notes


def _programs(events: _Events) -> np.ndarray:
    """Return the program of each event's channel, uint8 [events]: the latest one, with all tracks merged."""
    programs = np.zeros(len(events.tick), np.uint8)
    is_change = events.kind == PROGRAM
    if not is_change.any():
        return programs
    # Events are in track order, so a stable sort by (channel, tick) gives the merged order of each channel.
    order = np.lexsort([events.tick, events.channel])
    channel = events.channel[order]
    last_change = np.maximum.accumulate(np.where(is_change[order], np.arange(len(order)), -1))
    is_chosen = (last_change >= 0) & (channel[last_change] == channel)
    programs[order] = np.where(is_chosen, events.first[order][last_change], 0)
    return programs


def _tempo(event: MetaEvent) -> Tempo:
    tick, _, data, position = event
    microseconds = int.from_bytes(data, "big")
    if len(data) != 3 or microseconds == 0:
        raise RejectedInputError(
            f"bad tempo at byte {position}: expected three bytes with 1 microsecond or more, got {_shown(data)}",
        )
    return Tempo(tick, microseconds)


def _time_signature(event: MetaEvent) -> TimeSignature:
    tick, _, data, position = event
    if len(data) < 2 or data[0] == 0 or data[1] > LARGEST_DENOMINATOR_POWER:
        raise RejectedInputError(
            f"bad time signature at byte {position}: expected 1 to 255 beats per bar, "
            f"each a whole note to a {2**LARGEST_DENOMINATOR_POWER}th note, got {_shown(data)}",
        )
    return TimeSignature(tick, data[0], 2 ** data[1])


def _key_signature(event: MetaEvent) -> KeySignature | None:
    """Read a key signature; None if it is cut short, has more than seven sharps or flats, or an unknown mode."""
    tick, _, data, _ = event
    if len(data) < 2 or data[1] > 1:
        return None
    sharps = int.from_bytes(data[:1], "big", signed=True)
    return KeySignature(tick, sharps, bool(data[1])) if -7 <= sharps <= 7 else None


def _shown(data: bytes) -> str:
    return f"the bytes {data[:8].hex(' ')}" if data else "no bytes"


def _track_name(meta: tuple[MetaEvent, ...]) -> str:
    return next((decode_text(data) for _, kind, data, _ in meta if kind == TRACK_NAME), "")


def _pedal(events: _Events) -> tuple[Pedal, ...]:
    """List sustain pedal events by tick; events of one tick stay in file order."""
    order = np.argsort(events.tick, kind="stable")
    columns = (events.tick, events.track, events.channel, events.second)
    return tuple(map(Pedal, *(column[order].tolist() for column in columns)))
