"""Measures how many notes the loop makes in a CPU second, for one output and for many, beside another checkout of the project.

Run: python benchmarks/loop.py --recipe steerable --storage storage [--outputs 1 64] [--num-events 300] [--rounds 3]
     [--before FOLDER] [--json]

The loop is timed with the promoted models, from the prompts, which the models read first, to the last event. Each measurement
has a process of its own. With `--before`, the folder of another checkout, both are measured in turn, and the ratio is shown; the
music has to be the same. Of several rounds the best counts, because a busy machine only adds time.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1]


def measured(recipe_name: str, storage: Path, outputs: int, events: int) -> dict[str, Any]:
    """Time the loop here, and give the digest of its tokens; the imports are those of the checkout on the path."""
    from lstm_music.stages.current import find_recipe, require_promoted
    from lstm_music.stages.data.dataset import load_dataset
    from lstm_music.stages.music import candidates
    from lstm_music.stages.music.prompts import choose_prompts
    from lstm_music.store import Store

    store = Store(storage)
    recipe = find_recipe(store, recipe_name)
    size = {"num_outputs": outputs, "num_events": events, "min_events": events}
    spec = recipe.generation.model_copy(update=size)
    make, seconds = candidates.generate_tokens, []

    def timed(*arguments: Any) -> Any:
        begun = time.process_time()
        made = make(*arguments)
        seconds.append(time.process_time() - begun)
        return made

    candidates.generate_tokens = timed
    with store.session():
        current = require_promoted(store, recipe.name)
        dataset = load_dataset(store, current.dataset)
        origins = choose_prompts(store, dataset, spec, 1, None)
        made = candidates.go_on(store, dataset, current.models, spec, 1, origins)
    digest = hashlib.sha256(b"".join(one.tokens.tobytes() for one in made)).hexdigest()
    return {"rate": sum(len(one.tokens) for one in made) / sum(seconds), "digest": digest}


def in_checkout(folder: Path, arguments: argparse.Namespace, outputs: int) -> dict[str, Any]:
    """Measure a checkout in a process of its own."""
    command = [sys.executable, __file__, "--measure", "--recipe", arguments.recipe, "--storage", str(arguments.storage)]
    command += ["--outputs", str(outputs), "--num-events", str(arguments.num_events)]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compared(arguments: argparse.Namespace, outputs: int) -> dict[str, Any]:
    """Measure each checkout in turn; give the best rates in notes per CPU second, and whether the music is the same."""
    checkouts = {"now": HERE, **({"before": arguments.before.resolve()} if arguments.before else {})}
    rounds = [
        {name: in_checkout(folder, arguments, outputs) for name, folder in checkouts.items()}
        for _ in range(arguments.rounds)
    ]
    rates = {name: max(one[name]["rate"] for one in rounds) for name in checkouts}
    found: dict[str, Any] = {"outputs": outputs, **{name: round(rate) for name, rate in rates.items()}}
    if arguments.before:
        is_same = len({one[name]["digest"] for one in rounds for name in checkouts}) == 1
        found |= {"times": round(rates["now"] / rates["before"], 2), "same_music": is_same}
    return found


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="default", help="recipe with promoted models")
    parser.add_argument("--storage", type=Path, required=True, help="storage that holds them")
    parser.add_argument("--outputs", type=int, nargs="+", default=[1, 64], help="how many pieces are made at once")
    parser.add_argument("--num-events", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", type=Path, help="folder of another checkout")
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.storage = arguments.storage.resolve()
    if arguments.measure:
        print(json.dumps(measured(arguments.recipe, arguments.storage, arguments.outputs[0], arguments.num_events)))
        return
    found = [compared(arguments, outputs) for outputs in arguments.outputs]
    if arguments.json:
        print(json.dumps(found))
        return
    for one in found:
        print(", ".join(f"{name} {value}" for name, value in one.items()))


if __name__ == "__main__":
    main()
