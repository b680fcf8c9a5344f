"""How alike two sets of pieces are, metric by metric: overlapped area and KL divergence of their distances.

After L.-C. Yang and A. Lerch, "On the evaluation of generative models in music", Neural Computing and Applications, 2018.
For each metric: the *intra-set* distances are those of each piece of the reference from each other one (leave one out: each
pair comes twice), the *inter-set* distances those of each piece of the reference from each of the other set. Where the other
set is of the reference's kind, both are distributed alike. Each set of distances becomes a density by a Gaussian kernel
(Scott's bandwidth). The overlapped area is the integral of the smaller of the two densities, 0 to 1; the divergence is
KL(intra ‖ inter) in nats.

Two things differ from the authors' code (mgeval): it integrates between the smallest and the largest distance, so that equal
sets have an area below 1, and it reads the two densities of the divergence at different distances. Here both are
integrated over one range that holds all of both.

What has no answer is None with a reason, never a number: no noise is added where distances are all equal.

Areas are comparable with one reference and with pieces of one length alone. So: held-out music as the reference; training
music as the other set for the ceiling, the same shuffled for the floor (`shuffled_pieces`), and generated music between them.
The ceiling is a little below 1. The time grows with the number of distances: a hundred pieces against a hundred take
some tenths of a second per metric.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.midi.notes import PieceNotes, sorted_notes

_POINTS = 512  # per density: at least three a bandwidth for distances out to 20 standard deviations
_BANDWIDTHS_BEYOND = 6  # past the outermost distance lies less than 1e-9 of a kernel
_ROUNDING = 1e-9  # relative to the values: distances that differ less are equal

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Overlap:
    """One metric of two sets: `area` (0 to 1) and `kl` (nats, from 0 on); None without a value, which `reason` explains.

    `reference_pieces` and `other_pieces` are how many of each set have a value of this metric; the others are left out.
    """

    area: float | None
    kl: float | None
    reference_pieces: int
    other_pieces: int
    reason: str = ""


def compare(
    reference: Sequence[Mapping[str, float]],
    other: Sequence[Mapping[str, float]],
) -> dict[str, Overlap]:
    """Compare two sets of pieces by all metrics that occur in them, in the order of their first occurrence.

    A piece is a mapping such as `statistics.piece_statistics` or `piece_histograms` gives, or both joined. Keys `name[bin]`
    of one name are one metric: a vector, whose distance is Euclidean. NaN or a missing key is no value.
    """
    keys_of: dict[str, dict[str, None]] = {}
    for key in (key for piece in (*reference, *other) for key in piece):
        keys_of.setdefault(key.partition("[")[0], {})[key] = None
    return {
        name: _overlap(_vectors(reference, tuple(keys)), _vectors(other, tuple(keys))) for name, keys in keys_of.items()
    }


def shuffled_pieces(pieces: Sequence[PieceNotes], random_seed: int) -> list[PieceNotes]:
    """Shuffle a whole set: pitches, durations and the times between onsets are each permuted among all of its notes.

    Each piece keeps only its first onset and its number of notes: a floor for every metric. Drums are
    left out. Times become ticks of the largest `ticks_per_quarter` of the set, rounded down.
    """
    if not pieces:
        return []
    rng = np.random.default_rng(random_seed)
    ticks_per_quarter = max(piece.ticks_per_quarter for piece in pieces)
    parts = [_without_drums(piece, ticks_per_quarter) for piece in pieces]
    pool = np.concatenate([notes for notes, _ in parts])
    steps = np.concatenate([step for _, step in parts])
    for field in ("pitch", "duration_ticks"):
        pool[field] = rng.permutation(pool[field])
    steps = rng.permutation(steps)
    shuffled = []
    for piece, (notes, step) in zip(pieces, parts, strict=True):
        mine, pool = pool[: len(notes)], pool[len(notes) :]
        onward, steps = steps[: len(step)], steps[len(step) :]
        mine["onset_ticks"] = notes["onset_ticks"][:1].sum() + np.concatenate([[0], np.cumsum(onward)])[: len(mine)]
        bars, names = piece.time_signatures[:1], piece.track_names
        shuffled.append(
            PieceNotes(ticks_per_quarter, sorted_notes(mine), time_signatures=bars, track_names=names),
        )
    return shuffled


def _without_drums(piece: PieceNotes, ticks_per_quarter: int) -> tuple[np.ndarray, npt.NDArray[np.int64]]:
    """Return the pitched notes in other ticks, and the ticks from each onset to the next, int64 [notes - 1]."""
    notes = piece.notes[~piece.notes["is_drum"]].copy()
    for field in ("onset_ticks", "duration_ticks"):
        notes[field] = notes[field] * ticks_per_quarter // piece.ticks_per_quarter
    return notes, np.diff(notes["onset_ticks"])


def _vectors(pieces: Sequence[Mapping[str, float]], keys: tuple[str, ...]) -> _Floats:
    """Return the values of those pieces that have all keys: float64 [pieces, keys]."""
    values = np.array([[piece.get(key, math.nan) for key in keys] for piece in pieces], np.float64).reshape(
        -1, len(keys)
    )
    return values[np.isfinite(values).all(axis=1)]


def _overlap(reference: _Floats, other: _Floats) -> Overlap:
    counts = len(reference), len(other)
    if len(reference) < 2 or not len(other):
        return Overlap(None, None, *counts, "needs two pieces of the reference and one other that have a value")
    intra, inter = _distances(reference, reference), _distances(reference, other)
    intra = intra[~np.eye(len(reference), dtype=np.bool_)]
    inter = inter.ravel()
    rounding = _ROUNDING * float(max(np.abs(reference).max(), np.abs(other).max()))
    if np.ptp(intra) > rounding and np.ptp(inter) > rounding:
        return Overlap(*_area_and_kl(intra, inter), *counts)
    if np.ptp(np.concatenate([intra, inter])) <= rounding:
        return Overlap(1.0, 0.0, *counts)
    which = "of the reference from each other" if np.ptp(intra) <= rounding else "of the reference from the other set"
    return Overlap(None, None, *counts, f"all distances {which} are equal, so they have no density")


def _distances(first: _Floats, second: _Floats) -> _Floats:
    """Return the Euclidean distance of each from each: float64 [first, second]."""
    return np.asarray(np.sqrt(((first[:, None] - second[None]) ** 2).sum(axis=2)), np.float64)


def _area_and_kl(intra: _Floats, inter: _Floats) -> tuple[float, float]:
    """Integrate by the trapezoidal rule; in logarithms, so that densities that lie far apart have a finite divergence."""
    variances = [_bandwidth(distances) for distances in (intra, inter)]
    places = np.unique(np.concatenate([*map(_places, (intra, inter), variances)]))
    log_intra, log_inter = (_log_density(*one, places) for one in zip((intra, inter), variances, strict=True))
    area = np.trapezoid(np.exp(np.minimum(log_intra, log_inter)), places)
    kl = np.trapezoid(np.exp(log_intra) * (log_intra - log_inter), places)
    return min(max(float(area), 0.0), 1.0), max(float(kl), 0.0)  # the rule may err by 1e-4 past the bounds


def _bandwidth(distances: _Floats) -> float:
    """Return the variance of the Gaussian kernel by the rule of Scott (1992), as `scipy.stats.gaussian_kde` has it."""
    variance: float = distances.var(ddof=1) * len(distances) ** -0.4
    return variance


def _log_density(distances: _Floats, variance: float, places: _Floats) -> _Floats:
    """Return the logarithm of a kernel density at places, float64 [places]; importing scipy.stats for it takes seconds."""
    exponents = -((places[:, None] - distances[None]) ** 2) / (2 * variance)
    largest = exponents.max(1, keepdims=True)
    total = largest[:, 0] + np.log(np.exp(exponents - largest).sum(1))
    return np.asarray(total - math.log(len(distances) * math.sqrt(2 * math.pi * variance)), np.float64)


def _places(distances: _Floats, variance: float) -> _Floats:
    """Spread points over a density: the distances, and beyond them as far as its kernel reaches."""
    beyond = _BANDWIDTHS_BEYOND * math.sqrt(variance)
    return np.linspace(distances.min() - beyond, distances.max() + beyond, _POINTS)
