"""The own echoes of each event as it is made: what `encoding.own_echoes` finds in a whole piece, event by event, compiled.

For each event in memory there is kept how many steps in a row, the last one to this event, were like those to the latest event
of its part. Once offset and part of a new event are known, so is the step to it: runs that go on with such a step are one longer.
Like the echoes of `generation.echo`, they look back at most `MOST_HEARD` events; a run that began before counts from there.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstm_music.encoding.echoes import HIGHEST_INTERVAL, LENGTHS, NO_INTERVAL, NOTE, PART_COLUMN, RANKS, pack
from lstm_music.encoding.own_echoes import DURATION, MOST_STEPS, NO_STEP, step_keys
from lstm_music.encoding.shapes import PITCHES, Shapes
from lstm_music.encoding.vocabulary import START
from lstm_music.generation.echo import NO_KEY, Past

NO_PART = -1


class OwnPast(NamedTuple):
    """What was heard of the parts in each output, the latest event first; all but `now` are [distances, outputs].

    `parts` int32 says who played, `backs` int32 how many events earlier the part played before (0: never), `befores` int32 the
    note it played then, and `keys` int64 is that of the step from there. `onsets` int32 and `now` [outputs], the latest onset,
    are in steps of the grid. `runs` int32 are those of the steps to this event and to the latest event of its part.
    """

    parts: Any
    backs: Any
    befores: Any
    keys: Any
    onsets: Any
    runs: Any
    now: Any


class Step(NamedTuple):
    """The step to a new event of a part: see `step_to`; `latest` is the distance of the part's latest event, -1 if there is none.

    `key` int64 and `before` int32 (the note of that event) are [outputs], `runs` int32 [distances, outputs] those with the step
    counted, of this part only.
    """

    latest: Any
    key: Any
    before: Any
    is_own: Any
    runs: Any
    now: Any


def begin(tokens: npt.NDArray[np.int32], room: int, shapes: Shapes, steps: npt.NDArray[np.int32]) -> OwnPast:
    """Begin with the events of the prompts, tokens [events, outputs, streams], and room for so many events.

    `steps` int32 [offset ids] is how long each offset is, in steps of the grid.
    """
    count, outputs, _ = tokens.shape
    found = OwnPast(
        parts=np.full((room, outputs), NO_PART, np.int32),
        backs=np.zeros((room, outputs), np.int32),
        befores=np.full((room, outputs), START, np.int32),
        keys=np.full((room, outputs), NO_KEY, np.int64),
        onsets=np.zeros((room, outputs), np.int32),
        runs=np.zeros((room, outputs), np.int32),
        now=np.zeros(outputs, np.int32),
    )
    for output in range(outputs if count else 0):
        events = tokens[:, output].astype(np.int64)
        onsets = np.cumsum(steps[events[:, 0]], dtype=np.int64)
        found.now[output] = onsets[-1]
        for part in np.unique(events[:, PART_COLUMN]):
            own = np.flatnonzero(events[:, PART_COLUMN] == part)
            notes, is_first = events[own, NOTE], np.arange(len(own)) == 0
            keys = step_keys(onsets[own], notes, events[own, DURATION], is_first, shapes)
            distances = count - 1 - own
            kept = distances < room
            values = {
                "parts": np.full(len(own), part),
                "backs": np.diff(own, prepend=own[0]),
                "befores": np.where(is_first, START, np.roll(notes, 1)),
                "keys": keys,
                "onsets": onsets[own],
                "runs": _runs_to_the_last(keys),
            }
            for name, of_events in values.items():
                getattr(found, name)[distances[kept], output] = of_events[kept]
    return OwnPast(*map(tf.constant, found))


def _runs_to_the_last(keys: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Count for each event how many keys in a row, up to its own, are those up to the last one; 0 for the last one itself."""
    runs = np.zeros(len(keys), np.int64)
    for lag in range(1, len(keys)):
        differs = (keys[lag:] != keys[:-lag])[::-1]
        runs[len(keys) - 1 - lag] = differs.argmax() if differs.any() else len(keys) - lag
    return runs


