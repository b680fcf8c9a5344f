"""Measures the memory of training on 1, 10 and 100 times the music.

Run: python benchmarks/memory.py COLLECTION.zip [--times 1 10 100] [--steps 300] [--units 128] [--json]

The recipe `default` prepares the collection. For n times the music, the dataset is repeated n times; each copy is transposed
by another number of semitones and has its own piece ids. A separate process then trains the note model for some steps of
the first epoch, with checkpoints, and scores the validation music (also n times as much). The result is the peak of the
anonymous memory (RssAnon) of that process. Pages of a memory map do not count, because the system can drop them. Small
models are the stricter test, because the growing part is then a larger share. The score card after a training, which holds
all events of validation and test, is not included.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import json
import multiprocessing
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lstm_music.encoding.splits import SPLITS
from lstm_music.encoding.windows import PieceSpan
from lstm_music.models.backend import load_tensorflow
from lstm_music.parquet import write_table
from lstm_music.recipe import Recipe, load_recipe
from lstm_music.stages.data.dataset import SPLITS_SCHEMA, Dataset, dataset_stage, load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.ngrams import TABLE_FILES
from lstm_music.stages.data.prepare import last_prepared, prepare
from lstm_music.stages.training.train import train_model
from lstm_music.stages.training.trained import columns_of
from lstm_music.store import ArtifactRef, Store

MIB = 2**20
SECONDS_BETWEEN_LOOKS = 0.02
SEMITONES = range(-6, 6)


class EnoughError(Exception):
    """Raised when the requested number of steps is done."""


def small_recipe(units: int) -> Recipe:
    """Return the recipe `default` with smaller models."""
    recipe = load_recipe("default")
    return recipe.model_copy(update={"model": recipe.model.model_copy(update={"units": units})})


def several_times(store: Store, recipe: Recipe, ref: ArtifactRef, times: int) -> ArtifactRef:
    """Write a dataset of `times` copies and return its reference; the tokens are never in memory as a whole."""
    dataset = load_dataset(store, ref)
    stage = dataset_stage(recipe, dataset.notes_ref, dataset.events_ref)
    stage = dataclasses.replace(stage, spec={**stage.spec, "times": times})
    with store.write(stage) as writer:
        events, columns = dataset.tokens.shape
        tokens = np.lib.format.open_memmap(
            writer.file("tokens", "npy"), "w+", dataset.tokens.dtype, (times * events, columns)
        )
        for copy in range(times):
            tokens[copy * events : (copy + 1) * events] = _transposed(dataset, recipe, SEMITONES[copy % len(SEMITONES)])
        tokens.flush()
        rows = [row for copy in range(times) for row in _rows(dataset, copy, copy * events)]
        write_table(writer.file("splits", "parquet"), pa.Table.from_pylist(rows, schema=SPLITS_SCHEMA))
        vocabularies = json.dumps([vocabulary.to_json() for vocabulary in dataset.vocabularies.values()])
        writer.file("vocabularies", "json").write_text(vocabularies, encoding="utf-8")
        if "ngrams" in recipe.model.experts:  # each copy has the guesses of its piece, moved with it
            for name in TABLE_FILES:
                shutil.copyfile(dataset.artifact.file(f"ngram_{name}"), writer.file(f"ngram_{name}", "npy"))
        writer.facts.update(warnings=[], leaky=True)  # copies stay in the split of their piece, but they are copies
    return stage.ref


def _transposed(dataset: Dataset, recipe: Recipe, semitones: int) -> np.ndarray:
    """Return all tokens, with each piece transposed as far as the piano's range allows."""
    tokens, moved = np.array(dataset.tokens), dataset.transposition(recipe.windows)
    note_columns = columns_of(dataset, recipe.windows).note_columns
    for split in SPLITS:
        for span in dataset.spans[split]:
            shift = min(max(semitones, span.lowest_shift), span.highest_shift) - recipe.windows.transpose_from
            for column in note_columns:
                tokens[span.start : span.stop, column] = moved[shift, tokens[span.start : span.stop, column]]
    return tokens


def _rows(dataset: Dataset, copy: int, first: int) -> Iterator[dict[str, Any]]:
    for split in SPLITS:
        for span in dataset.spans[split]:
            name = hashlib.sha256(f"{span.piece_id} {copy}".encode()).hexdigest()
            moved = PieceSpan(name, span.start + first, span.stop + first)  # transposed already, so no further shifts
            yield {"side": split, **dataclasses.asdict(moved)}


def train_and_score(storage: Path, units: int, ref: ArtifactRef, steps: int) -> None:
    """Train for some steps, with a checkpoint every second, and score the validation music."""
    load_tensorflow(threads=1)
    from lstm_music.models import training

    training.CHECKPOINT_SECONDS = 1.0
    store, recipe = Store(storage), small_recipe(units)

    def stop(progress: Any) -> None:
        if progress["step"] >= steps:
            raise EnoughError

    with contextlib.suppress(EnoughError):
        train_model(store, recipe, ref, "note", stop)
    from lstm_music.models.architectures import build_model
    from lstm_music.models.scoring import make_scorer, score_held_out

    dataset = load_dataset(store, ref)
    scorer = make_scorer(build_model(recipe.model, "note", columns_of(dataset, recipe.windows), 1), dataset.tokens)
    score_held_out(scorer, dataset.targets("validation"), dataset.tokens, dataset.streams, dataset.log_unknown)


def peak_of(work: Any, *arguments: Any) -> float:
    """Run `work` in a separate process; return the peak of its anonymous memory in MiB."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    status, peak = Path(f"/proc/{process.pid}/status"), 0
    while process.is_alive():
        with contextlib.suppress(OSError):
            found = re.search(r"^RssAnon:\s+(\d+) kB", status.read_text(), re.MULTILINE)
            peak = max(peak, int(found[1]) if found else 0)
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if process.exitcode:
        raise SystemExit(process.exitcode)
    return peak * 1024 / MIB


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a zip or folder of music")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    recipe, result = small_recipe(arguments.units), []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "storage")
        with store.session():
            prepare(store, recipe, ingest(store, recipe, str(arguments.archive)))
            once = last_prepared(store, recipe.name).dataset
            for times in arguments.times:
                ref = several_times(store, recipe, once, times)
                dataset = load_dataset(store, ref)
                mib = peak_of(train_and_score, store.root, arguments.units, ref, arguments.steps)
                result.append(
                    {
                        "times": times,
                        "events": len(dataset.tokens),
                        "pieces": sum(map(len, dataset.spans.values())),
                        "peak_anonymous_mib": round(mib, 1),
                        "ratio": round(mib / result[0]["peak_anonymous_mib"], 3) if result else 1.0,
                    }
                )
                if not arguments.json:
                    row = result[-1]
                    print(
                        f"{times:4} times: {row['events']:>11,} events in {row['pieces']:>6,} pieces: "
                        f"peak {row['peak_anonymous_mib']:>7,} MiB, {row['ratio']} times that of the first"
                    )
    if arguments.json:
        print(json.dumps({"memory": result}))


if __name__ == "__main__":
    main()
