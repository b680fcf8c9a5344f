"""The same music from the composing page's engine and from numpy's: how many events are the same, and how far ln p differs.

    python benchmarks/studio_equal.py STORAGE --recipe RECIPE --events 10000

Both engines get the same random numbers. Node.js runs that of the page. The tests of the suite compare small models with it.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.generation.conditioning import Asked
from lstm_music.generation.ending import NEVER, Ending
from lstm_music.generation.loop import Made, generate_tokens
from lstm_music.generation.prompt import Prompt
from lstm_music.generation.spec import GenerationSpec
from lstm_music.generation.steering import note_name
from lstm_music.inference.model import InferenceModel
from lstm_music.inference.weights import read_weights
from lstm_music.stages.current import recipe_of_storage, require_promoted
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.music.plans import asked_of_bars
from lstm_music.stages.music.prompts import choose_prompts
from lstm_music.stages.music.ready import Ready, make_ready
from lstm_music.stages.music.steering import pitch_range
from lstm_music.stages.music.studio import prompt_json, settings_json, sounding_json
from lstm_music.store import Store
from lstm_music.studio.tables import engine_tables, pack

ENGINE = Path(__file__).parents[1] / "tests" / "studio_js" / "equal.mjs"

Weights = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Trained:
    """A dataset, and models of it with their weights."""

    store: Store
    dataset: Dataset
    models: Sequence[InferenceModel]
    weights: Sequence[Weights]


@dataclass(frozen=True)
class Case:
    """One output by some settings after a prompt; music of so many `bars` ends there."""

    name: str
    spec: GenerationSpec
    prompt: Prompt
    random_seed: int
    bars: int = 0

    @property
    def ending(self) -> Ending | None:
        """Where the music ends, if it does."""
        if not self.bars:
            return None
        bar, position = self.prompt.bar_steps, self.prompt.last_position_in_bar_steps
        return Ending(*(np.array([one], np.int32) for one in (self.bars * bar, bar - position, NEVER)))


@dataclass(frozen=True)
class Compared:
    """What both made in a case: `tokens` int [events, streams], `nats` float [events]."""

    case: Case
    numpy: Made
    tokens: npt.NDArray[Any]
    nats: npt.NDArray[Any]
    loops_left: int
    seconds: float
    ended: list[list[int]]
    """What the page makes of the last bar, where the music ends."""

    @property
    def same(self) -> int:
        """How many events are the same before the first other one."""
        count = min(len(self.tokens), len(self.numpy.tokens))
        differs = (self.numpy.tokens[:count, : self.tokens.shape[1]] != self.tokens[:count]).any(1)
        return int(differs.argmax()) if differs.any() else count

    @property
    def farthest(self) -> float:
        """How far ln p of the events that are the same differs at most."""
        return float(np.abs(self.numpy.nats[: self.same] - self.nats[: self.same]).max(initial=0))


def compare(trained: Trained, cases: Sequence[Case]) -> list[Compared]:
    """Make the music of all cases twice."""
    dataset, made, asked = trained.dataset, [], []
    for case in cases:
        ready = make_ready(trained.store, dataset, {}, case.spec, [case.prompt])
        ending = case.ending
        what = asked_of_bars(dataset, case.spec, ready.prompts.bars, None if ending is None else ending.lengths)
        made.append(_by_numpy(trained, ready, case, what))
        asked.append(_as_json(dataset, ready, case, what))
    whole = make_ready(trained.store, dataset, {}, cases[0].spec, [cases[0].prompt]).grammar
    arrays, facts = engine_tables(trained.models, trained.weights, whole, dataset.knowledge.table)
    results = _by_page(pack(arrays, facts), asked)
    streams = len(dataset.streams)
    return [
        Compared(
            case,
            one,
            np.array(result["tokens"]).reshape(-1, streams),
            np.array(result["nats"]),
            result["loopsLeft"],
            result["seconds"],
            result["ended"],
        )
        for case, one, result in zip(cases, made, results, strict=True)
    ]


def _by_numpy(trained: Trained, ready: Ready, case: Case, asked: Asked | None) -> Made:
    (made,) = generate_tokens(
        trained.models,
        ready.grammar,
        case.spec,
        ready.prompts,
        case.random_seed,
        ready.guesser,
        ending=case.ending,
        asked=asked,
    )
    return made


def _by_page(tables: bytes, cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("tables", "cases.json")]
        paths[0].write_bytes(tables)
        paths[1].write_text(json.dumps(cases))
        run = subprocess.run(["node", ENGINE, *paths], capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(run.stderr)
    found: list[dict[str, Any]] = json.loads(run.stdout)
    return found


def _as_json(dataset: Dataset, ready: Ready, case: Case, asked: Asked | None) -> dict[str, Any]:
    """Give a case as the page's engine reads it."""
    low, high = pitch_range(dataset, case.spec)
    pitches = sounding_json(dataset, ready.grammar)["pitches"]
    streams, ending = ready.grammar.streams, case.ending
    shape = (case.spec.num_events, 1, len(streams))
    chance = np.random.default_rng([case.random_seed, 2]).random(shape, np.float32)  # as in `generation.loop`
    return {
        "prompt": prompt_json(case.prompt, len(streams) + 2),
        "settings": settings_json(case.spec, streams),
        "notes": [int(low <= min(one, default=low) and max(one, default=high) <= high) for one in pitches],
        "asked": asked and {**_listed(asked), "repeats": False},
        "ending": ending and dict(zip(("length", "wait", "latest"), (int(one[0]) for one in ending), strict=True)),
        "chance": chance[:, 0].tolist(),
    }


