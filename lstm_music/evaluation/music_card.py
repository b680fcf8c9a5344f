"""The music card: how generated excerpts differ from held-out ones, and how held-out ones differ among themselves (the floor).

Both sets are paired: the generated excerpt continues what the held-out one continues. For the floor, the pieces are split in
halves A and B, several times. The classifier tells the held-out excerpts of A from those of B. The Frechet distance and the
overlapped area compare those of A with those of B, and then with what was generated in the places of B: sets of equal sizes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.evaluation import frechet, two_sample
from lstm_music.evaluation.note_ngrams import KINDS, NoteList, kind_of, pattern_shares
from lstm_music.evaluation.overlapped_area import compare
from lstm_music.evaluation.statistics import METRICS
from lstm_music.evaluation.structure import joined, returns

HALVINGS = 20
"""How often the pieces are split in halves for the floor of the classifier and of the Frechet distance."""
AREA_HALVINGS = 5
"""The same for the overlapped areas, which take longer."""
TELLS, TELLS_BY_KIND = 10, 5
FEWEST_PIECES = 4
"""Two in each half, so that one can be trained on and the other scored."""

Statistics = Mapping[str, float]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """An excerpt: its notes, the usual length of its bars in steps, and what was measured of it.

    `piece` is the piece that it was cut out of, or that its prompt was cut out of. `most_repeats` is how many times in a row a
    bar of it is heard at most, `loops` how many bars are heard more than four times, `longest_copy` the most events in a row
    that a training piece holds too.
    """

    piece: str
    notes: NoteList
    bar_steps: int
    statistics: Statistics
    most_repeats: int
    loops: int
    longest_copy: int


def music_card(
    generated: Sequence[Sample],
    held_out: Sequence[Sample],
    random_seed: int,
    on_stage: Callable[[str], None] = lambda _stage: None,
) -> dict[str, Any]:
    """Compare pairs of excerpts, the same number of both; `on_stage` gets what begins. Needs `FEWEST_PIECES` pieces."""
    pieces = [one.piece for one in held_out]
    halvings = [halve(pieces, np.random.default_rng([random_seed, number])) for number in range(HALVINGS)]
    on_stage("Training classifiers")
    classifier = _classifier(generated, held_out, halvings, random_seed)
    on_stage("Comparing statistics")
    return {
        "excerpts": len(held_out),
        "pieces": len(set(pieces)),
        "classifier": classifier,
        "frechet": _frechet(generated, held_out, halvings),
        "overlapped_area": _areas(generated, held_out, halvings[:AREA_HALVINGS]),
        **{name: {"generated": of(generated), "held_out": of(held_out)} for name, of in _ALONE.items()},
    }


def halve(pieces: Sequence[str], rng: np.random.Generator) -> Bools:
    """Split excerpts in halves by piece, as equal as can be, bool [excerpts]: True is half B."""
    names, numbers, sizes = np.unique(np.asarray(pieces), return_inverse=True, return_counts=True)
    in_b, balance = np.zeros(len(names), np.bool_), 0
    shuffled = rng.permutation(len(names))
    for piece in shuffled[np.argsort(-sizes[shuffled], kind="stable")].tolist():
        in_b[piece] = balance > 0 or (balance == 0 and rng.random() < 0.5)
        balance += -int(sizes[piece]) if in_b[piece] else int(sizes[piece])
    return np.asarray(in_b[numbers], np.bool_)


def _classifier(
    generated: Sequence[Sample], held_out: Sequence[Sample], halvings: Sequence[Bools], random_seed: int
) -> dict[str, Any]:
    table = two_sample.Table.of([pattern_shares(one.notes) for one in (*generated, *held_out)])
    pieces = [one.piece for one in (*generated, *held_out)]
    is_generated = np.arange(len(pieces)) < len(generated)
    found = two_sample.accuracy(table, is_generated, pieces, random_seed)
    real = two_sample.Table.of([pattern_shares(one.notes) for one in held_out])
    real_pieces = [one.piece for one in held_out]
    floors = [two_sample.accuracy(real, half, real_pieces, random_seed, rounds=1).value for half in halvings]
    kinds = {kind: table.columns([kind_of(name) == kind for name in table.names]) for kind in KINDS}
    return {
        "accuracy": found.value,
        "low": found.low,
        "high": found.high,
        "floor": fmean(floors),
        "floor_low": float(np.quantile(floors, 0.05)),
        "floor_high": float(np.quantile(floors, 0.95)),
        "features": len(table.names),
        "by_kind": {
            kind: two_sample.accuracy(own, is_generated, pieces, random_seed).value for kind, own in kinds.items()
        },
        "tells": _tells(table, is_generated, TELLS),
        "tells_by_kind": {kind: _tells(own, is_generated, TELLS_BY_KIND) for kind, own in kinds.items()},
    }


def _tells(table: two_sample.Table, is_generated: Bools, count: int) -> list[dict[str, Any]]:
    return [
        {"feature": tell.name, "weight": tell.weight, "generated": tell.first, "held_out": tell.second}
        for tell in two_sample.tells(table, is_generated, count)
    ]


def _frechet(generated: Sequence[Sample], held_out: Sequence[Sample], halvings: Sequence[Bools]) -> dict[str, Any]:
    made, real = [one.statistics for one in generated], [one.statistics for one in held_out]
    names = frechet.usable([*made, *real], tuple(METRICS))
    if not names:
        return {"generated": None, "held_out": None, "statistics": []}
    made_rows, real_rows = (frechet.standardised(pieces, real, names) for pieces in (made, real))
    return {
        "generated": fmean(frechet.distance(real_rows[~half], made_rows[half]) for half in halvings),
        "held_out": fmean(frechet.distance(real_rows[~half], real_rows[half]) for half in halvings),
        "statistics": list(names),
    }


def _areas(generated: Sequence[Sample], held_out: Sequence[Sample], halvings: Sequence[Bools]) -> dict[str, Any]:
    """Average the areas over the halvings, metric by metric, and over the metrics that both comparisons have."""
    found: dict[str, dict[str, list[float]]] = {"generated": {}, "held_out": {}}
    for half in halvings:
        reference = [one.statistics for one, in_b in zip(held_out, half, strict=True) if not in_b]
        for name, samples in (("generated", generated), ("held_out", held_out)):
            other = [one.statistics for one, in_b in zip(samples, half, strict=True) if in_b]
            for metric, overlap in compare(reference, other).items():
                if overlap.area is not None:
                    found[name].setdefault(metric, []).append(overlap.area)
    shared = [metric for metric in found["generated"] if metric in found["held_out"]]
    means = {name: {metric: fmean(areas[metric]) for metric in shared} for name, areas in found.items()}
    return {
        name: {"mean": fmean(areas.values()) if areas else None, "by_metric": areas} for name, areas in means.items()
    }


def _loops(samples: Sequence[Sample]) -> dict[str, Any]:
    return {
        "with_loops": fmean(one.loops > 0 for one in samples),
        "most_repeats": fmean(one.most_repeats for one in samples),
    }


def _copies(samples: Sequence[Sample]) -> dict[str, Any]:
    found = [one.longest_copy for one in samples]
    return {"median": median(found), "longest": max(found)}


def _structure(samples: Sequence[Sample]) -> dict[str, Any]:
    return joined([returns(one.notes, one.bar_steps) for one in samples])


_ALONE: Mapping[str, Callable[[Sequence[Sample]], dict[str, Any]]] = {
    "loops": _loops,
    "copies": _copies,
    "structure": _structure,
}
