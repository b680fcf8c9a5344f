"""The score of a prediction in nats, for models and baselines alike: the only place with that rule.

A stream's targets are the token ids of one column of a split's pieces, the pieces one after another, and, in the stream that
holds the end of a piece, one END per piece. A model or baseline gives, for each target, its probability and the value that
it thinks most probable.
"""

from dataclasses import dataclass

import numpy as np

from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN

FIRST_VALUE = SPECIAL_IDS
"""The smallest id that stands for a value of the music."""


@dataclass(frozen=True, eq=False, slots=True)
class StreamScores:
    """How one stream of a split was predicted, event by event.

    `nats` (float64) and `correct` (bool) have one element per event, the pieces one after another. `end_nats` (float64) has one
    element per piece: the nats of its END; it is empty in a stream without END.
    """

    nats: np.ndarray
    correct: np.ndarray
    end_nats: np.ndarray

    @property
    def total(self) -> float:
        """All nats of the stream, including those of END."""
        return float(self.nats.sum() + self.end_nats.sum())


def most_probable(probabilities: np.ndarray) -> np.ndarray:
    """Give the most probable value: [..., ids] → int64 [...].

    START, END and UNKNOWN stand for no value, so they are never a guess; of equal values the smallest id wins.
    Probabilities, their logarithms or logits give the same answer.
    """
    return np.asarray(probabilities[..., FIRST_VALUE:].argmax(axis=-1) + FIRST_VALUE, np.int64)


def score(
    targets: np.ndarray,
    log_probabilities: np.ndarray,
    guesses: np.ndarray,
    *,
    log_unknown: float,
    end_log_probabilities: np.ndarray | None = None,
) -> StreamScores:
    """Score the predictions of one stream of a split.

    `targets` (ids), `log_probabilities` (ln p of the target's id) and `guesses` (ids, see `most_probable`) are [events];
    `end_log_probabilities` is [pieces], or None in a stream without END. A value outside the vocabulary scores
    -ln p(UNKNOWN) + `log_unknown`, the logarithm of the number of values that UNKNOWN may stand for; no guess is right there.
    """
    unknown = targets == UNKNOWN
    ends = np.empty(0) if end_log_probabilities is None else -np.asarray(end_log_probabilities, np.float64)
    nats = -np.asarray(log_probabilities, np.float64)
    nats[unknown] += log_unknown
    return StreamScores(nats, (guesses == targets) & ~unknown, ends)
