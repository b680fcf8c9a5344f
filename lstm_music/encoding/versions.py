"""Versions: pieces that are the same music in another key, tempo, arrangement, edition or length, found by their contours.

Two pieces are versions of each other if the shorter shares enough of its distinct runs of `RUN` intervals with the longer.
That depends on these two pieces alone, so adding others never parts them. The thresholds are measured: see
docs/decisions.md and benchmarks/versions.py.

Candidates come from an index of longer runs: sorted keys in a file, one per piece and run. Pieces that follow each other
under one key are counted as pairs, in a second file. Memory holds a part of either, so it does not grow with the pieces.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.contours import Intervals, runs, runs_of_lengths
from lstm_music.midi.fresh_loops import loops

RUN = 6
"""Intervals of a run that is compared: seven notes. Shorter runs are common figures, longer ones break at each changed note."""
LEAST_SHARE = 0.3
"""Share of the shorter piece's runs, for two pieces of equal length."""
SHARE_PER_DOUBLING = 0.05
"""What is asked beyond that for each doubling of the longer one: the more runs it has, the more are shared by chance."""
LEAST_RUNS = 8
"""Fewer shared runs are chance, however short the piece."""

INDEXED_RUN = 9
"""Intervals of a run of the index: long enough to be rare among 100,000 pieces. A candidate shares two of them."""
MOST_INDEXED = 512
"""Runs of a piece in the index: those with the lowest hashes, so that two pieces choose the same ones of what they share."""
NEIGHBOURS = 16
"""How many pieces under one key are paired each with each; of more, each with the next, which still links a large family."""

_CHUNK = 1 << 20
_INTERVALS_AT_ONCE = 1 << 14
_PIECE_BITS = 32

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Link:
    """Two pieces, by their numbers, that are versions of each other, and the share of the shorter's runs that the longer has."""

    first: int
    second: int
    share: float


@dataclass(frozen=True)
class Contours:
    """The contours of all pieces, one after another: piece i is `intervals[starts[i]:starts[i + 1]]`."""

    intervals: Intervals
    starts: npt.NDArray[np.int64]

    @classmethod
    def write(cls, path: Path, contours: Iterable[Intervals]) -> "Contours":
        """Write contours to a file, one in memory at a time, and map it into memory. Raises OSError on a full disk."""
        starts = [0]
        with path.open("wb") as file:
            for contour in contours:
                file.write(contour.tobytes())
                starts.append(starts[-1] + len(contour))
        return cls(_mapped(path, np.int8), np.array(starts))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, piece: int) -> Intervals:
        """Return the contour of a piece."""
        return np.asarray(self.intervals[self.starts[piece] : self.starts[piece + 1]])


def find_links(contours: Contours, folder: Path) -> Iterator[Link]:
    """Yield the pairs of versions, in ascending order; `folder` takes temporary files, at most 4 KB per piece and index.

    A family of many versions is linked as a chain or more, not each with each. A third file has the distinct runs of each piece,
    8 bytes for each.
    """
    bits = max(len(contours) - 1, 1).bit_length()
    with (folder / "runs").open("wb") as file:
        starts = [0]
        index = _sorted(folder / "index", _keys(contours, bits, partial(_add, file, starts)))
    distinct = _Distinct(_mapped(folder / "runs", np.uint64), starts)
    for first, second in _candidates(index, bits, folder):
        if share := distinct.share(first, second):
            yield Link(first, second, share)


def _add(file: BinaryIO, starts: list[int], keys: Keys) -> None:
    """Add the runs of the next piece to a file, and where they end to `starts`. Raises OSError on a full disk."""
    file.write(keys.data)
    starts.append(starts[-1] + len(keys))


@dataclass(frozen=True)
class _Distinct:
    """The distinct runs of each piece, ascending: piece i has `runs[starts[i]:starts[i + 1]]`."""

    runs: Keys
    starts: list[int]

    def share(self, first: int, second: int) -> float:
        """Return what `share_of_versions` does for two pieces."""
        (one, one_stop), (other, other_stop) = (self.starts[piece : piece + 2] for piece in (first, second))
        if loops.DIGEST:
            shared = loops.count_shared(self.runs.data, one, one_stop, other, other_stop)
        else:
            shared = _shared(self.runs[one:one_stop], self.runs[other:other_stop])
        return _share(shared, one_stop - one, other_stop - other)


def share_of_versions(first: Intervals, second: Intervals) -> float:
    """Return the share of the shorter contour's distinct runs that the longer has too; 0 if they are no versions."""
    one, other = np.unique(runs(first, RUN)), np.unique(runs(second, RUN))
    return _share(_shared(one, other), len(one), len(other))


def _shared(first: Keys, second: Keys) -> int:
    """Count the runs that two pieces have both; those of each are distinct, and ascending."""
    both = np.concatenate((first, second))
    both.sort(kind="stable")  # merges the two, which are sorted
    return int(np.count_nonzero(both[1:] == both[:-1]))


