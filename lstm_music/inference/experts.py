"""What experts add to the logits of a stream: see `lstm_music.models.experts`, which says what they are."""

from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import LENGTHS, RANKS
from lstm_music.encoding.guesses import ODDS_STEP
from lstm_music.inference.exact import Array, exact_weights
from lstm_music.models.inputs import ID_OF, ODDS_OF, ORDER_OF, ExpertInputs, PieceInputs

DISCOUNT = 0.5

_LENGTHS = np.arange(1, len(LENGTHS) + 1)[:, None]
_EARLIER = np.tri(RANKS, k=-1, dtype=np.bool_)


class Experts:
    """The experts of a stream with so many `ids`, and the weights of their gate."""

    def __init__(self, inputs: tuple[ExpertInputs, ...], ids: int, weights: dict[str, npt.NDArray[Any]]) -> None:
        self._inputs, self._ids = inputs, ids
        self._kernel, self._bias = (exact_weights(weights[f"experts/gate/{part}"]) for part in ("kernel", "bias"))

    def add(self, logits: Array, hidden: Array, read: npt.NDArray[Any]) -> Array:
        """Add what they say to logits [outputs, ids], given the hidden state, and what they read, int [outputs, read]."""
        gates, of_expert, of_read = hidden @ self._kernel + self._bias, 0, 0
        outputs = np.arange(len(logits))
        logits = logits.copy()
        for one in self._inputs:
            ids, odds, level = _said(one, read[:, of_read : of_read + one.width])
            by_id = np.zeros(logits.shape)
            for place in range(ids.shape[1]):  # an id that is said twice has the higher odds
                at = outputs, ids[:, place]
                by_id[at] = np.maximum(by_id[at], odds[:, place])
            logits += gates[outputs, of_expert + level][:, None] * by_id
            of_expert, of_read = of_expert + one.levels, of_read + one.width
        return logits


def _said(expert: ExpertInputs, read: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Array, npt.NDArray[Any]]:
    """Give ids and their odds, [outputs, places], and the level of the gate, [outputs]."""
    if isinstance(expert, PieceInputs):
        ids, lengths = read[:, :RANKS], read[:, RANKS:]
        return np.maximum(ids, 0), log_odds(ids, lengths, expert.ids), lengths.max(1)
    return read[:, ID_OF], ODDS_STEP * read[:, ODDS_OF].astype(np.float64), read[:, ORDER_OF]


def log_odds(ids: npt.NDArray[Any], lengths: npt.NDArray[Any], size: int) -> Array:
    """Give ln p of each match less ln p of an id that none of them has, [outputs, ranks]; 0 for what is no match.

    `ids` and the positions of `lengths`, int [outputs, ranks], come with the longest first, `size` is the number of all ids.
    """
    reached = lengths[:, None, :] >= _LENGTHS  # [outputs, lengths, ranks]
    same = (ids[:, :, None] == ids[:, None, :]) & (lengths[:, None, :] > 0)
    is_new = ~(same & _EARLIER).any(-1)
    counts = reached.astype(np.float64) @ same.astype(np.float64)
    total = reached.sum(-1)
    different = (reached & is_new[:, None, :]).sum(-1)
    to_shorter = np.where(total > 0, DISCOUNT * different / np.maximum(total, 1), 1.0)
    p = np.full(ids.shape, 1.0 / size)
    for length in range(len(LENGTHS)):
        seen = np.maximum(counts[:, length] - DISCOUNT, 0) / np.maximum(total[:, length], 1)[:, None]
        p = seen + to_shorter[:, length, None] * p
    of_others = to_shorter.prod(-1, keepdims=True) / size
    found: Array = np.where(lengths > 0, np.log(p / of_others), 0.0)
    return found
