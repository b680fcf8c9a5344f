"""Counting what followed a context in the training pieces, for contexts that grow by one token at a time.

A context is a set of `Element`s: tokens at fixed places before the target. A `Walk` goes from the empty context to longer
ones. At each step it keeps only the training rows whose context occurs in the pieces to predict: no other row can match a longer
context either, so each step is faster and needs less memory. Contexts are numbered exactly,
(number of the shorter context, token), without hashing.

Transposition changes the note column alone. While neither the context nor the target holds a note the rows are those of the
training pieces as they are; with the first note they become those of all transpositions that the recipe trains on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lstm_music.encoding.vocabulary import END, START

LONGEST_LAG = 24
"""How many events back a context may look."""

TABLE_CODES = 1 << 24
"""Up to this many possible codes are looked up in a table (64 MiB), more of them by bisection."""


@dataclass(frozen=True, slots=True, order=True)
class Element:
    """One token of a context: column `column` of the event `lag` events before the target's (0: the same event)."""

    lag: int
    column: int


@dataclass(frozen=True, slots=True)
class TrainingPiece:
    """The tokens of a training piece, int [events, streams], and the transpositions that it is trained on, in semitones."""

    tokens: np.ndarray
    shifts: tuple[int, ...] = (0,)


@dataclass(frozen=True, eq=False, slots=True)
class History:
    """Pieces laid one after another with room for what came before them.

    `tokens` is int32 [rows, streams]: before each piece `LONGEST_LAG` rows of START, after it one row of END. `places` (int64
    [targets]) are the rows of the targets, `piece` (int64 [targets]) the number of their piece.
    """

    tokens: np.ndarray
    places: np.ndarray
    piece: np.ndarray

    @classmethod
    def of(
        cls,
        pieces: Sequence[np.ndarray],
        streams: int,
        *,
        with_end: bool,
        chosen: Sequence[np.ndarray] | None = None,
    ) -> "History":
        """Lay out `pieces`; with `with_end` the row after each piece is a target too.

        Where `chosen` is given, bool [events] per piece, only those events are targets; all events remain context. It excludes
        `with_end`.
        """
        lengths = np.array([len(piece) for piece in pieces], np.int64)
        starts = np.cumsum(lengths + LONGEST_LAG + 1) - lengths - 1
        tokens = np.full((int(lengths.sum()) + len(pieces) * (LONGEST_LAG + 1), streams), START, np.int32, order="F")
        for start, piece in zip(starts, pieces, strict=True):
            tokens[start : start + len(piece)] = piece
            tokens[start + len(piece)] = END
        targets = lengths + 1 if with_end else lengths
        number = np.repeat(np.arange(len(pieces)), targets)
        places = np.arange(targets.sum()) - (np.cumsum(targets) - targets)[number] + starts[number]
        if chosen is None:
            return cls(tokens, places, number)
        kept = np.concatenate([np.empty(0, np.bool_), *chosen])
        return cls(tokens, places[kept], number[kept])

    def at(self, element: Element) -> np.ndarray:
        """Read the token of `element` for each target: int32 [targets]."""
        return np.asarray(self.tokens[:, element.column][self.places - element.lag])


