"""Echoes: the event that followed the last time the piece sounded like this, as an extra input of the models.

Music repeats itself over distances that no recurrent state carries, and in other keys. In 296 piano pieces, two in five
held-out events follow nine or more events that occurred earlier in the same piece. An echo is found in two steps: find
the longest run of events that ends here and also ended earlier, then take the event that followed it there. Data
compressors call this a match model (Mahoney 2005, "Adaptive weighing of context models"). Transformers learn heads that
do the same (Olsson et al. 2022, "In-context learning and induction heads").

There are two kinds. The *melody* echo compares offsets, durations, chords and intervals, so it matches in any key; its
note is transposed into the current key. The *rhythm* echo compares offsets and durations; its event is copied unchanged.
The models read the echoes of an event together with that event, when they predict the next one. In the token array the
echoes follow the positions in the bar (`lstm_music.encoding.places`).

For intervals, values without a pitch (chords of pitch classes, unknown values) count as pitch 0. An interval to or from
such a value changes with the key, so around these values the melody echo matches only in the same key. Where there are parts,
values without a pitch are drums, of which intervals know nothing: they are counted from the last pitch before. There, two events
are alike only if the same part plays them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.shapes import PITCHES, Shapes
from lstm_music.encoding.streams import ALL_STREAMS, PART, STREAMS, heard
from lstm_music.encoding.vocabulary import START
from lstm_music.midi.fresh_loops import loops

Ids = npt.NDArray[np.int64]
Names = npt.NDArray[np.int32]

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64)
"""Run lengths in events. A run counts as the longest of these that it reaches; if several runs tie, the latest wins.

The difference of two neighbours must be in the list too: see `find_echoes`. The lengths are part of the dataset's key, so
other lengths make another dataset.
"""

RANKS = 8
"""How many echoes of a kind an event has at most: the best one is an input of the models, all of them are what the expert of
the piece knows (`lstm_music.models.experts`)."""

KINDS = ("melody", "rhythm")
LENGTH = "length"
"""The last field of an echo, after its streams: the position in `LENGTHS` of the run's length, from 1; 0 if no run was found."""


def echo_column(kind: str, rank: int, part: str) -> str:
    """Name the column of a part of an echo; the best one has rank 1."""
    return f"{kind}_echo_{part}" if rank == 1 else f"{kind}_echo_{rank}_{part}"


def echo_columns(streams: Sequence[str], ranks: int = 1) -> tuple[str, ...]:
    """Name the columns of so many echoes of each kind, rank after rank, given the streams of the events."""
    parts = (*heard(streams), LENGTH)
    return tuple(echo_column(kind, rank, part) for rank in range(1, ranks + 1) for kind in KINDS for part in parts)


ECHOES = echo_columns(STREAMS)
"""The names of the columns of the best echo of each kind, for events without parts."""

ECHOED = {
    echo_column(kind, rank, stream): stream
    for rank in range(1, RANKS + 1)
    for kind in KINDS
    for stream in heard(ALL_STREAMS)
}
"""Echo column → the stream whose ids it holds."""

NOTE = STREAMS.index("note")
PART_COLUMN = ALL_STREAMS.index(PART)
NO_NAME = -1
NO_INTERVAL = 0  # for the first event, and for drums beside other parts; other intervals start at 1
NO_HEIGHT = -1  # before the first pitch, where there are parts
HIGHEST_INTERVAL = PITCHES
MOST_PARTS = 1 << 8


def echo_sizes(sizes: Mapping[str, int], ranks: int = 1) -> dict[str, int]:
    """Return the number of ids of each column of so many echoes of each kind, given the number of ids of each stream."""
    lengths = len(LENGTHS) + 1
    return {column: sizes[ECHOED[column]] if column in ECHOED else lengths for column in echo_columns([*sizes], ranks)}


def echo_tokens(events: npt.ArrayLike, shapes: Shapes, piece: npt.ArrayLike = 0, ranks: int = 1) -> Ids:
    """Return the best echoes of each event, int64 [events, ranks · echo columns], from stream tokens [events, heard streams].

    The events belong to one piece, or to several pieces in sequence. For several, `piece` gives a number per event that is
    equal within a piece. An event without an earlier match gets START.
    """
    tokens = np.asarray(events, dtype=np.int64)
    number = np.broadcast_to(np.asarray(piece, dtype=np.int64), len(tokens))
    is_first = np.diff(number, prepend=-1) != 0
    height = heights(tokens, shapes, is_first)
    columns = []
    for kind, keys in zip(KINDS, event_keys(tokens, shapes, is_first), strict=True):
        places, lengths = find_echoes(keys, ranks, number)
        for place, length in zip(places.T, lengths.T, strict=True):
            values = tokens[place]
            if kind == "melody":
                values[:, NOTE] = _in_the_current_key(tokens[:, NOTE], height, place, shapes)
            columns.append(np.column_stack([np.where((length > 0)[:, None], values, START), length]))
    by_rank = [columns[kind * ranks + rank] for rank in range(ranks) for kind in range(len(KINDS))]
    return np.concatenate(by_rank, axis=1)


