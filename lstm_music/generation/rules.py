"""The rules of a generation, asked stream after stream at each event: which ids may be chosen, and which one has to be instead.

They are the grammar, the ending, the guards against loops and parallels, the drums, and given music, each in its own module.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import PART_COLUMN
from lstm_music.encoding.streams import STREAMS, heard
from lstm_music.generation.allowed import allowed_ids
from lstm_music.generation.drums import Beat, Drums
from lstm_music.generation.ending import NEVER, Bounds, Ending
from lstm_music.generation.given import Given
from lstm_music.generation.grammar import Grammar
from lstm_music.generation.loop_guard import History, forbidden_note, history_of, remember
from lstm_music.generation.parallels import Moves, ParallelGuard, moves_of
from lstm_music.generation.spec import GenerationSpec

OFFSET, NOTE = STREAMS[0], STREAMS[1]


class Kept(NamedTuple):
    """What the rules remember from one event to the next, int32 [outputs].

    `end` is where the music ends, in steps, `following` the number of the given note that comes next.
    """

    end: Any
    history: History
    moves: Moves
    beat: Beat
    following: Any


@dataclass(frozen=True, eq=False)
class Rules:
    """The rules of a generation; `drums` says where drums have to play, `given` which notes the result has to hold."""

    grammar: Grammar
    spec: GenerationSpec
    drums: Drums
    given: Given

    def before(self, tokens: npt.NDArray[np.int32], positions: npt.NDArray[np.int32]) -> Kept:
        """Remember the prompts, int32 [events, outputs, columns]; `positions` [outputs] in its bar has the last event of each."""
        grammar = self.grammar
        return Kept(
            np.full(tokens.shape[1], NEVER, np.int32),
            history_of(tokens, len(heard(grammar.streams))),
            moves_of(tokens, grammar.offset_steps, grammar.pitches, len(grammar.parts)),
            self.drums.before(tokens, positions),
            np.zeros(tokens.shape[1], np.int32),
        )


class EventRules:
    """The rules at one event, the `index`-th new one, for bars of `bars` steps, int32 [outputs].

    `last` int32 [outputs, columns] is the event before, which began at `onset` and at `position` in its bar, both int32
    [outputs] in steps; with the offset they become those of this event.
    """

    def __init__(
        self,
        rules: Rules,
        ending: Ending | None,
        bars: Any,
        index: Any,
        kept: Kept,
        last: Any,
        onset: Any,
        position: Any,
    ) -> None:
        self._grammar, self._spec, self._drums, self._given = rules.grammar, rules.spec, rules.drums, rules.given
        self._bounds = Bounds(rules.grammar, ending, bars)
        self._parallels = ParallelGuard(
            rules.grammar.pitches, is_on=rules.spec.avoid_parallels and rules.grammar.has_parts
        )
        self._bars, self._index, self._kept, self._last = bars, index, kept, last
        self._end = kept.end
        self.passed = np.zeros_like(onset)
        self._intervened = self._is_in_new_bar = self._has_drum_now = self._is_given = np.zeros_like(onset, np.bool_)
        self.onset, self.position = onset, position
        self.end_nats = np.zeros(onset.shape)

    def allowed(self, stream: str, current: Any, size: int) -> Any:
        """Say which of so many (`size`) ids may be chosen for a stream, bool [outputs, ids].

        `current` [outputs, columns] is what is known of the event.
        """
        bounds, onset = self._bounds, self.onset
        within = bounds.offsets(self._index, onset, self._end)
        may_end = self._index >= self._spec.min_events
        allowed = allowed_ids(stream, self._grammar, may_end, self._last, current, onset, size, within)
        if stream == OFFSET:
            allowed = self._drums.offsets(self._kept.beat, allowed, self._bars - self.position, self._bars)
        allowed = bounds.durations(stream, allowed, onset, self._end)
        allowed = self._given.allowed(stream, allowed, self._kept.following, onset, self._last, self._is_given)
        if stream == NOTE and self._spec.max_repeats:
            allowed, self._intervened = _led_out(allowed, self._note_of_a_loop(current))
        if stream == NOTE:
            allowed = self._parallels.avoided(allowed, self._kept.moves, current, self.passed)
        return self._drums.allowed(stream, allowed, self._has_drum_now)

    def chosen(self, stream: str, chosen: Any, logits: Any) -> Any:
        """Give the ids that stand for the chosen ones, int32 [outputs]; with an offset, go on to the place of the event."""
        chosen = self._bounds.cut(stream, chosen, self._index, self.onset, self._end)
        rest_of_bar = self._given.rest_of_bar(self.onset, self.position, self._bars)
        chosen, self._has_drum_now = self._drums.chosen(
            stream, self._kept.beat, self._last, rest_of_bar, chosen, self._has_drum_now
        )
        chosen, self._is_given = self._given.chosen(stream, chosen, self._kept.following, self.onset, self._is_given)
        if stream == OFFSET:
            self.passed = self._grammar.offset_steps[chosen]
            self._is_in_new_bar = self.passed >= rest_of_bar
            self.onset = self.onset + self.passed
            self.position = self._given.position(self.onset, self.position + self.passed, self._bars)
            self._end = self._bounds.end(self._index, self.onset, self.position, self._end)
            self.end_nats = self._bounds.end_nats(logits)
        return chosen

    def after(self, event: Any, ended: Any) -> Kept:
        """Remember the event, int32 [outputs, columns]; `ended` bool [outputs] says whose music has ended."""
        sounding = event[:, : len(heard(self._grammar.streams))]
        return Kept(
            self._end,
            remember(self._kept.history, sounding, self.passed, self._intervened & ~self._is_given & ~ended),
            self._parallels.moved(self._kept.moves, event, self.passed),
            self._drums.after(self._kept.beat, event, self._is_in_new_bar),
            self._kept.following + self._is_given.astype(np.int32),
        )

    def _note_of_a_loop(self, current: Any) -> Any:
        part = current[:, PART_COLUMN] if self._grammar.has_parts else None
        return forbidden_note(self._kept.history, current[:, 0], self._spec.max_repeats, self._bars, part)


def _led_out(allowed: Any, note: Any) -> tuple[Any, Any]:
    """Forbid a note where another is allowed; say where that was."""
    others = allowed & (np.arange(allowed.shape[-1])[None] != note[:, None])
    intervened = (note >= 0) & others.any(-1)
    return np.where(intervened[:, None], others, allowed), intervened
