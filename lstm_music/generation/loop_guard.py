"""The loop guard: it detects events that repeat again and again, and blocks the note that would go on with them.

Recurrent networks at low temperatures fall into cycles (Holtzman et al. 2020 call it degeneration). The guard watches every
period of up to `PERIODS` events at once, in all streams. The run of a period is how many events in a row equal the one that many
events before them. Music may repeat a pattern four times. If the pattern comes for the fifth time, and nothing else has come for
as many bars, it is a loop: the next note has to differ from the loop's.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.streams import ALL_STREAMS, PART

PERIODS = 128
"""The longest loop that is noticed, in events."""

NO_EVENT = -1
_PART = ALL_STREAMS.index(PART)


class History(NamedTuple):
    """What the guard remembers of each output.

    `events` int32 [periods, outputs, streams] are the last ones, the latest first. Of each period, int32 [periods, outputs]:
    `runs` is how many events in a row were the same as those that many events earlier, `steps` how long these lasted.
    `interventions` int32 [outputs] counts the notes that were forbidden.
    """

    events: Any
    runs: Any
    steps: Any
    interventions: Any


def history_of(tokens: npt.NDArray[np.int32], streams: int) -> History:
    """Begin with the events of the prompts, tokens [events, outputs, columns]: a loop may begin as a copy of them."""
    outputs = tokens.shape[1]
    events = np.full((PERIODS, outputs, streams), NO_EVENT, np.int32)
    latest = tokens[::-1][:PERIODS, :, :streams]
    events[: len(latest)] = latest
    nothing = np.zeros((PERIODS, outputs), np.int32)
    return History(events, nothing, nothing, nothing[0])


def forbidden_note(history: History, offsets: Any, max_repeats: int, bars: Any, parts: Any = None) -> Any:
    """Return the note that would go on with a loop, int32 [outputs]; `NO_EVENT` if there is no loop.

    `offsets` and, if there are any, `parts` int32 [outputs] are ids of the event that is being made, `bars` the steps of a
    bar. A pattern may come `max_repeats` times in a row, and until that many bars have passed.
    """
    periods = np.arange(1, PERIODS + 1)[:, None]
    again = max_repeats - 1  # times, after the first
    loops = (history.runs >= again * periods) & (history.steps >= again * bars[None])
    loops &= history.events[:, :, 0] == offsets[None]
    if parts is not None:
        loops &= history.events[:, :, _PART] == parts[None]
    first = loops.argmax(0)
    note = history.events[first, np.arange(len(first)), 1]
    return np.where(loops.any(0), note, NO_EVENT)


def remember(history: History, event: Any, passed: Any, intervened: Any) -> History:
    """Remember an event, int32 [outputs, streams], that came `passed` steps after the one before it."""
    same = (history.events == event[None]).all(-1)
    return History(
        events=np.concatenate([event[None], history.events[:-1]], 0),
        runs=np.where(same, history.runs + 1, 0),
        steps=np.where(same, history.steps + passed[None], 0),
        interventions=history.interventions + intervened.astype(np.int32),
    )
