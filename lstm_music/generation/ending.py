"""Where music of a given length ends: no note begins or sounds behind its last barline, and the last bar has one.

An offset that would lead past the end is the end. So the last bar is played as any bar, and then cut: music ends after that note
of the last bar after which the models find the end of a piece likeliest, and what sounds last is held until the barline.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.streams import ALL_STREAMS, PART, STREAMS
from lstm_music.encoding.vocabulary import END
from lstm_music.generation.grammar import Grammar
from lstm_music.inference.exact import log_softmax

NEVER = 2**30
"""A length, in steps, for music without a given end."""

_OFFSET, _NOTE, _DURATION, _PART = (ALL_STREAMS.index(stream) for stream in (*STREAMS, PART))


class Ending(NamedTuple):
    """Of each output: `lengths` int32 [outputs] in steps from the barline before its first event to its end.

    `waits` int32 [outputs] are the steps from the prompt's last event before which the music does not begin, `latest` those
    before which it does, `NEVER` where it may begin at any time.
    """

    lengths: Any
    waits: Any
    latest: Any


class Bounds:
    """The rules of an ending in the loop, for bars of `bars` steps, int32 [outputs]; without an ending there are none.

    `onset` is where the last event began and `end` where the music ends, int32 [outputs], in steps since the start of the piece.
    """

    def __init__(self, grammar: Grammar, ending: Ending | None, bars: Any) -> None:
        self._grammar, self._ending, self._bars = grammar, ending, bars

    def offsets(self, index: Any, onset: Any, end: Any) -> Any:
        """Say which offsets may follow, bool [outputs, ids] or None for all: none past the end, but out of the last bar."""
        if self._ending is None:
            return None
        steps = self._grammar.offset_steps[None]
        inside = (steps < (end - onset)[:, None]) | (onset >= end - self._bars)[:, None]
        waiting = steps >= self._ending.waits[:, None]
        timely = waiting & (steps < self._ending.latest[:, None])
        reach = self._grammar.on_grid[onset % self._grammar.steps_per_quarter]
        waiting |= ~(waiting & reach).any(-1, keepdims=True)
        waiting = np.where((timely & reach).any(-1, keepdims=True), timely, waiting)
        return np.where(index == 0, waiting, inside)

    def durations(self, stream: str, allowed: Any, onset: Any, end: Any) -> Any:
        """Leave the durations that end with the music, or the shortest where all are longer; other streams stay."""
        if self._ending is None or stream != STREAMS[_DURATION]:
            return allowed
        return with_room(allowed, self._grammar.duration_steps, end - onset)

    def cut(self, stream: str, chosen: Any, index: Any, onset: Any, end: Any) -> Any:
        """Put the end in place of an offset that leads past it, int32 [outputs]; other streams stay."""
        if self._ending is None or stream != STREAMS[_OFFSET]:
            return chosen
        is_past = onset + self._grammar.offset_steps[chosen] >= end
        return np.where(is_past & (index > 0), END, chosen)

    def end(self, index: Any, onset: Any, position: Any, end: Any) -> Any:
        """Say where the music ends, once its first event has a place: `position` int32 [outputs] in its bar."""
        return end if self._ending is None else np.where(index == 0, onset - position + self._ending.lengths, end)

    def end_nats(self, logits: Any) -> Any:
        """Say how unlikely the end of the piece is, float64 [outputs], by the logits of the offset; 0 without an ending."""
        outputs = len(logits)
        if self._ending is None:
            return np.zeros(outputs)
        return -log_softmax(logits)[:, END]


def with_room(allowed: Any, duration_steps: Any, room: Any) -> Any:
    """Leave the durations of at most `room` steps, int32 [outputs], or the shortest if all are longer: bool [outputs, ids]."""
    steps = duration_steps[None]
    inside = allowed & (steps <= room[:, None])
    shortest = np.where(allowed, steps, NEVER).min(-1, keepdims=True)
    return np.where(inside.any(-1, keepdims=True), inside, allowed & (steps == shortest))


def ended_well(
    tokens: npt.NDArray[np.int32],
    end_nats: npt.NDArray[np.float64],
    grammar: Grammar,
    *,
    first_position_steps: int,
    length: int,
    bar: int,
    drums: int | None = None,
) -> npt.NDArray[np.int32]:
    """End in the last bar where the models find it likeliest, and hold the last notes; return tokens [events, columns].

    `end_nats` [events] is how unlikely an end is after each event. `first_position_steps` is where the first event lies in its
    bar, `length` the steps from that barline to the end, `bar` those of the last bar. Where the part of the drums, `drums`, has
    to play in every bar, the end is not before its first note of the last bar. The last notes but drums, which may come later,
    sound until the end, or as near to it as there is a duration.
    """
    onsets = first_position_steps + np.cumsum(grammar.offset_steps[tokens[:, 0]]) - grammar.offset_steps[tokens[0, 0]]
    in_last_bar = np.flatnonzero(onsets >= length - bar)
    if drums is not None and len(in_last_bar):
        first = int((tokens[in_last_bar, _PART] == drums).argmax())  # 0 where there is none
        in_last_bar = in_last_bar[first:]
    if len(in_last_bar):
        count = int(in_last_bar[end_nats[in_last_bar].argmin()]) + 1
        tokens, onsets = tokens[:count], onsets[:count]
    is_held = grammar.pitches[tokens[:, _NOTE]] >= 0 if grammar.has_parts else np.ones(len(tokens), np.bool_)
    is_held = is_held if is_held.any() else ~is_held
    last = int(onsets[is_held].max())
    held, room = tokens.copy(), length - last
    for event in np.flatnonzero(is_held & (onsets == last)).tolist():
        allowed = grammar.durations_of_part[tokens[event, _PART]] if grammar.has_parts else grammar.durations
        steps = np.where(allowed & (grammar.duration_steps <= room), grammar.duration_steps, 0)
        if steps.max() > grammar.duration_steps[tokens[event, _DURATION]]:
            held[event, _DURATION] = steps.argmax()
    return held


def held_in_notes(
    notes: npt.NDArray[np.void], begin_ticks: int, end_ticks: int, most_ticks: float
) -> npt.NDArray[np.void]:
    """Hold the last notes until the very end, for which the models may know no duration; none longer than `most_ticks`.

    They are those of the last onset, from `begin_ticks` on, that are longest there. Drums are not held and may come later.
    """
    may_be_held = ~notes["is_drum"] & (notes["onset_ticks"] >= begin_ticks)
    if not may_be_held.any():
        return notes
    held, onset = notes.copy(), int(notes["onset_ticks"][may_be_held].max())
    is_last = may_be_held & (notes["onset_ticks"] == onset)
    is_last &= notes["duration_ticks"] == notes["duration_ticks"][is_last].max()
    if end_ticks - onset <= most_ticks:
        held["duration_ticks"][is_last] = np.maximum(held["duration_ticks"][is_last], end_ticks - onset)
    return held
