"""Own echoes: what a part itself played the last times its own line sounded like this, where there are parts.

The echoes of `lstm_music.encoding.echoes` follow the events of all parts together. If one part repeats its line while another
plays something new, they are lost; its own echoes are not. Here every part is a piece of its own. Two of its steps, each from
one note to the next, are alike if the first notes have the same duration, shape and interval to the note before in the part, and
the second ones follow after the same time. An own echo is found in two steps: find the longest run of steps that ends at the
event here and also ended at an earlier event of the part, then take the note and the duration of that event. Its note is
transposed by the interval between the notes before the two events; drums stay.

Offset and part of an event are known before its note. So the own echoes of an event stand with the event itself, and speak of
its note and its duration. An event that is the first of its part has none.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import (
    HIGHEST_INTERVAL,
    LENGTH,
    LENGTHS,
    NO_INTERVAL,
    NOTE,
    PART_COLUMN,
    RANKS,
    echo_column,
    find_echoes,
    pack,
)
from lstm_music.encoding.shapes import PITCHES, Shapes
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import START

Ids = npt.NDArray[np.int64]

OWN = "own"
OWN_STREAMS = ("note", "duration")
"""The streams of which own echoes speak."""
MOST_STEPS = (1 << 19) - 1
"""A longer time since the part's last onset counts as this one."""

OWN_ECHOES = tuple(echo_column(OWN, rank, field) for rank in range(1, RANKS + 1) for field in (*OWN_STREAMS, LENGTH))
"""The names of the columns of all own echoes, the best one first."""

OWN_ECHOED = {echo_column(OWN, rank, stream): stream for rank in range(1, RANKS + 1) for stream in OWN_STREAMS}
"""Column → the stream whose ids it holds."""

NO_STEP = 0  # the key of the first event of a part

DURATION = STREAMS.index("duration")


def own_echo_sizes(sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the number of ids of each column of `OWN_ECHOES`, given the number of ids of each stream."""
    lengths = len(LENGTHS) + 1
    return {column: sizes[OWN_ECHOED[column]] if column in OWN_ECHOED else lengths for column in OWN_ECHOES}


def own_echo_tokens(tokens: Ids, shapes: Shapes, steps: npt.NDArray[np.int32], piece: npt.ArrayLike = 0) -> Ids:
    """Return the own echoes of each event, int64 [events, columns of `OWN_ECHOES`], from tokens [events, heard streams].

    `steps` int32 [offset ids] is how long each offset is, in steps of the grid. The events belong to one piece, or to several
    pieces in sequence: then `piece` is a number per event, from 0 on, equal within a piece.
    """
    number = np.broadcast_to(np.asarray(piece, dtype=np.int64), len(tokens))
    line = number * (int(tokens[:, PART_COLUMN].max(initial=0)) + 1) + tokens[:, PART_COLUMN]
    order = np.argsort(line, kind="stable")
    line, notes, durations = line[order], tokens[order, NOTE], tokens[order, DURATION]
    onset = np.cumsum(steps[tokens[:, 0]], dtype=np.int64)[order]
    is_first = np.diff(line, prepend=-1) != 0
    key = step_keys(onset, notes, durations, is_first, shapes)
    names = np.cumsum(is_first) - 1
    places, lengths = find_echoes(key, RANKS, names)
    there = np.maximum(places - 1, 0)  # the events at which the earlier runs ended
    before = np.where(is_first, 0, np.roll(notes, 1))
    moved = in_the_key_of(notes[there], before[there], before[:, None], shapes)
    found = np.stack([moved, durations[there]], axis=-1)
    found = np.concatenate([np.where((lengths > 0)[..., None], found, START), lengths[..., None]], axis=-1)
    columns = np.empty((len(tokens), len(OWN_ECHOES)), np.int64)
    columns[order] = found.reshape(len(tokens), len(OWN_ECHOES))
    return columns


def step_keys(onset: Ids, notes: Ids, durations: Ids, is_first: npt.NDArray[np.bool_], shapes: Shapes) -> Ids:
    """Return a number for the step that leads to each event, equal for steps that are alike; int64 [events].

    The events are those of one part after the other; `is_first` marks the first event of each. `onset` is in steps of the grid.
    """
    gap = np.minimum(np.diff(onset, prepend=0), MOST_STEPS)
    interval = line_intervals(notes, np.roll(notes, 1), shapes)
    interval[is_first] = NO_INTERVAL
    before = [np.roll(field, 1) for field in (durations, shapes.shape[notes].astype(np.int64), interval)]
    found: Ids = np.where(is_first, NO_STEP, pack(np.where(is_first, 0, gap), *before)[0])
    return found


def line_intervals(notes: Ids, before: Ids, shapes: Shapes) -> Ids:
    """Return the interval from the note before in the part, from 1, or `NO_INTERVAL` if one of them has no pitch."""
    lowest, is_pitched = shapes.lowest.astype(np.int64), shapes.is_pitched
    found: Ids = np.where(
        is_pitched[notes] & is_pitched[before], lowest[notes] - lowest[before] + HIGHEST_INTERVAL, NO_INTERVAL
    )
    return found


def in_the_key_of(notes: Ids, before: Ids, here: Ids, shapes: Shapes) -> Ids:
    """Transpose notes by the interval from the notes before them to those before `here`, if both have a pitch."""
    lowest, is_pitched = shapes.lowest, shapes.is_pitched
    interval = np.where(is_pitched[before] & is_pitched[here], lowest[here] - lowest[before], 0)
    moved: Ids = shapes.ids[shapes.shape[notes], PITCHES + lowest[notes] + interval].astype(np.int64)
    return moved
