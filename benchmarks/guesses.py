"""How good the guesses of n-grams are on their own, and what they cost: `[model] experts = ["ngrams"]`.

Run: python benchmarks/guesses.py --recipe demo --storage storage

It counts the training pieces of the recipe's last dataset anew, guesses every event, and prints for each stream the NLL of the
guesses alone (nats per event) and how often the value is among those that are kept: on the training pieces, each without its own
counts, and on validation. It prints CPU seconds and the size of the table too. The dataset itself need not have guesses.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lstm_music.encoding.guesses import GUESSES, ODDS_STEP, PARTS, guess_tokens
from lstm_music.encoding.ngrams import Counts, count, joined, occasions
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.splits import TRAIN, VALIDATION
from lstm_music.encoding.streams import PART, STREAMS
from lstm_music.recipe import load_recipe
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.data.prepare import last_prepared
from lstm_music.store import Store


def streams_of(dataset: Dataset, split: str) -> Iterator[np.ndarray]:
    """Yield the stream tokens of each piece of a split, int64 [events, streams]."""
    for span in dataset.spans[split]:
        yield dataset.tokens[span.start : span.stop, : len(STREAMS)].astype(np.int64)


def nats(guesses: np.ndarray, values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return -ln p of each value by its guesses, and whether it is among them."""
    ids, odds = guesses[:, :GUESSES], ODDS_STEP * guesses[:, GUESSES : 2 * GUESSES]
    is_kept = odds > 0
    weights = np.where(is_kept, np.exp(odds), 0)
    total = weights.sum(1) + size - is_kept.sum(1)
    is_it = is_kept & (ids == values[:, None])
    return np.log(total) - np.log(np.where(is_it.any(1), (weights * is_it).sum(1), 1)), is_it.any(1)


def measure(dataset: Dataset, table: Counts, split: str) -> None:
    """Print the NLL of each stream on a split."""
    shapes = shapes_of(dataset.vocabularies["note"])
    costs: dict[str, list[np.ndarray]] = {stream: [] for stream in STREAMS}
    hits: dict[str, list[np.ndarray]] = {stream: [] for stream in STREAMS}
    before = time.process_time()
    for tokens in streams_of(dataset, split):
        found = guess_tokens(tokens, shapes, dataset.sizes, table, is_counted=split == TRAIN)
        for place, stream in enumerate(STREAMS):
            guesses, values = found[:, place * len(PARTS) : (place + 1) * len(PARTS)], tokens[:, place]
            if stream == STREAMS[0]:  # they stand with the event before
                guesses, values = guesses[:-1], values[1:]
            cost, hit = nats(guesses, values, dataset.sizes[stream])
            costs[stream].append(cost)
            hits[stream].append(hit)
    seconds = time.process_time() - before
    parts = [
        f"{stream} {np.concatenate(costs[stream]).mean():.3f} ({np.concatenate(hits[stream]).mean():.1%})"
        for stream in STREAMS
    ]
    print(f"{split}: {', '.join(parts)}; {seconds:.1f} CPU s")


def main() -> None:
    """Count, guess and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="demo")
    parser.add_argument("--storage", default="storage")
    given = parser.parse_args()
    store, recipe = Store(given.storage), load_recipe(given.recipe)
    prepared = last_prepared(store, recipe.name)
    if prepared is None:
        parser.error(
            f"{given.storage} has no dataset of {recipe.name}; first: lstm-music prepare --recipe {given.recipe}"
        )
    dataset = load_dataset(store, prepared.dataset)
    if PART in dataset.streams:
        parser.error(f"recipe {recipe.name} has parts, and this measures no parts; give one without, such as demo")
    shapes = shapes_of(dataset.vocabularies["note"])
    before = time.process_time()
    with tempfile.TemporaryDirectory() as scratch:
        pieces = (occasions(tokens, shapes) for tokens in streams_of(dataset, TRAIN))
        table = joined([*count(pieces, Path(scratch))])
    events = sum(span.events for span in dataset.spans[TRAIN])
    print(
        f"{events:,} events counted: {len(table.contexts):,} contexts, {len(table.values):,} values; "
        f"{time.process_time() - before:.1f} CPU s"
    )
    for split in (TRAIN, VALIDATION):
        measure(dataset, table, split)


if __name__ == "__main__":
    main()
