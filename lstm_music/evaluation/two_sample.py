"""A two-sample test by a classifier: how often a small model tells one set of excerpts from another, and by what.

After D. Lopez-Paz and M. Oquab, "Revisiting classifier two-sample tests", ICLR 2017. The model is a logistic regression with
an L2 penalty, on shares of patterns (see `note_ngrams`). It is cross-validated by piece: excerpts that share a piece are never in
both a training fold and the fold that is scored. An accuracy of 0.5 means that it learnt nothing that holds for other pieces.

Each share is replaced by its square root, which evens out the spread of rare and frequent patterns, and then standardised with
the mean and the standard deviation of the training folds. Everything is deterministic.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FOLDS = 5
ROUNDS = 5
"""How often the excerpts are dealt into folds anew: one deal alone moves the accuracy by some hundredths."""
PENALTY = 0.01
"""Of the squared length of the weights, beside the mean loss; rows of features have a length of about 1."""
RAREST = 0.1
"""A pattern counts if it occurs in this share of the excerpts or more, and in `FEWEST` of them."""
FEWEST = 4
_STEPS = 50
_CLOSE = 1e-9
_Z = 1.959964  # of the normal distribution, for 95 %

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """Features of excerpts: `values` float64 [excerpts, features], square roots of shares, and the names of the features."""

    values: Floats
    names: tuple[str, ...]

    @classmethod
    def of(cls, shares: Sequence[Mapping[str, float]]) -> "Table":
        """Take the patterns that are frequent enough, in alphabetical order; no label is looked at."""
        counts: dict[str, int] = {}
        for name in (name for one in shares for name in one):
            counts[name] = counts.get(name, 0) + 1
        fewest = max(FEWEST, RAREST * len(shares))
        names = tuple(sorted(name for name, count in counts.items() if count >= fewest))
        values = [[math.sqrt(one.get(name, 0.0)) for name in names] for one in shares]
        return cls(np.array(values, np.float64).reshape(len(shares), len(names)), names)

    def rows(self, chosen: Bools | Ints) -> "Table":
        """Keep some excerpts."""
        return Table(self.values[chosen], self.names)

    def columns(self, chosen: Sequence[bool]) -> "Table":
        """Keep some features."""
        marks = np.array(chosen, np.bool_)
        return Table(self.values[:, marks], tuple(np.array(self.names, object)[marks]))


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The share of right answers, and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tell:
    """A feature that gives a set away: its weight (above 0: more in the first set), and its mean share in each."""

    name: str
    weight: float
    first: float
    second: float


def accuracy(table: Table, is_first: Bools, pieces: Sequence[str], random_seed: int, rounds: int = ROUNDS) -> Accuracy:
    """Cross-validate by piece; `pieces` has the piece of each excerpt. The interval takes pieces, not excerpts, as draws.

    It leaves out how much another training set would have changed the classifier. Raises ValueError for fewer than two pieces.
    """
    numbers = np.unique(np.asarray(pieces), return_inverse=True)[1]
    right = np.zeros(len(is_first))
    for turn in range(rounds):
        folds = deal(is_first, numbers, np.random.default_rng([random_seed, turn]))
        for fold in range(int(folds.max()) + 1):
            held = folds == fold
            right[held] += guess(table.values[~held], is_first[~held], table.values[held]) == is_first[held]
    return _interval(right / rounds, numbers)


def deal(is_first: Bools, pieces: Ints, rng: np.random.Generator) -> Ints:
    """Deal the excerpts into folds, int64 [excerpts]: all of a piece into one, and about as many of each set into each.

    Raises ValueError for fewer than two pieces.
    """
    count = int(pieces.max(initial=-1)) + 1
    if count < 2:
        raise ValueError(f"two_sample: expected excerpts of two pieces or more, got {count}")
    sizes = np.zeros((count, 2), np.int64)
    np.add.at(sizes, (pieces, is_first.astype(np.int64)), 1)
    filled = np.zeros((min(FOLDS, count), 2), np.int64)
    fold_of = np.zeros(count, np.int64)
    shuffled = rng.permutation(count)
    for piece in shuffled[np.argsort(-sizes[shuffled].sum(axis=1), kind="stable")].tolist():
        crowd = ((filled + sizes[piece]) ** 2 - filled**2).sum(axis=1)
        fold_of[piece] = int(crowd.argmin())
        filled[fold_of[piece]] += sizes[piece]
    return fold_of[pieces]


def tells(table: Table, is_first: Bools, count: int) -> list[Tell]:
    """Give the features with the largest standardised weights, in a classifier that is fitted to all excerpts."""
    if not table.names:
        return []
    weights, _ = _fit(_standardised(table.values, table.values), is_first)
    shares = table.values**2
    order = np.argsort(-np.abs(weights), kind="stable")[:count]
    first, second = shares[is_first].mean(axis=0), shares[~is_first].mean(axis=0)
    return [Tell(table.names[one], float(weights[one]), float(first[one]), float(second[one])) for one in order]


def guess(known: Floats, is_first: Bools, unknown: Floats) -> Bools:
    """Fit a classifier to known excerpts, and guess of each unknown one whether it is of the first set."""
    if not known.shape[1] or is_first.all() or not is_first.any():
        return np.full(len(unknown), bool(is_first.any()))
    weights, constant = _fit(_standardised(known, known), is_first)
    return np.asarray(_standardised(unknown, known) @ weights + constant > 0, np.bool_)


def _standardised(values: Floats, known: Floats) -> Floats:
    """Bring features to mean 0 and deviation 1 over the known excerpts, and rows to a length of about 1."""
    deviation = known.std(axis=0)
    scale = np.where(deviation > _CLOSE, deviation, np.inf)  # what is always the same says nothing
    return np.asarray((values - known.mean(axis=0)) / scale / math.sqrt(known.shape[1]), np.float64)


def _fit(rows: Floats, is_first: Bools) -> tuple[Floats, float]:
    """Fit by Newton's method, both sets with equal weight; in as many coordinates as there are rows, which loses nothing."""
    values, vectors = np.linalg.eigh(rows @ rows.T)
    kept = values > _CLOSE
    spread = np.sqrt(values[kept])
    coordinates = np.column_stack([vectors[:, kept] * spread, np.ones(len(rows))])
    share = np.where(is_first, 0.5 / max(is_first.sum(), 1), 0.5 / max((~is_first).sum(), 1))
    penalty = np.full(coordinates.shape[1], PENALTY)
    penalty[-1] = _CLOSE  # the constant is free
    found = np.zeros(coordinates.shape[1])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-coordinates @ found))
        slope = coordinates.T @ (share * (likely - is_first)) + penalty * found
        if np.abs(slope).max() < _CLOSE:
            break
        curve = (coordinates.T * (share * likely * (1 - likely))) @ coordinates + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        found -= step * min(1.0, 20 / max(np.abs(coordinates @ step).max(), 1e-12))
    return rows.T @ (vectors[:, kept] @ (found[:-1] / spread)), float(found[-1])


def _interval(right: Floats, pieces: Ints) -> Accuracy:
    """Give Wilson's interval with as many draws as the excerpts are worth, for those of one piece are alike.

    The variance is that of a ratio estimate (Cochran 1977, section 6.4), pieces being the draws. Without any variance each
    piece counts as one draw.
    """
    count, total = int(pieces.max()) + 1, len(right)
    share = float(right.mean())
    sizes = np.bincount(pieces, minlength=count)
    left = np.bincount(pieces, right, minlength=count) - share * sizes
    variance = float((left**2).sum()) / total**2 * count / max(count - 1, 1)
    draws = min(share * (1 - share) / variance, float(total)) if variance > _CLOSE else float(count)
    middle = (share + _Z**2 / (2 * draws)) / (1 + _Z**2 / draws)
    half = _Z / (1 + _Z**2 / draws) * math.sqrt(share * (1 - share) / draws + _Z**2 / (4 * draws**2))
    return Accuracy(share, max(middle - half, 0.0), min(middle + half, 1.0))
