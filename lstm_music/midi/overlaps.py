"""Which track and channel of a MIDI file each note goes to, so that overlapping notes of one pitch keep their ends."""

from itertools import cycle

import numpy as np

from lstm_music.errors import RejectedInputError
from lstm_music.midi.smf import DRUM_CHANNEL

_PITCHED_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)


def place_notes(notes: np.ndarray, tracks: list[int], max_parts: int) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Place sorted `notes` (`NOTE_DTYPE`) in parts, the note tracks of the file; return (part, channel, track of each part).

    `part` and `channel` are int64 [notes]. Part i < len(tracks) is track `tracks[i]` of the piece; each further part
    holds what overlaps on one channel of one track. Raises RejectedInputError if it needs more than `max_parts`.
    """
    channel = _own_channels(notes)
    lane = _overlap_lanes(notes, channel, max_parts)
    part = np.searchsorted(np.asarray(tracks, np.int64), notes["track"].astype(np.int64))
    further = np.flatnonzero(lane)
    places, index = np.unique(
        np.stack([lane[further], notes["track"][further], channel[further]], axis=1),
        axis=0,
        return_inverse=True,
    )
    parts = len(tracks) + len(places)
    if parts > max_parts:
        raise _too_many_overlaps(parts)
    part[further] = len(tracks) + index
    channel[further] = _further_channels(places[:, 2], channel)[index]
    return part, channel, [*tracks, *places[:, 1].tolist()]


def _own_channels(notes: np.ndarray) -> np.ndarray:
    """Channels int64 [notes] as they are, but drums on channel 9, and only drums."""
    channel = notes["channel"].astype(np.int64)
    channel[notes["is_drum"]] = DRUM_CHANNEL
    misplaced = ~notes["is_drum"] & (channel == DRUM_CHANNEL)
    if misplaced.any():
        channel[misplaced] = next(iter(_unused_channels(channel)), 0)
    return channel


def _unused_channels(channel: np.ndarray) -> list[int]:
    used = set(np.unique(channel).tolist())
    return [candidate for candidate in _PITCHED_CHANNELS if candidate not in used]


def _further_channels(own: np.ndarray, channel: np.ndarray) -> np.ndarray:
    """Channels for the further parts, whose notes have the `own` channels: unused ones while there are any."""
    candidates = cycle(_unused_channels(channel) or _PITCHED_CHANNELS)
    return np.array([DRUM_CHANNEL if one == DRUM_CHANNEL else next(candidates) for one in own.tolist()], np.int64)


def _overlap_lanes(notes: np.ndarray, channel: np.ndarray, max_lanes: int) -> np.ndarray:
    """Give notes numbers, int64 [notes], so that no two of one (track, channel, pitch, number) overlap: 0 if possible."""
    lanes = np.zeros(len(notes), np.int64)
    onset = notes["onset_ticks"]
    end = onset + notes["duration_ticks"]
    key = notes["track"].astype(np.int64) << 11 | channel << 7 | notes["pitch"]
    order = np.lexsort([end, onset, key])
    sorted_key = key[order]
    overlaps = (sorted_key[1:] == sorted_key[:-1]) & (end[order][:-1] > onset[order][1:])
    for overlapping_key in np.unique(sorted_key[1:][overlaps]):
        first, after = np.searchsorted(sorted_key, [overlapping_key, overlapping_key + 1])
        members = order[first:after]
        lanes[members] = _first_free_lanes(onset[members].tolist(), end[members].tolist(), max_lanes)
    return lanes


def _first_free_lanes(onsets: list[int], ends: list[int], max_lanes: int) -> list[int]:
    """Give each note, in the order of (onset, end), the first lane in which the note before has ended."""
    lanes: list[int] = []
    lane_ends: list[int] = []
    for onset, end in zip(onsets, ends, strict=True):
        lane = next((lane for lane, lane_end in enumerate(lane_ends) if lane_end <= onset), len(lane_ends))
        lane_ends[lane : lane + 1] = [end]
        if len(lane_ends) > max_lanes:
            raise _too_many_overlaps(len(lane_ends))
        lanes.append(lane)
    return lanes


def _too_many_overlaps(parts: int) -> RejectedInputError:
    return RejectedInputError(
        f"cannot be written as MIDI: notes of one pitch overlap so often that it needs {parts:,} tracks or more",
    )
