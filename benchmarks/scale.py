"""Measures the memory and time of preparing 100,000 MIDI files, compared with 10,000, on a Dask cluster.

Run: python benchmarks/scale.py COLLECTION.zip --folder FOLDER [--files 10000 100000] [--runner dask] [--workers 2] [--json]

The files are made from the pieces of the collection. Each is an excerpt of some hundred notes, transposed, with its tempos,
signatures and pedal; no two have the same content. Files and storage are written below FOLDER once. Artifacts in the storage
are not made again, so use an empty FOLDER for a measurement. `lstm-music prepare` runs as it does for a user, with a Prefect
server that counts its tasks. Memory is the largest resident set of any process of the run. The comparison is music21's
`converter.parse` on some of the same files in this process, without its pickle cache.
"""

import argparse
import hashlib
import json
import os
import random
import socket
import subprocess
import sys
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import numpy as np

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import KeySignature, PieceNotes, Tempo, TimeSignature, sorted_notes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.usable import require_music
from lstm_music.midi.writer import write_midi
from lstm_music.recipe import load_recipe
from lstm_music.stages.data.prepare import last_prepared
from lstm_music.store import Store

Change = TypeVar("Change", Tempo, TimeSignature, KeySignature)

MIB = 2**20
NOTES = range(200, 1000)  # per file
FILES_PER_FOLDER = 1000
FILES_OF_THE_PEER = 40
SECONDS_BETWEEN_LOOKS = 0.2
PAGE = 200
SECONDS_OF_THE_RECORDER = 5
PARTS = {b"spawn_main": "worker", b"prefect": "server", b"resource_tracker": "resource tracker"}
TABLES = ("inputs", "notes", "events", "dataset")


def pieces_of(collection: Path) -> list[PieceNotes]:
    """Read the readable pieces of a collection."""
    pieces = []
    with zipfile.ZipFile(collection) as members:
        for name in sorted(name for name in members.namelist() if name.lower().endswith((".mid", ".midi"))):
            try:
                piece = read_midi(members.read(name))
                require_music(piece)
            except RejectedInputError:
                continue
            if len(piece.notes) >= NOTES.start:
                pieces.append(piece)
    return pieces


def excerpt(piece: PieceNotes, rng: random.Random) -> bytes:
    """Cut an excerpt from a piece, transpose it, and return it as the bytes of a MIDI file."""
    count = rng.choice(NOTES)
    first = rng.randrange(max(1, len(piece.notes) - count))
    notes = piece.notes[first : first + count].copy()
    begin, end = int(notes["onset_ticks"].min()), int(notes["onset_ticks"].max())
    notes["onset_ticks"] -= begin
    notes["pitch"] = np.clip(notes["pitch"].astype(np.int64) + rng.randint(-6, 6), 0, 127)
    cut = replace(
        piece,
        notes=sorted_notes(notes),
        tempos=moved(piece.tempos, begin, end),
        time_signatures=moved(piece.time_signatures, begin, end),
        key_signatures=moved(piece.key_signatures, begin, end),
        pedal=tuple(replace(event, tick=event.tick - begin) for event in piece.pedal if begin <= event.tick <= end),
    )
    return write_midi(cut)


def moved(changes: Sequence[Change], begin: int, end: int) -> tuple[Change, ...]:
    """Return the change in effect at the tick `begin`, which becomes 0, and all changes until `end`."""
    before = [replace(change, tick=0) for change in changes if change.tick <= begin][-1:]
    return (*before, *(replace(change, tick=change.tick - begin) for change in changes if begin < change.tick <= end))


def write_files(collection: Path, folder: Path, count: int) -> None:
    """Write `count` files of distinct contents; a larger count starts with the same files."""
    done = folder / "complete"
    if done.exists():
        return
    pieces, seen, rng = pieces_of(collection), set[bytes](), random.Random(1)
    number = 0
    while number < count:
        data = excerpt(pieces[number % len(pieces)], rng)
        digest = hashlib.sha256(data).digest()
        if digest not in seen:
            seen.add(digest)
            path = folder / f"{number // FILES_PER_FOLDER:04d}" / f"{number:06d}.mid"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            number += 1
    done.touch()


