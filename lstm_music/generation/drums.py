"""Drums in every bar, where a user asks for them: the models choose the drums, and whether more follow.

A model of several parts says at each event who plays. Its music may not leave the first onset before a drum has played there,
unless the prompt's last bar has drums, and it may leave no bar before a drum has played in it, nor jump over a whole bar, unless
no shorter offset may follow. Drums are the last part of an
onset, so nothing else is kept from playing. A recipe may name its parts in another order; then a drum may begin the next onset.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.parts import without_drums
from lstm_music.encoding.streams import ALL_STREAMS, PART, STREAMS
from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, Vocabulary
from lstm_music.errors import RecipeError
from lstm_music.midi.general_midi import DRUMS

_PART = ALL_STREAMS.index(PART)


class Beat(NamedTuple):
    """What the drums did, each bool [outputs].

    `heard` says whether they have played in the bar so far, or need not, `is_due` whether one has to before the music leaves its
    first onset, `has_begun` whether there is an event after the prompt.
    """

    heard: Any
    is_due: Any
    has_begun: Any


class Drums:
    """Drums that play where the models let them."""

    def before(self, tokens: npt.NDArray[np.int32], _positions: npt.NDArray[np.int32]) -> Beat:
        """Give the beat after each prompt.

        `tokens` int32 [events, outputs, columns] are the prompts, `positions` [outputs] the steps from the start of a prompt's
        last bar to its last event.
        """
        none = np.zeros(tokens.shape[1], np.bool_)
        return Beat(~none, none, none)

    def chosen(
        self, _stream: str, _beat: Beat, _last: Any, _rest_of_bar: Any, chosen: Any, now: Any
    ) -> tuple[Any, Any]:
        """Give the id that is chosen for a stream after the event `last`, int32 [outputs], and whether a drum has to play `now`.

        `rest_of_bar` int32 [outputs] are the steps from `last` to the next bar.
        """
        return chosen, now

    def offsets(self, _beat: Beat, allowed: Any, _rest_of_bar: Any, _bars: Any) -> Any:
        """Give the offsets that may be chosen, bool [outputs, ids]; bars have `bars` steps, int32 [outputs]."""
        return allowed

    def allowed(self, _stream: str, allowed: Any, _now: Any) -> Any:
        """Give what may be chosen for a stream, bool [outputs, ids]."""
        return allowed

    def after(self, beat: Beat, _current: Any, _is_in_new_bar: Any) -> Beat:
        """Give the beat after an event."""
        return beat


@dataclass(frozen=True, eq=False)
class DrumsInEveryBar(Drums):
    """Drums that play in every bar: the ids of their part and of the offset 0, and the steps of each offset, [offset ids]."""

    part: int
    at_once: int
    offset_steps: npt.NDArray[np.int32]

    @classmethod
    def of(cls, vocabularies: Mapping[str, Vocabulary], offset_steps: npt.NDArray[np.int32]) -> "DrumsInEveryBar":
        """Find them; RecipeError where the training pieces have no drums, or no notes that begin together."""
        parts = vocabularies[PART].values if PART in vocabularies else ()
        if DRUMS not in parts:
            raise RecipeError(without_drums(parts))
        at_once = np.flatnonzero(offset_steps[SPECIAL_IDS:] == 0)
        if not len(at_once):
            raise RecipeError(
                "add_drums: in the training pieces no two notes begin together, so drums cannot join the other parts"
            )
        return cls(SPECIAL_IDS + parts.index(DRUMS), SPECIAL_IDS + int(at_once[0]), offset_steps)

    def before(self, tokens: npt.NDArray[np.int32], positions: npt.NDArray[np.int32]) -> Beat:
        """Look for drums in the last bar of each prompt; where there are none, one is due at the first new onset."""
        steps = self.offset_steps[tokens[1:, :, 0]]  # the first event's offset is from before the prompt
        until_last = np.cumsum(steps[::-1], axis=0)[::-1]
        passed = np.concatenate([until_last, np.zeros((min(len(tokens), 1), tokens.shape[1]), np.int64)])
        played = ((tokens[:, :, _PART] == self.part) & (passed <= positions)).any(0)
        return Beat(np.ones_like(played), ~played, np.zeros_like(played))

    def chosen(self, stream: str, beat: Beat, last: Any, rest_of_bar: Any, chosen: Any, now: Any) -> tuple[Any, Any]:
        """Choose an offset of 0 where music would leave the onset or the bar without a drum that may follow `last` at once."""
        if stream != STREAMS[0]:
            return chosen, now
        leaves_bar = (chosen == END) | (self.offset_steps[chosen] >= rest_of_bar)
        now = beat.has_begun & (chosen != self.at_once) & (beat.is_due | (~beat.heard & leaves_bar))
        return np.where(now & (last[:, _PART] <= self.part), self.at_once, chosen), now

    def offsets(self, beat: Beat, allowed: Any, rest_of_bar: Any, bars: Any) -> Any:
        """Allow no offset over a whole bar, which would stay without drums, where there is another; the prompt's last may be."""
        is_near = self.offset_steps[None] < (rest_of_bar + bars)[:, None]
        near = allowed & (is_near | ~beat.has_begun[:, None])
        return np.where(near[:, SPECIAL_IDS:].any(-1, keepdims=True), near, allowed)  # the end is none

    def allowed(self, stream: str, allowed: Any, now: Any) -> Any:
        """Allow no part but the drums where one has to play."""
        if stream != PART:
            return allowed
        return np.where(now[:, None], np.arange(allowed.shape[-1])[None] == self.part, allowed)

    def after(self, beat: Beat, current: Any, is_in_new_bar: Any) -> Beat:
        """Give the beat after an event."""
        is_drum = current[:, _PART] == self.part
        return Beat(is_drum | (beat.heard & ~is_in_new_bar), beat.is_due & ~is_drum, np.ones_like(is_drum))
