"""How many nats per frame do the LSTMs need on the two public benchmarks of polyphonic music, and a Transformer for the same CPU.

Run: python benchmarks/polyphony.py FOLDER_WITH_THE_ZIPS --storage DIR [--side test] [--without-transformer] [--json]

The folder holds jsb_chorales.zip and nottingham.zip (Boulanger-Lewandowski et al. 2012): a MIDI file a sequence, a quarter
a frame, below train, validation and test, and frames.json with the number of frames of each file. For each of them the
ordinary command line prepares, trains and scores:

    NLL a frame = the nats of all events and ends of a side / the frames of that side

What a sequence's events say is what its frames say: the first offset counts the silence before it, later ones the silence in it,
and each note is an event; of silence at its end they say nothing (validation and test have none). Beside that, our number
pays for every first frame and for where each sequence ends, which the published ones leave out.

The Transformer (benchmarks/transformer.py) gets the CPU seconds of the three trainings, `lstm-music train --model` each. In
them are TensorFlow's start, compiling and the scoring after each epoch; the like of these is not counted for the
Transformer. Where nothing had to be trained they are taken from the time when it was; see --cpu-seconds.

Tune on validation, and ask for test once: the published rows are of test.
"""

import argparse
import importlib.util
import json
import resource
import shlex
import subprocess
import sys
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
    """One benchmark: where its music lies, where it is prepared and trained, and by which recipe."""

    name: str
    archive: Path
    storage: Path
    recipe: str

    def frames(self, side: str) -> list[int]:
        """Read the number of frames of each sequence of a side."""
        with zipfile.ZipFile(self.archive) as members:
            frames = json.loads(members.read("frames.json"))
        return [count for name, count in frames.items() if name.startswith(f"{side}/")]

    def models(self) -> list[ArtifactRef]:
        """Say what the models of the dataset that was prepared last are called, trained or not."""
        recipe = load_recipe(self.recipe)
        dataset = last_prepared(Store(self.storage), recipe.name).dataset
        return [stage.ref for stage in model_stages(recipe, dataset).values()]


class Fail(Exception):  # noqa: N818 - it is how this program ends, with a sentence and an exit code
    """A reason to stop: one sentence, and the exit code."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


def run(command: Sequence[Any]) -> str:
    """Run a command; give what it printed, of which people see everything at once on standard error."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout or ():
        sys.stderr.write(line)
        lines.append(line)
    if process.wait():
        raise Fail(f"`{' '.join(map(str, command))}` ended with exit code {process.returncode}", process.returncode)
    return "".join(lines)


def result_of(command: Sequence[Any]) -> dict[str, Any]:
    """Run a command with --json; give the object that it prints last."""
    said: dict[str, Any] = json.loads(run([*command, "--json"]).splitlines()[-1])
    return said


def train(collection: Collection) -> float | None:
    """Prepare and train; give the CPU seconds that the training took, now or when it was done; None where nobody knows."""
    at = ["--recipe", collection.recipe, "--storage", collection.storage]
    run([COMMAND, "prepare", *at, "--source", collection.archive])  # apart, so that it is not counted
    store, models = Store(collection.storage), collection.models()
    whole = not any(store.has(ref) or read_progress(store, ref) for ref in models)  # nothing of it was done before
    begun = _cpu_of_children()
    names = load_recipe(collection.recipe).model.models
    trainings = [subprocess.Popen([str(part) for part in (COMMAND, "train", *at, "--model", name)]) for name in names]
    codes = [training.wait() for training in trainings]  # all of them: none is left running
    if any(codes):
        raise Fail(f"{collection.name}: a training ended with an error", 7)
    took = round(_cpu_of_children() - begun, 1)
    run([COMMAND, "train", *at])  # finds the models, and scores them beside the baselines
    record = collection.storage.with_name("cpu_seconds.json")  # beside the storage, which holds nothing of a stopwatch
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
    """Give the NLL a frame of the LSTMs on one side, and that of the Transformer."""
    side, with_transformer = arguments.side, not arguments.without_transformer
    took = train(collection)
    card = result_of([COMMAND, "evaluate", "--recipe", collection.recipe, "--storage", collection.storage])
    split, frames = card["splits"][side], collection.frames(side)
    if split["pieces"] != len(frames):
        raise Fail(f"{collection.archive}: {split['pieces']} of {len(frames)} sequences of {side} were scored", 5)
    result = {
        "ours": split["nats_total"] / sum(frames),
        "transformer": None,
        "frames": sum(frames),
        "events": split["events"],
        "cpu_seconds": took,
        "protocol": card["protocol"],
    }
    budget = arguments.cpu_seconds or took
    if with_transformer and budget is None:
        sys.stderr.write(
            f"{collection.name}: the models were found trained, and nobody knows how long that took, so the Transformer was "
            "not; give it --cpu-seconds\n"
        )
    elif with_transformer:
        said = _transformer(collection, side, budget, arguments.transformer_options)
        result["transformer"] = said[side]["sum"] * split["events"] / sum(frames)
        result["transformer_cpu_seconds"] = said["cpu_seconds"]
    return result


