"""SIGKILL `lstm-music run` at random moments, and see that nothing of it stays and nothing of it is lost.

By hand: `PYTHONPATH=tests python tests/flows/kill_run.py --folder /tmp/kills --recipe demo --kills 20`. One run is never killed;
the others are killed `--kills` times, each after a random share of `--longest` seconds, and go on in one storage until one
of them comes to its end; then in the next one.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from program import COMMAND, Program

from lstm_music.store import Store

GONE_SECONDS = 5.0
NOT_COMPARED = {"provenance.json", "format.json", ".lock", ".current-lock", ".links-lock"}


def contents(storage: Path) -> dict[str, bytes]:
    """What has to be the same in two storages: every file by its place, but for those that say when and where."""
    return {
        path.relative_to(storage).as_posix(): path.read_bytes()
        for path in sorted(storage.rglob("*"))
        if path.is_file()
        and not path.is_symlink()  # names for people, which a bucket has none of
        and path.name not in NOT_COMPARED
        and not {"checkpoints", "latest", "curves"} & {*path.parts}  # links, and pictures of what the others hold
        and path.parent != storage / "generations"  # the index says when each was made
    }


def kill_after(seconds: float, home: Path, arguments: Sequence[str]) -> Program | None:
    """Begin a run and kill it after `seconds`; give it, or None where it came to its end before."""
    run = Program(home, [COMMAND, "run", *arguments])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if run.process.poll() is not None:
            run.finish()
            assert run.process.returncode == 0, run.errors
            return None
        time.sleep(0.02)
    run.kill()
    return run


def require_valid(storage: Path, killed: Program) -> None:
    """See that no process of a killed run is left, and that what it left in storage is whole."""
    assert killed.left_after(GONE_SECONDS) == []
    assert Store(storage).verify().bad == []


def storages_of_killed_runs(folder: Path, arguments: Sequence[str], kills: int, longest: float) -> Iterator[Path]:
    """Kill runs at random moments; give each storage when a run in it has come to its end."""
    rng, number, done = random.Random(kills), 0, 0
    while done < kills:
        storage = folder / f"killed-{number}"
        number += 1
        finished = False
        while not finished:
            seconds = rng.uniform(0, longest) if done < kills else float("inf")
            killed = kill_after(seconds, folder / "home", [*arguments, "--storage", str(storage)])
            finished = killed is None
            if killed is not None:
                require_valid(storage, killed)
                done += 1
                found = ", ".join(sorted({ref.kind for ref in Store(storage).refs()})) or "nothing"
                sys.stderr.write(f"kill {done} after {seconds:.1f} s: {found} finished so far\n")
        yield storage


def main() -> None:
    """Compare the storages of killed runs with that of a run that was never killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--recipe", default="demo")
    parser.add_argument("--source")
    parser.add_argument("--runner", default="threads")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--longest", type=float, help="seconds, at most, before a kill [default: what a run takes]")
    said = parser.parse_args()
    arguments = ["--recipe", said.recipe, "--runner", said.runner]
    arguments += ["--source", said.source] if said.source else []
    begun = time.monotonic()
    assert kill_after(float("inf"), said.folder / "home", [*arguments, "--storage", str(said.folder / "whole")]) is None
    seconds = time.monotonic() - begun
    sys.stderr.write(f"the run that is never killed took {seconds:.1f} s\n")
    whole = contents(said.folder / "whole")
    for storage in storages_of_killed_runs(said.folder, arguments, said.kills, said.longest or seconds):
        assert contents(storage) == whole, f"{storage} is not what it is without kills"
        assert Store(storage).verify().bad == []
        sys.stderr.write(f"{storage}: the same {len(whole)} files as without kills\n")


if __name__ == "__main__":
    main()
