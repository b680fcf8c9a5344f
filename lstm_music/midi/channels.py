"""The state of channels when a note begins: its program, and whether it is a drum.

A channel is one instrument, whichever tracks use it: the tracks of a format 1 file form one stream of events by (tick, track,
position in the track). Channel 9 (the tenth) plays drums, as in General MIDI, and so does a channel that a file makes a drum
channel:

- GS: the part mode "use for rhythm part" (Roland's system exclusive message for 40 1x 15); 0 makes a channel melodic.
- XG: the part mode (Yamaha's message for 08 pp 07).
- A program change after bank select 127 or 126 (XG), or 120 (GM2); 121 (GM2) makes the channel melodic, the tenth too. In a
  file that was reset to GS these banks are other tones, and mean nothing here.

A reset to GM, GM2, GS or XG puts all channels back.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from lstm_music.errors import RejectedInputError
from lstm_music.midi.smf import BANK_SELECT, CONTROLLER, DRUM_CHANNEL, PROGRAM, SYSTEM_EXCLUSIVE, SmfFile

CHANNELS = 16
DRUM_BANKS, MELODIC_BANK = (120, 126, 127), 121
_BANKS_THAT_MATTER = (*DRUM_BANKS, MELODIC_BANK)
_LATEST = 1 << 33  # no note begins later: see `ReadLimits.max_quarters`
_MOMENT_BITS = (
    58  # a moment is below twice the product of `_LATEST` and the events of a file, of which 16 MiB hold 2^23
)
_GS_PARTS = (9, *range(9), *range(10, 16))  # the channel of each part, by its block number


class Heads(NamedTuple):
    """Where notes begin: the rows of their note-ons int64, their ticks int64, and their channels uint8, each [notes]."""

    on: np.ndarray
    tick: np.ndarray
    channel: np.ndarray


def programs(smf: SmfFile, heads: Heads) -> np.ndarray:
    """Return the program of each note, uint8 [notes]: the latest of its channel, or 0."""
    rows = smf.others[smf.other_kinds == PROGRAM]
    if not len(rows):
        return np.zeros(len(heads.on), np.uint8)
    channels = smf.status.take(rows) & 0x0F
    return _latest(smf, heads, _moments(smf, rows), channels, smf.first.take(rows), np.zeros(CHANNELS, np.uint8))


def drums(smf: SmfFile, heads: Heads, max_changes: int) -> np.ndarray:
    """Return whether each note is a drum, bool [notes].

    Raises RejectedInputError if there are more than `max_changes` messages that decide it.
    """
    changes = _Changes(smf, max_changes).switches()
    if not changes:
        usual: np.ndarray = heads.channel == DRUM_CHANNEL
        return usual
    moments, channels, values = (np.array(column) for column in zip(*changes, strict=True))
    return _latest(smf, heads, moments, channels, values, np.arange(CHANNELS) == DRUM_CHANNEL)


def _latest(
    smf: SmfFile, heads: Heads, moments: np.ndarray, channels: np.ndarray, values: np.ndarray, usual: np.ndarray
) -> np.ndarray:
    """Return for each note the value of the latest change of its channel, or the `usual` one of the channel."""
    keys = channels.astype(np.int64) << _MOMENT_BITS | moments
    order = keys.argsort(kind="stable")
    note_keys = heads.channel.astype(np.int64) << _MOMENT_BITS | _moments(smf, heads.on)
    place = keys.take(order).searchsorted(note_keys) - 1
    latest = order.take(place)  # for -1, which is no change, any one
    has_change = (place >= 0) & (channels.take(latest) == heads.channel)
    found: np.ndarray = np.where(has_change, values.take(latest), usual.take(heads.channel))
    return found


def _moments(smf: SmfFile, rows: np.ndarray) -> np.ndarray:
    """Return numbers that sort the channel events `rows` by tick, track and position; even ones, to leave room between."""
    moments: np.ndarray = 2 * (np.minimum(smf.ticks.take(rows), _LATEST) * (len(smf.ticks) + 1) + rows)
    return moments


class _Message(NamedTuple):
    """A message that may decide whether a channel plays drums."""

    moment: int
    kind: int  # BANK_SELECT, PROGRAM or SYSTEM_EXCLUSIVE
    channel: int
    value: int
    data: bytes


class _Changes:
    """Reads the messages of a file, in time, into switches of a channel: (moment, channel, whether it plays drums)."""

    def __init__(self, smf: SmfFile, max_changes: int) -> None:
        self._smf = smf
        self._max_changes = max_changes
        self._bank: list[int | None] = [None] * CHANNELS
        self._is_gs = False

    def switches(self) -> list[tuple[int, int, bool]]:
        exclusive = self._exclusive()
        rows, kinds, second = self._smf.others, self._smf.other_kinds, self._smf.second
        is_bank = (kinds == CONTROLLER) & (self._smf.first.take(rows) == BANK_SELECT)
        if not exclusive and not (is_bank.any() and np.isin(second[rows[is_bank]], _BANKS_THAT_MATTER).any()):
            return []
        is_chosen = is_bank | (kinds == PROGRAM)
        rows, is_bank = rows[is_chosen], is_bank[is_chosen]
        if len(rows) + len(exclusive) > self._max_changes:
            got = len(rows) + len(exclusive)
            raise RejectedInputError(
                f"too many changes of program: expected at most {self._max_changes:,}, got {got:,}"
            )
        columns = (
            _moments(self._smf, rows),
            np.where(is_bank, BANK_SELECT, PROGRAM),
            self._smf.status[rows] & 0x0F,
            second[rows],
        )
        rows_of_values = zip(*(column.tolist() for column in columns), strict=True)
        messages = [_Message(moment, kind, channel, value, b"") for moment, kind, channel, value in rows_of_values]
        return self._read(sorted([*exclusive, *messages], key=attrgetter("moment")))

    def _exclusive(self) -> list[_Message]:
        """Read the system exclusive messages; none if no message is of a part."""
        smf = self._smf
        rows = (smf.system_kinds == SYSTEM_EXCLUSIVE).nonzero()[0]
        messages = []
        for event in smf.system_events(rows[: self._max_changes + 1]) if len(rows) else ():
            start, stop = smf.starts[event.track], smf.starts[event.track + 1]
            row = int(start + np.searchsorted(smf.places[start:stop], event.place))  # the first event behind it
            moment = 2 * (min(event.tick, _LATEST) * (len(smf.ticks) + 1) + row) - 1
            messages.append(_Message(moment, SYSTEM_EXCLUSIVE, 0, 0, event.data))
        return messages

    def _read(self, messages: Sequence[_Message]) -> list[tuple[int, int, bool]]:
        switches: list[tuple[int, int, bool]] = []
        for message in messages:
            if message.kind == BANK_SELECT:
                self._bank[message.channel] = message.value
            elif message.kind == PROGRAM:
                is_drum = self._by_bank(message.channel)
                if is_drum is not None:
                    switches.append((message.moment, message.channel, is_drum))
            else:
                switches += [
                    (message.moment, channel, is_drum) for channel, is_drum in self._by_exclusive(message.data)
                ]
        return switches

    def _by_bank(self, channel: int) -> bool | None:
        """Say what a program change makes of a channel; None if it stays what it is."""
        bank = self._bank[channel]
        if bank is None or self._is_gs:
            return None
        if bank in DRUM_BANKS:
            return True
        return False if bank == MELODIC_BANK or channel != DRUM_CHANNEL else None

    def _by_exclusive(self, data: bytes) -> list[tuple[int, bool]]:
        """Read a system exclusive message; return the channels that it decides on."""
        match tuple(data):
            case (0x41, _, 0x42, 0x12, 0x40, part, 0x15, mode, *_) if part & 0xF0 == 0x10:
                return [(_GS_PARTS[part & 0x0F], mode > 0)]
            case (0x43, device, 0x4C, 0x08, part, 0x07, mode, *_) if device & 0xF0 == 0x10 and part < CHANNELS:
                return [(part, mode > 0)]
            case (0x41, _, 0x42, 0x12, 0x40, 0x00, 0x7F, 0x00, *_):
                return self._reset(is_gs=True)
            case (0x43, _, 0x4C, 0x00, 0x00, 0x7E, 0x00, *_) | (0x7E, _, 0x09, 0x01 | 0x03, *_):
                return self._reset(is_gs=False)
        return []

    def _reset(self, *, is_gs: bool) -> list[tuple[int, bool]]:
        self._is_gs = is_gs
        self._bank = [None] * CHANNELS
        return [(channel, channel == DRUM_CHANNEL) for channel in range(CHANNELS)]