def _transformer(collection: Collection, side: str, budget: float | None, options: str) -> dict[str, Any]:
    command = [sys.executable, TRANSFORMER, "--recipe", collection.recipe, "--storage", collection.storage]
    return result_of([*command, "--cpu-seconds", budget, "--side", side, *shlex.split(options)])


def describe(results: Mapping[str, Any], side: str) -> None:
    """Print the table."""
    print(f"NLL a frame on {side}, nats; the published rows are of test")
    titles = [name + (" (leaky)" if "leaky" in result["protocol"] else "") for name, result in results.items()]
    print(f"{'':32}" + "".join(f"{title:>22}" for title in titles))
    for model, values in PUBLISHED.items():
        of = dict(zip(COLLECTIONS, values, strict=True))
        print(f"{model:32}" + "".join(f"{of[name]:22.2f}" for name in results))
    for model, key in (("the three LSTMs", "ours"), ("a Transformer, the same CPU", "transformer")):
        cells = [f"{result[key]:.3f}" if result[key] is not None else "" for result in results.values()]
        print(f"{model:32}" + "".join(f"{cell:>22}" for cell in cells))
    for name, result in results.items():
        seconds = f"{result['cpu_seconds']:,} s of CPU" if result["cpu_seconds"] else "CPU time not known"
        print(
            f"{name}: {result['frames']:,} frames, {result['events']:,} events, split {result['protocol']}; "
            f"the LSTMs' training: {seconds}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where jsb_chorales.zip and nottingham.zip lie")
    parser.add_argument("--storage", type=Path, required=True, help="folder for a storage of each collection")
    parser.add_argument("--side", choices=[VALIDATION, TEST], default=VALIDATION)
    parser.add_argument("--recipe", default="polyphony", help="a recipe's name, or the path of a .toml file")
    parser.add_argument("--collections", nargs="+", choices=COLLECTIONS, default=list(COLLECTIONS))
    parser.add_argument("--without-transformer", action="store_true", help="the LSTMs alone; needs no torch")
    parser.add_argument("--transformer-options", default="", help='of transformer.py, as "--width 128 --layers 2"')
    parser.add_argument("--cpu-seconds", type=float, help="for the Transformer, instead of what the LSTMs took")
    parser.add_argument("--json", action="store_true", help="print the result for programs, last")
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
        print(json.dumps({**results, "side": arguments.side}))
    else:
        describe(results, arguments.side)


def _require(collections: Sequence[Collection], *, with_transformer: bool) -> None:
    """Stop before anything is run where it could not be finished."""
    if with_transformer and importlib.util.find_spec("torch") is None:
        raise Fail(
            "the Transformer needs torch: `make install-bench` installs it, --without-transformer does without", 2
        )
    if missing := [str(collection.archive) for collection in collections if not collection.archive.is_file()]:
        raise Fail(f"{' and '.join(missing)}: not there; give the folder that holds the zips", 3)


if __name__ == "__main__":
    main()
