"""The Frechet distance against closed formulas."""

import numpy as np
import pytest

from lstm_music.evaluation.frechet import distance, gaussian_distance, shrunk_covariance, standardised, usable


def test_gaussians_with_diagonal_covariances_have_a_closed_formula():
    means, spreads = np.array([[0.0, 1, -2], [3, 1, 0.5]]), np.array([[1.0, 4, 9], [4, 1, 0.25]])
    expected = ((means[0] - means[1]) ** 2).sum() + ((np.sqrt(spreads[0]) - np.sqrt(spreads[1])) ** 2).sum()
    found = gaussian_distance(means[0], np.diag(spreads[0]), means[1], np.diag(spreads[1]))
    assert found == pytest.approx(expected)


def test_two_by_two_covariances_that_do_not_commute_have_a_closed_formula():
    """tr((AB)^½) = (tr AB + 2 det(AB)^½)^½ for two by two matrices."""
    first, second = np.array([[2.0, 0.7], [0.7, 1.0]]), np.array([[1.0, -0.4], [-0.4, 3.0]])
    product = first @ second
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(first) + np.trace(second) - 2 * root
    assert gaussian_distance(np.zeros(2), first, np.zeros(2), second) == pytest.approx(expected)
    assert gaussian_distance(np.zeros(2), first, np.zeros(2), first) == pytest.approx(0, abs=1e-12)


def test_the_shrunk_covariance_is_that_of_many_rows_and_has_an_inverse_for_few():
    rng = np.random.default_rng(1)
    mixing = rng.normal(size=(6, 6))
    many = rng.normal(size=(50_000, 6)) @ mixing.T
    np.testing.assert_allclose(shrunk_covariance(many), np.cov(many.T, bias=True), rtol=0.02, atol=0.02)
    few = rng.normal(size=(4, 6)) @ mixing.T
    covariance = shrunk_covariance(few)
    assert np.linalg.eigvalsh(covariance).min() > 0
    assert np.trace(covariance) == pytest.approx(np.trace(np.cov(few.T, bias=True)))


def test_the_distance_grows_with_the_difference_of_two_samples():
    rng = np.random.default_rng(2)
    first, alike = rng.normal(size=(2, 40, 5))
    distances = [distance(first, alike + shift) for shift in (0, 1, 2)]
    assert distances == sorted(distances)
    assert distances[2] > distances[0] + 15


def test_only_statistics_with_values_that_differ_are_used_in_units_of_the_reference():
    pieces = [{"a": 1.0, "b": 2.0, "c": float("nan")}, {"a": 3.0, "b": 2.0, "c": 1.0}]
    assert usable(pieces, ("a", "b", "c", "d")) == ("a",)
    assert standardised([{"a": 5.0}], pieces, ("a",)).tolist() == [[3.0]]
