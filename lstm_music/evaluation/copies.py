"""Copies: the longest run of events that some music shares with any training piece, up to transposition, and where.

What is compared is an int32 array [events, 3] of (offset in steps, pitch, duration in steps), or [events, 5] with two more
columns for chords: shape and period. A chord's pitch is its lowest, its shape the number of what it holds above that. A
chord without octaves (`normal_order`) has the first of its pitch classes as its pitch, and its period says how many
semitones bring it back to itself: 12, or fewer where it is symmetric, as 3 for a diminished seventh; 0 is a chord of pitches.

**The rule.** Two runs of n events are shared where all n offsets, durations and shapes are equal, and so are the n - 1
intervals from each event to the next: between pitches exactly, and next to pitch classes up to what their periods leave open.
So a run is shared if it is the same music moved by any number of semitones, and only then where all events have pitches;
between pitch classes, octaves do not count. A run lies within one piece, and its first event's offset counts like the others.

The index is a suffix array over one symbol an event: what the event is, and the interval to the next one, in this order.
Symbols ascend by what the event is first, so that the last event of a run, whose next interval does not count, is found
too. A negative number in an event (a value unknown to the vocabularies) makes it an event that matches nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.chords import content, drum_key, normal_order
from lstm_music.encoding.grid import Grid
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS, Vocabulary
from lstm_music.errors import MismatchError
from lstm_music.evaluation.suffix_array import suffix_array

OFFSET, PITCH, DURATION, SHAPE, PERIOD = range(5)
_OCTAVE = 12
_DRUM = -2  # instead of a pitch; special ids have -1
_INTERVALS = 1 << 10  # more than the intervals, -127 to 127, and the end of a piece
_END = 0  # the interval after the last event of a piece, before all others
_UNISON = _INTERVALS // 2

Events = npt.NDArray[np.int32]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shared:
    """A run of `length_events` events that a sequence shares with a training piece.

    It begins at event `start_in_sequence` of the one and at event `start_in_piece` of piece number `piece`, both from 0, and
    sounds `transposition_semitones` higher in the sequence; a run that begins with pitch classes, the fewest up or down.
    """

    length_events: int
    start_in_sequence: int
    piece: int
    start_in_piece: int
    transposition_semitones: int


@dataclass(frozen=True, eq=False)
class EventReader:
    """Tokens → the events that are compared: one table for each stream, int32 [ids, columns], -1 for special ids."""

    offset: Events
    note: Events
    duration: Events

    @classmethod
    def of(cls, vocabularies: Mapping[str, Vocabulary], grid: Grid) -> Self:
        """Draw up the tables. Raises MismatchError for values that are no notes or not on the grid."""
        offset, note, duration = (vocabularies[stream].values for stream in STREAMS)
        return cls(*map(_after_special_ids, (_steps(offset, grid), chord_columns(note), _steps(duration, grid))))

    def read(self, tokens: npt.NDArray[np.integer]) -> Events:
        """Read tokens, [events, columns] with the streams first: int32 [events, 5]."""
        offset, note, duration = (tokens[:, column] for column in range(len(STREAMS)))
        pitch, shape, period = self.note[note].T
        return np.stack([self.offset[offset, 0], _carried(pitch), self.duration[duration, 0], shape, period], axis=1)


def _carried(pitch: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Give drums the pitch before them (0 before the first), so that they are no intervals and the music around them is."""
    is_drum = pitch == _DRUM
    latest = np.maximum.accumulate(np.where(is_drum, 0, np.arange(len(pitch))))
    return np.where(is_drum[latest], 0, pitch[latest]).astype(np.int32)


def chord_columns(texts: Sequence[str]) -> Events:
    """Give the pitch, shape and period of each chord text of any encoding, int32 [texts, 3].

    Shapes are numbers within `texts`: only chords read together can be compared. Raises MismatchError for what is no chord.
    """
    chords = [_chord(text) for text in texts]
    shapes = {shape: number for number, shape in enumerate(sorted({shape for _, shape in chords}))}
    rows = [(pitch, shapes[shape], shape[0]) for pitch, shape in chords]
    return np.array(rows, np.int32).reshape(-1, 3)


