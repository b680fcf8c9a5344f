"""Measures the memory of preparing and feeding the windows of the report's recipe, by its method and by ours.

Run: python benchmarks/seed_memory.py COLLECTION.zip [--theirs 4000 8000] [--json]

Ours is the recipe `seed` on its 37 files and on the whole collection, from the zip to one epoch of batches; then the same with
TensorFlow, the model and some training steps. Theirs follows the report's notebook: windows as Python lists, one-hot encoded
as one int64 array, then split at random, which copies. It runs at two sizes that fit, and the line through them is
extrapolated. Each result is the peak resident memory of a separate process.
"""

import argparse
import contextlib
import json
import multiprocessing
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lstm_music.encoding.splits import SPLITS
from lstm_music.encoding.windows import Targets, next_event_batches, shuffled
from lstm_music.recipe import Recipe, load_recipe
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.training.train import train_model
from lstm_music.store import ArtifactRef, Store

SIZES = (75_000, 501_029, 550_000)  # the second is the size of the collection
MIB = 2**20


def _prepared(archive: Path, storage: Path, whole_collection: bool) -> tuple[Store, Recipe, ArtifactRef]:
    store, recipe = Store(storage), load_recipe("seed")
    recipe = recipe.model_copy(update={"include": ("*",)}) if whole_collection else recipe
    with store.session():
        return store, recipe, prepare(store, recipe, ingest(store, recipe, str(archive))).dataset


def ours(archive: Path, storage: Path, whole_collection: bool) -> int:
    """Prepare the recipe and read every window once; return the number of windows."""
    store, recipe, ref = _prepared(archive, storage, whole_collection)
    dataset = load_dataset(store, ref)
    spans = [span for split in SPLITS for span in dataset.spans[split]]
    places = shuffled(Targets.of(spans, recipe.windows.length).places, 1, 0)
    plan = next_event_batches(dataset.tokens, places, length=recipe.windows.length, batch_size=32)
    return sum(int(batch.mask.sum()) for batch in plan)


def ours_training(archive: Path, storage: Path, whole_collection: bool) -> int:
    """Do the same, then train the note model until the peak no longer rises."""
    windows = ours(archive, storage, whole_collection)
    store, recipe, ref = _prepared(archive, storage, whole_collection)

    class EnoughError(Exception):
        pass

    def stop(progress: Any) -> None:
        if progress["step"] > 50:
            raise EnoughError

    with contextlib.suppress(EnoughError):
        train_model(store, recipe, ref, "note", stop)
    return windows


def theirs(windows: int, length: int, classes: int) -> int:
    """Make `windows` windows as the notebook does; random tokens take the same memory."""
    tokens = np.random.default_rng(0).integers(0, classes, windows + length).tolist()
    sequences = [tokens[start : start + length] for start in range(windows)]
    one_hot = np.eye(classes, dtype=np.int64)[np.array(sequences)]
    order = np.random.default_rng(1).permutation(windows)
    train, test = one_hot[order[windows // 5 :]], one_hot[order[: windows // 5]]
    return len(train) + len(test)


def peak(work: Callable[..., int], *arguments: Any) -> tuple[int, float]:
    """Run `work` in a separate process; return its result and its peak memory in MiB."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_report, args=(there, work, arguments))
    process.start()
    there.close()
    result: tuple[int, float] = here.recv()
    process.join()
    return result


def _report(pipe: Any, work: Callable[..., int], arguments: tuple[Any, ...]) -> None:
    result = work(*arguments)
    pipe.send((result, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB))


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a zip of the Kaggle dataset soumikrakshit/classical-music-midi")
    parser.add_argument(
        "--theirs", type=int, nargs=2, default=[4000, 8000], help="numbers of windows to measure their method with"
    )
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory() as folder:
        for work in (ours, ours_training):
            for whole in (False, True):
                windows, mib = peak(work, arguments.archive, Path(folder), whole)
                result["ours"].append({"what": work.__name__, "windows": windows, "peak_mib": round(mib)})
    measured = [peak(theirs, windows, 64, 277) for windows in arguments.theirs]
    (few, small), (many, large) = measured
    slope = (large - small) / (many - few)
    result["theirs"] = [
        {"windows": windows, "peak_mib": round(mib), "extrapolated": False} for windows, mib in measured
    ]
    result["theirs"] += [
        {"windows": windows, "peak_mib": round(large + slope * (windows - many)), "extrapolated": True}
        for windows in SIZES
    ]
    if arguments.json:
        print(json.dumps(result))
        return
    for row in result["ours"]:
        print(f"{row['what']:14} {row['windows']:>8,} windows: peak {row['peak_mib']:>8,} MiB")
    for row in result["theirs"]:
        how = "extrapolated" if row["extrapolated"] else "measured"
        print(f"{'theirs':14} {row['windows']:>8,} windows: peak {row['peak_mib']:>8,} MiB, {how}")


if __name__ == "__main__":
    main()
