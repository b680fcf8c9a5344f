"""Measures bars that are written anew in held-out pieces: how likely the true music behind them is, beside the true bars.

Run: python benchmarks/infill.py --recipe default --storage storage [--split test] [--pieces 8] [--bars 1 2 4] [--json]

In each of some held-out pieces a gap of so many bars is chosen by chance, with music before and behind it. The promoted models
write it anew as `lstm-music rewrite` does, and the best bars are kept by the first `BEHIND` events behind the gap.

- Nats per event of the true music behind the gap: after the bars that were kept, after a plain continuation of what is before
  (the mean of all candidates: none is chosen), and after the true bars. For the events by which the candidates are chosen, and
  for as many behind those, which had no say.
- The best of so many candidates of the first run alone, in the mean over ways to draw them.
- The longest copies of training pieces in the gaps, in events; and the overlapped area of all statistics of the gaps: one half of
  the pieces' true bars with the others' new bars, and with the others' true bars (the ceiling), as a mean over 20 halvings.
- CPU and wall seconds for each gap, with the models loaded.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.splits import TEST, VALIDATION
from lstm_music.errors import LstmMusicError
from lstm_music.evaluation.music_card import HALVINGS, halve
from lstm_music.evaluation.overlapped_area import compare
from lstm_music.generation.spec import GenerationSpec
from lstm_music.recipe import load_recipe
from lstm_music.stages.current import Promoted, require_promoted
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.music import candidates, ready
from lstm_music.stages.music.copies import event_reader, index_copies, load_index
from lstm_music.stages.music.gap_reading import read_gap
from lstm_music.stages.music.measures import Excerpt, Measured, measure
from lstm_music.stages.music.prompt_files import PromptMidi
from lstm_music.stages.music.rewriting import BEHIND, Rewrite, Rewritten, rewriting
from lstm_music.stages.music.rewritten_result import NewBars
from lstm_music.stages.training.trained import load_inference_model
from lstm_music.store import Store

FEWEST_BEFORE = 32
"""Events before a gap."""

FEWER = (16, 64, 128)
"""Numbers of candidates of the first run of which the best is reported."""

NEW, PLAIN, TRUE = "new bars", "plain continuation", "true bars"


@dataclass(frozen=True, eq=False)
class Case:
    """A gap: `nats` [events] behind each kind of bars, and what the kinds are like; and how long it took.

    `judged` [candidates] is the mean by which the candidates of the first run are judged.
    """

    piece: str
    bars: str
    nats: Mapping[str, npt.NDArray[np.floating[Any]]]
    judged: npt.NDArray[np.floating[Any]]
    measured: Mapping[str, Measured]
    cpu_seconds: float
    wall_seconds: float

    def behind(self, events: slice) -> dict[str, float]:
        """Give the nats per event of some events behind the gap, for each kind of bars."""
        return {kind: float(own[events].mean()) for kind, own in self.nats.items()}

    def best_of(self, count: int) -> float:
        """Give the mean over draws of `count` candidates of the first run, of the best one's nats."""
        ordered = np.sort(self.judged)
        left = np.arange(len(ordered), 0, -1)
        chance = (left / len(ordered)) ** count - ((left - 1) / len(ordered)) ** count  # by draws with replacement
        return float(chance @ ordered)


def gaps(
    store: Store, dataset: Dataset, spec: GenerationSpec, bars: int, arguments: argparse.Namespace
) -> Iterator[Rewritten]:
    """Choose a gap of so many bars in each of some pieces, with enough music around it."""
    rows = {row["piece_id"]: row for row in read_pieces(store, dataset.notes_ref, ("piece_id", "name", "format"))}
    rng = np.random.default_rng([arguments.random_seed, bars])
    found = 0
    for index in rng.permutation(len(dataset.spans[arguments.split])).tolist():
        row = rows[dataset.spans[arguments.split][index].piece_id]
        file = PromptMidi(row["name"], store.get_blob(row["piece_id"]), row["format"])
        for first in rng.permutation(np.arange(4, 41)).tolist()[:6]:
            try:
                read = read_gap(dataset, Rewrite(file, "", f"{first}-{first + bars - 1}"), spec, 2 * BEHIND)
            except LstmMusicError:
                continue  # the piece is shorter
            if len(read.segment.tokens) >= FEWEST_BEFORE and len(read.given) == 2 * BEHIND and read.replaced.any():
                found += 1
                yield read
                break
        if found == arguments.pieces:
            return


def rewritten(
    store: Store, current: Promoted, dataset: Dataset, spec: GenerationSpec, read: Rewritten, seed: int
) -> Case:
    """Write a gap anew, and measure the bars."""
    cpu, wall = time.process_time(), time.perf_counter()
    found = candidates.new_bars(store, dataset, current.models, spec, seed, read)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    plain = [one for one in found.first if one is not None]
    if found.was is None:
        raise LstmMusicError(f"{read.melody.file.name}: the models cannot read {read.melody.where}")
    index, reader = load_index(store, index_copies(store, current.dataset)), event_reader(dataset)

    def measured(one: NewBars) -> Measured:
        position = int(read.positions[int(one.onsets[0])])
        return measure(dataset, index, reader, Excerpt(one.made.tokens, position, read.segment.bar_steps))

    nats = {
        NEW: found.results[0].nats_behind,
        PLAIN: np.mean([one.nats_behind for one in plain], 0),
        TRUE: found.was.nats_behind,
    }
    judged = np.array([one.nats_behind[:BEHIND].mean() for one in plain])
    of_kinds = {NEW: measured(found.results[0]), PLAIN: measured(plain[0]), TRUE: measured(found.was)}
    return Case(read.melody.file.name, read.melody.bars, nats, judged, of_kinds, cpu, wall)


