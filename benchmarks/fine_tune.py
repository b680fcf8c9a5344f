"""Measures from how many pieces on fine-tuning pays: a base without some music, which then learns a little of that music.

Run: python benchmarks/fine_tune.py [--source ZIP_OR_FOLDER] [--composer chopin] [--pieces 5 20 80] [--storage DIR] [--json]
     python benchmarks/fine_tune.py --own corpus --composer bach --without chopin     from piano music to chorales

Music lies in folders by composer. The base is `default`, smaller: fewer units and epochs. It learns the source, but for the
composer, or for what `--without` names. Of the composer, in the source or in `--own`, 6 pieces are validation and 8 are test,
always the same, in the order of their SHA-256; the next ones are trained on, as many as asked for or as there are. The score
card of each fine-tuning gives the base, the fine-tuned models, a training from nothing and the n-grams. With `--parts-only`,
the output bias alone is tuned too, and the initial state with it: all other weights stay. Results are nats per event on
validation and test. With a storage, what is there is not trained again.
"""

import argparse
import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from lstm_music.encoding.splits import TEST, TRAIN, VALIDATION
from lstm_music.evaluation.fine_tuned import EARLIER, FROM_NOTHING
from lstm_music.models import training
from lstm_music.models.backend import load_tensorflow
from lstm_music.models.chained import ChainedLSTM
from lstm_music.models.scoring import make_scorer, score_held_out
from lstm_music.models.training_data import TrainingData
from lstm_music.recipe import Recipe, load_recipe, parse_recipe
from lstm_music.sources.catalogue import open_source
from lstm_music.sources.entry import Found
from lstm_music.stages.current import Promoted, keep, kept_form
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import Prepared, prepare
from lstm_music.stages.training.fine_tuning import FOR_FEW_FILES, beside, fine_tuned, from_nothing
from lstm_music.stages.training.scorecard import evaluate, read_card, scorecard_stage
from lstm_music.stages.training.train import train_model
from lstm_music.stages.training.trained import columns_of, model_stage, start_in, training_spec
from lstm_music.stages.training.warm_start import earlier_model
from lstm_music.store import ArtifactRef, Store

VALIDATION_PIECES, TEST_PIECES = 6, 8
BIAS, BIAS_AND_STATE = "output bias", "initial state, output bias"


