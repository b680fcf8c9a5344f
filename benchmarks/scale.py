"""How much memory and time preparing 100,000 MIDI files takes, against 10,000, on a Dask cluster.

Run: python benchmarks/scale.py COLLECTION.zip --folder FOLDER [--files 10000 100000] [--runner dask] [--workers 2] [--json]

The files are made of the collection's pieces: each is some hundred notes cut out of one, transposed, with its tempos,
signatures and pedal, and no two have the same content. They are written below FOLDER once, and so is storage; what is in
storage is not made again, so give an empty one for a figure. `lstm-music prepare` is then run as a user runs it, against a
Prefect server that counts its tasks. A figure of memory is the largest resident set that any process of the run ever had. The
peer is `converter.parse` of music21 on some of the same files in this process, without its pickle cache.
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
from lstm_music.stages.data.prepare import last_prepared
from lstm_music.store import Store

Change = TypeVar("Change", Tempo, TimeSignature, KeySignature)

MIB = 2**20
NOTES = range(200, 1000)  # of a file
FILES_A_FOLDER = 1000
FILES_OF_THE_PEER = 40
SECONDS_BETWEEN_LOOKS = 0.2
PAGE = 200
SECONDS_OF_THE_RECORDER = 5
PARTS = {b"spawn_main": "worker", b"prefect": "server", b"resource_tracker": "resource tracker"}
TABLES = ("inputs", "notes", "events", "dataset")


def pieces_of(collection: Path) -> list[PieceNotes]:
    """Read the pieces of a collection that can be read."""
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
    """Cut some notes out of a piece, move them by some semitones, and write them as a file."""
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
    """Give what holds at the tick `begin`, which becomes 0, and what changes until `end`."""
    before = [replace(change, tick=0) for change in changes if change.tick <= begin][-1:]
    return (*before, *(replace(change, tick=change.tick - begin) for change in changes if begin < change.tick <= end))


def write_files(collection: Path, folder: Path, count: int) -> None:
    """Write so many files of distinct contents, the first of them the same for any number."""
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
            path = folder / f"{number // FILES_A_FOLDER:04d}" / f"{number:06d}.mid"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            number += 1
    done.touch()


def peer_notes_a_second(paths: Sequence[Path]) -> float:
    """Read files as the report did, and say how many notes a second that gave."""
    from music21 import converter

    warnings.simplefilter("ignore")  # music21 warns of each track name that is no instrument
    notes = sum(len(read_midi(path.read_bytes()).notes) for path in paths)
    begin = time.monotonic()
    for path in paths:
        converter.parseData(path.read_bytes(), format="midi")
    return notes / (time.monotonic() - begin)


def family(root: int) -> Iterator[int]:
    """Give a process and all that descend from it."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
    waiting = [root]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += [child for child, parent in parents.items() if parent == process]


def facts_of(process: int) -> tuple[str, int] | None:
    """Give what a process is called, and the most resident memory that it ever had, in bytes."""
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
    """Run a command; give its wall seconds, its CPU seconds and the peak bytes by what each process of this one's family is."""
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


def files_a_table(store: Store, recipe: str) -> dict[str, int]:
    """Count the files of each table of what was prepared last."""
    prepared = last_prepared(store, recipe)
    refs = {kind: getattr(prepared, kind) for kind in TABLES}
    return {
        f"{kind}/{name}": count
        for kind, ref in refs.items()
        for name, count in Counter(path.name.split("-")[0] for path in store.open(ref).files()).items()
    }


@contextmanager
def server(home: Path) -> Iterator[httpx.Client]:
    """Start a Prefect server that keeps what tasks there were, in a home of its own, and give a client of it."""
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
    """Say whether a server answers."""
    try:
        return client.get("/health").is_success
    except httpx.TransportError:
        return False


def task_runs(client: httpx.Client) -> Iterator[dict[str, Any]]:
    """Ask a server for all its runs of tasks, when it has written down the last."""
    time.sleep(SECONDS_OF_THE_RECORDER)
    offset = 0
    while page := client.post("/task_runs/filter", json={"limit": PAGE, "offset": offset}).raise_for_status().json():
        yield from page
        offset += PAGE


def between_tasks(tasks: Sequence[dict[str, Any]]) -> float:
    """Say which share of the workers' time passed between one batch and the next: Prefect's, and the runner's."""
    times = sorted(
        (datetime.fromisoformat(task["start_time"]), datetime.fromisoformat(task["end_time"]))
        for task in tasks
        if task["name"].startswith("parse batch")
    )
    free: list[datetime] = []  # since when each worker has waited
    lost = worked = 0.0
    for begin, end in times:
        waiting = [since for since in free if since <= begin]
        if waiting:
            free.remove(max(waiting))
            lost += (begin - max(waiting)).total_seconds()
        free.append(end)
        worked += (end - begin).total_seconds()
    return lost / (lost + worked)


def reading_and_encoding_seconds(tasks: Sequence[dict[str, Any]]) -> float:
    """Say how long it took from the first batch that was parsed to the table of events."""
    begin = min(task["start_time"] for task in tasks if task["name"].startswith("parse batch"))
    (end,) = (task["end_time"] for task in tasks if task["name"].startswith("encode events"))
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()


def measure(arguments: argparse.Namespace, files: int) -> dict[str, Any]:
    """Prepare so many files."""
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
    notes = store.open(last_prepared(store, arguments.recipe).notes).counts["notes"]
    return {
        "files": files,
        "notes": notes,
        "wall_seconds": round(wall),
        "cpu_seconds": round(cpu),
        "notes_per_second": round(notes / wall),
        "read_and_encoded_notes_per_second": round(notes / reading_and_encoding_seconds(tasks)),
        "peak_mib": {name: round(peak / MIB) for name, peak in sorted(peaks.items())},
        "largest_process_mib": round(max(peaks.values()) / MIB),
        "files_a_table": files_a_table(store, arguments.recipe),
        "prefect_tasks": len(tasks),
        "between_tasks": round(between_tasks(tasks), 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a zip of MIDI files")
    parser.add_argument("--folder", type=Path, required=True, help="where the files and storage are written")
    parser.add_argument("--files", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--recipe", default="default")
    parser.add_argument("--runner", default="dask")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dask-scheduler", help="address of one that runs")
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    runs = []
    for files in arguments.files:
        runs.append(measure(arguments, files))
        print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    paths = sorted((arguments.folder / f"{arguments.files[0]} files").glob("*/*.mid"))[:FILES_OF_THE_PEER]
    peer = peer_notes_a_second(paths)
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
            f"{one['files']:,} files, {one['notes']:,} notes: {one['wall_seconds']} s, {one['notes_per_second']:,} a second; "
            f"{one['largest_process_mib']} MiB in the largest process; {one['prefect_tasks']} Prefect tasks; at most "
            f"{max(one['files_a_table'].values())} files a table; {one['between_tasks']:.1%} of the workers' time between tasks"
        )
    print(
        f"music21's converter.parse: {peer:.0f} notes a second; reading and encoding "
        f"{result['reading_and_encoding_over_music21']} times that, the whole command, with taking in and tokens, "
        f"{result['whole_command_over_music21']} times"
    )


if __name__ == "__main__":
    main()
