"""Measures how much sooner our models reach the best validation NLL of the report's method.

Run: python benchmarks/time_to_nll.py COLLECTION.zip [--storage DIR] [--report-epochs 150] [--patience 4] [--json]

Both learn the events of the recipe `seed` (its 37 files, read as the report read them), split by piece. Both are scored on the
same events: the validation events after a full window of 64.

The report's method is three models. Each sees windows of its own stream, at stride 1 with one target per window, until its
patience is over. The architecture `three_streams` trains them: it computes the same as stock Keras (tests check that) in less
time. The time of stock Keras is its number of steps times the time per step, measured by `train_step.py` in the same run.

Ours are the chained models with the settings below, a target at every step, and random transpositions. The curves are compared
at the same CPU time for each of the three models, with one point per epoch of ours. `--storage` keeps the report's models, so
a stopped benchmark can continue with them. Ours are trained again each time, to measure their seconds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lstm_music.encoding.splits import TRAIN, VALIDATION
from lstm_music.models.backend import load_tensorflow
from lstm_music.recipe import Recipe, load_recipe, parse_recipe
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.training.train import train_model
from lstm_music.stages.training.trained import columns_of, model_stage
from lstm_music.store import ArtifactRef, Store

OURS: dict[str, Any] = {
    "windows": {"length": 128, "transpose_from": -6, "transpose_to": 5},
    "model": {"architecture": "chained_lstm", "units": 384, "hidden_inputs": 0.02},
    "training": {"patience": 6, "batch_size": 8, "learning_rate": 8e-3},
}
# Tuned on validation: with few pieces, rhythm overfits early, so its learning rate falls to zero within few epochs.
DROPOUT = {"offset": 0.6, "note": 0.4, "duration": 0.6}
EPOCHS = {"offset": 6, "note": 36, "duration": 5}
FIRST_TARGET = 64  # the first event after a full window of the report


def ours_recipe() -> Recipe:
    """Return a recipe with the report's events and our models."""
    seed = load_recipe("seed").model_dump(mode="json")
    return parse_recipe({**seed, "name": "seed-chained", **OURS}, "time_to_nll.py")


def report_recipe(epochs: int, patience: int) -> Recipe:
    """Return the report's recipe, split by piece."""
    recipe = load_recipe("seed")
    return recipe.model_copy(
        update={"training": recipe.training.model_copy(update={"epochs": epochs, "patience": patience})}
    )


def prepared(store: Store, recipe: Recipe, source: str) -> ArtifactRef:
    """Return the dataset of a recipe, and make it if missing."""
    return prepare(store, recipe, ingest(store, recipe, source)).dataset


def report_way(store: Store, recipe: Recipe, dataset: ArtifactRef) -> dict[str, dict[str, Any]]:
    """Train the report's models; return the best NLL of each, and the number of windows until then."""
    found = {}
    windows = load_dataset(store, dataset).targets(TRAIN, recipe.first_target).events
    for name in recipe.model.models:
        train_model(store, recipe, dataset, name)
        artifact = store.open(model_stage(recipe, dataset, name).ref)
        history = json.loads(artifact.file("history").read_text())
        best = artifact.counts["best_epoch"]
        found[name] = {
            "nll": artifact.facts["held_out_nll"],
            "epochs": best,
            "windows": best * windows,
            "curve": [score["held_out"] for score in history],
        }
    return found


def our_way(store: Store, recipe: Recipe, ref: ArtifactRef, name: str) -> dict[str, Any]:
    """Train one of our models; return the NLL of each epoch and the CPU seconds until then, without imports."""
    load_tensorflow(threads=1)
    from lstm_music.models.training import train
    from lstm_music.models.training_data import TrainingData

    dataset = load_dataset(store, ref)
    data = TrainingData(
        tokens=dataset.tokens,
        train=dataset.targets(TRAIN),
        validation=dataset.targets(VALIDATION, FIRST_TARGET),
        columns=columns_of(dataset, recipe.windows),
        log_unknown=dataset.log_unknown,
        transposition=dataset.transposition(recipe.windows),
        window=recipe.windows,
    )
    begun, seconds = time.process_time(), []

    def note(progress: Any) -> None:
        if progress.scored_epochs > len(seconds):
            seconds.append(round(time.process_time() - begun, 1))

    model = recipe.model.model_copy(update={"dropout": DROPOUT[name]})
    training = recipe.training.model_copy(update={"epochs": EPOCHS[name]})
    _, history = train(data, name, model, training, recipe.random_seed, report=note)
    return {"curve": [score.held_out for score in history], "cpu_seconds": seconds}


