"""Suffix arrays: the suffixes of a text of integers in the order of a dictionary, so that any run in it is found fast.

Sorted by prefix doubling (Manber & Myers, "Suffix arrays: a new method for on-line string searches", 1993): where suffixes
are sorted by their first h symbols, the rank of what follows h later sorts them by 2h. Only suffixes that are still equal
are sorted again (Larsson & Sadakane, "Faster suffix sorting", 2007).
"""

import numpy as np
import numpy.typing as npt

from lstm_music.errors import LstmMusicError

MOST_SYMBOLS = 2**31 - 1


def suffix_array(text: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Give the starts of all suffixes in ascending order, int32 [symbols]; a suffix that is the start of another comes before it.

    `text` is int32 [symbols]. O(n log² n) time. Raises LstmMusicError for more than 2³¹ - 1 symbols.
    """
    size = len(text)
    if size > MOST_SYMBOLS:
        raise LstmMusicError(f"suffix array: the text has {size} symbols, where at most {MOST_SYMBOLS} can be sorted")
    suffixes = np.argsort(text).astype(np.int32)
    rank = np.empty(size, np.int32)
    places = np.arange(size, dtype=np.int32)
    still_equal = _rank(rank, suffixes, places, text[suffixes])
    length = 1
    while len(places := places[still_equal]):
        suffixes[places], still_equal = _sort_again(rank, suffixes[places], places, length)
        length *= 2
    return suffixes


def _sort_again(
    rank: npt.NDArray[np.int32], tied: npt.NDArray[np.int32], places: npt.NDArray[np.int32], length: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Sort the suffixes `tied` at `places`, equal in groups by `length` symbols, by twice as many; renew their ranks."""
    size = len(rank)
    follower = tied.astype(np.int64) + length
    key = np.where(follower < size, rank[np.minimum(follower, size - 1)], -1).astype(np.int64)
    key += 1
    key += rank[tied].astype(np.int64) * (size + 1)
    order = np.argsort(key)
    tied = tied[order]
    return tied, _rank(rank, tied, places, key[order])


def _rank(
    rank: npt.NDArray[np.int32],
    suffixes: npt.NDArray[np.int32],
    places: npt.NDArray[np.int32],
    keys: npt.NDArray[np.int32] | npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """Rank sorted suffixes by the place where those of their key begin; say which share their key, bool [suffixes]."""
    first = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1))
    counts = np.diff(first, append=len(keys))
    rank[suffixes] = np.repeat(places[first], counts)
    return np.repeat(counts > 1, counts)
