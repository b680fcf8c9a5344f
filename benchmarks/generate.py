"""Measures the speed of generation against one `predict()` call per note, and how similar the music is to held-out music.

Run: python benchmarks/generate.py --recipe default --storage storage [--num-outputs 64] [--num-events 512] [--json]

Speed is given in notes per second. Ours is the loop with the promoted models, all outputs at once, from the first event to
the last. The usual way is a stock Keras LSTM of the same size that gets a window of 64 notes and predicts one more note with
each `model.predict()` call. It runs one model, though three are needed.

Similarity is the overlapped area with held-out music, averaged over the metrics, as a share of the ceiling (training music),
with the loops and the longest copies. It is measured for three settings: the recipe's, the report's (temperatures of 0.7, 0.7
and 0.2, no guard), and the report's with the guard.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from lstm_music.encoding.streams import STREAMS
from lstm_music.generation.loop import Made
from lstm_music.generation.spec import GenerationSpec
from lstm_music.models.backend import load_tensorflow
from lstm_music.recipe import load_recipe
from lstm_music.stages.current import Promoted, require_promoted
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.music import candidates
from lstm_music.stages.music.candidates import make_music, read_music
from lstm_music.stages.music.copies import index_copies, load_index
from lstm_music.stages.music.measures import Measured
from lstm_music.stages.music.prompts import choose_prompts
from lstm_music.stages.music.ranking import score_candidates
from lstm_music.stages.music.reference import Reference, areas, mean_areas, measure_reference, read_reference
from lstm_music.store import Store

WINDOW = 64
CALLS = 60
LONG_COPY = 16  # events
REPORT = {"temperature": {"offset": 0.7, "note": 0.7, "duration": 0.2}, "top_p": dict.fromkeys(STREAMS, 1.0)}


def predict_notes_per_second(units: int, notes: int) -> float:
    """Measure a stock Keras LSTM that predicts one note per call."""
    load_tensorflow()
    import keras

    layers = [keras.layers.Input((WINDOW, notes)), keras.layers.LSTM(units), keras.layers.Dense(notes, "softmax")]
    model = keras.Sequential(layers)
    window = np.eye(notes, dtype=np.float32)[np.random.default_rng(1).integers(notes, size=WINDOW)][None]
    model.predict(window, verbose=0)
    begun = time.perf_counter()
    for _ in range(CALLS):
        note = model.predict(window, verbose=0)[0].argmax()
        window = np.concatenate([window[:, 1:], np.eye(notes, dtype=np.float32)[None, None, note]], axis=1)
    return CALLS / (time.perf_counter() - begun)


def loop_seconds(store: Store, current: Promoted, dataset: Dataset, spec: GenerationSpec) -> float:
    """Return the seconds in which the loop makes all outputs, prompts read by the models included."""
    make, seconds = candidates.generate_tokens, []

    def timed(*arguments: Any) -> list[Made]:
        begun = time.perf_counter()
        made = make(*arguments)
        seconds.append(time.perf_counter() - begun)
        return made

    origins = choose_prompts(store, dataset, spec, 1, None)
    candidates.generate_tokens = timed
    try:
        candidates.go_on(store, dataset, current.models, spec, 1, origins)
    finally:
        candidates.generate_tokens = make
    return sum(seconds)


def likeness(reference: Reference, measured: list[Measured]) -> dict[str, Any]:
    """Compare measured music with the reference."""
    found = areas(reference.statistics, [one.statistics for one in measured])
    area, ceiling, floor = (mean or 0.0 for mean in mean_areas(found, reference))
    copies = sorted(one.longest_copy for one in measured)
    return {
        "overlapped_area": round(area, 4),
        "of_the_ceiling": round(area / ceiling, 4),
        "ceiling": round(ceiling, 4),
        "floor": round(floor, 4),
        "looping": sum(one.repeats["loops"] > 0 for one in measured),
        "pieces": len(measured),
        "longest_copies": copies[-5:],
        "copies_over_16": sum(length > LONG_COPY for length in copies),
    }


def measured_music(
    store: Store, current: Promoted, dataset: Dataset, reference: Reference, spec: GenerationSpec
) -> list[Measured]:
    """Generate music and measure it."""
    ref = make_music(store, current.dataset, current.models, spec, random_seed=1)
    index = load_index(store, index_copies(store, current.dataset))
    return [one.measured for one in score_candidates(dataset, index, reference, read_music(store, ref))]


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="default", help="recipe with promoted models")
    parser.add_argument("--storage", type=Path, required=True, help="storage that holds them")
    parser.add_argument("--num-outputs", type=int, default=64)
    parser.add_argument("--num-events", type=int, default=512)
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    store, recipe = Store(arguments.storage), load_recipe(arguments.recipe)
    size = {
        "num_outputs": arguments.num_outputs,
        "num_events": arguments.num_events,
        "min_events": arguments.num_events,
    }
    usual = recipe.generation.model_copy(update=size)
    settings = {
        "recipe": usual,
        "report": usual.model_copy(update={**REPORT, "max_repeats": 0}),
        "report, guarded": usual.model_copy(update=REPORT),
    }
    with store.session():
        current = require_promoted(store, recipe.name)
        dataset = load_dataset(store, current.dataset)
        copies = index_copies(store, current.dataset)
        reference = read_reference(store, measure_reference(store, current.dataset, copies, arguments.num_events))
        theirs = predict_notes_per_second(recipe.model.units, dataset.sizes["note"])
        seconds = loop_seconds(store, current, dataset, usual)
        found = {
            "held-out music": likeness(reference, list(reference.held_out)),
            **{
                name: likeness(reference, measured_music(store, current, dataset, reference, spec))
                for name, spec in settings.items()
            },
        }
    notes = arguments.num_outputs * arguments.num_events
    rates = {"ours": notes / seconds, "predict": theirs}
    result = {
        "notes_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "times_faster": round(notes / seconds / theirs),
        "likeness": found,
    }
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"notes per second: {result['notes_per_second']}, {result['times_faster']} times as fast")
    for name, one in found.items():
        print(f"{name:16} {one}")


if __name__ == "__main__":
    main()