def areas(found: Sequence[Case]) -> dict[str, float]:
    """Give the mean overlapped area of true bars with each kind, in pieces apart; that with true bars is the ceiling."""
    values: dict[str, list[float]] = {}
    for number in range(HALVINGS):
        in_b = halve([case.piece for case in found], np.random.default_rng([1, number]))
        reference = [case.measured[TRUE].statistics for case, is_in_b in zip(found, in_b, strict=True) if not is_in_b]
        others = [case.measured for case, is_in_b in zip(found, in_b, strict=True) if is_in_b]
        by_kind = {kind: compare(reference, [one[kind].statistics for one in others]) for kind in (NEW, PLAIN, TRUE)}
        shared = [
            metric
            for metric in by_kind[TRUE]
            if all(metric in own and own[metric].area is not None for own in by_kind.values())
        ]
        for kind, own in by_kind.items():
            values.setdefault(kind, []).extend(own[metric].area or 0.0 for metric in shared)
    return {kind: fmean(own) for kind, own in values.items() if own}


def summary(found: Sequence[Case]) -> dict[str, Any]:
    """Give means over gaps."""
    judged, later = ([case.behind(events) for case in found] for events in (slice(BEHIND), slice(BEHIND, None)))
    copies = {kind: [case.measured[kind].longest_copy for case in found] for kind in (NEW, PLAIN, TRUE)}
    return {
        "gaps": len(found),
        "candidates": max(len(case.judged) for case in found),
        "nats": {kind: fmean(one[kind] for one in judged) for kind in (NEW, PLAIN, TRUE)},
        "nats_later": {kind: fmean(one[kind] for one in later) for kind in (NEW, PLAIN, TRUE)},
        "error": {
            "above_true": float(np.std([one[NEW] - one[TRUE] for one in judged]) / max(len(found), 1) ** 0.5),
            "below_plain": float(np.std([one[PLAIN] - one[NEW] for one in judged]) / max(len(found), 1) ** 0.5),
        },
        "best_of": {count: fmean(case.best_of(count) for case in found) for count in FEWER},
        "longest_copy": {kind: {"mean": fmean(own), "most": max(own)} for kind, own in copies.items()},
        "area": areas(found) if len(found) >= 4 else {},
        "cpu_seconds": fmean(case.cpu_seconds for case in found),
        "wall_seconds": fmean(case.wall_seconds for case in found),
        "cases": [
            {"piece": case.piece, "bars": case.bars, **case.behind(slice(BEHIND)), "cpu_seconds": case.cpu_seconds}
            for case in found
        ],
    }


def show(bars: int, found: Mapping[str, Any]) -> None:
    """Print what was found for gaps of one length."""
    print(
        f"{found['gaps']} gaps of {bars} {'bar' if bars == 1 else 'bars'}, {found['candidates']} candidates in each run"
    )
    for name, words in (("nats", f"{BEHIND} events behind"), ("nats_later", f"the next {BEHIND}")):
        own = found[name]
        print(
            f"  {words}: "
            + ", ".join(f"{kind} {own[kind]:.3f}" for kind in (NEW, PLAIN, TRUE))
            + f"; above true {own[NEW] - own[TRUE]:+.3f}, below plain {own[PLAIN] - own[NEW]:+.3f}"
        )
    print(f"  standard errors: {found['error']['above_true']:.3f} and {found['error']['below_plain']:.3f}")
    print("  best of the first run: " + ", ".join(f"{count}: {nats:.3f}" for count, nats in found["best_of"].items()))
    print(
        "  longest copies: "
        + ", ".join(f"{kind} {own['mean']:.1f} (most {own['most']})" for kind, own in found["longest_copy"].items())
    )
    print("  overlapped area: " + ", ".join(f"{kind} {area:.3f}" for kind, area in found["area"].items()))
    print(f"  {found['cpu_seconds']:.1f} CPU seconds and {found['wall_seconds']:.1f} wall seconds a gap", flush=True)


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="default", help="with promoted models (default: %(default)s)")
    parser.add_argument("--storage", type=Path, required=True, help="storage that holds the models")
    parser.add_argument("--split", choices=(VALIDATION, TEST), default=VALIDATION, help="default: %(default)s")
    parser.add_argument(
        "--pieces", type=int, default=8, help="gaps of each length, each in another piece (default: %(default)s)"
    )
    parser.add_argument("--bars", type=int, nargs="+", default=[1, 2, 4], help="default: 1 2 4")
    parser.add_argument("--candidates", type=int, help="in each run, instead of the usual number for a result")
    parser.add_argument("--random-seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    try:
        store, recipe = Store(arguments.storage), rewriting(load_recipe(arguments.recipe))
        count = arguments.candidates or recipe.generation.best_of
        spec = recipe.generation.model_copy(update={"num_outputs": 1, "best_of": count})
        with store.session():
            current = require_promoted(store, recipe.name)
            dataset = load_dataset(store, current.dataset)
            loaded = {ref: load_inference_model(store, ref, dataset) for ref in current.models.values()}
            # The time of a gap is with loaded models.
            ready.load_inference_model = lambda _store, ref, _dataset: loaded[ref]
            result = {}
            for bars in arguments.bars:
                chosen = gaps(store, dataset, spec, bars, arguments)
                seed = arguments.random_seed
                found = [rewritten(store, current, dataset, spec, read, seed) for read in chosen]
                result[bars] = summary(found)
                if not arguments.json:
                    show(bars, result[bars])
    except LstmMusicError as error:
        parser.error(str(error))
    if arguments.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
