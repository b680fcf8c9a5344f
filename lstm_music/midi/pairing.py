"""Which note-off ends which note-on.

- In a track, the first note-on of a pitch and channel ends at the first later note-off (or note-on of velocity 0) of them: two
  notes that overlap end one after another.
- A track of a format 1 file can hold the ends of another's notes. They count for notes that have no end of their own.
- A note-off that is missing leaves one note too many. It is the one after which the pitch never falls silent again, unless
  the notes that remain would be very short: then notes overlap here as in legato, and the last of them has no end.
- **A note without an end** lasts until the next note of its pitch and channel in its track or the end of the track, and a
  quarter at most. So does one whose end lies beyond the limit of a piece.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lstm_music.midi.fresh_loops import loops
from lstm_music.midi.smf import NOTE_ON, SmfFile

NO_END = -1
_NEVER = np.iinfo(np.int64).max
_MOST_MENDED = 20_000  # sounds of tracks; a file with more notes without an end was made to take time
_SHORTEST_PART_OF_A_QUARTER = 8  # notes below an eighth of it are what is left of an overlap


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """The notes of a file, in the order of their note-ons there.

    `on` int64 [notes] are the rows of the note-ons in its arrays, `track` int64 [notes] their tracks, `end_ticks` int64 [notes]
    where the notes end, and `hanging` bool [notes] whether the file has no end for them.
    """

    on: np.ndarray
    track: np.ndarray
    end_ticks: np.ndarray
    hanging: np.ndarray


def pair(smf: SmfFile, max_tick: int) -> Pairs:
    """Pair the note-ons of a file with their ends, by the rules of this module."""
    events = _Events(smf.status, smf.first, smf.second)
    on, off, counts, orphans = _matched(events, smf.starts)
    track = np.repeat(np.arange(len(counts)), counts)
    if (off == NO_END).any():
        off = _mended(smf, on, off, track, has_orphans=orphans > 0)
    end_ticks = smf.ticks[off]
    hanging = (off == NO_END) | ((end_ticks > max_tick) & (smf.ticks[on] <= max_tick))
    if hanging.any():
        end_ticks = _with_ends(smf, on, track, end_ticks, hanging)
    return Pairs(on, track, end_ticks, hanging)


@dataclass(frozen=True, eq=False, slots=True)
class _Events:
    """Channel events: uint8 arrays."""

    status: np.ndarray
    first: np.ndarray
    second: np.ndarray


def _matched(events: _Events, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[int], int]:
    """Pair within each track, of which `starts` holds the borders.

    Returns the rows of the note-ons and of their ends (or `NO_END`), int64 [notes], the number of notes of each track, and how
    many note-offs end no note.
    """
    size = len(events.status)
    ons, offs, following = (array("i", [0]) * size for _ in range(3))
    heads, tails = (array("i", [-1]) * loops.SOUNDS for _ in range(2))
    columns = (events.status.tobytes(), events.first.tobytes(), events.second.tobytes())
    count = orphans = 0
    counts = []
    for start, stop in pairwise(starts.tolist()):
        after, more_orphans = loops.match(*columns, start, stop, ons, offs, following, heads, tails, count)
        counts.append(after - count)
        count, orphans = after, orphans + more_orphans
    on, off = (np.frombuffer(rows, np.int32)[:count].astype(np.int64) for rows in (ons, offs))
    return on, off, counts, orphans


def _mended(smf: SmfFile, on: np.ndarray, off: np.ndarray, track: np.ndarray, *, has_orphans: bool) -> np.ndarray:
    """Return `off` for a file with notes without an end: other ends where the rules find better ones."""
    rows = np.flatnonzero(smf.status & 0xE0 == 0x80)  # note-offs and note-ons
    sounds = (smf.status[rows] & 0x0F).astype(np.int64) << 7 | smf.first[rows]
    own_sounds = (smf.status[on] & 0x0F).astype(np.int64) << 7 | smf.first[on]
    off = off.copy()
    is_hanging = off == NO_END
    if has_orphans and smf.format == 1:
        is_used = np.zeros(len(smf.status), np.bool_)
        is_used[on] = is_used[off[~is_hanging]] = True
        shared = np.intersect1d(own_sounds[is_hanging], sounds[~is_used[rows]])
        if len(shared) and _pair_across_tracks(smf, rows[np.isin(sounds, shared)], on, off):
            is_hanging = (off == NO_END) & ~np.isin(own_sounds, shared)
    keys = (np.searchsorted(smf.starts, rows, side="right") - 1) << 11 | sounds
    is_on = (smf.status >= NOTE_ON) & (smf.second > 0)
    shortest = max(smf.ticks_per_quarter // _SHORTEST_PART_OF_A_QUARTER, 1)
    wanted = np.unique((track << 11 | own_sounds)[is_hanging])[:_MOST_MENDED]
    for group in _groups(rows, keys, wanted):
        _mend(group, is_on[group].tolist(), smf.ticks, on, off, shortest)
    return off


def _pair_across_tracks(smf: SmfFile, rows: np.ndarray, on: np.ndarray, off: np.ndarray) -> bool:
    """Pair the events `rows` again, in time, whatever their tracks.

    Changes `off` and returns True if fewer of their notes are without end then.
    """
    rows = rows[np.argsort(smf.ticks[rows], kind="stable")]
    events = _Events(smf.status[rows], smf.first[rows], smf.second[rows])
    found_on, found_off, _, _ = _matched(events, np.array([0, len(rows)]))
    notes = np.searchsorted(on, rows[found_on])
    is_better = np.count_nonzero(found_off == NO_END) < np.count_nonzero(off[notes] == NO_END)
    if is_better:
        off[notes] = np.where(found_off == NO_END, NO_END, rows[found_off])
    return bool(is_better)


def _groups(rows: np.ndarray, keys: np.ndarray, wanted: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows of each of the `wanted` keys, in time."""
    order = np.argsort(keys, kind="stable")
    in_order = keys[order]
    begins, ends = np.searchsorted(in_order, wanted, "left"), np.searchsorted(in_order, wanted, "right")
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        yield rows[order[begin:end]]