def step_to(own: OwnPast, past: Past, passed: Any, part: Any, shapes: Shapes) -> Step:
    """Find the step to a new event of a part, int32 [outputs], `passed` steps of the grid after the latest event."""
    is_own = own.parts == part
    has = tf.reduce_any(is_own, 0)
    latest = tf.argmax(is_own, 0, tf.int32)  # the first of them
    event = _at(past.events, latest)
    note, duration = tf.unstack(tf.maximum(tf.gather(event, (NOTE, DURATION), axis=1), START), axis=1)
    now = own.now + passed
    gap = tf.minimum(now - _at(own.onsets, latest), MOST_STEPS)
    interval = _interval(note, _at(own.befores, latest), shapes)
    fields = (gap, duration, tf.gather(tf.constant(shapes.shape), note), interval)
    key = tf.where(has, pack(*(tf.cast(field, tf.int64) for field in fields))[0], NO_STEP)
    room = own.runs.shape[0]
    longer = tf.concat([own.runs, tf.zeros_like(own.runs[:1])], 0)
    where = tf.minimum(tf.range(room)[:, None] + own.backs, room)
    before = tf.gather(tf.transpose(longer), tf.transpose(where), batch_dims=1)
    goes_on = is_own & (own.keys == key) & (own.backs > 0)
    runs = tf.where(goes_on, tf.transpose(before) + 1, 0)
    return Step(tf.where(has, latest, -1), key, tf.where(has, note, START), is_own, runs, now)


def own_echoes(step: Step, own: OwnPast, past: Past, shapes: Shapes) -> Any:
    """Give the own echoes of the event to which a step leads, int32 [outputs, columns of `OWN_ECHOES`]."""
    room = own.runs.shape[0]
    reached = tf.add_n([tf.cast(step.runs >= length, tf.int32) for length in LENGTHS])
    order = reached * (room + 1) + tf.range(room, 0, -1)[:, None]  # of equally long runs the latest is taken
    best = []
    for _ in range(RANKS):
        best.append(tf.maximum(tf.reduce_max(order, 0), 1))  # never the same twice, until none is left
        order = tf.where(order == best[-1], -1, order)
    found = tf.stack(best, 1)
    lengths, places = found // (room + 1), room - found % (room + 1)
    events = tf.maximum(tf.transpose(past.events, [1, 0, 2]), START)
    there = tf.gather(tf.gather(events, (NOTE, DURATION), axis=2), places, batch_dims=1)
    before = tf.gather(tf.transpose(own.befores), places, batch_dims=1)
    interval = _interval(step.before[:, None], before, shapes)
    interval = tf.where(interval == NO_INTERVAL, 0, interval - HIGHEST_INTERVAL)
    pitch = PITCHES + tf.gather(tf.constant(shapes.lowest), there[..., 0]) + interval
    moved = tf.gather_nd(
        tf.constant(shapes.ids), tf.stack([tf.gather(tf.constant(shapes.shape), there[..., 0]), pitch], -1)
    )
    values = tf.where((lengths > 0)[..., None], tf.stack([moved, there[..., 1]], -1), START)
    columns = tf.concat([values, lengths[..., None]], -1)
    return tf.reshape(columns, [-1, columns.shape[1] * columns.shape[2]])


def hear(own: OwnPast, step: Step, part: Any) -> OwnPast:
    """Remember the event to which a step led."""
    return OwnPast(
        parts=_pushed(own.parts, part),
        backs=_pushed(own.backs, step.latest + 1),
        befores=_pushed(own.befores, step.before),
        keys=_pushed(own.keys, step.key),
        onsets=_pushed(own.onsets, step.now),
        runs=_pushed(tf.where(step.is_own, step.runs, own.runs), tf.zeros_like(part)),
        now=step.now,
    )


def _interval(notes: Any, before: Any, shapes: Shapes) -> Any:
    """Give the interval from the notes `before`, as `encoding.own_echoes.line_intervals` does."""
    lowest, is_pitched = tf.constant(shapes.lowest), tf.constant(shapes.is_pitched)
    are_pitched = tf.gather(is_pitched, notes) & tf.gather(is_pitched, before)
    return tf.where(are_pitched, tf.gather(lowest, notes) - tf.gather(lowest, before) + HIGHEST_INTERVAL, NO_INTERVAL)


def _at(values: Any, distances: Any) -> Any:
    """Pick what stands at a distance in each output, [outputs, …] of [distances, outputs, …]."""
    return tf.gather_nd(values, tf.stack([distances, tf.range(tf.shape(distances)[0])], 1))


def _pushed(values: Any, latest: Any) -> Any:
    return tf.concat([latest[None], values[:-1]], 0)
