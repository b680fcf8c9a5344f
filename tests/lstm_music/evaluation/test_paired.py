"""The paired comparison: the difference in nats per event, its interval, and when new models are not worse."""

import math

import numpy as np
import pytest
from scipy import stats

from lstm_music.evaluation.paired import compare

EVENTS = np.array([100, 100, 100, 100, 100])
OLD = np.array([210.0, 190.0, 250.0, 205.0, 220.0])
GAINS = np.array([3.0, -2.0, 4.0, 1.0, 1.5])


def test_for_pieces_of_equal_length_it_is_the_t_test_of_pairs():
    found = compare(OLD + GAINS, OLD, EVENTS, 0.9)
    reference = stats.ttest_rel((OLD + GAINS) / 100, OLD / 100).confidence_interval(0.9)
    assert found.interval == pytest.approx((reference.low, reference.high))
    assert found.difference == pytest.approx(GAINS.mean() / 100)
    assert found.new_nll - found.old_nll == pytest.approx(found.difference)
    assert (found.pieces, found.level) == (5, 0.9)


def test_long_pieces_count_by_their_events():
    found = compare(np.array([11.0, 200.0]), np.array([10.0, 200.0]), np.array([10, 90]), 0.95)
    assert found.difference == pytest.approx(0.01)
    residuals = [1 - 0.01 * 10, -0.01 * 90]
    error = math.sqrt(sum(value**2 for value in residuals) / 2) / 50
    assert found.interval is not None
    assert found.interval[1] - found.difference == pytest.approx(stats.t.ppf(0.975, 1) * error)


def test_the_interval_holds_the_truth_as_often_as_its_level_says():
    """Pieces of very different lengths, whose events depend on each other; the truth is a difference of 0.02."""
    rng, held, trials = np.random.default_rng(5), 0, 2000
    for _ in range(trials):
        events = rng.integers(50, 1000, 30)
        of_pieces = 0.02 + rng.normal(0, 0.05, 30)  # all events of a piece share this
        old = 2.0 * events
        interval = compare(old + of_pieces * events, old, events, 0.9).interval
        assert interval is not None
        held += interval[0] <= 0.02 <= interval[1]
    assert 0.86 < held / trials < 0.93


def test_not_worse_means_not_significantly_worse_by_more_than_the_tolerance():
    noisy = compare(OLD + GAINS, OLD, EVENTS, 0.95)
    assert noisy.difference > 0
    assert noisy.is_not_worse(0.0)
    assert not compare(OLD + GAINS, OLD, EVENTS, 0.5).is_not_worse(0.0)
    worse = compare(OLD + 10 + GAINS, OLD, EVENTS, 0.95)
    assert not worse.is_not_worse(0.0)
    assert worse.is_not_worse(0.15)


@pytest.mark.parametrize(("gain", "expected"), [(1.0, False), (0.0, True), (-1.0, True)])
def test_one_piece_has_no_interval_so_the_difference_counts(gain, expected):
    found = compare(OLD[:1] + gain, OLD[:1], EVENTS[:1], 0.95)
    assert found.interval is None
    assert found.is_not_worse(0.0) == expected
    assert found.text == f"{gain / 100:.3f}, 1 piece"


def test_a_score_that_is_no_number_is_worse():
    for count in (1, 5):
        assert not compare(OLD[:count] * np.nan, OLD[:count], EVENTS[:count], 0.95).is_not_worse(100.0)


def test_the_text_has_the_difference_its_noise_the_level_and_the_pieces():
    found = compare(OLD + GAINS, OLD, EVENTS, 0.95)
    assert found.interval is not None
    noise = (found.interval[1] - found.interval[0]) / 2
    assert found.text == f"0.015 ± {noise:.3f}, 95 %, 5 pieces"
