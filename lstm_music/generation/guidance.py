"""Classifier-free guidance: models run with their controls and without, and the difference is raised.

J. Ho & T. Salimans (2022), arXiv 2207.12598; for language models G. Sanchez et al. (2023), arXiv 2306.17806.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from lstm_music.models.event_model import EventModel

GUIDANCE = 3.0
"""logits = without + GUIDANCE * (with - without); 1 is the models with their controls as they are."""


def states_after(models: Sequence[EventModel], previous: Any, *, is_guided: bool) -> list[Any]:
    """Give the states after some events, int32 [events + 1, outputs, columns]; twice the outputs if there is guidance."""
    if is_guided:
        previous = tf.concat([previous, previous], 1)  # the prompts have no controls
    return [model.after(model.rows(previous[:-1], previous[1:])) for model in models]


class GuidedModels:
    """Each model is asked once, when the first of its streams is due; `states` are those after.

    `last` int32 [outputs, columns] is the event before. `controls` are the columns to which guidance is given; there may be none.
    """

    def __init__(self, models: Sequence[EventModel], states: Sequence[Any], last: Any, controls: Sequence[int]) -> None:
        self._models, self._controls = models, controls
        self._last = self._both(last)
        self.states = list(states)
        self._logits: dict[str, Any] = {}
        self._unguided: dict[str, Any] = {}

    def logits(self, stream: str, current: Any) -> Any:
        """Give the logits of a stream, [outputs, ids], or None where no model predicts it."""
        for place, model in enumerate(self._models):
            if stream == model.predicts[0]:
                rows = model.rows(self._last, self._both(current))
                outputs, self.states[place] = model.step(rows, self.states[place])
                for predicted, logits in zip(model.predicts, model.logits(outputs), strict=True):
                    self._logits[predicted], self._unguided[predicted] = self._guided(logits)
        return self._logits.get(stream)

    def unguided(self, stream: str) -> Any:
        """Give the logits of a stream, which `logits` has given, without controls."""
        return self._unguided[stream]

    def _both(self, tokens: Any) -> Any:
        """Give tokens, [outputs, columns], as they are, and then without these controls: [2 outputs, columns]."""
        if not self._controls:
            return tokens
        is_control = tf.reduce_any(tf.range(tokens.shape[1])[:, None] == tf.constant(self._controls)[None], 1)
        return tf.concat([tokens, tf.where(is_control[None], 0, tokens)], 0)

    def _guided(self, logits: Any) -> tuple[Any, Any]:
        if not self._controls:
            return logits, logits
        conditioned, unguided = tf.split(logits, 2)
        return unguided + GUIDANCE * (conditioned - unguided), unguided