def base_recipe(source: str, composer: str, units: int, epochs: int) -> Recipe:
    """Give `default` without the composer, with fewer units and epochs; rhythm has fewer epochs, as in `default`."""
    said = kept_form(load_recipe("default"))
    said |= {"name": "base", "source": source, "exclude": [f"{composer}/*"]}
    said["model"] |= {"units": units}
    said["training"] |= {"epochs": epochs}
    said["models"] = {name: {"dropout": 0.5, "epochs": max(1, epochs * 2 // 3)} for name in ("offset", "duration")}
    return parse_recipe(said, "base")


def write_split(source: str, composer: str, pieces: int, folder: Path) -> int:
    """Write the composer's pieces to folders by split, so many for training; return how many there are for training."""
    found = [entry for entry in open_source(source).entries() if isinstance(entry, Found)]
    own = [entry for entry in found if entry.name.startswith(f"{composer}/")]
    own.sort(key=lambda entry: hashlib.sha256(entry.data).hexdigest())
    held_out = [VALIDATION] * VALIDATION_PIECES + [TEST] * TEST_PIECES
    chosen = own[: len(held_out) + pieces]
    for entry, split in zip(chosen, [*held_out, *[TRAIN] * pieces], strict=False):
        path = folder / split / Path(entry.name).name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.data)
    return len(chosen) - len(held_out)


def train_all(store: Store, recipe: Recipe, dataset: ArtifactRef) -> dict[str, ArtifactRef]:
    """Train the models of a recipe, one after another."""
    return {name: train_model(store, recipe, dataset, name) for name in recipe.model.models}


def train_base(store: Store, recipe: Recipe) -> float:
    """Train the base and promote its models, without making their score card, which nothing here reads.

    Give its nats per event on the validation pieces of its own music: those of other music show how near that is.
    """
    dataset = prepare(store, recipe, ingest(store, recipe, recipe.source)).dataset
    models = train_all(store, recipe, dataset)
    card = scorecard_stage(recipe, dataset, models).ref
    keep(store, recipe.name, {"promoted": Promoted(dataset, models, card).to_json()})
    return float(sum(store.open(ref).facts["held_out_nll"] for ref in models.values()))


Scores = dict[str, dict[str, float]]
"""Split → who → nats per event."""


def measure(store: Store, recipe: Recipe, prepared: Prepared) -> Scores:
    """Train a fine-tuned recipe and what it is compared with; give the scores."""
    models = train_all(store, recipe, prepared.dataset)
    cold = from_nothing(recipe)
    assert cold is not None
    train_all(store, cold, prepare(store, cold, prepared.inputs).dataset)
    card = read_card(store, evaluate(store, recipe, prepared.dataset, models, beside(recipe, prepared)))
    return {split: _scores(card["splits"][split]) for split in (VALIDATION, TEST)}


def _scores(found: Mapping[str, Any]) -> dict[str, float]:
    others = {name: found["baselines"][name]["nll_per_event"] for name in (EARLIER, FROM_NOTHING, "ngram_joint")}
    return {"fine_tuned": found["nll_per_event"], **others}


@contextmanager
def tuning_only(state: bool) -> Iterator[None]:
    """Let trainings that start from a model tune the output bias alone, or the `state` at the start of a piece, too."""
    carry_over, initial_state = training.carry_over, ChainedLSTM.initial_state

    def carry_over_and_fix(earlier: Any, model: Any) -> None:
        carry_over(earlier, model)
        for variable in model.weights:
            variable.trainable = variable is model.head.bias
        if state:
            model.begins = [
                [keras.Variable(tf.zeros([1, model.spec.units]), name=f"{kind}_{layer}") for kind in ("hidden", "cell")]
                for layer in range(len(model.stack))
            ]

    def begin(model: Any, batch: int) -> Any:
        if not hasattr(model, "begins"):
            return initial_state(model, batch)
        return [tuple(tf.tile(tf.convert_to_tensor(one), [batch, 1]) for one in layer) for layer in model.begins]

    training.carry_over, ChainedLSTM.initial_state = carry_over_and_fix, begin
    try:
        yield
    finally:
        training.carry_over, ChainedLSTM.initial_state = carry_over, initial_state


def measure_part(store: Store, recipe: Recipe, prepared: Prepared, *, state: bool, rate: float) -> dict[str, float]:
    """Tune only a part of the weights; give the nats per event of each split."""
    dataset, totals = load_dataset(store, prepared.dataset), dict.fromkeys((VALIDATION, TEST), 0.0)
    data = TrainingData(
        dataset.tokens,
        dataset.targets(TRAIN),
        dataset.targets(VALIDATION),
        columns_of(dataset, recipe.windows),
        dataset.log_unknown,
        dataset.transposition(recipe.windows),
        recipe.windows,
    )
    for name in recipe.model.models:
        own, start = recipe.of_model(name), start_in(recipe, name)
        assert start is not None
        spec = training_spec(own, start).model_copy(update={"learning_rate": rate, "warmup_steps": 0})
        earlier = earlier_model(store, model_stage(own, dataset.ref, name, start), start, dataset)
        with tuning_only(state):
            model, _ = training.train(data, name, own.model, spec, own.random_seed, earlier=earlier)
            scorer = make_scorer(model, dataset.tokens)
            for split in totals:
                held_out = dataset.targets(split)
                scored = score_held_out(scorer, held_out, dataset.tokens, dataset.streams, dataset.log_unknown)
                totals[split] += scored.nll
    return totals


def main() -> None:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="classical-music-midi.zip", help="music in folders by composer")
    parser.add_argument("--own", help="the music to fine-tune on [default: the source]")
    parser.add_argument("--composer", default="chopin", help="its folder")
    parser.add_argument("--without", help="the folder that the base does not learn [default: the composer]")
    parser.add_argument("--pieces", type=int, nargs="+", default=[5, 20, 80], help="numbers of pieces to fine-tune on")
    parser.add_argument("--units", type=int, default=192)
    parser.add_argument("--epochs", type=int, default=6, help="epochs of the base")
    parser.add_argument("--cold-epochs", type=int, default=12, help="most epochs of a training from nothing")
    parser.add_argument("--warm-epochs", type=int, help="most epochs of a fine-tuning [default: those of --start-from]")
    parser.add_argument("--warm-rate", type=float, help="its learning rate, as a share [default: that of --start-from]")
    parser.add_argument("--least-events", type=int, help="events of an epoch [default: those of --start-from]")
    parser.add_argument(
        "--parts-only", action="store_true", help="also tune the output bias and the initial state alone"
    )
    parser.add_argument("--storage", type=Path, help="a folder [default: a temporary one]")
    parser.add_argument("--json", action="store_true", help="print the results for programs")
    arguments = parser.parse_args()
    load_tensorflow(threads=1)
    without = arguments.without or arguments.composer
    base = base_recipe(arguments.source, without, arguments.units, arguments.epochs)
    asked = {
        "warm_epochs": arguments.warm_epochs,
        "warm_rate": arguments.warm_rate,
        "least_events": arguments.least_events,
    }
    changed = FOR_FEW_FILES | {name: value for name, value in asked.items() if value is not None}
    with tempfile.TemporaryDirectory() as scratch:
        store = Store(arguments.storage or Path(scratch) / "storage")
        at_home = train_base(store, base)
        print(
            json.dumps({"base": at_home}) if arguments.json else f"base, validation of its own: {at_home:.3f}",
            flush=True,
        )
        for pieces in arguments.pieces:
            folder = Path(scratch) / f"{arguments.composer}_{pieces}"
            there = write_split(arguments.own or arguments.source, arguments.composer, pieces, folder)
            cold = base_recipe(arguments.source, without, arguments.units, arguments.cold_epochs)
            said = {**kept_form(cold), "name": f"own{pieces}", "exclude": [], "split": {"by": "folder"}}
            said["training"] |= changed
            own = parse_recipe(said, "own")
            recipe = fine_tuned(store, base.name, own, str(folder))
            prepared = prepare(store, recipe, ingest(store, recipe, str(folder)))
            scores = measure(store, recipe, prepared)
            for name, state in ((BIAS, False), (BIAS_AND_STATE, True)) if arguments.parts_only else ():
                for split, score in measure_part(store, recipe, prepared, state=state, rate=0.01).items():
                    scores[split][name] = score
            if arguments.json:
                print(json.dumps({"pieces": there, **scores}), flush=True)
                continue
            for split, of_split in scores.items():
                shown = ", ".join(f"{name} {score:.3f}" for name, score in of_split.items())
                print(f"{there} pieces, {split}: {shown}", flush=True)


if __name__ == "__main__":
    main()
