"""Kills at random moments of whole runs: `python tests/faults/kills.py --kills N --random-seed S`.

`lstm-music run` on a little music is killed again and again, half the time the command itself, else one of the processes that it
started. After each kill nothing may run on, the storage has to be valid, and nobody may see a traceback. The same command is
given until it ends; then the storage has to hold what an undisturbed run makes, to the byte, and all begins anew.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from program import COMMAND, Program
from tiny_music import write_pieces, write_recipe
from trials import contents

from lstm_music.store import Store

ENDING_SECONDS = 15.0
LONGEST_RUN_SECONDS = 900.0


class Run:
    """The command on a storage, in a folder of its own."""

    def __init__(self, folder: Path, storage: Path) -> None:
        recipe, music = write_recipe(folder), write_pieces(folder / "music")
        words = ["--recipe", str(recipe), "--source", str(music), "--storage", str(storage)]
        self.program = Program(folder / "home", [COMMAND, "run", *words])
        self.storage = storage

    def wait(self, seconds: float) -> int | None:
        """Wait for its end, at most so long; give its exit code, if it has ended."""
        end = time.monotonic() + seconds
        while self.program.process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        return self.program.process.poll()

    def problems(self) -> list[str]:
        """Say what is wrong after its end."""
        found = []
        end = time.monotonic() + ENDING_SECONDS
        while (alive := self.program.alive()) and time.monotonic() < end:
            time.sleep(0.1)
        if alive:
            found.append(f"still running: {alive[0]}")
        if "Traceback" in self.program.errors:
            found.append(f"a traceback: {self.program.errors.strip().splitlines()[-1]}")
        if self.storage.exists() and (bad := Store(self.storage).verify().bad):
            found.append(f"not valid: {bad[0]}")
        return found


def main() -> None:
    """Kill, and print what held; exit with 1 if anything did not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--random-seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.random_seed)
    wrong: list[str] = []
    killed: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        begun = time.monotonic()
        whole = Run(folder, folder / "undisturbed")
        assert whole.wait(LONGEST_RUN_SECONDS) == 0, whole.program.errors
        longest, wanted = time.monotonic() - begun, contents(whole.storage)
        finished = 0
        while killed.total() < asked.kills:
            run = Run(folder, folder / f"storage {finished}")
            code = run.wait(chance.uniform(0.0, 0.6 * longest))
            if code is None:
                others = [number for number in run.program.processes("") if number != run.program.process.pid]
                is_main = chance.random() < 0.5 or not others
                victim = run.program.process.pid if is_main else chance.choice(others)
                try:
                    os.kill(victim, signal.SIGKILL)
                    killed["the command" if is_main else "a child"] += 1
                except ProcessLookupError:  # it has ended meanwhile
                    continue
                finally:
                    code = run.wait(LONGEST_RUN_SECONDS)
            wrong += [f"kill {killed.total()}: {problem}" for problem in run.problems()]
            if code == 0:
                if different := sorted(dict(contents(run.storage).items() ^ wanted.items())):
                    wrong.append(f"kill {killed.total()}: made something else: {different[0]}")
                finished += 1
            print(
                f"{killed.total()} kills, {finished} runs to the end, {len(wrong)} did not hold",
                file=sys.stderr,
                flush=True,
            )
    print(
        f"{killed['the command']} kills of the command, {killed['a child']} of its children; {finished} runs to the end"
    )
    print(f"{len(wrong)} did not hold (random seed {asked.random_seed})")
    for line in wrong[:20]:
        print(f"  {line}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
