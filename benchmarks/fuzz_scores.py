"""Reads mutants of real scores, and counts what the readers do with them: rejections and warnings, and nothing else.

Run: python benchmarks/fuzz_scores.py [FOLDER] [--mutants 20000] [--first 0] [--processes 1] [--json]

Without a FOLDER the scores are those of music21's corpus: MusicXML (also zipped), ABC and kern, of at most 1 MB. Mutant n is
a score changed as the number n says: bytes changed, removed, copied and swapped, numbers replaced by large ones, lines
repeated, signs of repetition put in, pieces of another score put in; a zip is changed before or after packing. A mutant is
read as `prepare` reads it, with repeats played for every second one, but in this process, so that its CPU time is known. Ends
with 1 if a mutant ends its process, has an unprintable reason, takes over 10 s, or lets the process need over 512 MiB.
"""

import argparse
import io
import json
import multiprocessing
import random
import resource
import signal
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, get_args

from lstm_music.scores.child import _read
from lstm_music.scores.spec import Repeats
from lstm_music.sources.entry import music_format

MOST_SECONDS, MOST_MIB, MOST_BYTES = 10, 512, 1_000_000
KILL_SECONDS = 60.0  # of CPU time: the limit of the readers' child
MUTANTS_AT_ONCE = 100
NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"64",
    b"255",
    b"1000",
    b"1000000",
    b"99999999999999999999",
    b"1e9",
    b"0.0001",
    b"1/0",
    b"",
)
SIGNS = {
    "abc": (
        b"|:", b":|", b"[1", b"[2", b"::", b"!D.C.!", b"!D.S.!", b"!coda!", b"!segno!", b"!fine!", b"P:ABAB", b"(((((",
        b"{", b"}", b"&", b"[V:2]", b"Z999", b"z99999", b"m:n=nnnn", b"%%", b"K:", b"M:1/1000000", b"L:1/1000000", b"&lt;",
    ),
    "kern": (
        b"*^", b"*v", b"*>A", b"*>[A,A,B]", b"*>norep[A,B]", b"*-", b"**kern", b"*+", b"*x", b"==:|!", b"=1|:", b"!", b"\t",
        b"4c", b"0.", b"1%3c", b"q", b"[", b"]", b"*M1/0", b"*MM0",
    ),
    "musicxml": (
        b'<repeat direction="forward"/>', b'<repeat direction="backward" times="9"/>', b'<ending number="1,2" type="start"/>',
        b'<sound dacapo="yes"/>', b'<sound dalsegno="1"/>', b'<sound segno="1"/>', b'<sound fine="yes"/>', b"<chord/>",
        b"<divisions>0</divisions>", b"<duration>999999999</duration>", b"<backup><duration>7</duration></backup>",
        b"&lol;", b"<!DOCTYPE a [<!ENTITY lol 'lol'>]>", b"</measure>", b"<measure>", b"<grace/>", b"<tie type='start'/>",
    ),
}  # fmt: skip


def mutant(scores: list[tuple[str, bytes]], number: int) -> tuple[str, bytes]:
    """Make the mutant of a number: its format and bytes."""
    chance = random.Random(number)
    form, data = scores[chance.randrange(len(scores))]
    is_zip = data.startswith(b"PK")
    if is_zip and chance.random() < 0.9:
        name, data = _unpacked(data)
        data = _changed(data, form, scores, chance)
        return form, _packed(name, data) if chance.random() < 0.2 else data
    return form, _changed(data, form, scores, chance)


