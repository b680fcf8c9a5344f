"""Several processes that write to one storage at once: `python tests/faults/writers.py --writers 8 --rounds 100`.

In each round every writer makes the same three artifacts (one of them wins) and one of its own, puts the same blob and one of
its own, and adds one to a number in `current.json`. In every fourth round one of them is killed at a random moment. After each
round the storage has to be valid, nothing that a living writer made may be missing, and no addition may be lost.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[2])]

from lstm_music.store import Stage, Store

SHARED = 3
KILL_EVERY = 4
LONGEST_KILL_SECONDS = 0.2


def stage(round_: int, name: str) -> Stage:
    """Give the stage of one artifact of a round."""
    return Stage("notes", 1, {"round": round_, "name": name})


def one_more(value: Mapping[str, Any]) -> dict[str, Any]:
    """Add one to the number that all writers share."""
    return {"number": int(value.get("number", 0)) + 1}


def take_part(root: str, name: str) -> None:
    """Be one writer: read the number of a round from stdin, do its work, and say so."""
    store = Store(root)
    for line in sys.stdin:
        round_ = int(line)
        with store.session():
            for artifact in (*map(str, range(SHARED)), name):
                with store.write(stage(round_, artifact)) as writer:
                    writer.file("notes", "bin").write_bytes(f"{round_} {artifact} ".encode() * 1000)
            store.put_blob(b"%d" % round_)
            store.put_blob(f"{round_} {name}".encode())
            store.change_current("all", one_more)
        print(round_, flush=True)


class Writer:
    """A process that takes part in rounds; it is begun again after it was killed."""

    def __init__(self, root: Path, name: str) -> None:
        self.command = [sys.executable, __file__, "--take-part", str(root), name]
        self.name = name
        self.process = self._begun()

    def begin(self, round_: int) -> None:
        """Tell it to do a round."""
        if self.process.poll() is not None:
            self.process = self._begun()
        assert self.process.stdin
        self.process.stdin.write(f"{round_}\n")
        self.process.stdin.flush()

    def has_done(self, round_: int) -> bool:
        """Wait for it; whether it did its round."""
        assert self.process.stdout
        return self.process.stdout.readline() == f"{round_}\n"

    def kill(self) -> None:
        """Kill it, wherever it is."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def _begun(self) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def problems(store: Store, round_: int, done: list[str], additions: range) -> list[str]:
    """Say what is wrong after a round, given who did it, and how many additions there may be."""
    found = [f"not valid: {bad}" for bad in store.verify().bad]
    expected = [*(map(str, range(SHARED)) if done else ()), *done]
    found += [f"artifact {name} is missing" for name in expected if not store.has(stage(round_, name).ref)]
    number = (store.current("all") or {"number": 0})["number"]
    if number not in additions:
        found.append(f"{number} additions, expected {additions.start} to {additions.stop - 1}")
    return [f"round {round_}: {problem}" for problem in found]


def main() -> None:
    """Run the rounds, and print how many held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--random-seed", type=int, default=1)
    asked = parser.parse_args()
    chance, wrong, kills, surely = random.Random(asked.random_seed), list[str](), 0, 0
    with tempfile.TemporaryDirectory(prefix="writers-") as folder:
        store = Store(folder)
        writers = [Writer(Path(folder), f"writer {number}") for number in range(asked.writers)]
        for round_ in range(asked.rounds):
            for writer in writers:
                writer.begin(round_)
            if round_ % KILL_EVERY == KILL_EVERY - 1:
                time.sleep(chance.uniform(0, LONGEST_KILL_SECONDS))
                chance.choice(writers).kill()
                kills += 1
            done = [writer.name for writer in writers if writer.has_done(round_)]
            surely += len(done)
            wrong += problems(store, round_, done, range(surely, surely + kills + 1))
        for writer in writers:
            writer.process.communicate()
    print(f"{asked.writers} writers, {asked.rounds} rounds, {kills} kills: {len(wrong)} did not hold")
    print("\n".join(wrong[:20]))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--take-part"]:
        take_part(*sys.argv[2:])
    else:
        main()
