"""What followed in a piece when it last sounded as it does now: inputs of the models that follow from the events alone.

Music repeats itself, over distances that no recurrent state carries, and in other keys: of the held-out events of 296 piano
pieces two in five follow nine or more that were heard before in the same piece. So the longest run of events that ends
here and ended somewhere before is looked up, and the event that followed there is the *echo*. Programs that compress files
call that a match model (Mahoney 2005, "Adaptive weighing of context models"), and Transformers learn heads that do it
(Olsson et al. 2022, "In-context learning and induction heads").

There are two: the echo of the melody, where offsets, durations, chords and intervals are the same, so in any key, and comes
in the key of here; and the echo of the rhythm, where offsets and durations are, and comes as it was. The echoes of an
event are read with that event, when the next one is predicted. They stand in the token array behind the places.

For intervals, what has no pitch (chords of pitch classes, values that are not known) counts as lying at pitch 0. So an
interval to or from one is another in another key, and around them the echo of the melody is not one in any key.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.shapes import PITCHES, Shapes
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import START

Ids = npt.NDArray[np.int64]

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64)
"""A run is as long as the longest of these that it reaches, in events; of equally long ones the latest is taken.

Each less the one before it has to be among them, too: see `find_echoes`. They are in the key of the dataset, so other
lengths make another dataset.
"""

KINDS = ("melody", "rhythm")
PARTS = (*STREAMS, "length")
"""What an echo consists of. The length is 0 where no run was found, else the place in `LENGTHS` of its own, from 1."""

ECHOES = tuple(f"{kind}_echo_{part}" for kind in KINDS for part in PARTS)
"""The columns of the echoes."""

ECHOED = {f"{kind}_echo_{stream}": stream for kind in KINDS for stream in STREAMS}
"""The column of an echo → the stream whose ids it holds."""

NOTE = STREAMS.index("note")
NO_INTERVAL = 0  # of the first event; other intervals are counted from 1
HIGHEST_INTERVAL = PITCHES


def echo_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """The number of ids of each column of the echoes, for those of the streams."""
    parts = [*(sizes[stream] for stream in STREAMS), len(LENGTHS) + 1]
    return dict(zip(ECHOES, parts * len(KINDS), strict=True))


def echo_tokens(events: npt.ArrayLike, shapes: Shapes, piece: npt.ArrayLike = 0) -> Ids:
    """Give the echoes of each event, int64 [events, echo columns], for the tokens of its streams, [events, streams].

    The events are of one piece, or of several one after another: `piece` is then a number for each event, equal within a piece.
    Where nothing sounded like this before, the values are START.
    """
    tokens = np.asarray(events, dtype=np.int64)
    number = np.broadcast_to(np.asarray(piece, dtype=np.int64), len(tokens))
    columns = []
    for kind, keys in zip(KINDS, event_keys(tokens, shapes, np.diff(number, prepend=-1) != 0), strict=True):
        # With the piece in its name an event is like none of another piece, and so is every run that it is in.
        place, length = find_echoes(_named(keys)[0] * (number.max(initial=0) + 1) + number)
        values = tokens[place]
        if kind == "melody":
            values[:, NOTE] = _in_the_key_of_here(tokens[:, NOTE], place, shapes)
        columns += [np.where((length > 0)[:, None], values, START), length[:, None]]
    return np.concatenate(columns, axis=1)


def _in_the_key_of_here(notes: Ids, place: Ids, shapes: Shapes) -> Ids:
    """Move the notes of echoes by as much as the events before them would have to be moved to be those of here."""
    lowest = shapes.lowest[notes]
    moved: Ids = shapes.ids[shapes.shape[notes[place]], PITCHES + lowest[place] + lowest - lowest[place - 1]]
    return moved


def event_keys(tokens: Ids, shapes: Shapes, is_first: npt.NDArray[np.bool_]) -> tuple[Ids, ...]:
    """Give by kind of echo a number for each event, equal where two sound alike; `is_first` says with which a piece begins."""
    offset, note, duration = tokens.T
    intervals = np.diff(shapes.lowest[note], prepend=0) + HIGHEST_INTERVAL
    intervals[is_first] = NO_INTERVAL
    return pack(offset, duration, shapes.shape[note].astype(np.int64), intervals)


def pack(offset: Any, duration: Any, shape: Any, interval: Any) -> tuple[Any, Any]:
    """Pack what melody and what rhythm are known by into one number each; for arrays or tensors of int64, none negative.

    There is room for 2^19 offsets, 2^16 durations, 2^20 shapes and 2^8 intervals: 63 bits.
    """
    rhythm = offset * (1 << 16) + duration
    return (rhythm * (1 << 20) + shape) * (2 * HIGHEST_INTERVAL) + interval, rhythm


def find_echoes(keys: Ids) -> tuple[Ids, Ids]:
    """Give for each event the place of its echo, and the place in `LENGTHS` of the run before that, from 1; 0 for no run.

    Runs of a length are named by the names of two shorter ones, as in the building of a suffix array (Karp, Miller and
    Rosenberg 1972), so that it takes a few sorts.
    """
    place, reached = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    single, previous = _named(keys)
    names = {1: single}
    for number, length in enumerate(LENGTHS, start=1):
        if length > 1:
            known = max(names)
            first, last = names[length - known], names[known][length - known :]
            names[length], previous = _named(first[: len(last)] * len(keys) + last)
        ends = np.flatnonzero(previous >= 0)
        if not len(ends):
            break
        place[ends + length - 1] = previous[ends] + length
        reached[ends + length - 1] = number
    return place, reached


def _named(numbers: Ids) -> tuple[Ids, Ids]:
    """Name equal numbers by small equal names; give, too, where each stood last before, -1 where it did not."""
    order = np.argsort(numbers, kind="stable")
    is_new = np.diff(numbers[order], prepend=-1) != 0
    names, previous = np.empty_like(order), np.full(len(order), -1, np.int64)
    names[order] = np.cumsum(is_new) - 1
    previous[order[1:]] = np.where(is_new[1:], -1, order[:-1])
    return names, previous
