"""Windows over one token array: a window is a position, never a copy, and no epoch's windows are stored.

A piece of n events has n + 1 targets in each stream: its events, and its end. In an epoch each target is used exactly
once. Each piece is cut at a random phase, so its first and last windows can be shorter; these are padded and masked, never
dropped. The windows of an epoch depend on (random seed, epoch) alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from lstm_music.encoding.vocabulary import END, START, UNKNOWN
from lstm_music.errors import NotEnoughMusicError

Tokens = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]


class WindowSpec(BaseModel):
    """How training cuts the pieces: `length` events per window, each window transposed by a random interval.

    The interval is `transpose_from` … `transpose_to` semitones, both inclusive. A piece never leaves the piano's range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    length: int = Field(default=128, ge=2, le=65_536)
    transpose_from: int = Field(default=-6, ge=-24, le=0)
    transpose_to: int = Field(default=5, ge=0, le=24)

    @model_validator(mode="after")
    def _stay_within_two_octaves(self) -> Self:
        if self.transpose_to - self.transpose_from > 24:
            raise ValueError(
                "transpose_from … transpose_to: expected a range of at most 24 semitones, "
                f"got {self.transpose_from} … {self.transpose_to}"
            )
        return self

    @property
    def shifts(self) -> tuple[int, ...]:
        """All possible transpositions of a window in semitones, including 0."""
        return tuple(range(self.transpose_from, self.transpose_to + 1))


@dataclass(frozen=True, slots=True)
class PieceSpan:
    """The position of a piece in the token array: events `start` (inclusive) to `stop` (exclusive).

    `lowest_shift` … `highest_shift` (inclusive, with 0 in between) are its possible transpositions in semitones.
    """

    piece_id: str
    start: int
    stop: int
    lowest_shift: int = 0
    highest_shift: int = 0

    @property
    def events(self) -> int:
        """The number of events of the piece."""
        return self.stop - self.start


@dataclass(frozen=True, eq=False, slots=True)
class EpochWindows:
    """The windows of one epoch in training order, as parallel integer arrays with one element per window.

    `piece` is an index into the spans, `first` the window's first target within the piece, `count` its number of targets,
    `shift` its transposition in semitones.
    """

    piece: npt.NDArray[np.int32]
    first: npt.NDArray[np.int32]
    count: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int8]

    @classmethod
    def joined(cls, epochs: Iterable["EpochWindows"]) -> "EpochWindows":
        """Put the windows of some epochs behind one another, as those of one epoch."""
        parts = zip(*((one.piece, one.first, one.count, one.shift) for one in epochs), strict=True)
        return cls(*map(np.concatenate, parts))

    def after(self, number: int) -> "EpochWindows":
        """Return the windows after the first `number`."""
        return EpochWindows(self.piece[number:], self.first[number:], self.count[number:], self.shift[number:])


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """Time-major tokens of some windows.

    `previous` and `current` are int32 [time, windows, columns]: the event before each target, and the target itself.
    `mask` is float32 [time, windows], 1 at each target. `is_event`, of the same shape, is 1 at each target that is an event
    rather than the end of a piece.
    """

    previous: npt.NDArray[np.int32]
    current: npt.NDArray[np.int32]
    mask: npt.NDArray[np.float32]
    is_event: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Targets:
    """The events to predict: those from position `first` of each piece on and, if `chosen` (bool [rows]) is given, in it.

    `spans` are the pieces with targets, `lengths` the number of targets of each. Memory stays small until `places` is read.
    """

    spans: tuple[PieceSpan, ...]
    lengths: tuple[int, ...]
    first: int = 0
    chosen: npt.NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, spans: Sequence[PieceSpan], first: int = 0, chosen: npt.NDArray[np.bool_] | None = None) -> "Targets":
        """Find the pieces with targets, and count the targets."""
        counts = [(span, len(_places_of(span, first, chosen))) for span in spans]
        held = [(span, count) for span, count in counts if count]
        return cls(tuple(span for span, _ in held), tuple(count for _, count in held), first, chosen)

    @property
    def events(self) -> int:
        """The number of targets."""
        return sum(self.lengths)

    @cached_property
    def places(self) -> npt.NDArray[np.int64]:
        """The rows of the targets in the token array, int64 [events], piece after piece."""
        return np.concatenate(
            [np.empty(0, np.int64), *(_places_of(span, self.first, self.chosen) for span in self.spans)]
        )

    @property
    def positions(self) -> npt.NDArray[np.int64]:
        """The position of each target in its piece, from 0."""
        return self.places - np.repeat([span.start for span in self.spans], self.lengths).astype(np.int64)

    def parts(self, events: int) -> Iterator["Targets"]:
        """Split between pieces into parts of about `events` events each."""
        part_of = np.cumsum([0, *self.lengths])[:-1] // events
        for number in np.unique(part_of):
            begin, end = np.searchsorted(part_of, [number, number + 1])
            yield Targets(self.spans[begin:end], self.lengths[begin:end], self.first, self.chosen)


def _places_of(span: PieceSpan, first: int, chosen: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.int64]:
    places = np.arange(min(span.start + first, span.stop), span.stop)
    return places if chosen is None else places[chosen[places]]


