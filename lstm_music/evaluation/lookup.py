"""The lookup table: what can be predicted without learning anything, by what followed the same tokens before.

For each target the longest run of its stream's own tokens just before it, at most `LONGEST` of them, that also stands before a
training target; the answer is what followed it most often there (of equals, the smallest id). It gives no probabilities, so
it has an accuracy alone. Where it does well, a score on that split says little of what a model has understood.
"""

import numpy as np

from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.evaluation.contexts import Counts, Element, History, Training, Walk

LONGEST = 8


def lookup_accuracy(training: Training, heard: History, stream: int) -> float:
    """How often the table is right on the targets of column `stream` in `heard`."""
    walk = Walk.begin(training, heard, stream)
    guesses = np.full(len(heard.places), -1)
    for lag in range(LONGEST + 1):
        if lag:
            walk = walk.step(Element(lag, stream))
        found = _most_frequent(walk.count())[walk.context]
        guesses = np.where(found >= 0, found, guesses)
    return float((guesses == walk.truth).mean())


def _most_frequent(counts: Counts) -> np.ndarray:
    """The value that followed each context most often, int64 [contexts]; -1 where training has none."""
    is_value = counts.pair_token >= SPECIAL_IDS
    context, token, times = counts.pair_context[is_value], counts.pair_token[is_value], counts.times[is_value]
    order = np.lexsort(
        (-token, times, context)
    )  # the last of each context is the most frequent, of equals the smallest
    found = np.full(counts.contexts, -1)
    found[context[order]] = token[order]
    return found