def _unpacked(data: bytes) -> tuple[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as members:
        names = [name for name in members.namelist() if name.endswith((".xml", ".musicxml")) and "META" not in name]
        return names[0], members.read(names[0])


def _packed(name: str, data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr(name, data)
    return file.getvalue()


def _changed(data: bytes, form: str, scores: list[tuple[str, bytes]], chance: random.Random) -> bytes:
    """Change a score in one to eight ways."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        if changed:
            _change(changed, form, scores, chance)
    return bytes(changed)


def _change(  # noqa: C901 (a case per kind of change)
    changed: bytearray, form: str, scores: list[tuple[str, bytes]], chance: random.Random
) -> None:
    """Change a score in one way."""
    size = len(changed)
    at = chance.randrange(min(size, 2000)) if chance.random() < 0.3 else chance.randrange(size)
    end = min(size, at + chance.choice((1, 2, 4, 60, 3000)))
    kinds = range(10)
    if (
        form == "musicxml" and chance.random() < 0.8
    ):  # what leaves XML well-formed, or else nearly all are rejected alike
        kinds = range(7, 10)
        at = changed.find(b">", at) + 1 or at
    match chance.choice(kinds):
        case 0:
            changed[at] = chance.randrange(256)
        case 1:
            del changed[at:end]
        case 2:
            changed[at:at] = changed[at:end] * chance.choice((1, 2, 50))
        case 3:
            other = chance.randrange(size)
            changed[at], changed[other] = changed[other], changed[at]
        case 4:
            del changed[max(1, at) :]
        case 5:
            _, other_data = scores[chance.randrange(len(scores))]
            place = chance.randrange(len(other_data))
            changed[at:at] = other_data[place : place + chance.choice((10, 200, 5000))]
        case 6:
            line_end = changed.find(b"\n", at) + 1 or size
            line = changed.rfind(b"\n", 0, at) + 1
            changed[line:line] = changed[line:line_end] * chance.choice((1, 2, 30))
        case 7:
            digits = [place for place in range(at, min(size, at + 400)) if changed[place : place + 1].isdigit()]
            if digits:
                changed[digits[0] : digits[0] + 1] = chance.choice(NUMBERS)
        case _:
            changed[at:at] = chance.choice(SIGNS[form]) * chance.choice((1, 1, 1, 40))


def read_some(scores: list[tuple[str, bytes]], first: int, stop: int) -> dict[str, Any]:
    """Read the mutants from `first` to `stop` (exclusive)."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    counts: Counter[str] = Counter()
    slowest, errors, largest = (0.0, first), [], (_peak_mib(), first)
    for number in range(first, stop):
        form, data = mutant(scores, number)
        repeats = get_args(Repeats)[number % 2]
        before = _peak_mib()
        begin = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, KILL_SECONDS)
        result = _read(data, form, repeats)
        signal.setitimer(signal.ITIMER_PROF, 0)
        slowest = max(slowest, (time.process_time() - begin, number))
        if _peak_mib() > before:
            largest = _peak_mib(), number
        if "reason" in result:
            counts[f"{form} rejected"] += 1
            if not result["reason"].isprintable():
                errors.append(f"{number}: unprintable reason {result['reason']!r}")
            if "cannot be read as" in result["reason"]:
                counts[f"{form} rejected by an error of the reader"] += 1
        else:
            counts[f"{form} with warnings" if result["piece"]["warnings"] else f"{form} clean"] += 1
    return {"counts": counts, "slowest": slowest, "errors": errors, "largest": largest}


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def scores_of(folder: Path) -> list[tuple[str, bytes]]:
    """Give (format, bytes) of the scores of a folder, in the order of their names."""
    paths = sorted(
        path for path in folder.rglob("*") if path.is_file() and music_format(path.name) not in (None, "midi")
    )
    return [(music_format(path.name) or "", path.read_bytes()) for path in paths if path.stat().st_size <= MOST_BYTES]


def _results(
    scores: list[tuple[str, bytes]], first: int, end: int, processes: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    firsts = range(first, end, MUTANTS_AT_ONCE)
    stops = [min(one + MUTANTS_AT_ONCE, end) for one in firsts]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
        yield from zip(stops, pool.map(read_some, [scores] * len(firsts), firsts, stops), strict=True)


def main() -> None:
    """Read the mutants and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="a folder of scores (default: music21's corpus)")
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    folder = arguments.folder
    if folder is None:
        import music21

        folder = Path(music21.__file__).parent / "corpus"
    scores = scores_of(folder)
    counts, errors, slowest, largest = Counter[str](), list[str](), (0.0, 0), (0, 0)
    end = arguments.first + arguments.mutants
    for stop, one in _results(scores, arguments.first, end, arguments.processes):
        counts, errors = counts + one["counts"], errors + one["errors"]
        slowest, largest = max(slowest, tuple(one["slowest"])), max(largest, tuple(one["largest"]))
        said = f"slowest {slowest[0]:.2f} s ({slowest[1]}), {largest[0]} MiB ({largest[1]})"
        print(f"next --first {stop}: {dict(sorted(counts.items()))}, {said}", file=sys.stderr, flush=True)
    result = {
        "scores": len(scores),
        "mutants": arguments.mutants,
        "next_first": end,
        **dict(sorted(counts.items())),
        "slowest_seconds": round(slowest[0], 3),
        "slowest_mutant": slowest[1],
        "peak_mib": largest[0],
        "peak_mutant": largest[1],
        "errors": errors,
    }
    print(json.dumps(result) if arguments.json else "\n".join(f"{name}: {value}" for name, value in result.items()))
    if errors or slowest[0] > MOST_SECONDS or largest[0] > MOST_MIB:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
