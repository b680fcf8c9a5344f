"""Standard MIDI File bytes → `PieceNotes`.

How events are read:

- **Pairing** of note-ons and note-offs: see `lstm_music.midi.pairing`.
- **Programs and drums** are those of a channel, whichever tracks use it: see `lstm_music.midi.channels`.
- **Time.** Tempos and signatures of all tracks are kept. A tempo of 0, a bar without beats and the like are left out and
  counted. An invalid key signature is ignored, because it moves no note.
- A file that holds its music twice, for two devices (see `lstm_music.midi.devices`), is read once.

What is damaged or unusual gives a warning, one of each kind.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from lstm_music.errors import RejectedInputError
from lstm_music.midi.channels import Heads, drums, programs
from lstm_music.midi.damage import Damage
from lstm_music.midi.devices import MARK, doubles
from lstm_music.midi.notes import (
    NOTE_DTYPE,
    KeySignature,
    Pedal,
    PieceNotes,
    Records,
    Tempo,
    TimeSignature,
    chosen_notes,
    sorted_notes,
)
from lstm_music.midi.pairing import Pairs, pair
from lstm_music.midi.smf import (
    CONTROLLER,
    KEY_SIGNATURE,
    LARGEST_DENOMINATOR_POWER,
    NOTE_ON,
    SEQUENCER_SPECIFIC,
    SET_TEMPO,
    SUSTAIN_PEDAL,
    TIME_SIGNATURE,
    TRACK_NAME,
    ReadLimits,
    SmfFile,
    SystemEvent,
    read_smf,
)
from lstm_music.midi.text import decode_text, printable

__all__ = ["ReadLimits", "read_midi"]

_DEFAULT_LIMITS = ReadLimits()
_CHANGES = (SET_TEMPO, TIME_SIGNATURE, KEY_SIGNATURE, TRACK_NAME)
_IS_CHANGE = np.isin(np.arange(256), _CHANGES)
# The percussive organ and the chromatic percussion of General MIDI are no drums.
_DRUMS_BY_NAME = re.compile(
    r"drum|(?<!chromatic )percus(?!sive organ)|snare|hi-?hat|bass ?kick|batter[iy]|bater[ií]a|schlagzeug", re.IGNORECASE
)
_MELODIC_DRUMS = range(112, 120)  # programs from tinkle bell and steel drums to reverse cymbal
_TEMPO_BYTES = 3
_MOST_MARKS = 64  # sequencer-specific events that are looked at

Signature = TypeVar("Signature", TimeSignature, KeySignature)


def read_midi(data: bytes, limits: ReadLimits = _DEFAULT_LIMITS) -> PieceNotes:
    """Read the bytes of a MIDI file.

    Raises RejectedInputError with the reason and the byte position, and no other error, whatever the bytes are. A file
    without notes is accepted here: see `lstm_music.midi.usable`.
    """
    smf = read_smf(data, limits)
    max_tick = limits.max_quarters * smf.ticks_per_quarter
    others = smf.others
    pedal = others[(smf.other_kinds == CONTROLLER) & (smf.first.take(others) == SUSTAIN_PEDAL)]
    pedal = pedal[smf.ticks.take(pedal) <= max_tick]
    kinds = smf.system_kinds.copy()
    kinds[(smf.system_ticks > max_tick) & (kinds != TRACK_NAME)] = 0  # nothing sounds there
    order = smf.system_ticks.argsort(kind="stable")
    in_order = kinds.take(order)
    changes = int(np.count_nonzero(_IS_CHANGE.take(kinds)))
    _require_within(smf, limits, changes + len(pedal))
    marks = smf.system_events((kinds == SEQUENCER_SPECIFIC).nonzero()[0][:_MOST_MARKS])
    notes = _notes(smf, limits, is_marked=any(event.data == MARK for event in marks))
    names = _track_names(smf, kinds)
    _warn_of_drums(notes, names, smf.damage)
    times = _signatures(smf.system_events(order[in_order == TIME_SIGNATURE]), _time_signature, smf.damage)
    keys = _signatures(smf.system_events(order[in_order == KEY_SIGNATURE]), _key_signature, None)
    return PieceNotes(
        ticks_per_quarter=smf.ticks_per_quarter,
        notes=notes,
        tempos=_tempos(smf, order[in_order == SET_TEMPO]),
        time_signatures=times,
        key_signatures=keys,
        track_names=names,
        pedal=_pedal(smf, pedal),
        warnings=smf.damage.sentences,
    )


def _require_within(smf: SmfFile, limits: ReadLimits, changes: int) -> None:
    """Raise RejectedInputError for more notes, changes or quarters than `limits` allow."""
    max_tick = limits.max_quarters * smf.ticks_per_quarter
    latest = smf.ticks.max(initial=0)
    if len(smf.status) <= limits.max_notes and changes <= limits.max_changes and latest <= max_tick:
        return  # as nearly all files, whose notes are not counted for it
    is_on = (smf.status & 0xF0 == NOTE_ON) & (smf.second > 0)
    count = int(np.count_nonzero(is_on))
    if count > limits.max_notes:
        raise RejectedInputError(f"too many notes: expected at most {limits.max_notes:,}, got {count:,}")
    if changes > limits.max_changes:
        raise RejectedInputError(
            "too many changes of tempo, signature, name or pedal: "
            f"expected at most {limits.max_changes:,}, got {changes:,}",
        )
    last = int(smf.ticks.max(where=is_on, initial=0))
    if last > max_tick:
        place = smf.places[np.flatnonzero(is_on & (smf.ticks == last))[0]]
        raise RejectedInputError(
            f"too long: expected the last note within {max_tick:,} ticks, got one at {last:,} at byte {place}",
        )


def _notes(smf: SmfFile, limits: ReadLimits, *, is_marked: bool) -> np.ndarray:
    """Return the sorted notes of a file, once if it holds them for two devices."""
    pairs = pair(smf, limits.max_quarters * smf.ticks_per_quarter)
    _warn_of_hanging(smf, pairs)
    order = _order(smf, pairs)
    if order is not None:
        pairs = Pairs(*(column.take(order) for column in (pairs.on, pairs.track, pairs.end_ticks, pairs.hanging)))
    on = pairs.on
    heads = Heads(on, smf.ticks.take(on), smf.status.take(on) & 0x0F)
    notes = np.empty(len(on), NOTE_DTYPE)
    notes["track"], notes["channel"] = pairs.track, heads.channel
    notes["program"] = programs(smf, heads)
    notes["is_drum"] = drums(smf, heads, limits.max_changes)
    notes["pitch"], notes["velocity"] = pitch, _ = smf.first.take(on), smf.second.take(on)
    notes["onset_ticks"], notes["duration_ticks"] = heads.tick, pairs.end_ticks - heads.tick
    second_time = doubles(heads.channel, pitch, heads.tick, is_marked=is_marked)
    if second_time is not None:
        count = int(np.count_nonzero(second_time))
        smf.damage.add(
            "devices",
            f"holds its music twice, for two kinds of devices; {count:,} notes of channels 13 to 16 are left out",
        )
        notes = chosen_notes(notes, ~second_time)
    return notes if order is not None else sorted_notes(notes)


def _order(smf: SmfFile, pairs: Pairs) -> np.ndarray | None:
    """Return the order of `sorted_notes` by onset, pitch, track and channel, or None if that does not decide it."""
    on = pairs.on
    sound = smf.first.take(on).astype(np.int64) << 14 | pairs.track << 4 | smf.status.take(on) & 0x0F
    key = smf.ticks.take(on) << 21 | sound
    order = key.argsort()
    in_order = key.take(order)
    return None if (in_order[1:] == in_order[:-1]).any() else order


def _warn_of_hanging(smf: SmfFile, pairs: Pairs) -> None:
    """Warn of notes without an end, except for those of tracks that break off, of which there is a warning already."""
    if not pairs.hanging.any():
        return
    on = pairs.on[pairs.hanging & ~smf.is_broken[pairs.track]]
    if len(on):
        lasts = (
            "a note without an end, which lasts" if len(on) == 1 else f"{len(on):,} notes without an end, which last"
        )
        smf.damage.add(
            "hanging",
            f"has {lasts} until the next of the same pitch, a quarter at most; the first is at byte {smf.places[on].min()}",
        )


def _tempos(smf: SmfFile, rows: np.ndarray) -> Sequence[Tempo]:
    """Read the tempos in the order of `rows`; those without three bytes or without duration are left out and counted."""
    if smf.fixed_tempo is not None:
        smf.damage.add("SMPTE", "counts frames (SMPTE), not quarters; a quarter is taken as half a second")
        return (Tempo(0, smf.fixed_tempo),)
    content = np.frombuffer(smf.data + bytes(_TEMPO_BYTES), np.uint8)
    length = smf.system_places.take(rows) + 2
    high, middle, low = (content.take(length + at).astype(np.int64) for at in (1, 2, 3))
    microseconds = high << 16 | middle << 8 | low
    is_whole = (content.take(length) == _TEMPO_BYTES) & (microseconds > 0)
    if not is_whole.all():
        wrong = rows[~is_whole]
        event = smf.system_events(wrong[:1])[0]
        smf.damage.add(
            "tempo",
            f"bad tempo at byte {event.start}: expected three bytes with 1 microsecond or more, got {_shown(event.data)}",
            len(wrong),
        )
    return Records(Tempo, smf.system_ticks.take(rows)[is_whole], microseconds[is_whole])


def _signatures(
    events: list[SystemEvent], read: Callable[[SystemEvent], Signature | None], damage: Damage | None
) -> tuple[Signature, ...]:
    """Read signatures; those that cannot be are left out, and noted in `damage`."""
    signatures = []
    for event in events:
        signature = read(event)
        if signature is not None:
            signatures.append(signature)
        elif damage is not None:
            damage.add(
                "signature",
                f"bad time signature at byte {event.start}: expected 1 to 255 beats per bar, "
                f"each a whole note to a {2**LARGEST_DENOMINATOR_POWER}th note, got {_shown(event.data)}",
            )
    return tuple(signatures)


def _time_signature(event: SystemEvent) -> TimeSignature | None:
    data = event.data
    if len(data) < 2 or data[0] == 0 or data[1] > LARGEST_DENOMINATOR_POWER:
        return None
    return TimeSignature(event.tick, data[0], 2 ** data[1])


def _key_signature(event: SystemEvent) -> KeySignature | None:
    """Read a key signature; None if it is cut short, has more than seven sharps or flats, or an unknown mode."""
    data = event.data
    if len(data) < 2 or data[1] > 1:
        return None
    sharps = int.from_bytes(data[:1], "big", signed=True)
    return KeySignature(event.tick, sharps, bool(data[1])) if -7 <= sharps <= 7 else None


def _shown(data: bytes) -> str:
    return f"the bytes {data[:8].hex(' ')}" if data else "no bytes"


def _track_names(smf: SmfFile, kinds: np.ndarray) -> tuple[str, ...]:
    """Return the first name of each track, or ""."""
    names = [""] * len(smf.end_ticks)
    for event in reversed(smf.system_events((kinds == TRACK_NAME).nonzero()[0])):
        names[event.track] = decode_text(event.data)
    return tuple(names)


def _warn_of_drums(notes: np.ndarray, names: tuple[str, ...], damage: Damage) -> None:
    """Warn of tracks that are called drums, and whose notes are not on a drum channel."""
    if not _DRUMS_BY_NAME.search("\n".join(names)):
        return
    called = [track for track, name in enumerate(names) if _DRUMS_BY_NAME.search(name)]
    order = np.argsort(notes["track"], kind="stable")
    borders = np.searchsorted(notes["track"][order], np.add.outer([0, 1], called))
    for track, start, stop in zip(called, *borders.tolist(), strict=True):
        own = notes[order[start:stop]]
        if len(own) and not own["is_drum"].any() and not np.isin(own["program"], _MELODIC_DRUMS).any():
            channel = int(own["channel"][0]) + 1
            damage.add(
                "drums",
                f"calls a track {printable(names[track])!r}, whose notes on channel {channel} are no drums by MIDI, "
                "and are read as pitches",
            )


def _pedal(smf: SmfFile, rows: np.ndarray) -> Sequence[Pedal]:
    """List sustain pedal events by tick; events of one tick stay in file order."""
    if not len(rows):
        return ()
    rows = rows[smf.ticks.take(rows).argsort(kind="stable")]
    track = smf.starts.searchsorted(rows, side="right") - 1
    return Records(Pedal, smf.ticks.take(rows), track, smf.status.take(rows) & 0x0F, smf.second.take(rows))