def stock_keras_windows_per_second() -> float:
    """Measure the report's model in stock Keras."""
    command = [sys.executable, str(Path(__file__).with_name("train_step.py")), "--json"]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
    return float(json.loads(result)["windows_per_second"]["report"])


def best_until(curve: list[float], seconds: list[float], now: float) -> float:
    """Return the best NLL of a model within `now` seconds."""
    return min((nll for nll, at in zip(curve, seconds, strict=True) if at <= now), default=float("inf"))


def compared(report: dict[str, Any], ours: dict[str, Any], windows_per_second: float) -> dict[str, Any]:
    """Compare both methods by the sums of NLL and of CPU seconds over the three models."""
    goal = sum(model["nll"] for model in report.values())
    moments = sorted({at for model in ours.values() for at in model["cpu_seconds"]})
    reached = [
        at
        for at in moments
        if sum(best_until(model["curve"], model["cpu_seconds"], at) for model in ours.values()) <= goal
    ]
    theirs = sum(model["windows"] for model in report.values()) / windows_per_second
    best = {name: min(model["curve"]) for name, model in ours.items()}
    return {
        "report_nll": {name: round(model["nll"], 4) for name, model in report.items()} | {"sum": round(goal, 4)},
        "ours_nll": {name: round(nll, 4) for name, nll in best.items()} | {"sum": round(sum(best.values()), 4)},
        "nats_below": round(goal - sum(best.values()), 4),
        "report_epochs": {name: model["epochs"] for name, model in report.items()},
        "report_windows_per_second": windows_per_second,
        "report_cpu_seconds": round(theirs),
        "ours_cpu_seconds": round(len(ours) * reached[0], 1) if reached else None,
        "times_sooner": round(theirs / (len(ours) * reached[0]), 1) if reached else None,
        "ours_curves": ours,
        "report_curves": {name: model["curve"] for name, model in report.items()},
    }


def measure(store: Store, arguments: argparse.Namespace) -> dict[str, Any]:
    """Train all six models and compare them."""
    windows_per_second = arguments.report_windows_per_second or stock_keras_windows_per_second()
    theirs, recipe = report_recipe(arguments.report_epochs, arguments.patience), ours_recipe()
    with store.session():
        report = report_way(store, theirs, prepared(store, theirs, arguments.source))
        dataset = prepared(store, recipe, arguments.source)
        ours = {name: our_way(store, recipe, dataset, name) for name in recipe.model.models}
    return compared(report, ours, windows_per_second)


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="a zip or folder of the Kaggle dataset soumikrakshit/classical-music-midi")
    parser.add_argument("--storage", type=Path, help="storage for the trained models [default: a temporary folder]")
    parser.add_argument("--report-epochs", type=int, default=150, help="maximum epochs of the report's models")
    parser.add_argument("--patience", type=int, default=4, help="epochs of the report's models without a better NLL")
    parser.add_argument("--report-windows-per-second", type=float, help="of stock Keras, if measured before")
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Store(arguments.storage or Path(folder) / "storage"), arguments)
    if arguments.json:
        print(json.dumps(found))
        return
    for name in found["report_nll"]:
        print(f"{name:9} report {found['report_nll'][name]:.3f}   ours {found['ours_nll'][name]:.3f} nats per event")
    print(
        f"report: best sum after {found['report_epochs']} epochs, {found['report_cpu_seconds']:,} CPU s in stock Keras"
    )
    print(f"ours: the same sum after {found['ours_cpu_seconds']} CPU s, {found['times_sooner']} times sooner")


if __name__ == "__main__":
    main()
