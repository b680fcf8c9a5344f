"""Structure: how many bars of an excerpt were heard before in it, in any key, and how far back.

The content of a bar is where in it its notes begin, how long they last, and their pitches above its lowest one. Two bars are
the same where these are equal, so a sequence a step higher is a return as well. Bars with fewer than `FEWEST_NOTES` notes do not
count: any held chord would return. The bars at both ends of an excerpt may be cut, so they count only as far as they are there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from lstm_music.evaluation.note_ngrams import NoteList

FEWEST_NOTES = 3
DISTANCES = ("1", "2", "3-4", "5-8", "9 or more")
"""Ranges of the distance to the last equal bar, in bars."""
_BORDERS = (2, 3, 5, 9)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Returns:
    """What of an excerpt returns: of `bars` that count, `in_any_key` were heard before, `as_it_was` of them at equal pitches.

    `distances` has for each of `DISTANCES` how many of those in any key were last heard so many bars before.
    """

    bars: int
    in_any_key: int
    as_it_was: int
    distances: Mapping[str, int]


def returns(notes: NoteList, bar_steps: int) -> Returns:
    """Look for bars that return; `bar_steps` is the usual length of a bar, which tells how many bars a silence lasts."""
    last: dict[bytes, int] = {}
    exactly: set[bytes] = set()
    found = np.zeros(len(DISTANCES), np.int64)
    bars = as_it_was = 0
    number = bar_numbers(notes, bar_steps)
    borders = [*np.flatnonzero(np.diff(number, prepend=-1)).tolist(), len(number)]
    for start, stop in pairwise(borders):
        if stop - start < FEWEST_NOTES:
            continue
        bars += 1
        pitch = notes.pitch[start:stop]
        content, exact = (
            np.stack([notes.position[start:stop], pitches, notes.duration[start:stop]]).tobytes()
            for pitches in (pitch - pitch.min(), pitch)
        )
        if content in last:
            found[np.searchsorted(_BORDERS, int(number[start]) - last[content], side="right")] += 1
            as_it_was += exact in exactly
        last[content] = int(number[start])
        exactly.add(exact)
    return Returns(bars, int(found.sum()), as_it_was, dict(zip(DISTANCES, found.tolist(), strict=True)))


def bar_numbers(notes: NoteList, bar_steps: int) -> Ints:
    """Number the bar of each note, int64 [notes], from 0; where a bar begins follows from the places of its notes."""
    starts, bar = np.unique(notes.onset - notes.position, return_inverse=True)
    passed = np.maximum(np.rint(np.diff(starts) / max(bar_steps, 1)).astype(np.int64), 1)
    return np.asarray(np.concatenate([[0], np.cumsum(passed)])[bar], np.int64)


def joined(many: Sequence[Returns]) -> dict[str, float | dict[str, float]]:
    """Give the shares of all bars of some excerpts, for a card: each number is a share of the bars that count."""
    bars = max(sum(one.bars for one in many), 1)
    return {
        "in_any_key": sum(one.in_any_key for one in many) / bars,
        "as_it_was": sum(one.as_it_was for one in many) / bars,
        "distances": {name: sum(one.distances[name] for one in many) / bars for name in DISTANCES},
    }
