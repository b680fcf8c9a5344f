"""The paired comparison of two models on the same pieces: the difference in nats per event, with a confidence interval."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """New and old models on the same pieces, in nats per event; a `difference` above 0 means that the new ones are worse.

    `interval` is the confidence interval of the difference at `level`, (lower, upper); None for fewer than 2 pieces.
    """

    new_nll: float
    old_nll: float
    difference: float
    interval: tuple[float, float] | None
    pieces: int
    level: float

    def is_not_worse(self, tolerance: float) -> bool:
        """Whether the new models are not significantly worse by more than `tolerance`; False for a score that is no number.

        Without an interval the difference itself is compared.
        """
        lower = self.difference if self.interval is None else self.interval[0]
        return lower <= tolerance

    @property
    def text(self) -> str:
        """The difference and its noise in a few words: `0.015 ± 0.021, 95 %, 12 pieces`."""
        pieces = "1 piece" if self.pieces == 1 else f"{self.pieces:,} pieces"
        if self.interval is None:
            return f"{self.difference:.3f}, {pieces}"
        half_width = (self.interval[1] - self.interval[0]) / 2
        return f"{self.difference:.3f} ± {half_width:.3f}, {100 * self.level:g} %, {pieces}"


def compare(new_nats: np.ndarray, old_nats: np.ndarray, events: np.ndarray, level: float) -> Comparison:
    """Compare two models by all nats of each piece, float64 [pieces], and the events of each piece, int [pieces].

    Neighbouring events depend on each other, so pieces are the independent draws, not events. With D the difference of a piece
    in nats and n its events, the difference is the ratio R = ΣD / Σn. Its variance is that of a ratio estimate,
    Σ(D - R n)² / (k (k - 1) (Σn / k)²) for k pieces: W. G. Cochran, Sampling Techniques, 3rd ed., Wiley 1977, section 6.4,
    without the correction for a finite population. The interval is Student's t with k - 1 degrees of freedom. Pairing removes
    the noise of hard and easy pieces, as for questions in E. Miller, Adding Error Bars to Evals, arXiv:2411.00640, 2024.
    """
    from scipy.special import stdtrit  # its import takes a while, and few commands compare

    pieces, all_events = len(events), float(events.sum())
    differences = new_nats - old_nats
    ratio = float(differences.sum()) / all_events
    interval = None
    if pieces >= 2:
        residuals = differences - ratio * events
        mean_events = all_events / pieces
        error = math.sqrt(float((residuals**2).sum()) / (pieces * (pieces - 1))) / mean_events
        half_width = float(stdtrit(pieces - 1, (1 + level) / 2)) * error
        interval = (ratio - half_width, ratio + half_width)
    return Comparison(
        new_nll=float(new_nats.sum()) / all_events,
        old_nll=float(old_nats.sum()) / all_events,
        difference=ratio,
        interval=interval,
        pieces=pieces,
        level=level,
    )
