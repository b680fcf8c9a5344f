"""Reads mutants of real MIDI files, and counts what the reader does with them: rejections and warnings, and nothing else.

Run: python benchmarks/fuzz_midi.py COLLECTION.zip [--mutants 100000] [--first 0] [--processes 2] [--json]

Mutant n is a file of the collection, changed as the number n says: bytes and bits changed, inserted, removed, copied or
swapped, numbers replaced by large ones, a head put in front, the end cut. So a run goes on where another stopped, with
`--first` (standard error says where it is), and a mutant that fails is made again by its number. Ends with 1 if a mutant
raises any other error, takes over 10 s or lets a process need over 512 MiB.
"""

import argparse
import gzip
import json
import random
import resource
import sys
import time
import zipfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from lstm_music.errors import RejectedInputError
from lstm_music.midi.reader import read_midi

MOST_SECONDS, MOST_MIB = 10, 512
MUTANTS_AT_ONCE = 2000
LARGE = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\x00", b"\x00\x00", b"\x00\x00\x00\x00")
EVENTS = (
    b"\xff\x2f\x00",
    b"\xff\x51\x03",
    b"\xff\x58\x04",
    b"\xf0\x7f",
    b"\xf8",
    b"\xb0\x00\x7f",
    b"\x90\x3c\x40",
    b"MTrk",
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Change a file in one to eight ways."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        if changed:
            change(changed, chance)
    return wrapped(bytes(changed), chance)


def change(changed: bytearray, chance: random.Random) -> None:
    """Change a file in one way."""
    size = len(changed)
    # Half of the changes hit the heads of the file and of a track, where they matter most.
    at = chance.randrange(min(size, 64)) if chance.random() < 0.5 else chance.randrange(size)
    end = min(size, at + chance.choice((1, 2, 4, 60, 3000)))
    match chance.randrange(9):
        case 0:
            changed[at] = chance.randrange(256)
        case 1:
            changed[at] ^= 1 << chance.randrange(8)
        case 2:
            changed[at:at] = chance.randbytes(chance.randint(1, 5))
        case 3:
            del changed[at : min(end, size - 1) or 1]
        case 4:
            changed[at:at] = changed[at:end] * chance.choice((1, 2, 50))
        case 5:
            large = chance.choice(LARGE)
            changed[at : at + len(large)] = large
        case 6:
            event = chance.choice(EVENTS)
            changed[at : at + chance.choice((0, len(event)))] = event
        case 7:
            other = chance.randrange(size)
            changed[at], changed[other] = changed[other], changed[at]
        case _:
            del changed[max(1, chance.randrange(size)) :]


def wrapped(data: bytes, chance: random.Random) -> bytes:
    """Put a head of a container in front of some files."""
    match chance.randrange(60):
        case 0:
            return b"RIFF" + chance.randbytes(4) + b"RMIDdata" + len(data).to_bytes(4, "little") + data
        case 1:
            return b"\0\x04Song" + bytes(77) + len(data).to_bytes(4, "big") + bytes(41) + data
        case 2:
            packed = bytearray(gzip.compress(data, 1, mtime=0))
            packed[chance.randrange(len(packed))] = chance.randrange(256)
            return bytes(packed)
    return data


def mutant(files: list[bytes], number: int) -> bytes:
    """Make the mutant of a number."""
    chance = random.Random(number)
    return mutated(files[chance.randrange(len(files))], chance)


def read_some(archive: Path, first: int, stop: int) -> dict[str, Any]:
    """Read the mutants from `first` to `stop` (exclusive)."""
    files = files_of(archive)
    counts: Counter[str] = Counter()
    slowest, errors = (0.0, first), []
    for number in range(first, stop):
        data = mutant(files, number)
        begin = time.process_time()
        try:
            counts["with warnings" if read_midi(data).warnings else "clean"] += 1
        except RejectedInputError as error:
            counts["rejected"] += 1
            if not str(error).isprintable():
                errors.append(f"{number}: unprintable reason {error!r}")
        except Exception as error:  # noqa: BLE001 - to find these is what this program is for
            errors.append(f"{number}: {type(error).__name__}: {error}")
        slowest = max(slowest, (time.process_time() - begin, number))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"counts": counts, "slowest": slowest, "errors": errors, "peak_mib": round(peak)}


def files_of(archive: Path) -> list[bytes]:
    """Read the MIDI files of a zip."""
    with zipfile.ZipFile(archive) as members:
        names = sorted(name for name in members.namelist() if name.lower().endswith((".mid", ".midi")))
        return [members.read(name) for name in names]


def main() -> None:
    """Read the mutants and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="a zip of MIDI files")
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    begin, counts, errors, slowest, peak = time.monotonic(), Counter[str](), list[str](), (0.0, 0), 0
    end = arguments.first + arguments.mutants
    firsts = range(arguments.first, end, MUTANTS_AT_ONCE)
    with ProcessPoolExecutor(arguments.processes) as pool:
        stops = [min(first + MUTANTS_AT_ONCE, end) for first in firsts]
        for stop, one in zip(stops, pool.map(read_some, [arguments.archive] * len(firsts), firsts, stops), strict=True):
            counts, errors = counts + one["counts"], errors + one["errors"]
            slowest, peak = max(slowest, tuple(one["slowest"])), max(peak, one["peak_mib"])
            print(f"next --first {stop}: {dict(counts)}, {len(errors)} other errors", file=sys.stderr, flush=True)
    result = {
        "mutants": arguments.mutants,
        "next_first": end,
        **counts,
        "slowest_seconds": round(slowest[0], 3),
        "slowest_mutant": slowest[1],
        "peak_mib": peak,
        "errors": errors,
        "wall_seconds": round(time.monotonic() - begin),
    }
    if arguments.json:
        print(json.dumps(result))
    else:
        print(
            f"{arguments.mutants:,} mutants from number {arguments.first:,} on: {counts['clean']:,} clean, "
            f"{counts['with warnings']:,} with warnings, {counts['rejected']:,} rejected, {len(errors)} other errors; "
            f"the slowest took {slowest[0]:.3f} CPU s (number {slowest[1]}); at most {peak} MiB in a process; "
            f"{result['wall_seconds']} s"
        )
        print("\n".join(errors[:20]))
    if errors or slowest[0] > MOST_SECONDS or peak > MOST_MIB:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
