"""A guard against loops: it notices that the same events come again and again, and forbids them to go on.

Recurrent networks at low temperatures fall into cycles (Holtzman et al. 2020 call it degeneration; it is what users of the
neighbouring projects complain of first). Here every period of up to `PERIODS` events is watched at once, in all streams: the
run of a period is how many events in a row were the same as the one that many events before them. Music may say a
thing four times; what says it for the fifth time, and has done nothing else for as many bars, is a loop. Then the next note
has to be another one than the loop's.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf

PERIODS = 128
"""The longest loop that is noticed, in events."""

NO_EVENT = -1


class Heard(NamedTuple):
    """What the guard remembers of each output.

    `events` int32 [periods, outputs, streams] are the last ones, the latest first. Of each period, int32 [periods, outputs]:
    `runs` is how many events in a row were the same as those that many events earlier, `steps` how long these lasted.
    `interventions` int32 [outputs] counts the notes that were forbidden.
    """

    events: Any
    runs: Any
    steps: Any
    interventions: Any


def heard_before(tokens: npt.NDArray[np.int32], streams: int) -> Heard:
    """Begin with the events of the prompts, tokens [events, outputs, columns]: a loop may begin as a copy of them."""
    outputs = tokens.shape[1]
    events = np.full((PERIODS, outputs, streams), NO_EVENT, np.int32)
    latest = tokens[::-1][:PERIODS, :, :streams]
    events[: len(latest)] = latest
    nothing = np.zeros((PERIODS, outputs), np.int32)
    return Heard(*map(tf.constant, (events, nothing, nothing, nothing[0])))


def forbidden_note(heard: Heard, offsets: Any, max_repeats: int, bars: Any) -> Any:
    """Give the note that would carry a loop on, int32 [outputs]; `NO_EVENT` where there is none.

    `offsets` int32 [outputs] are the ids of the event that is being made, `bars` the steps of a bar. A pattern may be heard
    `max_repeats` times in a row, and until that many bars have passed.
    """
    periods = tf.range(1, PERIODS + 1)[:, None]
    again = max_repeats - 1  # times, after the first
    loops = (heard.runs >= again * periods) & (heard.steps >= again * bars[None])
    loops &= heard.events[:, :, 0] == offsets[None]
    first = tf.argmax(tf.cast(loops, tf.int32), 0, tf.int32)
    note = tf.gather(tf.transpose(heard.events[:, :, 1]), first, axis=1, batch_dims=1)
    return tf.where(tf.reduce_any(loops, 0), note, NO_EVENT)


def hear(heard: Heard, event: Any, passed: Any, intervened: Any) -> Heard:
    """Remember an event, int32 [outputs, streams], that came `passed` steps after the one before it."""
    same = tf.reduce_all(heard.events == event[None], -1)
    return Heard(
        events=tf.concat([event[None], heard.events[:-1]], 0),
        runs=tf.where(same, heard.runs + 1, 0),
        steps=tf.where(same, heard.steps + passed[None], 0),
        interventions=heard.interventions + tf.cast(intervened, tf.int32),
    )
