"""The own echoes of each event as it is made: what `encoding.own_echoes` finds in a whole piece, event by event.

For each event in memory there is kept how many steps in a row, the last one to this event, were like those to the latest event
of its part. Once offset and part of a new event are known, so is the step to it: runs that go on with such a step are one longer.
Like the echoes of `generation.echo`, they look back at most `MOST_HEARD` events; a run that began before counts from there.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import MOST_PARTS, NOTE, PART_COLUMN, RANKS, pack
from lstm_music.encoding.own_echoes import DURATION, MOST_STEPS, NO_STEP, OWN_ECHOES, in_the_key_of, line_intervals
from lstm_music.encoding.shapes import Shapes
from lstm_music.encoding.vocabulary import START
from lstm_music.generation.echo import Past, are_at, best_runs

Ids = npt.NDArray[np.int64]

NO_PART = -1
_NONE = -1


class Step(NamedTuple):
    """The step to a new event of a part, int [outputs]: `latest` is the place of the part's latest event, -1 if there is none.

    `key` is that of the step, `before` the note of the latest event, and `now` the onset of the new one, in steps of the grid.
    `row`, `place` and `run` [runs] are the output, the event and the length of each run, with this step.
    """

    part: Ids
    latest: Ids
    key: Ids
    before: Ids
    now: Ids
    row: Ids
    place: Ids
    run: npt.NDArray[np.int32]


class OwnPast:
    """What was heard of the parts in each output, the earliest event first, beside a `Past`; `hear` writes into it."""

    def __init__(self, past: Past, offset_steps: npt.NDArray[np.int32]) -> None:
        outputs, places, _ = past.events.shape
        self._past, self._offset_steps = past, offset_steps
        self._output = np.arange(outputs)
        self._parts = np.full((outputs, places), NO_PART, np.int32)  # who played
        self._previous = np.full((outputs, places), _NONE, np.int32)  # the place where the part played before
        self._befores = np.full((outputs, places), START, np.int64)  # and its note there
        self._keys = np.full((outputs, places), NO_STEP, np.int64)  # of the step from there
        self._runs = np.zeros((outputs, places), np.int32)
        self._latest = np.full((outputs, MOST_PARTS), _NONE, np.int64)  # the place of each part's latest event
        self._onsets = np.zeros((outputs, MOST_PARTS), np.int64)  # of these events
        self._now = np.zeros(outputs, np.int64)

    def step_to(self, offset: npt.NDArray[np.int32], parts: npt.NDArray[np.int32]) -> Step:
        """Find the step to the next event, given the ids of its offset and its part, int32 [outputs]."""
        part = parts.astype(np.int64)
        past, shapes, output = self._past, self._past.shapes, self._output
        latest, now = self._latest[output, part], self._now + self._offset_steps[offset]
        has = latest != _NONE
        note, duration = past.events[output, latest][:, (NOTE, DURATION)].T.astype(np.int64)
        gap = np.minimum(now - self._onsets[output, part], MOST_STEPS)
        interval = line_intervals(note, self._befores[output, latest], shapes)
        key = np.where(has, pack(gap, duration, shapes.shape[note].astype(np.int64), interval)[0], NO_STEP)
        row, place, run = self._runs_with(key, part)
        return Step(part, latest, key, np.where(has, note, START), now, row, place, run)

    @property
    def _start(self) -> int:
        """The first place that is looked back at."""
        return max(self._past.count - self._past.distances, 0)

    def _runs_with(self, key: Ids, part: Ids) -> tuple[Ids, Ids, npt.NDArray[np.int32]]:
        """Give the output, the event and the length of each run of a part that goes on with this step."""
        seen = slice(self._start, self._past.count)
        row, place = are_at((self._keys[:, seen] == key[:, None]) & (self._parts[:, seen] == part[:, None]))
        place += seen.start
        previous = self._previous[row, place]
        return row, place, np.where(previous >= seen.start, self._runs[row, previous], 0) + 1

    def own_echoes(self, step: Step) -> npt.NDArray[np.int32]:
        """Give the own echoes of the event to which a step leads, int32 [outputs, columns of `OWN_ECHOES`]."""
        output = self._output[:, None]
        places, lengths = best_runs(step.row, step.place, step.run, len(output), RANKS)
        there = self._past.events[output, places].astype(np.int64)
        before = self._befores[output, places]
        found = np.empty((*places.shape, 3), np.int32)
        found[..., 0] = in_the_key_of(there[..., NOTE], before, step.before[:, None], self._past.shapes)
        found[..., 1], found[..., 2] = there[..., DURATION], lengths
        found[lengths == 0, :2] = START
        return found.reshape(-1, len(OWN_ECHOES))

    def hear(self, step: Step) -> None:
        """Remember the event to which a step led, before the `Past` hears it."""
        here, start, output = self._past.count, self._start, self._output
        self._runs[:, start:here] *= self._parts[:, start:here] != step.part[:, None]
        self._runs[step.row, step.place] = step.run
        self._parts[:, here], self._previous[:, here], self._befores[:, here] = step.part, step.latest, step.before
        self._keys[:, here], self._now = step.key, step.now
        self._latest[output, step.part], self._onsets[output, step.part] = here, step.now


def begin(
    tokens: npt.NDArray[np.int32], more: int, shapes: Shapes, offset_steps: npt.NDArray[np.int32]
) -> tuple[Past, OwnPast]:
    """Begin both with the events of the prompts, tokens [events, outputs, streams], which so many `more` will follow.

    `offset_steps` int32 [offset ids] is how long each offset is, in steps of the grid.
    """
    count, outputs, streams = tokens.shape
    past = Past(outputs, count + more, streams, shapes)
    own = OwnPast(past, offset_steps)
    for event in tokens:
        own.hear(own.step_to(event[:, 0], event[:, PART_COLUMN]))
        past.hear(event)
    return past, own
