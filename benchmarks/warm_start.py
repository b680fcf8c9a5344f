"""Measures how much sooner a training reaches the old score, after music was added, if it starts from the old models.

Run: python benchmarks/warm_start.py [--recipe demo] [--source corpus] [--added 10] [--storage DIR] [--json]

The recipe is first trained without some of its training pieces. These are then added, and it is trained twice with its own
settings: from nothing, and warm. The old score is the sum of the validation NLL of the old models; the validation pieces are
the same in all three trainings. The result is the CPU seconds of training until the sum is as low, epoch by epoch, at equal
epochs of the three models; compile time is included.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from lstm_music.encoding.splits import TRAIN, VALIDATION
from lstm_music.models.backend import load_tensorflow
from lstm_music.recipe import Recipe, load_recipe
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.training.train import train_model
from lstm_music.stages.training.trained import model_stage
from lstm_music.store import ArtifactRef, Store

Curve = list[tuple[float, float]]
"""After each epoch: the CPU seconds until then, and the best validation NLL so far."""


def without_some(store: Store, recipe: Recipe, whole: ArtifactRef, added: int) -> Recipe:
    """Exclude the first `added` training pieces."""
    dataset = load_dataset(store, whole)
    chosen = {span.piece_id for span in dataset.spans[TRAIN][:added]}
    pieces = read_pieces(store, dataset.notes_ref)
    names = [name for piece in pieces if piece["piece_id"] in chosen for name in piece["names"]]
    return recipe.model_copy(update={"name": f"{recipe.name}-before", "exclude": (*recipe.exclude, *names)})


def train(
    store: Store, recipe: Recipe, dataset: ArtifactRef, name: str, start: ArtifactRef | None = None
) -> tuple[ArtifactRef, Curve]:
    """Train one model and record its curve; a model that was trained before has no curve."""
    begun, curve = time.process_time(), []

    def note(progress: Any) -> None:
        if progress["scored_epochs"] > len(curve):
            curve.append((time.process_time() - begun, progress["best"]))

    return train_model(store, recipe, dataset, name, note, start), curve


def together(curves: list[Curve]) -> Curve:
    """Add up the curves of several models, epoch by epoch; a shorter curve keeps its last value."""
    longest = max(map(len, curves))
    padded = [[*curve, *[curve[-1]] * (longest - len(curve))] for curve in curves]
    return [(sum(at for at, _ in row), sum(nll for _, nll in row)) for row in zip(*padded, strict=True)]


def seconds_until(curve: Curve, nll: float) -> float | None:
    """Return the CPU seconds until the curve is as low as `nll`."""
    return next((at for at, found in curve if found <= nll), None)


def measure(store: Store, recipe: Recipe, source: str, added: int) -> dict[str, Any]:
    """Train three times and compare."""
    load_tensorflow(threads=1)
    with store.session():
        whole = prepare(store, recipe, ingest(store, recipe, source)).dataset
        before = without_some(store, recipe, whole, added)
        part = prepare(store, before, ingest(store, before, source)).dataset
        old_pieces, new_pieces = (
            {span.piece_id for span in load_dataset(store, ref).spans[VALIDATION]} for ref in (part, whole)
        )
        if old_pieces != new_pieces:
            raise SystemExit("the validation pieces differ with and without the added ones; use another --added")
        names = recipe.model.models
        old = {name: train(store, before, part, name)[0] for name in names}
        cold = together([train(store, recipe, whole, name)[1] for name in names])
        warm = together([train(store, recipe, whole, name, old[name])[1] for name in names])
        score = sum(store.open(model_stage(before, part, name).ref).facts["held_out_nll"] for name in names)
    from_nothing, from_old = seconds_until(cold, score), seconds_until(warm, score)
    return {
        "added": added,
        "pieces": len(load_dataset(store, whole).spans[TRAIN]),
        "old_nll": round(score, 4),
        "from_nothing_nll": round(cold[-1][1], 4),
        "warm_nll": round(warm[-1][1], 4),
        "from_nothing_cpu_seconds": from_nothing and round(from_nothing, 1),
        "warm_cpu_seconds": from_old and round(from_old, 1),
        "times_sooner": round((from_nothing or cold[-1][0]) / from_old, 1) if from_old else None,
        "from_nothing_reached_it": from_nothing is not None,
        "warm_cpu_seconds_to_what_from_nothing_ends_at": seconds_until(warm, cold[-1][1]),
        "whole_training_cpu_seconds": {"from_nothing": round(cold[-1][0], 1), "warm": round(warm[-1][0], 1)},
    }


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="demo")
    parser.add_argument("--source", help="source of the music [default: the recipe's]")
    parser.add_argument("--added", type=int, default=10, help="number of pieces to add")
    parser.add_argument("--storage", type=Path, help="an empty folder [default: a temporary one]")
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    recipe = load_recipe(arguments.recipe)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(arguments.storage or Path(folder) / "storage")
        found = measure(store, recipe, arguments.source or recipe.source, arguments.added)
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"{found['added']} of {found['pieces']} training pieces added; old models: {found['old_nll']} nats per event")
    print(f"from nothing: {found['from_nothing_nll']} nats, old score after {found['from_nothing_cpu_seconds']} CPU s")
    print(f"warm:         {found['warm_nll']} nats, old score after {found['warm_cpu_seconds']} CPU s")
    least = "" if found["from_nothing_reached_it"] else "at least "  # the cold training never reached it
    print(f"{least}{found['times_sooner']} times sooner")


if __name__ == "__main__":
    main()
