"""Kill a training at random steps, again and again, and see whether it comes to the weights of one that was never killed.

By hand: `python tests/lstm_music/models/kill_training.py --folder /tmp/kills --kills 20`. The recipe is `demo` with few epochs;
each of its models is trained once without a break, and once in processes that die by SIGKILL right after a step
that was drawn, without another word. What is published has to be the same bytes.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from lstm_music.recipe import Recipe, load_recipe
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import last_prepared, prepare
from lstm_music.stages.training.train import train_model
from lstm_music.stages.training.trained import model_stage
from lstm_music.store import Store

SECONDS_BETWEEN_CHECKPOINTS = 0.2  # less than between two kills, so that each goes on from another step


def short_demo(epochs: int) -> Recipe:
    """Give the recipe with few epochs."""
    recipe = load_recipe("demo")
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": epochs})})


def train_until(storage: Path, recipe: Recipe, name: str, last: int | None) -> None:
    """Train in this process, and kill it after step `last` of all."""
    from lstm_music.models import training

    training.CHECKPOINT_SECONDS, training.REPORT_SECONDS = SECONDS_BETWEEN_CHECKPOINTS, 0.0

    def kill(progress) -> None:
        step = (progress["epoch"] - 1) * progress["steps"] + progress["step"]
        sys.stdout.write(f"{step}\n")
        sys.stdout.flush()
        if last is not None and step >= last:
            os.kill(os.getpid(), signal.SIGKILL)

    store = Store(storage)
    train_model(store, recipe, last_prepared(store, recipe.name).dataset, name, kill)


def in_child(storage: Path, epochs: int, name: str, last: int | None) -> tuple[int, list[int]]:
    """Do it in a process of its own; give its exit code, and the numbers of the steps that it took."""
    asked = [sys.executable, __file__, "--storage", str(storage), "--epochs", str(epochs), "--model", name]
    ended = subprocess.run(
        [*asked, *([] if last is None else ["--last", str(last)])], capture_output=True, text=True, check=False
    )
    steps = [int(line) for line in ended.stdout.splitlines()]
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
    return ended.returncode, steps


def weights_of(storage: Path, recipe: Recipe, name: str) -> bytes:
    """Read what was published."""
    store = Store(storage)
    ref = model_stage(recipe, last_prepared(store, recipe.name).dataset, name).ref
    return store.open(ref).file("model").read_bytes()


def compare(folder: Path, epochs: int, name: str, kills: int, rng: random.Random) -> str:
    """Train one model without a break and once with kills; give a line that says what came of it."""
    recipe, whole, killed = short_demo(epochs), folder / "whole", folder / "killed"
    _, steps = in_child(whole, epochs, name, None)
    drawn = sorted(rng.sample(range(1, steps[-1]), kills))
    begun = []
    for last in drawn:
        code, taken = in_child(killed, epochs, name, last)
        assert code == -signal.SIGKILL
        begun.append(taken[0])
    code, taken = in_child(killed, epochs, name, None)
    assert code == 0
    same = weights_of(whole, recipe, name) == weights_of(killed, recipe, name)
    resumed = [*begun[1:], taken[0]]
    again = sum(last - first + 1 for last, first in zip(drawn, resumed, strict=True))
    return (
        f"{name}: {'the same bytes' if same else 'OTHER BYTES'} after {kills} kills in {steps[-1]} steps, at {drawn}; "
        f"{again} steps were done again"
    )


def main() -> int:
    """Be the parent, or the child that is killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--random-seed", type=int, default=1)
    for name in ("--storage", "--model"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    parser.add_argument("--last", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    recipe = short_demo(arguments.epochs)
    if arguments.storage:
        train_until(Path(arguments.storage), recipe, arguments.model, arguments.last)
        return 0
    store = Store(arguments.folder / "whole")
    with store.session():
        prepare(store, recipe, ingest(store, recipe, recipe.source))
    shutil.copytree(arguments.folder / "whole", arguments.folder / "killed")
    rng = random.Random(arguments.random_seed)
    lines = []
    for name in recipe.model.models:
        lines.append(compare(arguments.folder, arguments.epochs, name, arguments.kills, rng))
        sys.stdout.write(f"{lines[-1]}\n")
        sys.stdout.flush()
    return int(any("OTHER" in line for line in lines))


if __name__ == "__main__":
    sys.exit(main())
