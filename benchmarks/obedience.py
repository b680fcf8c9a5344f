"""Measures how many results keep what was asked of them, option by option, and how much their endings are like held-out ones.

    python benchmarks/obedience.py --storage STORAGE [--outputs 64] [--seed 1] [--settings JSON JSON]

Each of the settings is one generation of so many results without audio and pages. The second figure is how many results would
have kept the same if nothing had been asked: chance. Endings are compared by the overlapped area with those of held-out pieces;
the floor is held-out music cut at a random barline.
"""

import argparse
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.evaluation.overlapped_area import compare as overlap
from lstm_music.generation.prompt import meters_of
from lstm_music.generation.spec import GenerationSpec
from lstm_music.midi.notes import TimeSignature
from lstm_music.stages.current import default_recipe, require_promoted
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.data.notes import read_some_pieces
from lstm_music.stages.music.asked import compare
from lstm_music.stages.music.candidates import Candidate, make_music, read_music
from lstm_music.store import Store

SETTINGS: tuple[dict[str, Any], ...] = (
    {"bars": 8, "tempo": 60, "velocity": 40, "key": "A minor"},
    {"bars": 16, "meter": "3/4", "tempo": 132, "pitch_range": "C3-C6"},
    {"seconds": 20, "key": "Bb major", "pitch_range": "36-67", "velocity": 100},
    {"seconds": 45, "meter": "4/4"},
)


def main() -> None:
    """Print a table of settings and one of endings."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--storage", required=True)
    parser.add_argument("--outputs", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--settings", nargs="*", type=json.loads, default=SETTINGS)
    arguments = parser.parse_args()
    store = Store(arguments.storage)
    recipe = default_recipe(store, "promoted").recipe
    current = require_promoted(store, recipe.name)
    dataset = load_dataset(store, current.dataset)

    def make(asked: dict[str, Any]) -> tuple[GenerationSpec, list[Candidate]]:
        said = {**recipe.generation.model_dump(), "num_outputs": arguments.outputs, "best_of": 1, **asked}
        spec = GenerationSpec.model_validate(said)
        began = time.process_time()
        music = read_music(store, make_music(store, current.dataset, current.models, spec, arguments.seed))
        print(
            f"{asked or 'nothing asked'}: {len(music)} results, {time.process_time() - began:.0f} CPU seconds",
            flush=True,
        )
        return spec, music

    _, free = make({})
    endings = []
    print(f"\n{'asked':40}{'kept':>10}{'unasked':>10}")
    for asked in arguments.settings:
        spec, made = make(asked)
        chance = [compare(spec, one) for one in free]
        rows = [compare(spec, one) for one in made]
        for place, row in enumerate(rows[0]):
            kept, by_chance = ([one[place].is_kept for one in found if len(one) > place] for found in (rows, chance))
            print(f"{row.name + ' ' + row.asked:40}{np.mean(kept):>10.1%}{np.mean(by_chance):>10.1%}")
        if spec.bars:
            endings += [
                _ending(dataset, one.tokens, _bar_of(dataset, one), one.facts["first_position_steps"]) for one in made
            ]
    if endings:
        _report_endings(store, dataset, endings)


def _report_endings(store: Store, dataset: Dataset, results: list[dict[str, float]]) -> None:
    held_out, cut = map(list, zip(*_held_out(store, dataset), strict=True))
    print(f"\nOverlapped area with the endings of {len(held_out)} held-out pieces, and medians")
    print(f"{'':28}{'results':>10}{'cut':>10}{'held out':>10}{'results':>10}{'cut':>10}")
    areas = [overlap(held_out, other) for other in (results, cut)]
    for name in held_out[0]:
        medians = [float(np.median([one[name] for one in found])) for found in (held_out, results, cut)]
        shown = [area[name].area for area in areas]
        print(
            f"{name:28}" + "".join(f"{value if value is not None else np.nan:>10.2f}" for value in (*shown, *medians))
        )


def _held_out(store: Store, dataset: Dataset) -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    """Measure the ending of each held-out piece in one meter, and where a random bar of it would be cut."""
    rng = np.random.default_rng(1)
    grid = dataset.events.grid
    spans = sorted({*dataset.spans["validation"], *dataset.spans["test"]}, key=lambda span: span.piece_id)
    rows = read_some_pieces(store, dataset.notes_ref, {span.piece_id for span in spans})
    for span in spans:
        row, tokens = rows[span.piece_id], np.asarray(dataset.tokens[span.start : span.stop])
        offsets, _ = _steps(dataset)
        onsets = np.cumsum(offsets[tokens[:, 0]])
        signatures = [TimeSignature(**signature) for signature in row["time_signatures"]]
        end = int(onsets[-1]) * row["ticks_per_quarter"] // grid.steps_per_quarter + 1
        meters = meters_of(signatures, row["ticks_per_quarter"], end, grid)
        if len(meters) != 1:
            continue
        ((numerator, denominator),) = meters
        bar = 4 * numerator * grid.steps_per_quarter // denominator
        steps, quarters = tokens[:, len(dataset.streams)], tokens[:, len(dataset.streams) + 1]
        first = int(quarters[0]) * grid.steps_per_quarter + int(steps[0])
        bars = (first + onsets - onsets[0]) // bar
        inner = np.unique(bars)[1:-1]
        if not len(inner):
            continue
        stop = int(np.flatnonzero(bars == rng.choice(inner))[-1]) + 1
        yield _ending(dataset, tokens, bar, first), _ending(dataset, tokens[:stop], bar, first, is_cut=True)


def _ending(
    dataset: Dataset, tokens: np.ndarray, bar: int, first_position: int, *, is_cut: bool = False
) -> dict[str, float]:
    """Measure an ending: how long its last notes are, how many, and where in its bar they begin; in bars of `bar` steps."""
    offsets, durations = _steps(dataset)
    onsets = first_position + np.cumsum(offsets[tokens[:, 0]]) - offsets[tokens[0, 0]]
    position = int(onsets[-1]) % bar
    longest = int(durations[tokens[onsets == onsets[-1], 2]].max())
    return {
        "last notes, bars": min(longest, bar - position if is_cut else longest) / bar,
        "last notes, number": float(np.count_nonzero(onsets == onsets[-1])),
        "place in the bar": position / bar,
    }


def _bar_of(dataset: Dataset, made: Candidate) -> int:
    return round(made.facts["bar_quarters"] * dataset.events.grid.steps_per_quarter)


def _steps(dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps of each offset id and of each duration id."""
    grid = dataset.events.grid
    offsets, durations = (
        np.array([0] * SPECIAL_IDS + [grid.steps(value) for value in dataset.vocabularies[stream].values])
        for stream in ("offset", "duration")
    )
    return offsets, durations


if __name__ == "__main__":
    main()
