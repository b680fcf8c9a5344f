"""What experts add to the logits of a stream: see `lstm_music.models.experts`, which says what they are."""

from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.echoes import LENGTHS, RANKS
from lstm_music.encoding.guesses import ODDS_STEP
from lstm_music.inference.exact import Array, exact_weights, largest_sums, require_small
from lstm_music.models.inputs import ID_OF, ODDS_OF, ORDER_OF, ExpertInputs, PieceInputs

DISCOUNT = 0.5

_LENGTHS = np.arange(1, len(LENGTHS) + 1)[:, None]
_EARLIER = np.tri(RANKS, k=-1, dtype=np.bool_)


class Experts:
    """The experts of a stream with so many `ids`, and the weights of their gate."""

    def __init__(self, inputs: tuple[ExpertInputs, ...], ids: int, weights: dict[str, npt.NDArray[Any]]) -> None:
        self._inputs, self._ids = inputs, ids
        self._kernel, self._bias = (exact_weights(weights[f"experts/gate/{part}"]) for part in ("kernel", "bias"))
        require_small("experts/gate", largest_sums(self._kernel), largest_sums(self._bias[None]))

    def add(self, logits: Array, hidden: Array, both: npt.NDArray[Any]) -> None:
        """Add what they say to logits [outputs, ids], given the hidden state, and the columns of both events."""
        gates = hidden @ self._kernel
        gates += self._bias
        outputs, first = np.arange(len(logits)), 0
        for one in self._inputs:
            ids, odds, level = _said(one, both)
            if odds.any():
                by_id = np.zeros(logits.shape)
                cells = ids + (outputs * logits.shape[1])[:, None]
                np.maximum.at(by_id.reshape(-1), cells.reshape(-1), odds.reshape(-1))  # an id may be said twice
                by_id *= gates[outputs, first + level][:, None]
                logits += by_id
            first += one.levels


def _said(expert: ExpertInputs, both: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Array, npt.NDArray[Any]]:
    """Give ids and their odds, [outputs, places], and the level of the gate, [outputs]."""
    if isinstance(expert, PieceInputs):
        ids, lengths = _matches(expert, both)
        return ids, log_odds(ids, lengths, expert.ids), lengths.max(1)
    read = both.take(expert.places, 1)
    return read[:, ID_OF], ODDS_STEP * read[:, ODDS_OF], read[:, ORDER_OF]


def _matches(expert: PieceInputs, both: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Find the ids [outputs, ranks] of the matches, and the positions of their lengths: 0 for an echo that is no match."""
    ids, lengths = (both.take(places, 1) for places in expert.places)
    for values, known in expert.agreeing:
        lengths *= both.take(values, 1) == both[:, known, None]
    return ids, lengths


def log_odds(ids: npt.NDArray[Any], lengths: npt.NDArray[Any], size: int) -> Array:
    """Give ln p of each match less ln p of an id that none of them has, [outputs, ranks]; 0 for what is no match.

    `ids` and the positions of `lengths`, int [outputs, ranks], come with the longest first, `size` is the number of all ids.
    """
    longest = int(lengths.max(initial=0))
    if not longest:
        return np.zeros(ids.shape)
    is_match = lengths > 0
    reached = lengths[:, None, :] >= _LENGTHS[:longest]  # [outputs, lengths, ranks]
    same = (ids[:, :, None] == ids[:, None, :]) & is_match[:, None, :]
    is_new = ~(same & _EARLIER).any(-1)
    counts = reached.astype(np.float64) @ same.astype(np.float64)
    total = np.count_nonzero(reached, -1)
    different = np.count_nonzero(reached & is_new[:, None, :], -1)
    one_or_more = np.maximum(total, 1)
    to_shorter = np.where(total > 0, DISCOUNT * different / one_or_more, 1.0)
    counts -= DISCOUNT
    seen = np.maximum(counts, 0, out=counts)
    seen /= one_or_more[..., None]
    p = np.full(ids.shape, 1.0 / size)
    for length in range(longest):
        p *= to_shorter[:, length, None]
        p += seen[:, length]
    p /= to_shorter.prod(-1, keepdims=True) / size
    p[~is_match] = 1.0
    found: Array = np.log(p, out=p)
    return found
