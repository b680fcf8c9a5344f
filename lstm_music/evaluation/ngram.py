"""N-gram models of a token stream: chains of ever longer contexts, and mixtures of such chains.

Everything that is a choice is made on the validation pieces: which token each longer context adds (the one that lowers the NLL
most), where a chain ends, the smoothing of every level, and the weights of the mixture.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_music.evaluation.contexts import Counts, Element, History, Training, Walk
from lstm_music.evaluation.smoothing import (
    COARSE,
    FINE,
    Bottom,
    Smoothed,
    Smoothing,
    bottom_distribution,
    mean_nll,
    smooth,
    smooth_bottom,
    tune,
)
from lstm_music.evaluation.targets import most_probable

LEAST_GAIN = 1e-4
"""Nats per target that a level has to gain, or it is left out."""
PATIENCE = 2
"""A chain ends after this many elements in a row that gain nothing."""
EXPECTATION_STEPS = 100
CELLS_AT_ONCE = 1 << 21
"""How many probabilities (16 MiB of float64) are laid out at once to find the most probable value."""

Frontier = Callable[[Sequence[Element]], list[Element]]
"""The elements that may be added to a context that already holds these."""


@dataclass(frozen=True, slots=True)
class Level:
    """One context of a chain: the elements that it adds to the context below, and its smoothing."""

    added: tuple[Element, ...]
    smoothing: Smoothing


@dataclass(frozen=True, slots=True)
class Chain:
    """The contexts of an n-gram model, from the empty one up."""

    bottom: Bottom
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True)
class Ngram:
    """An n-gram model of column `stream`, without its counts: a mixture of chains. The weights sum to 1."""

    stream: int
    chains: tuple[Chain, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """The prediction of each target: the probability of the true id (float64) and the most probable value (int64)."""

    probability: np.ndarray
    guesses: np.ndarray


def occurrences(training: Training, stream: int) -> np.ndarray:
    """Count each id of a stream in training: float64 [ids]."""
    return _occurrences(Walk.begin(training, training.history, stream).count())


@dataclass(frozen=True, eq=False, slots=True)
class Grown:
    """A chain, and the probability that it gives each target of the validation pieces: float64 [targets]."""

    chain: Chain
    probability: np.ndarray


def grow(
    training: Training,
    validation: History,
    stream: int,
    bottom: Bottom,
    frontier: Frontier,
    *,
    with_end: bool,
) -> Grown:
    """Grow the chain of column `stream` that predicts `validation` best, from `bottom` up, one element at a time."""
    walk = Walk.begin(training, validation, stream)
    below = _bottom(walk, bottom, with_end=with_end).targets
    levels: list[Level] = []
    used: list[Element] = []
    idle: list[Element] = []
    while len(idle) <= PATIENCE and len(walk.rows.places) and (candidates := frontier(used)):
        element, walk = _best_step(walk, candidates, below)
        tuned = tune(walk.count(), walk.truth, below, FINE)
        used.append(element)
        idle.append(element)
        if tuned.nll < mean_nll(below) - LEAST_GAIN:
            levels.append(Level(tuple(idle), tuned.smoothing))
            below, idle = tuned.targets, []
    return Grown(Chain(bottom, tuple(levels)), below)


def mix(stream: int, grown: Sequence[Grown]) -> Ngram:
    """Mix chains with the weights that predict the validation pieces best."""
    weights = mixture_weights(np.array([one.probability for one in grown]))
    return Ngram(stream, tuple(one.chain for one in grown), tuple(weights.tolist()))


def predict(ngram: Ngram, training: Training, history: History, *, with_end: bool) -> Prediction:
    """Predict every target of `history` with the counts of the training pieces."""
    start = Walk.begin(training, history, ngram.stream)
    climbed = [_climb(start, chain, with_end=with_end) for chain in ngram.chains]
    weights = np.array(ngram.weights)
    probability = weights @ np.array([levels[-1].targets for levels in climbed])
    guesses = np.empty(len(probability), np.int64)
    at_once = max(1, CELLS_AT_ONCE // training.sizes[ngram.stream])
    for first in range(0, len(guesses), at_once):
        targets = slice(first, first + at_once)
        guesses[targets] = most_probable(distributions(climbed, weights, targets))
    return Prediction(probability, guesses)


def mixture_weights(probability: np.ndarray) -> np.ndarray:
    """Find the weights that give the targets the greatest likelihood, by expectation maximisation; none of them is 0.

    `probability` is [components, targets]; the weights, float64 [components], sum to 1.
    """
    components, targets = probability.shape
    weights = np.full(components, 1 / components)
    for _ in range(EXPECTATION_STEPS):
        parts = weights[:, np.newaxis] * probability
        weights = ((parts / parts.sum(axis=0)).sum(axis=1) + 1) / (targets + components)
    return weights


def distributions(climbed: Sequence[Sequence[Smoothed]], weights: np.ndarray, targets: slice) -> np.ndarray:
    """Lay out the whole mixed distribution of some targets: float64 [targets, ids]."""
    return np.asarray(
        sum(_distributions(levels, weight, targets) for levels, weight in zip(climbed, weights, strict=True))
    )


def _distributions(levels: Sequence[Smoothed], weight: float, targets: slice) -> np.ndarray:
    """Lay out `weight` times the distributions of one chain; a longer context overwrites a shorter one."""
    contexts = [level.counts.context[targets] for level in levels]
    factors = [np.full(len(contexts[0]), weight)]
    for level, context in zip(reversed(levels), reversed(contexts), strict=True):
        factors.append(factors[-1] * level.passed_on[context])
    factors = factors[-2::-1]  # the lowest level first; what the bottom passes on is in its pairs already

    cells = factors[0][:, np.newaxis] * levels[0].pairs
    for level, context, factor in zip(levels[1:], contexts[1:], factors[1:], strict=True):
        position, pair = level.counts.pairs_of(context)
        cells[position, level.counts.pair_token[pair]] = factor[position] * level.pairs[pair]
    return np.asarray(cells)


def _occurrences(counts: Counts) -> np.ndarray:
    return np.bincount(counts.pair_token, counts.times, minlength=counts.ids)


def _bottom(walk: Walk, bottom: Bottom, *, with_end: bool) -> Smoothed:
    counts = walk.count()
    return smooth_bottom(counts, bottom_distribution(_occurrences(counts), bottom, with_end=with_end), walk.truth)


def _best_step(walk: Walk, candidates: Sequence[Element], below: np.ndarray) -> tuple[Element, Walk]:
    """Take the step that lowers the NLL most, judged by the coarse choices of smoothing."""
    element, best = candidates[0], walk.step(candidates[0])
    if len(candidates) == 1:
        return element, best
    lowest = _coarse_nll(best, below)
    for candidate in candidates[1:]:
        longer = walk.step(candidate)
        nll = _coarse_nll(longer, below)
        if nll < lowest:
            element, best, lowest = candidate, longer, nll
    return element, best


def _coarse_nll(walk: Walk, below: np.ndarray) -> float:
    return tune(walk.count(), walk.truth, below, COARSE).nll


def _climb(walk: Walk, chain: Chain, *, with_end: bool) -> list[Smoothed]:
    """Smooth the levels of a chain, the lowest first."""
    levels = [_bottom(walk, chain.bottom, with_end=with_end)]
    for level in chain.levels:
        for element in level.added:
            walk = walk.step(element)
        levels.append(smooth(walk.count(), level.smoothing, levels[-1], walk.truth))
    return levels