def window_count(events: Sequence[int], length: int) -> int:
    """Count the windows of pieces with these numbers of events, cut from their first event on."""
    return sum(-(-(count + 1) // length) for count in events)


def next_event_batches(
    tokens: Tokens, places: npt.NDArray[np.int64], *, length: int, batch_size: int
) -> Iterator[Batch]:
    """Read the window of `length` events before each of `places`, `batch_size` at a time, in the order of `places`.

    Only the last step of a window has a target: the event at its place, which must be at least `length` events after the
    start of its piece. The last batch is filled up with fully masked windows.
    """
    steps = np.arange(-length, 1)
    for begin in range(0, len(places), batch_size):
        of_batch = places[begin : begin + batch_size]
        batch = blank_batch(length, batch_size, tokens.shape[1])
        events = tokens[of_batch + steps[:, None]]
        batch.previous[:, : len(of_batch)], batch.current[:, : len(of_batch)] = events[:-1], events[1:]
        batch.mask[-1, : len(of_batch)] = batch.is_event[-1, : len(of_batch)] = 1
        yield batch


def shuffled(places: npt.NDArray[np.int64], random_seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """Return the places of one epoch in training order."""
    return np.random.default_rng([random_seed, epoch]).permutation(places)


def require_enough_music(train: Targets, validation: Targets, length: int) -> None:
    """Raise NotEnoughMusicError if the training pieces fill no window, or no validation piece is long enough."""
    if not train.spans or not validation.spans:
        raise NotEnoughMusicError(
            "training needs at least 1 training piece and 1 validation piece that are long enough, "
            f"got {len(train.spans)} and {len(validation.spans)}; add more music"
        )
    events = sum(span.events for span in train.spans)
    if events < length:
        raise NotEnoughMusicError(
            f"training needs at least {length} events, the length of one window, got {events} in all training pieces; "
            "add more music, or lower windows.length"
        )


def epoch_windows(spans: Sequence[PieceSpan], length: int, random_seed: int, epoch: int) -> EpochWindows:
    """Cut every piece at a random phase, choose a transposition for each window, and shuffle the windows."""
    rng = np.random.default_rng([random_seed, epoch])
    pieces, firsts, counts = [], [], []
    for index, span in enumerate(spans):
        targets = span.events + 1
        phase = int(rng.integers(length))
        borders = np.unique(np.concatenate([[0, targets], np.arange(phase, targets, length)]))
        pieces.append(np.full(len(borders) - 1, index, np.int32))
        firsts.append(borders[:-1].astype(np.int32))
        counts.append(np.diff(borders).astype(np.int32))
    piece, first, count = (np.concatenate(parts) for parts in (pieces, firsts, counts))
    lowest = np.array([span.lowest_shift for span in spans], np.int8)[piece]
    highest = np.array([span.highest_shift for span in spans], np.int8)[piece]
    shift = rng.integers(lowest, highest, endpoint=True).astype(np.int8)
    order = rng.permutation(len(piece))
    return EpochWindows(piece[order], first[order], count[order], shift[order])


def batches(
    tokens: Tokens,
    spans: Sequence[PieceSpan],
    windows: EpochWindows,
    *,
    length: int,
    batch_size: int,
    note_columns: Sequence[int],
    transposition: npt.NDArray[np.int64],
    first_shift: int,
    moved: Mapping[int, npt.NDArray[np.int64]] = MappingProxyType({}),
) -> Iterator[Batch]:
    """Read the windows, `batch_size` at a time; the last batch is filled up with fully masked windows.

    `transposition`, int64 [shifts, ids], is the transposed id of each note id for `first_shift`, `first_shift` + 1, …, and
    `moved` has such a table for each other column that moves with the notes.
    """
    for begin in range(0, len(windows.piece), batch_size):
        batch = blank_batch(length, batch_size, tokens.shape[1])
        for column, window in enumerate(range(begin, min(begin + batch_size, len(windows.piece)))):
            span = spans[windows.piece[window]]
            fill(batch, column, tokens, span, int(windows.first[window]), int(windows.count[window]))
            shift = int(windows.shift[window]) - first_shift
            for part in (batch.previous, batch.current):
                part[:, column, note_columns] = transposition[shift][part[:, column, note_columns]]
                for other, table in moved.items():
                    part[:, column, other] = table[shift][part[:, column, other]]
        yield batch


def blank_batch(length: int, windows: int, columns: int) -> Batch:
    """Make a batch in which every step is masked."""
    shape = (length, windows, columns)
    return Batch(
        previous=np.full(shape, START, np.int32),
        current=np.full(shape, END, np.int32),
        mask=np.zeros(shape[:2], np.float32),
        is_event=np.zeros(shape[:2], np.float32),
    )


def fill(batch: Batch, column: int, tokens: Tokens, span: PieceSpan, first: int, count: int) -> None:
    """Write `count` targets of a piece, from its target `first` on, to the top of a column of the batch."""
    begin, end = span.start + first, span.start + first + count
    events = min(end, span.stop) - begin
    batch.current[:events, column] = tokens[begin : begin + events]
    before = 1 if first == 0 else 0
    batch.previous[before:count, column] = tokens[begin - 1 + before : end - 1]
    batch.mask[:count, column] = 1
    batch.is_event[:events, column] = 1


def hide(tokens: npt.NDArray[np.int32], share: float, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """Replace a random share of tokens by UNKNOWN: input dropout, which also trains the models on unknown values."""
    if share == 0:
        return tokens
    return np.where(rng.random(tokens.shape, np.float32) < share, np.int32(UNKNOWN), tokens)
