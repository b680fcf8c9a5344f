"""Which note-off ends which note-on.

- In a track, the first note-on of a pitch and channel ends at the first later note-off (or note-on of velocity 0) of them: two
  notes that overlap end one after another.
- A track of a format 1 file can hold the ends of another's notes. They count for notes that have no end of their own.
- A note-off that is missing leaves one note too many. It is the one after which the pitch never falls silent again, unless
  the notes that remain would be very short: then notes overlap here as in legato, and the last of them has no end.
- **A note without an end** lasts until the next note of its pitch and channel in its track or the end of the track, and a
  quarter at most. So does one whose end lies beyond the limit of a piece.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lstm_music.midi.smf import NOTE_ON, SmfFile

NO_END = -1
_NEVER = np.iinfo(np.int64).max
_SHORTEST_PART_OF_A_QUARTER = 8  # notes below an eighth of it are what is left of an overlap
_MOST_TRACKS_OF_A_SHORT_KEY = 32


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """The notes of a file: the rows of their events in its arrays, and where they end.

    `on` int64 [notes]; `end_ticks` int64 [notes]; `hanging` bool [notes]: whether the file has no end for the note.
    """

    on: np.ndarray
    end_ticks: np.ndarray
    hanging: np.ndarray


def pair(smf: SmfFile, max_tick: int) -> Pairs:
    """Pair the note-ons of a file with their ends, by the rules of this module."""
    rows = np.flatnonzero(smf.status & 0xE0 == 0x80)  # note-offs and note-ons
    is_on = (smf.status[rows] >= NOTE_ON) & (smf.second[rows] > 0)
    track = np.repeat(np.arange(len(smf.end_ticks)), np.diff(smf.starts))[rows]
    sound = (smf.status[rows] & 0x0F).astype(np.int64) << 7 | smf.first[rows]
    key = track << 11 | sound
    if len(smf.end_ticks) <= _MOST_TRACKS_OF_A_SHORT_KEY:
        key = key.astype(np.uint16)  # these numpy sorts by radix
    order = np.argsort(key, kind="stable")  # within a key, events stay in file order
    sorted_on = is_on[order]
    if _alternates(key[order], sorted_on):
        on, off = rows[order[0::2]], rows[order[1::2]]
    else:
        on, off = _pair_all(smf, rows, is_on, track, sound, order)
    end_ticks = np.where(off == NO_END, -1, smf.ticks[off])
    hanging = (off == NO_END) | ((end_ticks > max_tick) & (smf.ticks[on] <= max_tick))
    if hanging.any():
        end_ticks = _with_ends(smf, on, end_ticks, hanging)
    return Pairs(on, end_ticks, hanging)


def _alternates(key: np.ndarray, is_on: np.ndarray) -> bool:
    """Whether on and off take turns for every key: most files are such."""
    if len(key) % 2 or not is_on[0::2].all() or is_on[1::2].any():
        return False
    return bool((key[0::2] == key[1::2]).all())


def _pair_all(
    smf: SmfFile, rows: np.ndarray, is_on: np.ndarray, track: np.ndarray, sound: np.ndarray, order: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of note-ons and of their note-offs (or `NO_END`)."""
    key = track << 11 | sound
    end = _first_in_first_out(key[order], is_on[order])
    off = np.full(len(rows), NO_END)  # for each event, the index of its end among `rows`
    off[order] = np.where(end == NO_END, NO_END, order[end])
    is_used = np.zeros(len(rows) + 1, np.bool_)  # NO_END is the last
    is_used[off] = True
    is_orphan = ~is_on & ~is_used[:-1]
    is_hanging = is_on & (off == NO_END)
    if smf.format == 1 and is_hanging.any() and is_orphan.any():
        shared = np.intersect1d(sound[is_hanging], sound[is_orphan])
        if len(shared) and _pair_across_tracks(smf, rows, is_on, sound, shared, off):
            is_hanging = is_on & (off == NO_END) & ~np.isin(sound, shared)
    if is_hanging.any():
        ticks = smf.ticks[rows]
        shortest = max(smf.ticks_per_quarter // _SHORTEST_PART_OF_A_QUARTER, 1)
        for group in _groups(key, order, np.unique(key[is_hanging])):
            _mend(group, is_on, ticks, off, shortest)
    return rows[is_on], np.where(off[is_on] == NO_END, NO_END, rows[off[is_on]])


def _first_in_first_out(key: np.ndarray, is_on: np.ndarray) -> np.ndarray:
    """Return for each event the index of its end, or `NO_END`; events are sorted by `key`, those of one key in time."""
    size = len(key)
    begins = np.ones(size, np.bool_)
    begins[1:] = key[1:] != key[:-1]
    group = np.cumsum(begins) - 1
    level = np.cumsum(np.where(is_on, 1, -1))
    level -= (level - np.where(is_on, 1, -1))[begins][group]  # each key starts at 0
    # The lowest level of the key so far, at most 0. Keys are put so far below one another that each starts anew.
    apart = group * (2 * size + 2)
    lowest = np.minimum.accumulate(np.minimum(level, 0) - apart) + apart
    before = np.where(begins, 0, np.concatenate([[0], lowest[:-1]]))
    is_end = ~is_on & (lowest == before)  # an off at a new lowest level ends nothing
    ons, ends = np.flatnonzero(is_on), np.flatnonzero(is_end)
    ends_of_group = np.bincount(group[ends], minlength=group[-1] + 1)
    ons_of_group = np.bincount(group[ons], minlength=group[-1] + 1)
    rank = np.arange(len(ons)) - (np.cumsum(ons_of_group) - ons_of_group)[group[ons]]
    place = (np.cumsum(ends_of_group) - ends_of_group)[group[ons]] + rank
    found = np.full(size, NO_END)
    has_end = rank < ends_of_group[group[ons]]
    found[ons[has_end]] = ends[place[has_end]]
    return found


def _pair_across_tracks(
    smf: SmfFile, rows: np.ndarray, is_on: np.ndarray, sound: np.ndarray, shared: np.ndarray, off: np.ndarray
) -> bool:
    """Pair the events of the sounds `shared` again, in time, whatever their tracks.

    Changes `off` and returns True if fewer notes are without end then.
    """
    chosen = np.flatnonzero(np.isin(sound, shared))
    chosen = chosen[np.lexsort([chosen, smf.ticks[rows[chosen]], sound[chosen]])]
    end = _first_in_first_out(sound[chosen], is_on[chosen])
    found = np.where(end == NO_END, NO_END, chosen[end])
    ons = is_on[chosen]
    is_better = np.count_nonzero(found[ons] == NO_END) < np.count_nonzero(off[chosen][ons] == NO_END)
    if is_better:
        off[chosen] = found
    return bool(is_better)


def _groups(key: np.ndarray, order: np.ndarray, wanted: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the indices of the events of each of the `wanted` keys, in time."""
    sorted_key = key[order]
    begins, ends = np.searchsorted(sorted_key, wanted, "left"), np.searchsorted(sorted_key, wanted, "right")
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        yield order[begin:end]


def _mend(group: np.ndarray, is_on: np.ndarray, ticks: np.ndarray, off: np.ndarray, shortest: int) -> None:
    """Say which notes of one key lack their end: change `off` unless it is right that the last ones do."""
    events = group.tolist()
    sounding, open_since, begin = 0, [], 0
    for place, event in enumerate(events):
        if is_on[event]:
            begin = begin if sounding else place
            open_since.append(event)
            sounding += 1
        elif sounding:
            open_since.pop()
            sounding -= 1
    if not sounding or not (off[open_since] != NO_END).any():
        return
    lost = set(open_since)
    rest = [event for event in events[begin:] if event not in lost]
    ons = np.array([event for event in rest if is_on[event]], np.int64)
    ends = np.array([event for event in rest if not is_on[event]], np.int64)
    if len(ons) and np.median(ticks[ends] - ticks[ons]) >= shortest:
        off[ons], off[open_since] = ends, NO_END


def _with_ends(smf: SmfFile, on: np.ndarray, end_ticks: np.ndarray, hanging: np.ndarray) -> np.ndarray:
    """Return `end_ticks` with the ends of notes that have none in the file."""
    track = np.searchsorted(smf.starts, on, side="right") - 1
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
