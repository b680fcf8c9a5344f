"""What the models say of one event, and how much more they say it where they were told of the music to come.

Where something is asked, the models are asked twice at each event: told of it, and told nothing. What they say is moved on from
the second answer past the first: the classifier-free guidance of Ho & Salimans (2022, arXiv 2207.12598), as Sanchez et al. (2023,
arXiv 2306.17806) use it for language models.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from lstm_music.models.event_model import EventModel

GUIDANCE = 3.0
"""In logits: what they say if told nothing, and this many times the difference that it makes to be told; 1 adds no weight."""


def states_after(models: Sequence[EventModel], previous: Any, *, is_told: bool) -> list[Any]:
    """Give the states after some events, int32 [events + 1, outputs, columns]; twice the outputs if they are told things."""
    if is_told:
        previous = tf.concat([previous, previous], 1)  # nothing was said of the prompts
    return [model.after(model.rows(previous[:-1], previous[1:])) for model in models]


class Said:
    """Each model is asked once, when the first of its streams is due; `states` are those after.

    `last` int32 [outputs, columns] is the event before. The `told` columns say what the models are told, if anything is asked.
    """

    def __init__(self, models: Sequence[EventModel], states: Sequence[Any], last: Any, told: Sequence[int]) -> None:
        self._models, self._told = models, told
        self._last = self._both(last)
        self.states = list(states)
        self._logits: dict[str, Any] = {}
        self._untold: dict[str, Any] = {}

    def logits(self, stream: str, current: Any) -> Any:
        """Give the logits of a stream, [outputs, ids], or None where no model predicts it."""
        for place, model in enumerate(self._models):
            if stream == model.predicts[0]:
                rows = model.rows(self._last, self._both(current))
                outputs, self.states[place] = model.step(rows, self.states[place])
                for predicted, logits in zip(model.predicts, model.logits(outputs), strict=True):
                    self._logits[predicted], self._untold[predicted] = self._guided(logits)
        return self._logits.get(stream)

    def untold(self, stream: str) -> Any:
        """Give the logits of a stream, which was asked for, by models to which nothing is said."""
        return self._untold[stream]

    def _both(self, tokens: Any) -> Any:
        """Give tokens, [outputs, columns], as they are, and then without what is said: [2 outputs, columns]."""
        if not self._told:
            return tokens
        is_told = tf.reduce_any(tf.range(tokens.shape[1])[:, None] == tf.constant(self._told)[None], 1)
        return tf.concat([tokens, tf.where(is_told[None], 0, tokens)], 0)

    def _guided(self, logits: Any) -> tuple[Any, Any]:
        if not self._told:
            return logits, logits
        told, untold = tf.split(logits, 2)
        return untold + GUIDANCE * (told - untold), untold