def _listed(asked: Asked) -> dict[str, Any]:
    of_output = {"bars": int(asked.bars[0]), "chord": asked.chord[0].tolist()}
    return {name: of_output.get(name, np.asarray(value).tolist()) for name, value in asked._asdict().items()}


def cases_of(trained: Trained, spec: GenerationSpec, events: int) -> Iterator[Case]:
    """Yield a case for each kind of setting, with so many events."""
    dataset = trained.dataset
    base = spec.model_dump() | {"num_outputs": 1, "num_events": events, "min_events": events, "best_of": 1}

    def case(name: str, bars: int = 0, **changes: Any) -> Case:
        settings = GenerationSpec.model_validate(base | changes).for_streams(dataset.streams)
        (origin,) = choose_prompts(trained.store, dataset, settings, 1, None)
        return Case(name, settings, origin.segment, 1 + len(name), bars)

    yield case("as in the recipe")
    yield case("no prompt", prompt="none")
    yield case("temperature 1.3, top-k 12, min-p 0.05", temperature=1.3, top_k=12, min_p=0.05)
    yield case("temperature 0.4, two repeats", temperature=0.4, max_repeats=2)
    yield case("temperature 0", temperature=0.0)
    yield case("an end after 12 bars", bars=12)
    low, high = pitch_range(dataset, spec.for_streams(dataset.streams))
    middle = (low + high) // 2
    register = f"{note_name(max(middle - 9, low))}-{note_name(min(middle + 9, high))}"
    yield case("a range of pitches", pitch_range=register)
    if dataset.knowledge.controls:
        yield case("density 8", density=8)
        yield case("every control", density=6, polyphony=2.5, mean_pitch="E4", plan=_PLAN, temperature=1.1)
        yield case("every control, an end", bars=9, density=7, polyphony=3, mean_pitch="C5")
    if "chord" in dataset.knowledge.controls:
        yield case("chords", chords="C | Am F | Dm7 | G7", density=9)


_PLAN = [{"bars": "1-4", "key": "D minor"}, {"bars": "5-8", "key": "G major", "density": 12.0}]


def main() -> None:
    """Compare the promoted models of a recipe."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("storage")
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--events", type=int, default=10_000, help="of all cases together")
    asked = parser.parse_args()
    store = Store(asked.storage)
    current = require_promoted(store, asked.recipe)
    dataset = load_dataset(store, current.dataset)
    spec = recipe_of_storage(store, asked.recipe).generation
    segments = choose_prompts(store, dataset, spec.model_copy(update={"num_outputs": 1}), 1, None)
    ready = make_ready(store, dataset, current.models, spec, [segments[0].segment])
    weights = [read_weights(store.open(ref).file("model")) for ref in current.models.values()]
    trained = Trained(store, dataset, ready.models, weights)
    count = len([*cases_of(trained, spec, 1)])
    started = time.perf_counter()
    each = -(-asked.events // count)
    results = compare(trained, [*cases_of(trained, spec, each)])
    while (missing := asked.events - sum(len(one.numpy.tokens) for one in results)) > 0:  # some music ends sooner
        more = [replace(one, random_seed=one.random_seed + len(results)) for one in cases_of(trained, spec, missing)]
        results += compare(trained, more[:1])
    print("case | numpy's events | the same | farthest, nats | page's events a second")
    for one in results:
        rate = len(one.tokens) / one.seconds
        print(f"{one.case.name} | {len(one.numpy.tokens)} | {one.same} | {one.farthest:.1e} | {rate:.0f}")
    events, same = (sum(values) for values in zip(*((len(one.numpy.tokens), one.same) for one in results), strict=True))
    print(f"{same} of {events} events are the same; {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
