"""Ranking of candidates: each is measured, compared with held-out music, and gets penalties.

No number says what sounds good: metrics and listeners agree poorly (arXiv 2509.00051). A penalty marks a candidate that
copies more than usual, repeats itself, differs from the corpus, or is less likely than the others by the models.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_music.evaluation.copies import CopyIndex
from lstm_music.evaluation.loops import LOOP_TIMES
from lstm_music.evaluation.part_statistics import PART_METRICS
from lstm_music.evaluation.statistics import METRICS
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.candidates import Candidate
from lstm_music.stages.music.copies import event_reader
from lstm_music.stages.music.measures import Excerpt, Measured, measure
from lstm_music.stages.music.reference import Reference

PENALTIES = ("copies", "loops", "unlike the corpus", "unlikely")
FAR = 3.0  # standard deviations from the median that give the full penalty


@dataclass(frozen=True, eq=False)
class Scored:
    """A candidate, its measures, and its penalties by name (`PENALTIES`), each from 0 to 1."""

    made: Candidate
    measured: Measured
    penalties: Mapping[str, float]

    @property
    def penalty(self) -> float:
        """The sum of the penalties: lower is better."""
        return math.fsum(self.penalties.values())


def score_candidates(
    dataset: Dataset, index: CopyIndex | None, reference: Reference, candidates: Sequence[Candidate]
) -> list[Scored]:
    """Measure and score each candidate; statistics use as many events as the excerpts of the reference have."""
    reader = event_reader(dataset)
    measured = [measure(dataset, index, reader, excerpt_of(dataset, one), reference.events) for one in candidates]
    usual_nats = float(np.median([one.facts["nats_per_event"] for one in candidates]))
    return [
        Scored(one, found, _penalties(found, reference, one.facts["nats_per_event"] / max(usual_nats, 1e-9)))
        for one, found in zip(candidates, measured, strict=True)
    ]


def best(scored: Sequence[Scored], count: int) -> list[Scored]:
    """Keep the `count` candidates with the smallest penalties, in their original order."""
    kept = sorted(scored, key=lambda one: (one.penalty, one.made.number))[:count]
    return sorted(kept, key=lambda one: one.made.number)


def typical_ranges(reference: Reference) -> dict[str, tuple[float, float]]:
    """Give the range of each metric for 90 % of held-out music; no range if held-out music has no value."""
    ranges = {}
    for metric in (*METRICS, *PART_METRICS):
        values = np.array([one.get(metric, math.nan) for one in reference.statistics])
        values = values[np.isfinite(values)]
        if len(values):
            low, high = np.quantile(values, [0.05, 0.95])
            ranges[metric] = (float(low), float(high))
    return ranges


def _penalties(found: Measured, reference: Reference, relative_nats: float) -> dict[str, float]:
    usual_copy = reference.longest_copy or 0
    return {
        "copies": min(max((found.longest_copy or 0) / max(usual_copy, 1) - 1, 0.0), 1.0),
        "loops": min(max(found.repeats["bar"] - LOOP_TIMES, 0) / LOOP_TIMES, 1.0),
        "unlike the corpus": _unlike(found.statistics, reference),
        "unlikely": min(max(relative_nats - 1, 0.0), 1.0),
    }


def _unlike(statistics: Mapping[str, float], reference: Reference) -> float:
    """Average, over the metrics, the distance from the median of held-out music in standard deviations, up to `FAR`."""
    far = []
    for metric in METRICS:
        values = np.array([one[metric] for one in reference.statistics])
        values = values[np.isfinite(values)]
        if len(values) and math.isfinite(statistics[metric]):
            middle = np.median(values)
            deviation = max(float(values.std()), 1e-9)
            far.append(min(abs(statistics[metric] - float(middle)) / deviation, FAR) / FAR)
    return math.fsum(far) / len(far) if far else 0.0


def excerpt_of(dataset: Dataset, one: Candidate) -> Excerpt:
    """Take the new events of a candidate."""
    bar_steps = round(one.facts["bar_quarters"] * dataset.events.grid.steps_per_quarter)
    return Excerpt(one.tokens, one.facts["first_position_steps"], bar_steps)
