"""The whole matrix of faults, from the command line: `python tests/faults/matrix.py COMMAND… --trials N`.

Each command runs on a little music of its own, under faults spread over all its system calls below the storage; then it
runs again without. A table says how many trials held.
"""

import argparse
import hashlib
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from tiny_music import write_pieces, write_recipe
from trials import Server, Trials, built

from lstm_music.stages.current import promoted_models
from lstm_music.store import Store

COMMANDS = ("prepare", "train", "promote", "generate", "rollback", "prune", "forget")


class Stage:
    """The storages that commands begin with: prepared, trained, promoted twice."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.recipe, self.music = write_recipe(folder), write_pieces(folder / "music")
        self.named = ["--recipe", str(self.recipe)]
        self.forgotten = hashlib.sha256(min(self.music.rglob("*.mid")).read_bytes()).hexdigest()

    def base(self, command: str) -> Path | None:
        """Make the storage that a command begins with."""
        if command == "prepare":
            return None
        base = self.folder / f"before {command}"
        self._do(["prepare", *self.named, "--source", str(self.music)], base)
        if command != "train":
            self._train(base, self.named)
        if command in {"generate", "rollback", "prune", "forget"}:
            self._do(["train", *self.named], base)  # finds the models, and promotes them
        if command in {"rollback", "prune"}:
            other = self.recipe.with_name("other.toml")
            other.write_text(self.recipe.read_text() + "\n[promotion]\ntolerance = 100\n")
            other.write_text(other.read_text().replace("[events]", "random_seed = 2\n[events]", 1))
            self._train(base, ["--recipe", str(other)])
            self._do(["train", "--recipe", str(other)], base)
        return base

    def words(self, command: str, base: Path | None) -> list[str]:
        """Give the words of a command on a storage."""
        if command == "rollback":
            return ["rollback", *self.named, "--from", promoted_models(Store(base), "tiny").scorecard.key]
        return {
            "prepare": ["prepare", *self.named, "--source", str(self.music)],
            "train": ["train", "--model", "duration", *self.named],
            "promote": ["train", *self.named],
            "prune": ["prune", "--apply", "--older-than", "0", "--keep-history", "0"],
            "forget": ["forget", self.forgotten, "--apply"],
            "generate": ["generate", *self.named, "--audio", "none", "--no-sheet-music"],
        }[command]

    def _train(self, base: Path, named: list[str]) -> None:
        for model in ("offset", "note", "duration"):
            self._do(["train", "--model", model, *named], base)
        self._do(["evaluate", *named], base)

    def _do(self, words: list[str], storage: Path) -> None:
        ended = self.server.run(words, storage)
        assert ended.code == 0, ended.output


def main() -> None:
    """Run the matrix and print its table; exit with 1 if a trial did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="*", default=COMMANDS, metavar="COMMAND", help=", ".join(COMMANDS))
    parser.add_argument("--trials", type=int, default=150, help="about so many trials a command")
    asked = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        folder = Path(name)
        server = Server(built(folder), folder)
        stage = Stage(server, folder)
        print("| command | calls below the storage | trials | held |\n|---|---|---|---|", flush=True)
        for command in asked.commands:
            place = folder / command
            place.mkdir()
            base = stage.base(command)
            trials = Trials(server, stage.words(command, base), base, place)
            outcomes = [trials.run(fault) for fault in trials.faults(asked.trials)]
            wrong = [one for one in outcomes if one.problems]
            calls = ", ".join(f"{kind} {count}" for kind, count in trials.counts.items() if count)
            print(f"| {command} | {calls} | {len(outcomes)} | {len(outcomes) - len(wrong)} |", flush=True)
            for one in wrong:
                print(f"  {one.fault}: exit {one.code}, {'; '.join(one.problems)}", flush=True)
            for code, count in sorted(Counter(one.code for one in outcomes).items()):
                print(f"  exit {code}: {count}", file=sys.stderr, flush=True)
            failed += len(wrong)
            shutil.rmtree(place)
        server.end()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