def music21_notes_per_second(paths: Sequence[Path]) -> float:
    """Read files with music21, as the report did; return the notes per second."""
    from music21 import converter

    warnings.simplefilter("ignore")  # music21 warns about each track name that is not an instrument
    notes = sum(len(read_midi(path.read_bytes()).notes) for path in paths)
    begin = time.monotonic()
    for path in paths:
        converter.parseData(path.read_bytes(), format="midi")
    return notes / (time.monotonic() - begin)


def family(root: int) -> Iterator[int]:
    """Yield a process and all its descendants."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended in the meantime
            continue
    waiting = [root]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += [child for child, parent in parents.items() if parent == process]


def facts_of(process: int) -> tuple[str, int] | None:
    """Return the role of a process and its peak resident memory in bytes."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
        status = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return None
    peak = [int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")]
    line = b" ".join(words)
    name = next((name for part, name in PARTS.items() if part in line), "command")
    return (name, peak[0]) if peak else None


def run(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float, dict[str, int]]:
    """Run a command; return its wall seconds, its CPU seconds, and the peak bytes by the role of its processes."""
    before, begin = os.times(), time.monotonic()
    process = subprocess.Popen(command, env=os.environ | environment, stdout=sys.stderr)
    peaks: dict[str, int] = {}
    while process.poll() is None:
        for one in family(os.getpid()):
            found = facts_of(one) if one != os.getpid() else None
            if found:
                peaks[found[0]] = max(peaks.get(found[0], 0), found[1])
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.monotonic() - begin, cpu, peaks


def files_per_table(store: Store, recipe: str) -> dict[str, int]:
    """Count the files of each table of the latest prepared data."""
    prepared = last_prepared(store, recipe)
    refs = {kind: getattr(prepared, kind) for kind in TABLES}
    return {
        f"{kind}/{name}": count
        for kind, ref in refs.items()
        for name, count in Counter(path.name.split("-")[0] for path in store.open(ref).files()).items()
    }


@contextmanager
def server(home: Path) -> Iterator[httpx.Client]:
    """Start a Prefect server with its own home, which records all tasks; yield a client for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", port, "--no-ui"]
    environment = os.environ | {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api", timeout=60, trust_env=False) as client:
            while not answers(client):
                time.sleep(SECONDS_BETWEEN_LOOKS)
            yield client
    finally:
        process.terminate()
        process.wait()


def answers(client: httpx.Client) -> bool:
    """Return whether a server answers."""
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def task_runs(client: httpx.Client) -> Iterator[dict[str, Any]]:
    """Yield all task runs of a server, after waiting until it has recorded the last one."""
    time.sleep(SECONDS_OF_THE_RECORDER)
    offset = 0
    while page := client.post("/task_runs/filter", json={"limit": PAGE, "offset": offset}).raise_for_status().json():
        yield from page
        offset += PAGE


def between_tasks(tasks: Sequence[dict[str, Any]]) -> float:
    """Return the share of the workers' time that passed between two batches: the overhead of Prefect and the runner."""
    times = sorted(
        (datetime.fromisoformat(task["start_time"]), datetime.fromisoformat(task["end_time"]))
        for task in tasks
        if task["name"].startswith("parse batch")
    )
    free: list[datetime] = []  # the time since which each worker is waiting
    lost = worked = 0.0
    for begin, end in times:
        waiting = [since for since in free if since <= begin]
        if waiting:
            free.remove(max(waiting))
            lost += (begin - max(waiting)).total_seconds()
        free.append(end)
        worked += (end - begin).total_seconds()
    return lost / (lost + worked) if worked else 0.0


def reading_and_encoding_seconds(tasks: Sequence[dict[str, Any]], wall: float) -> float:
    """Return the seconds from the start of the first parsed batch to the events table; of a run without Prefect all, `wall`."""
    parsed = [task for task in tasks if task["name"].startswith("parse batch")]
    if not parsed:  # so few files are prepared without Prefect
        return wall
    begin = min(task["start_time"] for task in parsed)
    (end,) = (task["end_time"] for task in tasks if task["name"].startswith("encode events"))
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


def measure(arguments: argparse.Namespace, files: int) -> dict[str, Any]:
    """Prepare `files` files and return the measurements."""
    music, storage = arguments.folder / f"{files} files", arguments.folder / f"{arguments.runner} of {files}"
    write_files(arguments.archive, music, files)
    command = [str(Path(sys.executable).with_name("lstm-music")), "prepare", "--recipe", arguments.recipe, "--json"]
    command += ["--source", str(music), "--storage", str(storage)]
    command += ["--runner", arguments.runner, "--workers", str(arguments.workers)]
    command += ["--dask-scheduler", arguments.dask_scheduler] if arguments.dask_scheduler else []
    with server(arguments.folder / f"prefect of {storage.name}") as client:
        wall, cpu, peaks = run(command, {"PREFECT_API_URL": str(client.base_url).rstrip("/")})
        tasks = list(task_runs(client))
    store = Store(storage)
    recipe = load_recipe(arguments.recipe).name
    notes = store.open(last_prepared(store, recipe).notes).counts["notes"]
    return {
        "files": files,
        "notes": notes,
        "wall_seconds": round(wall),
        "cpu_seconds": round(cpu),
        "notes_per_second": round(notes / wall),
        "read_and_encoded_notes_per_second": round(notes / reading_and_encoding_seconds(tasks, wall)),
        "peak_mib": {name: round(peak / MIB) for name, peak in sorted(peaks.items())},
        "largest_process_mib": round(max(peaks.values()) / MIB),
        "files_per_table": files_per_table(store, recipe),
        "prefect_tasks": len(tasks),
        "between_tasks": round(between_tasks(tasks), 3),
    }


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a zip of MIDI files")
    parser.add_argument("--folder", type=Path, required=True, help="folder for the files and the storage")
    parser.add_argument("--files", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--recipe", default="default", help="name of a recipe, or path of one")
    parser.add_argument("--runner", default="dask")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dask-scheduler", help="address of a running scheduler")
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    runs = []
    for files in arguments.files:
        runs.append(measure(arguments, files))
        print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    paths = sorted((arguments.folder / f"{arguments.files[0]} files").glob("*/*.mid"))[:FILES_OF_THE_PEER]
    peer = music21_notes_per_second(paths)
    memory = [one["largest_process_mib"] for one in runs]
    result = {
        "runs": runs,
        "music21_notes_per_second": round(peer),
        "reading_and_encoding_over_music21": round(runs[-1]["read_and_encoded_notes_per_second"] / peer),
        "whole_command_over_music21": round(runs[-1]["notes_per_second"] / peer),
        "memory_of_the_last_over_the_first": round(memory[-1] / memory[0], 2),
    }
    if arguments.json:
        print(json.dumps(result))
        return
    for one in runs:
        print(
            f"{one['files']:,} files, {one['notes']:,} notes: {one['wall_seconds']} s, "
            f"{one['notes_per_second']:,} notes per second; {one['largest_process_mib']} MiB in the largest process; "
            f"{one['prefect_tasks']} Prefect tasks; at most {max(one['files_per_table'].values())} files per table; "
            f"{one['between_tasks']:.1%} of the workers' time between tasks"
        )
    print(
        f"music21's converter.parse: {peer:.0f} notes per second; reading and encoding is "
        f"{result['reading_and_encoding_over_music21']} times as fast; the whole command, from ingestion to tokens, is "
        f"{result['whole_command_over_music21']} times as fast"
    )


if __name__ == "__main__":
    main()
