"""Measures the nats per frame of the LSTMs, and of a Transformer with equal CPU time, on two public benchmarks.

Run: python benchmarks/polyphony.py FOLDER_WITH_THE_ZIPS --storage DIR [--split test] [--without-transformer] [--json]

The folder holds jsb_chorales.zip and nottingham.zip (Boulanger-Lewandowski et al. 2012). Each has one MIDI file per sequence,
with one quarter per frame, in the folders train, validation and test, and frames.json with the number of frames of each
file. The ordinary command line prepares, trains and scores each collection:

    NLL per frame = the nats of all events and ends of a split / the frames of that split

The events of a sequence hold the same information as its frames. The first offset is the silence before it, later offsets
are the silence within it, and each note is an event. Silence at the end is lost (validation and test have none). Our number
also includes the first frame and the end of each sequence, which the published numbers leave out.

The Transformer (benchmarks/transformer.py) reads echoes and has the recipe's experts. It gets the CPU seconds of the three
trainings (`lstm-music train --model`). These include TensorFlow's start, compiling, and the scoring after each epoch, which do
not count for the Transformer. If the models were trained before, the recorded CPU seconds of that training are used; see
--cpu-seconds.

Tune on validation, and score test once: the published rows are for test. Nothing about test is printed without `--split test`.
"""

import argparse
import importlib.util
import json
import resource
import shlex
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_music.encoding.splits import TEST, VALIDATION
from lstm_music.errors import LstmMusicError
from lstm_music.recipe import load_recipe
from lstm_music.stages.data.prepare import last_prepared
from lstm_music.stages.training.checkpoints import read_progress
from lstm_music.stages.training.trained import model_stages
from lstm_music.store import ArtifactRef, Store

PUBLISHED = {  # nats per frame on test: (JSB chorales, Nottingham)
    "RNN (Bai et al. 2018)": (8.91, 4.05),
    "GRU (Bai et al. 2018)": (8.43, 3.46),
    "LSTM (Bai et al. 2018)": (8.45, 3.29),
    "TCN (Bai et al. 2018)": (8.10, 3.07),
    "DBN + LSTM (Vohra et al. 2015)": (3.47, 1.32),
    "per-key persistence": (10.49, 5.15),
    "per-key marginal": (11.09, 10.26),
}
COLLECTIONS = ("jsb_chorales", "nottingham")
COMMAND = Path(sys.executable).with_name("lstm-music")
TRANSFORMER = Path(__file__).with_name("transformer.py")


@dataclass(frozen=True)
class Collection:
    """One benchmark: its music, its storage and its recipe."""

    name: str
    archive: Path
    storage: Path
    recipe: str

    def frames(self, split: str) -> list[int]:
        """Read the number of frames of each sequence of a split."""
        with zipfile.ZipFile(self.archive) as members:
            frames = json.loads(members.read("frames.json"))
        return [count for name, count in frames.items() if name.startswith(f"{split}/")]

    def models(self) -> list[ArtifactRef]:
        """Return the references of the models of the latest dataset, trained or not."""
        recipe = load_recipe(self.recipe)
        dataset = last_prepared(Store(self.storage), recipe.name).dataset
        return [stage.ref for stage in model_stages(recipe, dataset).values()]


class Fail(Exception):  # noqa: N818 - it ends this program with a sentence and an exit code
    """A reason to stop: one sentence and the exit code."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def run(command: Sequence[Any], *, is_shown: bool = True) -> str:
    """Run a command; return its output, which is also copied to standard error while it runs, unless it is not to be shown."""
    words = [str(part) for part in command]
    hidden = None if is_shown else tempfile.TemporaryFile("w+")  # noqa: SIM115 - the process ends before it does
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=hidden, text=True)
    lines = []
    for line in process.stdout or ():
        if is_shown:
            sys.stderr.write(line)
        lines.append(line)
    if process.wait():
        if hidden:
            hidden.seek(0)
            sys.stderr.write(hidden.read())
        raise Fail(f"`{' '.join(words)}` ended with exit code {process.returncode}", process.returncode)
    return "".join(lines)


def result_of(command: Sequence[Any], *, is_shown: bool = True) -> dict[str, Any]:
    """Run a command with --json; return the object in its last line."""
    result: dict[str, Any] = json.loads(run([*command, "--json"], is_shown=is_shown).splitlines()[-1])
    return result


def train(collection: Collection) -> float | None:
    """Prepare and train; return the CPU seconds of the training, measured now or recorded earlier; None if unknown."""
    at = ["--recipe", collection.recipe, "--storage", collection.storage]
    run([COMMAND, "prepare", *at, "--source", collection.archive])  # before the measurement starts
    store, models = Store(collection.storage), collection.models()
    whole = not any(store.has(ref) or read_progress(store, ref) for ref in models)  # no training was started before
    begun = _cpu_of_children()
    names = load_recipe(collection.recipe).model.models
    trainings = [subprocess.Popen([str(part) for part in (COMMAND, "train", *at, "--model", name)]) for name in names]
    codes = [training.wait() for training in trainings]  # wait for all, so that none keeps running
    if any(codes):
        raise Fail(f"{collection.name}: a training failed", 7)
    took = round(_cpu_of_children() - begun, 1)
    run([COMMAND, "train", *at], is_shown=False)  # finds the models, and scores them with the baselines: on test, too
    record = collection.storage.with_name("cpu_seconds.json")  # beside the storage, which holds no timings
    known: dict[str, float] = json.loads(record.read_text()) if record.exists() else {}
    key = "+".join(ref.key for ref in models)
    if whole:
        known[key] = took
        record.write_text(json.dumps(known, indent=1) + "\n")
    return known.get(key)


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(collection: Collection, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the NLL per frame of the LSTMs on one split, and that of the Transformer."""
    split, with_transformer = arguments.split, not arguments.without_transformer
    took = train(collection)
    card = result_of(
        [COMMAND, "evaluate", "--recipe", collection.recipe, "--storage", collection.storage], is_shown=False
    )
    scores, frames = card["splits"][split], collection.frames(split)
    if scores["pieces"] != len(frames):
        raise Fail(
            f"{collection.archive}: expected {len(frames)} scored sequences of {split}, got {scores['pieces']}", 5
        )
    result = {
        "ours": scores["nats_total"] / sum(frames),
        "transformer": None,
        "frames": sum(frames),
        "events": scores["events"],
        "cpu_seconds": took,
        "protocol": card["protocol"],
    }
    budget = arguments.cpu_seconds or took
    if with_transformer and budget is None:
        sys.stderr.write(
            f"{collection.name}: the models were trained before, in an unknown CPU time, so the Transformer was skipped; "
            "set its time with --cpu-seconds\n"
        )
    elif with_transformer:
        other = _transformer(collection, split, budget, arguments.transformer_options)
        result["transformer"] = other[split]["sum"] * scores["events"] / sum(frames)
        result["transformer_cpu_seconds"] = other["cpu_seconds"]
    return result