def _share(shared: int, first: int, second: int) -> float:
    """Return what `share_of_versions` does, for two pieces with so many distinct runs."""
    shorter, longer = sorted((first, second))
    if shared < LEAST_RUNS:
        return 0.0
    needed = LEAST_SHARE + SHARE_PER_DOUBLING * np.log2(longer / shorter)
    return shared / shorter if shared >= needed * shorter else 0.0


def families(pieces: int, links: Iterable[Link]) -> npt.NDArray[np.int64]:
    """Return the family of each piece, int64 [pieces]: the lowest number of a piece that links lead to."""
    parent = np.arange(pieces)

    def root(piece: int) -> int:
        while parent[piece] != piece:
            parent[piece] = piece = parent[parent[piece]]
        return piece

    for link in links:
        first, second = root(link.first), root(link.second)
        parent[max(first, second)] = min(first, second)
    return np.array([root(piece) for piece in range(pieces)], np.int64)


def _candidates(index: Keys, bits: int, folder: Path) -> Iterator[tuple[int, int]]:
    """Yield the pairs of pieces that stand together under at least two keys of the index."""
    pairs = _sorted(folder / "pairs", (_pairs(keys, bits) for keys in _whole_groups(index, bits)))
    for found in _whole_groups(pairs, 0):
        pair, count = np.unique(found, return_counts=True)
        for value in pair[count > 1].tolist():
            yield value >> _PIECE_BITS, value & ((1 << _PIECE_BITS) - 1)


def _keys(contours: Contours, bits: int, add: Callable[[Keys], None]) -> Iterator[Keys]:
    """Yield the keys of each piece: the hash of a run, with the number of the piece in place of its last `bits` bits.

    The runs that are compared are given to `add`, for each piece.
    """
    for first, stop in _blocks(contours.starts):
        begin = int(contours.starts[first])
        block = np.asarray(contours.intervals[begin : contours.starts[stop]])
        compared, indexed = runs_of_lengths(block, (RUN, INDEXED_RUN))  # also across borders: these are left out
        for piece, (here, end) in enumerate(
            pairwise((contours.starts[first : stop + 1] - begin).tolist()), start=first
        ):
            add(_unique(compared[here : max(end - RUN + 1, here)]))
            keys = _unique(indexed[here : max(end - INDEXED_RUN + 1, here)])[:MOST_INDEXED]
            yield (keys >> np.uint64(bits) << np.uint64(bits)) | np.uint64(piece)


def _blocks(starts: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield (first piece, end) of some pieces at a time: for one, the overhead would dominate."""
    first = 0
    while first < len(starts) - 1:
        stop = int(np.searchsorted(starts, starts[first] + _INTERVALS_AT_ONCE, side="right")) - 1
        stop = max(stop, first + 1)
        yield first, stop
        first = stop


def _unique(hashes: Keys) -> Keys:
    """Return distinct hashes, ascending, as np.unique does, which is slower here; changes `hashes`."""
    hashes.sort()
    is_new = np.empty(len(hashes), bool)
    is_new[:1] = True
    np.not_equal(hashes[1:], hashes[:-1], out=is_new[1:])
    return hashes[is_new]


def _pairs(keys: Keys, bits: int) -> Keys:
    """Pair the pieces under each of these keys; a pair is one number, the lower piece in its upper half."""
    hashes, pieces = keys >> np.uint64(bits), keys & np.uint64((1 << bits) - 1)
    first = np.flatnonzero(np.diff(hashes, prepend=~hashes[:1]))
    sizes = np.diff(first, append=len(keys))
    is_short = np.repeat(sizes <= NEIGHBOURS, sizes)
    found = []
    for step in range(1, min(int(sizes.max(initial=0)), NEIGHBOURS)):
        together = hashes[:-step] == hashes[step:]
        if step > 1:
            together &= is_short[:-step]
        found.append((pieces[:-step] << np.uint64(_PIECE_BITS) | pieces[step:])[together])
    return np.concatenate(found) if found else np.empty(0, np.uint64)


def _whole_groups(keys: Keys, bits: int) -> Iterator[Keys]:
    """Cut sorted keys into parts that divide no group of keys with the same bits above the last `bits`."""
    start = 0
    while start < len(keys):
        last = keys[min(start + _CHUNK, len(keys)) - 1] | np.uint64((1 << bits) - 1)
        stop = int(np.searchsorted(keys, last, side="right"))
        yield np.asarray(keys[start:stop])
        start = stop


def _sorted(path: Path, parts: Iterable[Keys]) -> Keys:
    """Write keys to a file and sort them there: what is mapped from a file does not fill memory."""
    with path.open("wb") as file:
        for part in parts:
            file.write(part.tobytes())
    keys = _mapped(path, np.uint64)
    keys.sort()
    return keys


def _mapped(path: Path, kind: type[np.generic]) -> np.ndarray:
    """Map a file into memory; an empty one cannot be mapped."""
    return np.memmap(path, kind, "r+") if path.stat().st_size else np.empty(0, kind)