@dataclass(frozen=True, eq=False)
class CopyIndex:
    """All suffixes of the training pieces in order; the arrays may be memory-mapped.

    `symbols` and `suffixes` are int32 [events], `pitches` int16 [events], `starts` int64 [pieces + 1]; `times`, `kinds` and
    `links`, int64 and ascending, number what occurs: (offset, duration), (time, shape) and (kind, interval to the next).
    """

    symbols: Int32s
    suffixes: Int32s
    pitches: npt.NDArray[np.int16]
    starts: Int64s
    times: Int64s
    kinds: Int64s
    links: Int64s

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Take up what `arrays` gave, read from files or memory-mapped. Raises MismatchError where one is missing."""
        names = cls.__dataclass_fields__.keys()
        if missing := sorted(names - arrays.keys()):
            raise MismatchError(
                f"index of copies: the arrays {missing} are missing, where {sorted(names)} make an index"
            )
        return cls(**{name: arrays[name] for name in names})

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give the arrays to store, by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def longest(self, sequence: Events) -> Shared | None:
        """Find the longest run that a sequence, [events, 3 or 5], shares with a piece; None where no single event is.

        Of equally long ones it is the earliest in the sequence, then the earliest in the training pieces.
        O(m log n) steps for m events and n training events, as long as runs are short beside m.
        """
        events = _with_shapes(sequence)
        found = _Search(self, self._kinds_of(events), _intervals(events)).longest()
        if found is None:
            return None
        length, start, low, high = found
        row = int(self.suffixes[low:high].min())
        piece = int(np.searchsorted(self.starts, row, side="right")) - 1
        moved, period = int(events[start, PITCH]) - int(self.pitches[row]), int(events[start, PERIOD])
        if period:
            moved = (moved + period // 2) % period - period // 2
        return Shared(length, start, piece, row - int(self.starts[piece]), moved)

    def _kinds_of(self, events: Events) -> Int64s:
        """The number of what each event is, int64 [events]; -1 where training has none."""
        time = _find(self.times, _pair(events[:, OFFSET], events[:, DURATION]))
        kind = _find(self.kinds, _pair(time, events[:, SHAPE]))
        return np.where((time < 0) | (events < 0).any(axis=1), -1, kind)

    @cached_property
    def first_links(self) -> Int64s:
        """The first symbol of each kind, and one past the last of all, int64 [kinds + 1]."""
        return np.searchsorted(self.links, np.arange(len(self.kinds) + 1) * _INTERVALS)


def build(sequences: Sequence[Events]) -> CopyIndex:
    """Index training pieces, each an array of events, [events, 3] or [events, 5]; they are numbered in their order.

    About 140 bytes an event while it is built, 10 afterwards.
    """
    pieces = [_with_shapes(sequence) for sequence in sequences]
    events = np.concatenate([np.empty((0, 5), np.int32), *pieces])
    starts = np.cumsum([0, *map(len, pieces)], dtype=np.int64)
    times, time = np.unique(_pair(events[:, OFFSET], events[:, DURATION]), return_inverse=True)
    kinds, kind = np.unique(_pair(time, events[:, SHAPE]), return_inverse=True)
    intervals = _intervals(events)
    intervals[starts[1:][starts[1:] > 0] - 1] = _END
    links, symbols = np.unique(kind * _INTERVALS + intervals, return_inverse=True)
    symbols = symbols.astype(np.int32)
    return CopyIndex(symbols, suffix_array(symbols), events[:, PITCH].astype(np.int16), starts, times, kinds, links)


class _Search:
    """All positions of a sequence at once, each with the suffixes `low` to `high` that share what follows it so far."""

    def __init__(self, index: CopyIndex, kinds: Int64s, intervals: Int64s) -> None:
        self.index = index
        self.kinds = kinds
        self.links = np.where(kinds < 0, -1, _find(index.links, kinds * _INTERVALS + intervals))
        self.links[-1:] = -1  # nothing follows the last event
        self.position = np.arange(len(kinds))
        self.low = np.zeros(len(kinds), np.int64)
        self.high = np.full(len(kinds), len(index.symbols), np.int64)
        self.since = np.zeros(len(kinds), np.int64)  # the length of run from which on there are as many suffixes as now

    def longest(self) -> tuple[int, int, int, int] | None:
        """Give the length, the position, and the suffixes (from, to) of the longest run."""
        found, length = None, 0
        while len(self.position):
            before = self.position, self.high - self.low
            self._match_kinds(length)
            if len(self.position):
                found = length + 1, int(self.position[0]), int(self.low[0]), int(self.high[0])
            self._match_links(length)
            length += 1
            self._drop_tails(length, *before)
        return found

    def _match_kinds(self, depth: int) -> None:
        kind = self.kinds[self.position + depth]
        self._narrow(kind >= 0, self.index.first_links[kind], self.index.first_links[kind + 1], depth)

    def _match_links(self, depth: int) -> None:
        link = self.links[self.position + depth]
        self._narrow(link >= 0, link, link + 1, depth)

    def _narrow(self, possible: npt.NDArray[np.bool_], least: Int64s, beyond: Int64s, depth: int) -> None:
        """Keep the suffixes whose symbol `depth` later is `least` or more and below `beyond`, and positions with any."""
        self._keep(possible)
        self.low = self._first(least[possible], depth)
        self.high = self._first(beyond[possible], depth)
        self._keep(self.low < self.high)

    def _first(self, value: Int64s, depth: int) -> Int64s:
        """Find the first of the suffixes whose symbol `depth` later is `value` or more, by halving."""
        low, high = self.low.copy(), self.high.copy()
        while len(rest := np.flatnonzero(low < high)):
            middle = (low[rest] + high[rest]) // 2
            is_less = self.index.symbols[self.index.suffixes[middle].astype(np.int64) + depth] < value[rest]
            low[rest[is_less]] = middle[is_less] + 1
            high[rest[~is_less]] = middle[~is_less]
        return low

    def _drop_tails(self, length: int, positions: Int64s, counts: Int64s) -> None:
        """Drop each position whose every run is the rest of one from a position before it, `gap` events earlier.

        Runs of `length` from there all go on as runs of `length` - `gap` from here. Where there are as many of those, they
        are the same. Without this a copied piece would take time in the square of its length.
        """
        count = self.high - self.low
        self.since[count < counts[np.searchsorted(positions, self.position)]] = length
        gap = np.diff(self.position)
        is_tail = (count[1:] == count[:-1]) & (self.since[1:] <= length - gap)
        self._keep(np.concatenate([[True], ~is_tail])[: len(count)])

    def _keep(self, those: npt.NDArray[np.bool_]) -> None:
        self.position, self.since = self.position[those], self.since[those]
        self.low, self.high = self.low[those], self.high[those]


def _with_shapes(sequence: Events) -> Events:
    """Add the shape and period of single notes where they are not given."""
    if sequence.ndim != 2 or sequence.shape[1] not in {3, 5}:
        raise MismatchError(
            f"copies: events of shape {sequence.shape} were given, where [events, 3] or [events, 5] is right"
        )
    return np.pad(sequence.astype(np.int32), [(0, 0), (0, 5 - sequence.shape[1])])


def _intervals(events: Events) -> Int64s:
    """The interval from each event to the next, from 1 on, int64 [events]; what comes after the last is of no meaning."""
    pitch, period = (events[:, column].astype(np.int64) for column in (PITCH, PERIOD))
    interval = np.roll(pitch, -1) - pitch
    modulus = np.gcd(period, np.roll(period, -1))  # gcd(0, p) is p: next to pitch classes there are no octaves
    return np.where(modulus > 0, interval % np.maximum(modulus, 1), interval) + _UNISON


def _pair(high: npt.NDArray[np.integer], low: npt.NDArray[np.integer]) -> Int64s:
    """Pack two columns of int32 into one of int64, different for different pairs."""
    return (high.astype(np.int64) << 32) | (low.astype(np.int64) & 0xFFFFFFFF)


def _find(ascending: Int64s, values: Int64s) -> Int64s:
    """Give the index of each value, int64 [values]; -1 where it is missing."""
    place = np.searchsorted(ascending, values)
    inside = place < len(ascending)
    place[~inside] = 0
    return np.where(inside & (ascending[place] == values), place, -1) if len(ascending) else np.full(len(values), -1)


def _steps(values: Sequence[str], grid: Grid) -> Events:
    return np.array([grid.steps(value) for value in values], np.int32).reshape(-1, 1)


def _after_special_ids(rows: Events) -> Events:
    return np.pad(rows, [(SPECIAL_IDS, 0), (0, 0)], constant_values=-1)


def _chord(text: str) -> tuple[int, tuple[int, ...]]:
    """Give the pitch, and as its shape the period and the semitones above the pitch; a drum has a shape of its own."""
    key = drum_key(text)
    if key is not None:
        return _DRUM, (0, _INTERVALS + key)
    pitches, classes = content(text)
    if pitches:
        return pitches[0], (0, *(pitch - pitches[0] for pitch in pitches))
    first, *_ = ordered = normal_order(classes)
    period = next(by for by in range(1, _OCTAVE + 1) if {(one + by) % _OCTAVE for one in classes} == set(classes))
    return first, (period, *((one - first) % _OCTAVE for one in ordered))
