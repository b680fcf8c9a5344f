"""Smoothing: how the counts of a context are mixed with the distribution of the context that is one shorter.

    p(token | context) = (max(times - discount, 0) + (discounted + strength) · p(token | shorter context)) / (total + strength)

with `times` of the pair (context, token), `total` of the context, and `discounted` what the discount took from all its pairs: the
predictive form of a Pitman-Yor process with one table a type (Teh 2006). Absolute discounting (strength 0) and Dirichlet
smoothing (discount 0) are special cases. Below the empty context stands a uniform distribution, with a share of its own for
UNKNOWN. The strength is never 0, so that nothing is impossible.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np

from lstm_music.encoding.vocabulary import END, START, UNKNOWN
from lstm_music.evaluation.contexts import Counts


@dataclass(frozen=True, slots=True)
class Smoothing:
    """How far a level trusts its own counts."""

    discount: float
    strength: float


COARSE = tuple(Smoothing(*pair) for pair in product((0.0, 0.5), (1.0, 10.0, 100.0, 1000.0)))
FINE = tuple(
    Smoothing(*pair)
    for pair in product((0.0, 0.25, 0.5, 0.75, 0.95), (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0))
)
UNKNOWN_SHARES = (0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)


@dataclass(frozen=True, slots=True)
class Bottom:
    """The empty context: its smoothing, and the share of the uniform distribution below it that goes to UNKNOWN."""

    unknown_share: float
    smoothing: Smoothing


@dataclass(frozen=True, eq=False, slots=True)
class Smoothed:
    """The smoothed distributions of one level, as far as they are needed (float64 all).

    `pairs` is the probability of each pair of `counts`; every other token has `passed_on` [contexts] of its probability one level
    below. `targets` is the probability of each target.
    """

    counts: Counts
    pairs: np.ndarray
    passed_on: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True, eq=False, slots=True)
class Tuned:
    """The smoothing that predicts the targets best, the probability that it gives them, and their NLL (nats a target)."""

    smoothing: Smoothing
    targets: np.ndarray
    nll: float


def mean_nll(probability: np.ndarray) -> float:
    """Average the negative log-likelihood, in nats a target; 0 for no target."""
    return float(-np.log(probability).sum() / max(len(probability), 1))


def base_distribution(ids: int, unknown_share: float, *, with_end: bool) -> np.ndarray:
    """Spread probability over all that can be a target: float64 [ids], `unknown_share` of it for UNKNOWN."""
    possible = np.ones(ids)
    possible[[START, UNKNOWN]] = 0
    possible[END] = with_end
    base = possible * (1 - unknown_share) / max(possible.sum(), 1)
    base[UNKNOWN] = 1 - base.sum()
    return np.asarray(base)


def bottom_distribution(times: np.ndarray, bottom: Bottom, *, with_end: bool) -> np.ndarray:
    """Smooth the empty context: float64 [ids], from how many `times` each id occurred."""
    kept = np.maximum(times - bottom.smoothing.discount, 0)
    passed_on = times.sum() - kept.sum() + bottom.smoothing.strength
    base = base_distribution(len(times), bottom.unknown_share, with_end=with_end)
    return np.asarray((kept + passed_on * base) / (times.sum() + bottom.smoothing.strength))


def tune_bottom(times: np.ndarray, targets: np.ndarray, *, with_end: bool) -> Bottom:
    """Find the bottom that predicts the ids `targets` best."""
    seen = np.bincount(targets, minlength=len(times))
    there = seen > 0

    def cost(bottom: Bottom) -> float:
        return -float(seen[there] @ np.log(bottom_distribution(times, bottom, with_end=with_end)[there]))

    return min((Bottom(share, smoothing) for share, smoothing in product(UNKNOWN_SHARES, FINE)), key=cost)


def smooth_bottom(counts: Counts, distribution: np.ndarray, targets: np.ndarray) -> Smoothed:
    """Make the lowest level of a chain: one context, and a pair for each id."""
    ids = np.arange(counts.ids)
    everything = Counts(counts.context, 1, ids, distribution, counts.ids)
    return Smoothed(everything, distribution, np.zeros(1), distribution[targets])


def smooth(counts: Counts, smoothing: Smoothing, below: Smoothed, targets: np.ndarray) -> Smoothed:
    """Smooth the contexts of `counts` with the shorter ones `below`, which must have every pair that these have."""
    context = counts.pair_context
    shorter = np.empty(counts.contexts, np.int64)
    shorter[counts.context] = below.counts.context
    kept = np.maximum(counts.times - smoothing.discount, 0)
    total = counts.totals + smoothing.strength
    passed_on = (total - np.bincount(context, kept, minlength=counts.contexts)) / total

    pairs_below = below.pairs[below.counts.find(shorter[context], counts.pair_token)]
    pairs = kept / total[context] + passed_on[context] * pairs_below
    found = counts.find(counts.context, targets)
    probability = passed_on[counts.context] * below.targets
    probability[found >= 0] = pairs[found[found >= 0]]
    return Smoothed(counts, pairs, passed_on, probability)


def tune(counts: Counts, targets: np.ndarray, below: np.ndarray, choices: Iterable[Smoothing]) -> Tuned:
    """Find the smoothing that predicts `targets` best, given their probability `below`: `smooth`, for the targets alone."""
    total = counts.totals
    seen = total[counts.context] > 0
    context = counts.context[seen]
    found = counts.find(context, targets[seen])
    times = np.zeros(len(context))
    times[found >= 0] = counts.times[found[found >= 0]]
    pair_context = counts.pair_context
    unseen_nats = -float(np.log(below[~seen]).sum())

    def probability(choice: Smoothing) -> np.ndarray:
        taken = np.minimum(counts.times, choice.discount)
        passed_on = np.bincount(pair_context, taken, minlength=counts.contexts) + choice.strength
        kept = np.maximum(times - choice.discount, 0)
        return np.asarray((kept + passed_on[context] * below[seen]) / (total[context] + choice.strength))

    best = min(choices, key=lambda choice: -float(np.log(probability(choice)).sum()))
    at_best = below.copy()
    at_best[seen] = probability(best)
    return Tuned(best, at_best, (unseen_nats - float(np.log(at_best[seen]).sum())) / max(len(below), 1))
