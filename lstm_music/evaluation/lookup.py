"""The lookup table: predictions without learning, from what followed the same tokens in training.

For each target the table takes the longest run of its stream's own tokens just before it, at most `LONGEST`, that also stands
before a training target. Its answer is what followed that run most often (of equals, the smallest id). It gives no
probabilities, so it has only an accuracy. Where it does well, a score on that split says little about a model.
"""

import numpy as np

from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.evaluation.contexts import Counts, Element, History, Training, Walk

LONGEST = 8


def lookup_accuracy(training: Training, history: History, stream: int) -> float:
    """Give the share of the targets of column `stream` in `history` that the table predicts right."""
    walk = Walk.begin(training, history, stream)
    guesses = np.full(len(history.places), -1)
    for lag in range(LONGEST + 1):
        if lag:
            walk = walk.step(Element(lag, stream))
        found = _most_frequent(walk.count())[walk.context]
        guesses = np.where(found >= 0, found, guesses)
    return float((guesses == walk.truth).mean())


def _most_frequent(counts: Counts) -> np.ndarray:
    """Give the value that followed each context most often, int64 [contexts]; -1 where training has none."""
    is_value = counts.pair_token >= SPECIAL_IDS
    context, token, times = counts.pair_context[is_value], counts.pair_token[is_value], counts.times[is_value]
    order = np.lexsort(
        (-token, times, context)
    )  # the last of each context is the most frequent, of equals the smallest
    found = np.full(counts.contexts, -1)
    found[context[order]] = token[order]
    return found
