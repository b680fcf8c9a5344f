"""The Frechet distance between two sets of pieces: each set is a Gaussian of a few statistics.

Its square is::

    d² = |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½)     (Dowson and Landau, Journal of Multivariate Analysis, 1982)

Other projects measure it between features of a trained network; here it is between statistics that a musician can name. Some
tens of pieces give a poor covariance, so it is shrunk towards a multiple of the identity, as much as Ledoit and Wolf (Journal
of Multivariate Analysis, 2004) find best. Few pieces make the distance larger: compare only distances of sets of equal sizes.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def usable(pieces: Sequence[Mapping[str, float]], names: Sequence[str]) -> tuple[str, ...]:
    """Keep the statistics that every piece has a value of, and that are not the same everywhere."""
    values = _table(pieces, names)
    return tuple(
        name for name, column in zip(names, values.T, strict=True) if np.isfinite(column).all() and np.ptp(column) > 0
    )


def standardised(
    pieces: Sequence[Mapping[str, float]], reference: Sequence[Mapping[str, float]], names: Sequence[str]
) -> Floats:
    """Give statistics in standard deviations from the mean of a reference, float64 [pieces, names].

    What is always the same in the reference is left in its own unit.
    """
    values, known = _table(pieces, names), _table(reference, names)
    deviation = known.std(axis=0)
    return np.asarray((values - known.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0), np.float64)


def distance(first: Floats, second: Floats) -> float:
    """Give the squared Frechet distance d² of two sets, float64 [pieces, statistics] each, of two pieces or more."""
    return gaussian_distance(
        first.mean(axis=0), shrunk_covariance(first), second.mean(axis=0), shrunk_covariance(second)
    )


def gaussian_distance(first_mean: Floats, first: Floats, second_mean: Floats, second: Floats) -> float:
    """Give d² of two Gaussians by their means [statistics] and covariances [statistics, statistics]."""
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    # (C1 C2) has the eigenvalues of the symmetric C1^½ C2 C1^½
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    squared = float(((first_mean - second_mean) ** 2).sum() + np.trace(first) + np.trace(second) - 2 * shared)
    return max(squared, 0.0)


def shrunk_covariance(values: Floats) -> Floats:
    """Give the covariance of rows, shrunk as Ledoit and Wolf (2004, section 3.2) do: float64 [columns, columns]."""
    count, columns = values.shape
    rows = values - values.mean(axis=0)
    sample = rows.T @ rows / count
    level = float(np.trace(sample)) / columns
    target = level * np.eye(columns)
    spread = float(((sample - target) ** 2).sum())
    error = math.fsum(float(((np.outer(row, row) - sample) ** 2).sum()) for row in rows) / count**2
    weight = min(error / spread, 1.0) if spread > 0 else 1.0
    return np.asarray(weight * target + (1 - weight) * sample, np.float64)


def _table(pieces: Sequence[Mapping[str, float]], names: Sequence[str]) -> Floats:
    values = [[piece.get(name, math.nan) for name in names] for piece in pieces]
    return np.array(values, np.float64).reshape(len(pieces), len(names))