def _mend(
    group: np.ndarray, is_on: list[bool], ticks: np.ndarray, on: np.ndarray, off: np.ndarray, shortest: int
) -> None:
    """Say which notes of one track, channel and pitch lack their end: change `off` unless the last ones do.

    `group` are the rows of the events, and `is_on` says which of them begin a note.
    """
    sounding: list[int] = []  # places in the group of the notes that sound, if the latest one ends first
    begin = 0
    for place, begins in enumerate(is_on):
        if begins:
            begin = begin if sounding else place
            sounding.append(place)
        elif sounding:
            sounding.pop()
    lost = np.searchsorted(on, group[sounding])
    if not (off[lost] != NO_END).any():
        return
    is_rest = np.ones(len(group), np.bool_)
    is_rest[:begin] = is_rest[sounding] = False
    begins_note = np.array(is_on)
    ons, ends = group[is_rest & begins_note], group[is_rest & ~begins_note]
    if len(ons) and np.median(ticks[ends] - ticks[ons]) >= shortest:
        off[np.searchsorted(on, ons)], off[lost] = ends, NO_END


def _with_ends(
    smf: SmfFile, on: np.ndarray, track: np.ndarray, end_ticks: np.ndarray, hanging: np.ndarray
) -> np.ndarray:
    """Return `end_ticks` with the ends of notes that have none in the file."""
    onset = smf.ticks[on]
    key = track << 11 | (smf.status[on] & 0x0F).astype(np.int64) << 7 | smf.first[on]
    order = np.lexsort([onset, key])
    begins = np.ones(len(on), np.bool_)  # of the notes of one key that begin together
    begins[1:] = (key[order][1:] != key[order][:-1]) | (onset[order][1:] != onset[order][:-1])
    firsts = np.flatnonzero(begins)
    later = np.append(onset[order][firsts[1:]], _NEVER)
    later[:-1][key[order][firsts[1:]] != key[order][firsts[:-1]]] = _NEVER
    following = np.empty(len(on), np.int64)
    following[order] = later[np.cumsum(begins) - 1]
    track_end = smf.end_ticks[track]
    limit = np.where(track_end > onset, track_end, following)
    bounded = np.minimum(np.minimum(following, limit), onset + smf.ticks_per_quarter)
    return np.where(hanging, bounded, end_ticks)
