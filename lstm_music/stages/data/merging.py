"""Merges parsed batches, each sorted by piece id, into one sorted sequence, with few of them open at a time."""

import heapq
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import pyarrow as pa

from lstm_music.stages.data.parse import Content, ParseBatch

Pieces = Iterator[tuple[str, pa.Table]]
"""(Piece id, its rows), in the order of ids."""


@dataclass(order=True)
class _Open:
    """The next piece of an open batch; of equal pieces, the one of the batch that was opened first sorts first."""

    piece_id: str
    number: int
    table: pa.Table = field(compare=False)
    rest: Pieces = field(compare=False)


def in_order(
    batches: Sequence[ParseBatch], wanted: AbstractSet[Content], read: Callable[[ParseBatch], Pieces]
) -> Pieces:
    """Yield each wanted piece once, in the order of ids; `read` returns the pieces of a batch.

    A batch is opened when its first piece is due. The batches of one ingestion do not overlap, so one of them is open at a
    time. Each further ingestion adds at most one open batch.
    """
    chosen = [(frozenset(piece_id for piece_id, _ in wanted & set(batch.contents)), batch) for batch in batches]
    waiting = deque(sorted(((min(ids), ids, batch) for ids, batch in chosen if ids), key=lambda entry: entry[0]))
    heap: list[_Open] = []
    number, last = 0, ""
    while waiting or heap:
        while waiting and (not heap or waiting[0][0] <= heap[0].piece_id):
            _, ids, batch = waiting.popleft()
            _push(heap, number, _chosen(read(batch), ids))
            number += 1
        if not heap:
            continue
        first = heapq.heappop(heap)
        if first.piece_id != last:  # two concurrent runs can parse the same content in two batches
            last = first.piece_id
            yield first.piece_id, first.table
        _push(heap, first.number, first.rest)


def _chosen(pieces: Pieces, ids: AbstractSet[str]) -> Pieces:
    return (piece for piece in pieces if piece[0] in ids)


def _push(heap: list[_Open], number: int, pieces: Pieces) -> None:
    following = next(pieces, None)
    if following is not None:
        heapq.heappush(heap, _Open(following[0], number, following[1], pieces))
