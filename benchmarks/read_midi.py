"""Measures how many notes per CPU second our MIDI reader reads, compared with music21.

Run: python benchmarks/read_midi.py COLLECTION.zip [--files 4] [--json]

Both read the same files from memory in this process. `read_midi` runs several rounds, and the best one counts. music21's
`converter.parseData` (`converter.parse` without its pickle cache) runs once. Trust the ratio, not the seconds.
"""

import argparse
import json
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

from music21 import converter

from lstm_music.midi.reader import read_midi

ROUNDS = 5


def evenly_spread_files(archive: Path, count: int) -> list[bytes]:
    """Read `count` MIDI files from a zip, evenly spread over the files sorted by size."""
    with zipfile.ZipFile(archive) as members:
        by_size = sorted(
            (member for member in members.infolist() if member.filename.lower().endswith((".mid", ".midi"))),
            key=lambda member: (member.file_size, member.filename),
        )
        count = min(count, len(by_size))
        return [members.read(by_size[(2 * place + 1) * len(by_size) // (2 * count)]) for place in range(count)]


def cpu_seconds(read: Callable[[bytes], object], files: list[bytes]) -> float:
    """Return the CPU seconds that `read` takes for all `files`."""
    start = time.process_time()
    for data in files:
        read(data)
    return time.process_time() - start


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a zip of MIDI files")
    parser.add_argument("--files", type=int, default=4, help="number of files to read")
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    files = evenly_spread_files(arguments.archive, arguments.files)
    notes = sum(len(read_midi(data).notes) for data in files)
    ours = notes / min(cpu_seconds(read_midi, files) for _ in range(ROUNDS))
    warnings.simplefilter("ignore")  # music21 warns about each track name that is not an instrument
    music21 = notes / cpu_seconds(lambda data: converter.parseData(data, format="midi"), files)
    result = {
        "files": len(files),
        "notes": notes,
        "read_midi_notes_per_cpu_second": round(ours),
        "music21_notes_per_cpu_second": round(music21),
        "ratio": round(ours / music21),
    }
    if arguments.json:
        print(json.dumps(result))
    else:
        print(
            f"{len(files)} files, {notes:,} notes: read_midi {ours:,.0f} notes per CPU second, "
            f"music21 {music21:,.0f}; read_midi is {ours / music21:,.0f} times as fast",
        )


if __name__ == "__main__":
    main()