@dataclass(frozen=True, eq=False, slots=True)
class Training:
    """The training pieces of one target stream, and how their note column (number `note`) is transposed.

    `tables` is int32 [shifts, note ids], `allowed` bool [pieces, shifts], `sizes` the number of ids of each column.
    """

    history: History
    tables: np.ndarray
    allowed: np.ndarray
    note: int
    sizes: tuple[int, ...]

    @classmethod
    def of(
        cls,
        pieces: Sequence[TrainingPiece],
        transposition: Mapping[int, np.ndarray],
        sizes: tuple[int, ...],
        *,
        note: int,
        with_end: bool,
        chosen: Sequence[np.ndarray] | None = None,
    ) -> "Training":
        """Lay out `pieces`; `transposition` maps each shift that a piece may name to the table note id → note id.

        `chosen` is that of `History.of`.
        """
        shifts = sorted({shift for piece in pieces for shift in piece.shifts})
        tables = np.array([transposition[shift] for shift in shifts], np.int32).reshape(len(shifts), sizes[note])
        allowed = np.array([[shift in piece.shifts for shift in shifts] for piece in pieces], np.bool_)
        history = History.of([piece.tokens for piece in pieces], len(sizes), with_end=with_end, chosen=chosen)
        return cls(history, tables, allowed.reshape(len(pieces), len(shifts)), note, sizes)


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Training rows that a walk still follows: their place, their transposition (None: as written) and their context."""

    places: np.ndarray
    shift: np.ndarray | None
    context: np.ndarray

    def transposed(self, training: Training) -> "Rows":
        """Repeat each row for every transposition that its piece is trained on."""
        if self.shift is not None:
            return self
        history = training.history
        allowed = training.allowed[history.piece[np.searchsorted(history.places, self.places)]]
        # Row by row would scatter the reads over the whole history; shift by shift keeps them in order.
        shift, row = np.nonzero(allowed.T)
        return Rows(self.places[row], shift.astype(np.int8), self.context[row])

    def at(self, element: Element, training: Training) -> np.ndarray:
        """Read the token of `element` for each row, transposed where it is a note: int32 [rows]."""
        tokens = training.history.tokens[:, element.column][self.places - element.lag]
        if element.column == training.note and self.shift is not None:
            tokens = training.tables[self.shift, tokens]
        return np.asarray(tokens)


@dataclass(frozen=True, eq=False, slots=True)
class Counts:
    """What followed the contexts of one length in training.

    `context` (int64 [targets]) is the number of each target's context, 0 to `contexts` - 1. A pair is a context and a token
    that followed it: `pairs` (int64, ascending) is context * ids + token, `times` (float64) how often.
    """

    context: np.ndarray
    contexts: int
    pairs: np.ndarray
    times: np.ndarray
    ids: int

    @property
    def pair_context(self) -> np.ndarray:
        """The context of each pair."""
        return np.asarray(self.pairs // self.ids)

    @property
    def totals(self) -> np.ndarray:
        """How often each context occurred: float64 [contexts]."""
        return np.bincount(self.pair_context, self.times, minlength=self.contexts)

    @property
    def pair_token(self) -> np.ndarray:
        """The token of each pair."""
        return np.asarray(self.pairs % self.ids)

    def find(self, context: np.ndarray, token: np.ndarray) -> np.ndarray:
        """Find the pairs (context, token): their index, or -1 where training has no such pair."""
        return positions_in(self.pairs, context * self.ids + token)

    def pairs_of(self, context: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """List the pairs of each of `context`: (the position in `context`, the index of the pair), int64 [found] both."""
        start = np.searchsorted(self.pairs, context * self.ids)
        number = np.searchsorted(self.pairs, (context + 1) * self.ids) - start
        position = np.repeat(np.arange(len(context)), number)
        return position, np.arange(len(position)) + np.repeat(start - (np.cumsum(number) - number), number)


@dataclass(frozen=True, eq=False, slots=True)
class Walk:
    """A walk from short contexts to long ones, for one target stream: `begin` it, then call `step` for each further token."""

    training: Training
    history: History
    target: Element
    rows: Rows
    context: np.ndarray
    contexts: int

    @classmethod
    def begin(cls, training: Training, history: History, stream: int) -> "Walk":
        """Start at the empty context, before the targets of column `stream` in `history`."""
        places = training.history.places
        rows = Rows(places, None, np.zeros(len(places), np.int32))
        if stream == training.note:
            rows = rows.transposed(training)
        return cls(training, history, Element(0, stream), rows, np.zeros(len(history.places), np.int64), 1)

    @property
    def truth(self) -> np.ndarray:
        """The ids of the targets: int32 [targets]."""
        return self.history.at(self.target)

    def step(self, element: Element) -> "Walk":
        """Make every context one token longer."""
        rows = self.rows.transposed(self.training) if element.column == self.training.note else self.rows
        ids = self.training.sizes[element.column]
        codes, context = np.unique(self.context * ids + self.history.at(element), return_inverse=True)
        longer = positions_in(codes, rows.context.astype(np.int64) * ids + rows.at(element, self.training))
        kept = np.flatnonzero(longer >= 0)
        shift = None if rows.shift is None else rows.shift[kept]
        rows = Rows(rows.places[kept], shift, longer[kept].astype(np.int32))
        return replace(self, rows=rows, context=context, contexts=len(codes))

    def count(self) -> Counts:
        """Count the tokens that followed the present contexts."""
        ids = self.training.sizes[self.target.column]
        codes = self.rows.context.astype(np.int64) * ids
        codes += self.rows.at(self.target, self.training)
        pairs, times = distinct(codes, self.contexts * ids)
        return Counts(self.context, self.contexts, pairs, times.astype(np.float64), ids)


def distinct(codes: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """List the distinct `codes` (0 to `limit`, exclusive), ascending, and how often each occurs; this may sort `codes`."""
    if limit <= min(TABLE_CODES, 4 * len(codes)):
        times = np.bincount(codes, minlength=limit)
        there = np.flatnonzero(times)
        return there, times[there]
    codes.sort()
    first = np.flatnonzero(np.concatenate([np.ones(min(1, len(codes)), np.bool_), codes[1:] != codes[:-1]]))
    return codes[first], np.diff(first, append=len(codes))


def positions_in(ascending: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Find each of `codes` (not negative) in the distinct, `ascending` codes: its position, or -1 where it is missing."""
    if not len(ascending):
        return np.full(len(codes), -1, np.int64)
    largest = int(ascending[-1])
    if largest < TABLE_CODES < len(codes) * 64:
        table = np.full(largest + 2, -1, np.int32)
        table[ascending] = np.arange(len(ascending))
        return np.asarray(table[np.minimum(codes, largest + 1)])
    at = np.minimum(np.searchsorted(ascending, codes), len(ascending) - 1)
    return np.where(ascending[at] == codes, at, -1)
