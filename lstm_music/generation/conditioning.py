"""Conditioning in the loop: the controls of `encoding.controls` at each new event, by what is asked of its bar.

The controls of an event describe the rest of its bar: what is asked, less what the bar has already. After four notes of a bar of
ten, six are left. So the models correct themselves within the bar. The mean pitch of the rest follows from the share of the bar
that is left; it never lies more than an octave from what was asked.

Models follow their controls only roughly, so there are rails beside them: see `rails`.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.controls import (
    ENDING_BARS,
    MOST_EVENTS,
    MOST_NOTES,
    NOTHING,
    PITCHES,
    POLYPHONY_STEPS,
)
from lstm_music.encoding.streams import STREAMS
from lstm_music.generation.grammar import Grammar

OCTAVE = 12

_OFFSET, _NOTE, _DURATION = (STREAMS.index(stream) for stream in ("offset", "note", "duration"))


class Asked(NamedTuple):
    """What is asked of each bar of new music; the first is the one that it begins in, and nothing is asked after the last.

    `bars` int32 [outputs] is how many bars there are in all, 0 where that is open. `key` int32 [bars] and `chord`
    int32 [outputs, bars, quarters] are ids, `density` float64 [bars] events a bar, `polyphony` float64 [bars] notes at once,
    `mean_pitch` float64 [bars] a MIDI number; 0 asks nothing.
    """

    bars: Any
    key: Any
    chord: Any
    density: Any
    polyphony: Any
    mean_pitch: Any


class BarSoFar(NamedTuple):
    """What happened since the barline, or since the music began if that was later: int32 [outputs], times in steps.

    `bar` is the number of the bar, -1 before the music begins, `begun` where in it the music began. `events`, `notes` (those
    with a pitch) and the sum of their `pitches` are of this bar alone, as is `area`: how long notes sounded in it, added up.
    `sounding` int32 [outputs, steps] is how many notes sound at each step from the last event on.
    """

    bar: Any
    begun: Any
    events: Any
    notes: Any
    pitches: Any
    area: Any
    sounding: Any


@dataclass(frozen=True, eq=False)
class Conditioning:
    """Sets the `columns` of the controls, by name, to what is left of what is `asked`, if anything is."""

    grammar: Grammar
    columns: dict[str, int]
    asked: Asked | None

    @property
    def guided(self) -> list[int]:
        """The columns of the controls to which guidance is given, none if only the end is known: rules lead there exactly."""
        if self.asked is None or not any(np.any(values) for values in self.asked[1:]):
            return []
        return [column for control, column in self.columns.items() if control != "ending"]

    def before(self, tokens: npt.NDArray[np.int32]) -> BarSoFar:
        """Begin after prompts, int32 [events, outputs, columns]."""
        outputs = tokens.shape[1]
        zeros = np.zeros(outputs, np.int32)
        sounding = _sounding_after(tokens, self.grammar)
        return BarSoFar(zeros - 1, zeros, zeros, zeros, zeros, zeros, sounding)

    def condition(
        self, current: npt.NDArray[np.int32], so_far: BarSoFar, passed: Any, position: Any, bars: Any
    ) -> BarSoFar:
        """Set the controls of an event, int32 [outputs, columns], whose place is known; return what is known now.

        It begins `passed` steps after the event before, at `position` of a bar of `bars` steps, all int32 [outputs].
        """
        if self.asked is None:
            return so_far
        is_first = so_far.bar < 0
        crossed = np.where(is_first, 0, np.maximum(passed - position + bars - 1, 0) // bars)  # barlines
        is_new = is_first | (crossed > 0)
        until, until_barline = (sounding_until(so_far.sounding, steps) for steps in (passed, passed - position))
        area = np.where(is_first, 0, np.where(is_new, until - until_barline, so_far.area + until))
        so_far = so_far._replace(
            bar=np.where(is_first, 0, so_far.bar + crossed),
            begun=np.where(is_first, position, np.where(is_new, 0, so_far.begun)),
            events=np.where(is_new, 0, so_far.events),
            notes=np.where(is_new, 0, so_far.notes),
            pitches=np.where(is_new, 0, so_far.pitches),
            area=area,
            sounding=_later(so_far.sounding, passed),
        )
        for control, ids in self._ids(so_far, position, bars).items():
            column = self.columns.get(control)
            if column is not None:
                current[:, column] = ids
        return so_far

    def after(self, so_far: BarSoFar, current: Any) -> BarSoFar:
        """Count an event, int32 [outputs, columns]."""
        if self.asked is None:
            return so_far
        pitch = self.grammar.pitches[current[:, _NOTE]]
        is_pitched = (pitch >= 0).astype(np.int32)
        lasts = self.grammar.duration_steps[current[:, _DURATION]]
        steps = np.arange(so_far.sounding.shape[1])[None]
        return so_far._replace(
            events=so_far.events + 1,
            notes=so_far.notes + is_pitched,
            pitches=so_far.pitches + is_pitched * pitch,
            sounding=so_far.sounding + (steps < lasts[:, None]).astype(np.int32) * is_pitched[:, None],
        )

    def _ids(self, so_far: BarSoFar, position: Any, bars: Any) -> dict[str, Any]:
        """Give the id of each control at an event, int32 [outputs]."""
        asked, bar = self.asked, so_far.bar
        assert asked is not None
        floats = np.float64
        left, whole = (bars - position).astype(floats), bars.astype(floats)
        span = (bars - so_far.begun).astype(floats)  # of the bar, for the music
        events = np.rint(of_bar(asked.density, bar) * span / whole) - so_far.events.astype(floats)
        return {
            "ending": _ending(asked.bars - bar),
            "key": of_bar(asked.key, bar),
            "chord": _of_quarter(asked.chord, bar, position // self.grammar.steps_per_quarter),
            "density": _where_asked(of_bar(asked.density, bar), np.clip(events, 1, MOST_EVENTS)),
            "polyphony": self._polyphony(of_bar(asked.polyphony, bar), so_far, span, left),
            "mean_pitch": self._mean_pitch(of_bar(asked.mean_pitch, bar), so_far, span, left),
        }

    def _polyphony(self, asked: Any, so_far: BarSoFar, span: Any, left: Any) -> Any:
        owed = (asked * span - so_far.area.astype(np.float64)) / left
        ids = 1 + np.clip(np.rint(owed * POLYPHONY_STEPS), 0, POLYPHONY_STEPS * MOST_NOTES - 1)
        return _where_asked(asked, ids)

    def _mean_pitch(self, asked: Any, so_far: BarSoFar, span: Any, left: Any) -> Any:
        played = so_far.notes.astype(np.float64)
        off = np.where(played > 0, asked - so_far.pitches.astype(np.float64) / np.maximum(played, 1), 0.0)
        owed = asked + np.clip(off * (span - left) / left, -OCTAVE, OCTAVE)
        return _where_asked(asked, 1 + np.clip(np.floor(owed + 0.5), 0, PITCHES - 1))


def of_bar(asked: Any, bar: Any) -> Any:
    """Give what is asked of a bar, [outputs]; 0 after the last."""
    inside = bar < asked.shape[0]
    return np.where(inside, asked[np.where(inside, bar, 0)], 0)


def _of_quarter(asked: Any, bar: Any, quarter: Any) -> Any:
    """Give what is asked of a quarter of a bar, [outputs]; 0 after the last bar, and a later quarter counts as the last."""
    inside = bar < asked.shape[1]
    found = asked[np.arange(len(bar)), np.where(inside, bar, 0), np.minimum(quarter, asked.shape[2] - 1)]
    return np.where(inside, found, NOTHING)


def _where_asked(asked: Any, ids: Any) -> Any:
    """Give the ids, or `NOTHING` where nothing is asked."""
    return np.where(asked > 0, ids.astype(np.int32), NOTHING)


def _ending(bars: Any) -> Any:
    """Give the ids of numbers of bars until the end; nothing where that is open, or behind it."""
    bucket = (bars[:, None] > np.array(ENDING_BARS)[None]).sum(1)
    return np.where(bars > 0, 1 + np.minimum(bucket, len(ENDING_BARS) - 1), NOTHING)


def sounding_until(sounding: Any, steps: Any) -> Any:
    """Give how long notes sound within the next steps, added up, int32 [outputs]."""
    return np.where(np.arange(sounding.shape[1])[None] < steps[:, None], sounding, 0).sum(1)


def _later(sounding: Any, passed: Any) -> Any:
    """Give what sounds from some steps later on."""
    width = sounding.shape[1]
    place = np.arange(width)[None] + passed[:, None]
    found = np.take_along_axis(sounding, np.minimum(place, width - 1), 1)
    return np.where(place < width, found, 0)


def _sounding_after(tokens: npt.NDArray[np.int32], grammar: Grammar) -> npt.NDArray[np.int32]:
    """Count the notes that sound at each step from the last event of each prompt on, int32 [outputs, steps]."""
    allowed = grammar.duration_steps[grammar.durations]
    horizon = int(max(allowed.max(initial=0), 1)) + 1
    outputs = tokens.shape[1]
    if not len(tokens):
        return np.zeros((outputs, horizon), np.int32)
    onset = np.cumsum(grammar.offset_steps[tokens[..., _OFFSET]], axis=0)
    ends = onset + grammar.duration_steps[tokens[..., _DURATION]] - onset[-1]
    is_pitched = grammar.pitches[tokens[..., _NOTE]] >= 0
    is_sounding = (ends[..., None] > np.arange(horizon)) & is_pitched[..., None]
    found: npt.NDArray[np.int32] = is_sounding.sum(axis=0, dtype=np.int32)
    return found