def _in_the_current_key(notes: Ids, height: Ids, place: Ids, shapes: Shapes) -> Names:
    """Transpose the notes of the echoes by the interval between the matched run and the current one."""
    before = height[place - 1]
    interval = np.where((height == NO_HEIGHT) | (before == NO_HEIGHT), 0, height - before)
    there = notes[place]
    moved: Names = shapes.ids[shapes.shape[there], PITCHES + shapes.lowest[there] + interval]
    return moved


def heights(tokens: Ids, shapes: Shapes, is_first: npt.NDArray[np.bool_]) -> Ids:
    """Return the pitch from which the next interval is counted, int64 [events]; `is_first` marks the first events of pieces.

    That is the event's own lowest pitch. Where there are parts and the event is a drum, it is that of the last event in its piece
    that is none, or `NO_HEIGHT`.
    """
    notes = tokens[:, NOTE]
    own = shapes.lowest[notes].astype(np.int64)
    if tokens.shape[1] == len(STREAMS):
        return own
    is_pitched = shapes.is_pitched[notes]
    latest = np.maximum.accumulate(np.where(is_pitched | is_first, np.arange(len(notes)), 0))
    found: Ids = np.where(is_pitched[latest], own[latest], NO_HEIGHT)
    return found


def event_keys(tokens: Ids, shapes: Shapes, is_first: npt.NDArray[np.bool_]) -> tuple[Ids, ...]:
    """Return for each kind of echo a number per event, equal if two events sound alike; `is_first` marks first events."""
    offset, note, duration = tokens[:, : len(STREAMS)].T
    shape = shapes.shape[note].astype(np.int64)
    if tokens.shape[1] > len(STREAMS):
        shape = with_part(shape, tokens[:, PART_COLUMN])
    return pack(offset, duration, shape, intervals(tokens, shapes, is_first))


def intervals(tokens: Ids, shapes: Shapes, is_first: npt.NDArray[np.bool_]) -> Ids:
    """Return the interval to the event before, from 1, or `NO_INTERVAL`, int64 [events]; `is_first` marks first events."""
    note = tokens[:, NOTE]
    before = np.roll(heights(tokens, shapes, is_first), 1)
    found: Ids = shapes.lowest[note].astype(np.int64) - before + HIGHEST_INTERVAL
    if tokens.shape[1] > len(STREAMS):
        found[(before == NO_HEIGHT) | ~shapes.is_pitched[note]] = NO_INTERVAL
    found[is_first] = NO_INTERVAL
    return found


def with_part(shape: Any, part: Any) -> Any:
    """Make one number of a shape and the part that plays it, for non-negative int64 arrays or tensors."""
    return shape * MOST_PARTS + part


def pack(offset: Any, duration: Any, shape: Any, interval: Any) -> tuple[Any, Any]:
    """Pack the fields that identify a melody and a rhythm into one number each, for non-negative int64 arrays or tensors.

    The limits are 2^19 offsets, 2^16 durations, 2^20 shapes and 2^8 intervals: 63 bits.
    """
    rhythm = offset * (1 << 16) + duration
    return (rhythm * (1 << 20) + shape) * (2 * HIGHEST_INTERVAL) + interval, rhythm


def find_echoes(keys: Ids, count: int, piece: Ids | None = None) -> tuple[Ids, Ids]:
    """Return for each event the indices of its `count` best echoes, and the positions in `LENGTHS` of their runs' lengths.

    Both are int64 [events, count], the longest run first, of equal ones the latest. A position is from 1; 0: no run.
    `piece` is a number per event, from 0 on: runs with different ones are never equal. `keys` are not negative.
    """
    if loops.DIGEST:
        return _find_in_loops(keys, count, piece)
    if piece is not None:
        keys = _named(keys)[0].astype(np.int64) * (piece.max(initial=0) + 1) + piece
    return _find_by_sorting(keys, count)


