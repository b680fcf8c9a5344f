"""N-grams of the training pieces, in any key: what followed the same events in other pieces, and how often.

The context of order m is the m events before, as melodies compare them (`lstm_music.encoding.echoes`): offsets, durations, chord
shapes and intervals. With them goes what is known of the event itself: for the note its offset, for the duration its offset
and interval too. A note is counted as its shape and its interval to the note before, so a context counts in every key.

Contexts are told apart by hashes of 64 bits. The table is built from temporary files, a part of the hashes at a time, so memory
does not grow with the music; `MOST_EVENTS` bounds the table.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import HIGHEST_INTERVAL, NO_INTERVAL, event_keys, intervals
from lstm_music.encoding.shapes import Shapes
from lstm_music.encoding.streams import ALL_STREAMS, PART, STREAMS
from lstm_music.encoding.vocabulary import END

ORDERS = (0, 1, 2, 3, 5, 8, 12)
"""How many events before each context has."""
MOST_EVENTS = 1_000_000
"""Pieces are counted up to about so many events: more would hardly be seen beside what a model learns, and fill memory."""

NO_KEY = -1  # stands for the events before a piece
NO_VALUE = -1
VALUE_BITS = 32  # beside which the number of a context has room in 64 bits
HASH_BITS = 64
CONTEXTS_A_PLACE = 2  # on average, where they are looked up
PLACE_BITS = 5  # of hashes, by which the temporary files are told apart
INTERVALS = 2 * HIGHEST_INTERVAL

_FACTORS = (-7046029254386353131, -4658895280553007687)  # odd; of SplitMix64
_RECORD = np.dtype([("context", "<i8"), ("value", "<i4")])

Hashes = npt.NDArray[np.int64]


def context_hashes(stream: str, known: Sequence[Any], keys: Sequence[Any]) -> list[Any]:
    """Return the hash of the context of each of `ORDERS`; for int64 arrays or tensors alike, which wrap around.

    `known` are the values that are known of the event, `keys` the melody keys of the events before, the latest first.
    """
    first, last = _FACTORS
    state = (0 * keys[0] + ALL_STREAMS.index(stream) + 1) * first
    for value in known:
        state = (state + value + 1) * first
    found = []
    for order in range(max(ORDERS) + 1):
        if order:
            state = (state + keys[order - 1] + 2) * first
        if order in ORDERS:
            found.append((state + order) * last)
    return found


def relative_note(shape: Any, interval: Any) -> Any:
    """Number a note by its shape and its interval to the note before."""
    return shape * INTERVALS + interval


@dataclass(frozen=True, eq=False)
class Occasions:
    """Where a stream of a piece was chosen: the `contexts` int64 [events, orders], and the `values` int32 [events] chosen.

    The occasion of the offset at an event is that of the *next* event's offset, or of the end. A note that has no pitch before it
    has no value.
    """

    contexts: Hashes
    values: npt.NDArray[np.int32]


def occasions(tokens: npt.NDArray[np.int64], shapes: Shapes) -> dict[str, Occasions]:
    """Return the occasions of each stream in a piece, or in a part of one, from tokens int64 [events, heard streams]."""
    is_first = np.arange(len(tokens)) == 0
    key = event_keys(tokens, shapes, is_first)[0]
    offset, note, duration = tokens[:, : len(STREAMS)].T
    part = tokens[:, len(STREAMS) :].T  # none, or one
    interval = intervals(tokens, shapes, is_first)
    has_value = ~is_first
    if len(part):
        has_value &= (interval != NO_INTERVAL) | ~shapes.is_pitched[note]
    relative = relative_note(shapes.shape[note].astype(np.int64), interval)
    padded = np.concatenate([np.full(max(ORDERS), NO_KEY, np.int64), key])
    after = [padded[max(ORDERS) - lag : len(padded) - lag] for lag in range(max(ORDERS))]  # the event and those before
    before = [padded[max(ORDERS) - 1 - lag : len(padded) - 1 - lag] for lag in range(max(ORDERS))]
    found = {
        "offset": ((), after, np.append(offset[1:], END)[: len(tokens)]),
        "note": ((offset, *part), before, np.where(has_value, relative, NO_VALUE)),
        "duration": ((offset, *part, relative), before, duration),
    }
    if len(part):
        found[PART] = ((offset,), before, part[0])
    return {
        stream: Occasions(np.stack(context_hashes(stream, known, keys), 1), values.astype(np.int32))
        for stream, (known, keys, values) in found.items()
    }


@dataclass(frozen=True, eq=False)
class Counts:
    """How often each value followed each context: context i has `values[starts[i]:starts[i + 1]]`, each so often.

    `contexts` are int64, ascending, `starts` int64 [contexts + 1], `values` and `counts` int32.
    """

    contexts: Hashes
    starts: npt.NDArray[np.int64]
    values: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]

    def find(self, contexts: Hashes) -> npt.NDArray[np.int64]:
        """Return the number of each context, int64 of the same shape, or -1 if it is not known."""
        if not len(self.contexts):
            return np.full(contexts.shape, -1)
        place, last = place_of(contexts, self.place_bits), len(self.contexts) - 1
        number, stop = (self.firsts[where].astype(np.int64) for where in (place, place + 1))
        going = np.flatnonzero(number < stop)
        while len(going):  # a few steps, with ever fewer contexts
            going = going[self.contexts[number[going]] < contexts[going]]
            number[going] += 1
            going = going[number[going] < stop[going]]
        return np.where(self.contexts[np.minimum(number, last)] == contexts, number, -1)

    @property
    def place_bits(self) -> int:
        """How many of the first bits of a hash lead to its place, where a few contexts are."""
        return max(2, (len(self.contexts) // CONTEXTS_A_PLACE).bit_length())

    @cached_property
    def firsts(self) -> npt.NDArray[np.int32]:
        """The number of the first context of each place, int32 [places + 1]."""
        counts = np.bincount(place_of(self.contexts, self.place_bits), minlength=1 << self.place_bits)
        return np.append(0, np.cumsum(counts)).astype(np.int32)


def count(pieces: Iterable[dict[str, Occasions]], folder: Path) -> Iterator[Counts]:
    """Count over pieces: yield parts of the table in the order of their contexts. `folder` takes temporary files."""
    places = range(1 << PLACE_BITS)
    files = [(folder / f"ngrams_{place}").open("wb") for place in places]
    try:
        for piece in pieces:
            records = np.concatenate([_records(found) for found in piece.values()])
            of_record = place_of(records["context"], PLACE_BITS).astype(np.uint8)
            records = records[np.argsort(of_record, kind="stable")]
            borders = np.cumsum([0, *np.bincount(of_record, minlength=len(files))])
            for file, start, stop in zip(files, borders, borders[1:], strict=False):
                file.write(records[start:stop].tobytes())
    finally:
        for file in files:
            file.close()
    for place in places:
        path = folder / f"ngrams_{place}"
        yield _counted(np.fromfile(path, _RECORD))
        path.unlink()


def joined(parts: Sequence[Counts]) -> Counts:
    """Join the parts of a table."""
    ends = np.cumsum([0, *(len(part.values) for part in parts)])
    starts = [part.starts[:-1] + end for part, end in zip(parts, ends, strict=False)]
    return Counts(
        np.concatenate([part.contexts for part in parts]),
        np.append(np.concatenate(starts), ends[-1]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


def added(first: Counts, second: Counts) -> Counts:
    """Add up two tables, whose values and contexts are numbered alike."""
    tables = (first, second)
    context = np.concatenate([np.repeat(table.contexts, np.diff(table.starts)) for table in tables])
    value = np.concatenate([table.values for table in tables])
    often = np.concatenate([table.counts for table in tables])
    order = np.lexsort((value, context))
    context, value, often = context[order], value[order], often[order]
    of_context = _differs(context)
    is_new = of_context | _differs(value)
    entries = np.flatnonzero(is_new)
    counts = np.add.reduceat(often, entries, dtype=np.int32) if len(entries) else often
    starts = np.flatnonzero(of_context[entries])
    return Counts(context[of_context], np.append(starts, len(entries)), value[entries], counts)


def place_of(contexts: Hashes, bits: int) -> npt.NDArray[np.int64]:
    """Return the place of each hash among 2^`bits` equal ranges of hashes."""
    place: npt.NDArray[np.int64] = (contexts >> (HASH_BITS - bits)) + (1 << (bits - 1))
    return place


def _records(found: Occasions) -> npt.NDArray[Any]:
    """Return what one piece adds to the table: a record per choice and order."""
    has_value = found.values != NO_VALUE
    records = np.empty(np.count_nonzero(has_value) * len(ORDERS), _RECORD)
    records["context"] = found.contexts[has_value].ravel()
    records["value"] = np.repeat(found.values[has_value], len(ORDERS))
    return records


def _counted(records: npt.NDArray[Any]) -> Counts:
    """Count the records of each context and value."""
    order = np.argsort(records["context"])
    contexts = records["context"][order]
    is_new = _differs(contexts)
    pairs = np.sort((np.cumsum(is_new) - 1) << VALUE_BITS | records["value"][order])
    first = np.flatnonzero(_differs(pairs))
    starts = np.flatnonzero(_differs(pairs[first] >> VALUE_BITS))
    values = (pairs[first] & ((1 << VALUE_BITS) - 1)).astype(np.int32)
    counts = np.diff(first, append=len(pairs)).astype(np.int32)
    return Counts(contexts[is_new], np.append(starts, len(first)), values, counts)


def _differs(numbers: Hashes) -> npt.NDArray[np.bool_]:
    """Say of each number whether it is another than the one before."""
    differs = np.ones(len(numbers), np.bool_)
    differs[1:] = numbers[1:] != numbers[:-1]
    return differs
