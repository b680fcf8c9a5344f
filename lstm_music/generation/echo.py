"""The echoes of each event as it is made: what `encoding.echoes` finds in a whole piece, event by event, compiled.

Every distance is watched at once: its run is how many events in a row sounded like those that many events earlier.
Generation looks back at most `MOST_HEARD` events, and has nothing from before the prompt; on the held-out pieces
1.6 % of the melody's echoes and 1.2 % of the rhythm's come from farther back than that.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstm_music.encoding.echoes import (
    HIGHEST_INTERVAL,
    KINDS,
    LENGTHS,
    NO_HEIGHT,
    NO_INTERVAL,
    NOTE,
    event_keys,
    heights,
    pack,
    with_part,
)
from lstm_music.encoding.shapes import PITCHES, Shapes
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import START

MOST_HEARD = 4096
"""The farthest echo, in events: beyond it, time would be lost."""

NO_EVENT = -1
NO_KEY = -1


class Past(NamedTuple):
    """What was heard in each output, the latest first: `events` int32 [distances + 1, outputs, streams] and their keys.

    `heights` int32 [distances + 1, outputs] are those of `encoding.echoes.heights`; without parts it has no row.
    `keys` int64 and `runs` int32 are [kinds, distances, outputs], distances from 1.
    """

    events: Any
    keys: Any
    runs: Any
    heights: Any


def begin(tokens: npt.NDArray[np.int32], more: int, shapes: Shapes) -> Past:
    """Begin with the events of the prompts, tokens [events, outputs, streams], which so many `more` will follow."""
    count, outputs, streams = tokens.shape
    room = min(count + more, MOST_HEARD)
    events = np.full((room + 1, outputs, streams), NO_EVENT, np.int32)
    events[:count] = tokens[::-1][: room + 1]
    is_first = np.arange(count) == 0
    height = np.full((room + 1 if streams > len(STREAMS) else 0, outputs), NO_HEIGHT, np.int32)
    for output in range(outputs if len(height) else 0):
        of_prompt = heights(tokens[:, output].astype(np.int64), shapes, is_first)
        height[:count, output] = of_prompt[::-1][: room + 1]
    heard = [event_keys(tokens[:, output].astype(np.int64), shapes, is_first) for output in range(outputs)]
    by_kind = np.moveaxis(np.array(heard), 0, -1)  # [kinds, events, outputs]
    keys = np.full((len(KINDS), room, outputs), NO_KEY, np.int64)
    keys[:, :count] = by_kind[:, ::-1][:, :room]
    runs = np.zeros(keys.shape, np.int32)
    for distance in range(1, min(count, room + 1)):
        differs = (by_kind[:, distance:] != by_kind[:, :-distance])[:, ::-1]
        runs[:, distance - 1] = np.where(differs.any(1), differs.argmax(1), count - distance)
    return Past(*map(tf.constant, (events, keys, runs, height)))


def hear(past: Past, event: Any, shapes: Shapes) -> Past:
    """Remember an event, int32 [outputs, streams]."""
    before = past.events[0, :, NOTE]
    shape, lowest = tf.constant(shapes.shape), tf.constant(shapes.lowest)
    offset, note, duration, *part = tf.unstack(event, axis=1)
    of_note, height = tf.gather(shape, note), past.heights
    if not part:
        interval = tf.gather(lowest, note) - tf.gather(lowest, tf.maximum(before, 0)) + HIGHEST_INTERVAL
        interval = tf.where(before == NO_EVENT, NO_INTERVAL, interval)
    else:
        is_pitched, of_note = tf.gather(tf.constant(shapes.is_pitched), note), with_part(of_note, part[0])
        interval = tf.gather(lowest, note) - height[0] + HIGHEST_INTERVAL
        interval = tf.where(is_pitched & (height[0] != NO_HEIGHT), interval, NO_INTERVAL)
        height = tf.concat([tf.where(is_pitched, tf.gather(lowest, note), height[0])[None], height[:-1]], 0)
    fields = (offset, duration, of_note, interval)
    key = tf.stack(pack(*(tf.cast(field, tf.int64) for field in fields)))[:, None]
    return Past(
        heights=height,
        events=tf.concat([event[None], past.events[:-1]], 0),
        keys=tf.concat([key, past.keys[:, :-1]], 1),
        runs=tf.where(past.keys == key, past.runs + 1, 0),
    )


def latest_echoes(past: Past, shapes: Shapes, ranks: int = 1) -> Any:
    """Give the best echoes of the latest event, int32 [outputs, ranks · echo columns]."""
    room = past.runs.shape[1]
    reached = tf.add_n([tf.cast(past.runs >= length, tf.int32) for length in LENGTHS])
    nearness = tf.range(room, 0, -1)[:, None]  # of equally long runs the latest is taken
    order = reached * (room + 1) + nearness
    by_output = tf.maximum(tf.transpose(past.events, [1, 0, 2]), START)
    columns: list[Any] = []
    for _ in range(ranks):
        best = tf.maximum(tf.reduce_max(order, 1), 1)  # never the same twice, until none is left
        columns += _columns(by_output, past.heights, best // (room + 1), room - best % (room + 1), shapes)
        order = tf.where(order == best[:, None], -1, order)
    return tf.concat(columns, 1)


def _columns(by_output: Any, heights: Any, lengths: Any, places: Any, shapes: Shapes) -> Iterator[Any]:
    """Yield the columns of the echo of each kind, whose lengths and places are [kinds, outputs].

    `by_output` are the events heard, [outputs, distances + 1, streams].
    """
    for number, kind in enumerate(KINDS):
        length, place = lengths[number][:, None], places[number]
        values = tf.gather(by_output, place, batch_dims=1)
        if kind == "melody":
            note = _in_the_key_of_here(by_output[..., NOTE], heights, place, shapes)
            values = tf.concat([values[:, :NOTE], note[:, None], values[:, NOTE + 1 :]], 1)
        yield tf.where(length > 0, values, START)
        yield length


def _in_the_key_of_here(notes: Any, heights: Any, place: Any, shapes: Shapes) -> Any:
    """Move the notes at the places, int32 [outputs], as far as what stands before them is from the latest."""
    shape, lowest = tf.constant(shapes.shape), tf.constant(shapes.lowest)
    note, before = (tf.gather(notes, where, batch_dims=1) for where in (place, place + 1))
    if heights.shape[0]:
        here, there = heights[0], tf.gather(tf.transpose(heights), place + 1, batch_dims=1)
        interval = tf.where((here == NO_HEIGHT) | (there == NO_HEIGHT), 0, here - there)
    else:
        interval = tf.gather(lowest, notes[:, 0]) - tf.gather(lowest, before)
    pitch = tf.gather(lowest, note) + interval
    return tf.gather_nd(tf.constant(shapes.ids), tf.stack([tf.gather(shape, note), PITCHES + pitch], 1))