def _find_in_loops(keys: Ids, count: int, piece: Ids | None) -> tuple[Ids, Ids]:
    """Do what `find_echoes` does, several times as fast, in the compiled loops: see `lstm_music.midi.loops`."""
    events = len(keys)
    place, reached = np.zeros((events, count), np.int64), np.zeros((events, count), np.int64)
    names, previous = (np.empty((len(LENGTHS), events), np.int64) for _ in range(2))
    latest, bits = np.empty(events, np.int64), events.bit_length() + 1
    table = np.empty(1 << bits, np.int32)
    levels = 0
    for level, length in enumerate(LENGTHS):
        if level == 0:
            number = np.zeros(events, np.int64) if piece is None else piece
            first, second, lag = np.ascontiguousarray(number), np.ascontiguousarray(keys), 0
        else:
            lag = LENGTHS[level - 1]
            first, second = names[LENGTHS.index(length - lag)], names[level - 1]
        here, before = names[level].data, previous[level].data
        if not loops.name_runs(first.data, second.data, lag, here, before, latest.data, table.data, 64 - bits):
            break
        levels = level + 1
    flat = names.reshape(-1).data, previous.reshape(-1).data
    loops.best_runs(*flat, levels, events, count, place.reshape(-1).data, reached.reshape(-1).data)
    return place, reached


def _find_by_sorting(keys: Ids, count: int) -> tuple[Ids, Ids]:
    """Do what `find_echoes` does, without compiled loops."""
    place, reached = np.zeros((len(keys), count), np.int64), np.zeros((len(keys), count), np.int64)
    filled = np.zeros(len(keys), np.int64)
    longer = None
    for number, (length, (names, previous)) in reversed([*enumerate(_runs(keys).items(), start=1)]):
        event = np.arange(length - 1, len(keys))  # where the run ends
        earlier = previous[: len(event)] + length - 1  # where it ended before
        for _ in range(count):  # a step finds an echo, or one that is known: there are fewer of these than `count`
            wanted = (earlier >= length - 1) & (filled[event] < count)
            event, earlier = event[wanted], earlier[wanted]
            is_new = ~_have_same_run(event, earlier, *longer) if longer else np.ones(len(event), np.bool_)
            here = event[is_new]
            place[here, filled[here]] = earlier[is_new] + 1
            reached[here, filled[here]] = number
            filled[here] += 1
            earlier = previous[earlier - length + 1] + length - 1
        longer = (length, names)
    return place, reached


def _have_same_run(event: Ids, earlier: Ids, length: int, names: Names) -> npt.NDArray[np.bool_]:
    """Whether runs of a length that end at two events are the same, bool [events]."""
    there = earlier - length + 1
    name = names[np.maximum(event - length + 1, 0)]
    found: npt.NDArray[np.bool_] = (there >= 0) & (name != NO_NAME) & (name == names[np.maximum(there, 0)])
    return found


def _runs(keys: Ids) -> dict[int, tuple[Names, Ids]]:
    """Name the runs of each of `LENGTHS` that occurs twice: by length their names, and the start of the same run before, or -1.

    Both are by the start of a run, [events]. The name of a run is built from the names of two shorter runs, as in suffix array
    construction (Karp, Miller and Rosenberg 1972). So a few sorts are enough. A run that occurs only once has no name: no longer
    run around it can occur twice, so each sort is shorter than the one before.
    """
    found: dict[int, tuple[Names, Ids]] = {}
    begins, runs, known = np.arange(len(keys)), keys, 0
    for length in LENGTHS:
        if known:
            begins = begins[begins >= length - known] - (length - known)
            first = found[length - known][0][begins]
            begins, first = begins[first != NO_NAME], first[first != NO_NAME]
            runs = first.astype(np.int64) * len(keys) + found[known][0][begins + length - known]
        name, before = _named(runs)
        again = np.flatnonzero(before >= 0)
        if not len(again):
            break
        is_repeated = before >= 0
        is_repeated[before[again]] = True
        names, previous = np.full(len(keys), NO_NAME, np.int32), np.full(len(keys), -1, np.int64)
        names[begins[is_repeated]] = name[is_repeated]
        previous[begins[again]] = begins[before[again]]
        found[length] = names, previous
        begins, known = begins[is_repeated], length
    return found


def _named(numbers: Ids) -> tuple[Names, Ids]:
    """Return a small name for each number (equal for equal numbers), and the index of its last occurrence before, or -1.

    Many names are kept at once, so they have 32 bits; a piece has a few million events at most.
    """
    order = _stable_order(numbers)
    is_new = np.diff(numbers[order], prepend=-1) != 0
    names, previous = np.empty(len(order), np.int32), np.full(len(order), -1, np.int64)
    names[order] = np.cumsum(is_new) - 1
    previous[order[1:]] = np.where(is_new[1:], -1, order[:-1])
    return names, previous


def _stable_order(numbers: Ids) -> Ids:
    """Return what `np.argsort(numbers, kind="stable")` does.

    With the index in their lowest bits, small numbers are sorted several times as fast.
    """
    bits = len(numbers).bit_length()
    if numbers.min(initial=0) < 0 or int(numbers.max(initial=0)) >= 1 << (63 - bits):
        return np.argsort(numbers, kind="stable")
    order: Ids = np.sort(numbers << bits | np.arange(len(numbers))) & ((1 << bits) - 1)
    return order
