import numpy as np
import pytest

from lstm_music.encoding.vocabulary import END, START, UNKNOWN
from lstm_music.evaluation.contexts import Counts
from lstm_music.evaluation.smoothing import (
    FINE,
    Bottom,
    Smoothing,
    base_distribution,
    bottom_distribution,
    mean_nll,
    smooth,
    smooth_bottom,
    tune,
    tune_bottom,
)

IDS = 6
BOTTOM = Bottom(0.1, Smoothing(0.5, 1.0))


def two_contexts() -> Counts:
    """Context 0 was followed by 3 (five times) and 4 (once), context 1 by 5 (twice), context 2 never; five targets."""
    pairs = np.array([3, 4, IDS + 5])
    return Counts(np.array([0, 0, 1, 2, 0]), 3, pairs, np.array([5.0, 1.0, 2.0]), IDS)


@pytest.mark.parametrize("with_end", [False, True])
def test_the_base_distribution_has_mass_on_all_that_can_be_a_target(with_end):
    base = base_distribution(IDS, 0.1, with_end=with_end)
    assert base.sum() == pytest.approx(1)
    assert base[START] == 0
    assert base[UNKNOWN] == pytest.approx(0.1)
    assert (base[END] > 0) == with_end
    assert base[3:].min() > 0


def test_a_vocabulary_without_values_leaves_all_to_unknown():
    assert base_distribution(3, 0.1, with_end=False).tolist() == [0, 0, 1]


def test_the_bottom_distribution_sums_to_one_and_follows_the_counts():
    distribution = bottom_distribution(np.array([0, 0, 0, 8.0, 1, 0]), BOTTOM, with_end=False)
    assert distribution.sum() == pytest.approx(1)
    assert distribution[3] > distribution[4] > distribution[5] > 0
    assert distribution[3] == pytest.approx((7.5 + 2 * 0.3) / 10)


def test_the_bottom_is_tuned_to_the_targets():
    times = np.array([0, 0, 0, 8.0, 1, 0])
    targets = np.array([3, 3, UNKNOWN, UNKNOWN, UNKNOWN])
    chosen = tune_bottom(times, targets, with_end=False)
    cost = mean_nll(bottom_distribution(times, chosen, with_end=False)[targets])
    assert chosen.unknown_share > 0.5
    assert all(
        cost <= mean_nll(bottom_distribution(times, Bottom(share, smoothing), with_end=False)[targets]) + 1e-12
        for share in (0.01, 0.5, 0.99)
        for smoothing in FINE
    )


def test_a_smoothed_context_sums_to_one_whatever_followed_it():
    counts, smoothing = two_contexts(), Smoothing(0.75, 3.0)
    distribution = bottom_distribution(np.array([0, 0, 0, 8.0, 1, 2]), BOTTOM, with_end=False)
    for token in range(3, IDS):
        every_target = np.arange(IDS)
        for context in range(3):
            asked = Counts(np.full(IDS, context), 3, counts.pairs, counts.times, IDS)
            below = smooth_bottom(
                Counts(np.zeros(IDS, np.int64), 1, counts.pairs, counts.times, IDS), distribution, every_target
            )
            result = smooth(asked, smoothing, below, every_target)
            assert result.targets.sum() == pytest.approx(1)
            if context == 2:
                assert result.targets[token] == pytest.approx(distribution[token])


def test_tuning_foresees_exactly_what_smoothing_gives():
    counts, targets = two_contexts(), np.array([3, 4, 3, 5, UNKNOWN])
    distribution = bottom_distribution(np.array([0, 0, 0, 8.0, 1, 2]), BOTTOM, with_end=False)
    below = smooth_bottom(Counts(np.zeros(5, np.int64), 1, counts.pairs, counts.times, IDS), distribution, targets)
    for smoothing in FINE:
        tuned = tune(counts, targets, below.targets, [smoothing])
        result = smooth(counts, smoothing, below, targets).targets
        assert tuned.targets == pytest.approx(result)
        assert tuned.nll == pytest.approx(mean_nll(result))
    assert tune(counts, targets, below.targets, FINE).nll == pytest.approx(
        min(tune(counts, targets, below.targets, [smoothing]).nll for smoothing in FINE)
    )


def test_contexts_that_training_never_had_change_nothing():
    nothing = Counts(np.array([0, 1]), 2, np.empty(0, np.int64), np.empty(0), IDS)
    below = np.array([0.25, 0.5])
    tuned = tune(nothing, np.array([3, 4]), below, FINE)
    assert tuned.targets.tolist() == below.tolist()
    assert tuned.nll == pytest.approx(mean_nll(below))


def test_no_target_costs_nothing():
    assert mean_nll(np.empty(0)) == 0
