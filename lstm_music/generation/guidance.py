"""Classifier-free guidance: models run with their controls and without, and the difference is raised.

J. Ho & T. Salimans (2022), arXiv 2207.12598; for language models G. Sanchez et al. (2023), arXiv 2306.17806.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.controls import NOTHING
from lstm_music.inference.exact import Array
from lstm_music.inference.model import InferenceModel

GUIDANCE = 3.0
"""logits = without + GUIDANCE * (with - without); 1 is the models with their controls as they are."""

Tokens = npt.NDArray[np.int32]


class GuidedModels:
    """Models that are asked event after event; what they have read is kept here.

    They begin after the events of `tokens` int32 [events + 1, outputs, columns], the first of which is before the music.
    `controls` are the columns to which guidance is given; there may be none.
    """

    def __init__(self, models: Sequence[InferenceModel], tokens: Tokens, controls: Sequence[int]) -> None:
        self._models, self._controls = models, list(controls)
        self._states = [model.after(self._both(tokens)) for model in models]
        self._last = self._both(tokens[-1])
        self._logits: dict[str, tuple[Array, Array]] = {}

    def next_event(self, last: Tokens) -> None:
        """Go on to the event after `last`, int32 [outputs, columns]."""
        self._last = self._both(last)
        self._logits = {}

    def logits(self, stream: str, current: Tokens) -> Array | None:
        """Give the logits of a stream, [outputs, ids], or None where no model predicts it.

        A model is asked once an event, when the first of its streams is due; `current` int32 [outputs, columns] is what is known.
        """
        for place, model in enumerate(self._models):
            if stream == model.predicts[0]:
                outputs, self._states[place] = model.step(self._last, self._both(current), self._states[place])
                self._logits |= zip(model.predicts, map(self._guided, outputs), strict=True)
        return self._logits[stream][0] if stream in self._logits else None

    def unguided(self, stream: str) -> Array:
        """Give the logits of a stream, which `logits` has given, without controls."""
        return self._logits[stream][1]

    def _both(self, tokens: Tokens) -> Tokens:
        """Give tokens, [..., outputs, columns], as they are, and behind them the outputs without these controls."""
        if not self._controls:
            return tokens
        without = tokens.copy()
        without[..., self._controls] = NOTHING
        return np.concatenate([tokens, without], -2)

    def _guided(self, logits: Array) -> tuple[Any, Any]:
        if not self._controls:
            return logits, logits
        conditioned, unguided = np.split(logits, 2)
        return unguided + GUIDANCE * (conditioned - unguided), unguided
