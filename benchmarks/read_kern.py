"""How many notes of **kern scores are read at the right time, against verovio, note by note.

    python benchmarks/read_kern.py FOLDER [--worst 10] [--also-music21]

FOLDER holds .krn files, in subfolders too: KernScores' sonatas and mazurkas are the public repositories
craigsapp/beethoven-piano-sonatas and craigsapp/chopin-mazurkas. The reader is ours (`lstm_music.scores.kern`), in its written
order; the witness is verovio's timemap, whose identifiers say in which line, column and place of a chord each note stands.
verovio plays grace notes and arpeggios and shifts what they lead to, so the witness gets the text without them. Notes that
continue a tie are counted in neither. A note is right if the other has one of its pitch within 1/960 of a quarter.
"""

import argparse
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import verovio
from music21_scores import read as read_by_music21

from lstm_music.errors import RejectedInputError
from lstm_music.scores import kern
from lstm_music.scores.score import Score

STEPS = 960  # per quarter
T = TypeVar("T")
IDENTIFIER = re.compile(r"note-L(\d+)F(\d+)(?:S(\d+))?$")

Notes = Counter[tuple[int, int]]


def main() -> None:
    """Compare every score of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--worst", type=int, default=10)
    parser.add_argument("--also-music21", action="store_true")
    args = parser.parse_args()
    verovio.enableLog(verovio.LOG_OFF)
    rows = []
    seconds: Counter[str] = Counter()
    for path in sorted(args.folder.rglob("*.krn")):
        text = path.read_bytes().decode(errors="replace").replace("\r\n", "\n")
        counts = compare(text, seconds, also_music21=args.also_music21)
        rows.append((path.name, counts))
        print(path.name, *(f"{name} {number:,}" for name, number in counts.items()), flush=True)
    report(rows, seconds, args.worst)


def compare(text: str, seconds: Counter[str], *, also_music21: bool) -> Counter[str]:
    """Count the notes of the witness, and how many of them each reader has at the same time."""
    counts: Counter[str] = Counter()
    truth = timed(seconds, "verovio", lambda: witness(text))
    if truth is None:
        return Counter(refused_by_verovio=1)
    counts["notes"] = sum(truth.values())
    readers = {"ours": lambda: kern.read_as_written(text)}
    if also_music21:
        readers["music21"] = lambda: read_by_music21(text, "kern")
    for name, reader in readers.items():
        try:
            score = timed(seconds, name, reader)
        except (RejectedInputError, Exception) as error:  # noqa: BLE001 (a refusal is a result)
            print(f"{name}: {type(error).__name__}: {str(error)[:100]}")
            counts[f"{name}_right"] = 0
            continue
        found = onsets(score)
        counts[f"{name}_right"] = sum((found & truth).values())
        counts[f"{name}_too_many"] = max(sum(found.values()) - counts["notes"], 0)
        counts[f"{name}_warnings"] = len(score.warnings)
    return counts


def timed(seconds: Counter[str], name: str, work: Callable[[], T]) -> T:
    """Do some work, and add its CPU seconds to those of `name`."""
    started = time.process_time()
    try:
        return work()
    finally:
        seconds[name] += time.process_time() - started


def onsets(score: Score) -> Notes:
    """Return the notes of a score as (onset in steps, pitch)."""
    return Counter((round(note.onset * STEPS), note.pitch) for note in score.notes)


def witness(text: str) -> Notes | None:
    """Return the notes that verovio reads, or None if it refuses the file."""
    lines = list(without_shifts(text))
    toolkit = verovio.toolkit()
    toolkit.setOptions({"expandNever": True})
    if not toolkit.loadData("\n".join(lines)):
        return None
    notes: Notes = Counter()
    for moment in toolkit.renderToTimemap({}):
        for identifier in moment.get("on", []):
            found = IDENTIFIER.match(identifier)
            if not found:
                raise SystemExit(f"verovio has an identifier of another form: {identifier}")
            chord = [token for token in lines[int(found[1]) - 1].split("\t") if token][int(found[2]) - 1]
            note = chord.split(" ")[int(found[3]) - 1] if found[3] else chord
            if "]" not in note and "_" not in note:
                pitch = toolkit.getMIDIValuesForElement(identifier)["pitch"]
                notes[round(moment["qstamp"] * STEPS), pitch] += 1
    return notes


def without_shifts(text: str) -> Iterator[str]:
    """Yield the lines without grace notes, arpeggios and shorthand for tremolos, and without lines that held no other note."""
    for line in text.replace("*tremolo", "*").split("\n"):
        if line.startswith(("!", "*", "=")):
            yield line
            continue
        tokens = ["." if "q" in token else token.replace(":", "") for token in line.split("\t")]
        if "q" not in line or any(character.isdigit() for token in tokens for character in token):
            yield "\t".join(tokens)


def report(rows: list[tuple[str, Counter[str]]], seconds: Counter[str], worst: int) -> None:
    """Print the shares, and the worst files."""
    total: Counter[str] = Counter()
    for _, counts in rows:
        total.update(counts)
    print(f"\n{len(rows)} files, {total['notes']:,} notes, {total['refused_by_verovio']} refused by verovio")
    for name in ("ours", "music21"):
        if name not in seconds:
            continue
        print(f"{name}: {total[f'{name}_right'] / total['notes']:.3%} right, {total[f'{name}_too_many']:,} too many")
        shares = sorted((counts[f"{name}_right"] / counts["notes"], file) for file, counts in rows if counts["notes"])
        print(*(f"  {share:.2%} {file}" for share, file in shares[:worst]), sep="\n")
    print(*(f"{name}: {spent:.1f} CPU seconds" for name, spent in seconds.items()), sep="\n")


if __name__ == "__main__":
    main()