def _transformer(collection: Collection, split: str, budget: float | None, options: str) -> dict[str, Any]:
    command = [sys.executable, TRANSFORMER, "--recipe", collection.recipe, "--storage", collection.storage]
    return result_of([*command, "--cpu-seconds", budget, "--split", split, *shlex.split(options)])


def describe(results: Mapping[str, Any], split: str) -> None:
    """Print the table."""
    print(f"NLL in nats per frame on {split}; the published rows are for test")
    titles = [name + (" (leaky)" if "leaky" in result["protocol"] else "") for name, result in results.items()]
    print(f"{'':32}" + "".join(f"{title:>22}" for title in titles))
    for model, values in PUBLISHED.items():
        of = dict(zip(COLLECTIONS, values, strict=True))
        print(f"{model:32}" + "".join(f"{of[name]:22.2f}" for name in results))
    for model, key in (("three LSTMs", "ours"), ("Transformer, equal CPU time", "transformer")):
        cells = [f"{result[key]:.3f}" if result[key] is not None else "" for result in results.values()]
        print(f"{model:32}" + "".join(f"{cell:>22}" for cell in cells))
    for name, result in results.items():
        seconds = f"{result['cpu_seconds']:,} CPU s" if result["cpu_seconds"] else "unknown CPU time"
        print(
            f"{name}: {result['frames']:,} frames, {result['events']:,} events, split {result['protocol']}; "
            f"training of the LSTMs: {seconds}"
        )


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with jsb_chorales.zip and nottingham.zip")
    parser.add_argument("--storage", type=Path, required=True, help="folder for one storage per collection")
    parser.add_argument("--split", choices=[VALIDATION, TEST], default=VALIDATION)
    parser.add_argument("--recipe", default="polyphony", help="a recipe's name, or the path of a .toml file")
    parser.add_argument("--collections", nargs="+", choices=COLLECTIONS, default=list(COLLECTIONS))
    parser.add_argument("--without-transformer", action="store_true", help="only the LSTMs; needs no torch")
    parser.add_argument("--transformer-options", default="", help='for transformer.py, e.g. "--width 128 --layers 2"')
    parser.add_argument("--cpu-seconds", type=float, help="for the Transformer, instead of the time of the LSTMs")
    parser.add_argument("--json", action="store_true", help="print the result for programs as the last line")
    arguments = parser.parse_args()
    collections = [
        Collection(name, arguments.folder / f"{name}.zip", arguments.storage / name, arguments.recipe)
        for name in arguments.collections
    ]
    try:
        _require(collections, with_transformer=not arguments.without_transformer)
        results = {collection.name: measure(collection, arguments) for collection in collections}
    except (Fail, LstmMusicError) as error:
        sys.stderr.write(f"polyphony.py: {error}\n")
        sys.exit(error.code if isinstance(error, Fail) else error.exit_code)
    if arguments.json:
        print(json.dumps({**results, "split": arguments.split}))
    else:
        describe(results, arguments.split)


def _require(collections: Sequence[Collection], *, with_transformer: bool) -> None:
    """Stop before the first run if a requirement is missing."""
    if with_transformer and importlib.util.find_spec("torch") is None:
        raise Fail("the Transformer needs torch: install it with `make install-bench`, or add --without-transformer", 2)
    if missing := [str(collection.archive) for collection in collections if not collection.archive.is_file()]:
        raise Fail(f"{' and '.join(missing)}: not found; give the folder that holds the zips", 3)


if __name__ == "__main__":
    main()
