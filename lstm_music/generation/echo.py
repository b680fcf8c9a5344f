"""The echoes of each event as it is made: what `encoding.echoes` finds in a whole piece, event by event, compiled.

Every distance is watched at once: its run is how many events in a row sounded like those that many events earlier.
Generation looks back at most `MOST_HEARD` events, and has nothing from before the prompt; on the held-out pieces
1.6 % of the melody's echoes and 1.2 % of the rhythm's come from farther back than that.
"""

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
    best = []
    for _ in range(ranks):
        best.append(tf.maximum(tf.reduce_max(order, 1), 1))  # never the same twice, until none is left
        order = tf.where(order == best[-1][:, None], -1, order)
    found = tf.reshape(tf.stack(best), [ranks * len(KINDS), -1])
    return _columns(past, tf.transpose(found // (room + 1)), tf.transpose(room - found % (room + 1)), shapes)


def _columns(past: Past, lengths: Any, places: Any, shapes: Shapes) -> Any:
    """Give the columns of echoes whose lengths and places are [outputs, ranks · kinds]."""
    by_output = tf.maximum(tf.transpose(past.events, [1, 0, 2]), START)
    values = tf.gather(by_output, places, batch_dims=1)
    is_melody = np.tile([kind == "melody" for kind in KINDS], lengths.shape[1] // len(KINDS))
    moved = tf.where(
        is_melody, _in_the_key_of_here(by_output[..., NOTE], past.heights, places, shapes), values[..., NOTE]
    )
    values = tf.concat([values[..., :NOTE], moved[..., None], values[..., NOTE + 1 :]], -1)
    columns = tf.concat([tf.where(lengths[..., None] > 0, values, START), lengths[..., None]], -1)
    return tf.reshape(columns, [-1, columns.shape[1] * columns.shape[2]])


def _in_the_key_of_here(notes: Any, heights: Any, places: Any, shapes: Shapes) -> Any:
    """Move the notes at the places, int32 [outputs, echoes], as far as what stands before them is from the latest."""
    shape, lowest = tf.constant(shapes.shape), tf.constant(shapes.lowest)
    note, before = (tf.gather(notes, where, batch_dims=1) for where in (places, places + 1))
    if heights.shape[0]:
        by_output = tf.transpose(heights)
        here, there = by_output[:, :1], tf.gather(by_output, places + 1, batch_dims=1)
        interval = tf.where((here == NO_HEIGHT) | (there == NO_HEIGHT), 0, here - there)
    else:
        interval = tf.gather(lowest, notes[:, :1]) - tf.gather(lowest, before)
    pitch = tf.gather(lowest, note) + interval
    return tf.gather_nd(tf.constant(shapes.ids), tf.stack([tf.gather(shape, note), PITCHES + pitch], -1))
