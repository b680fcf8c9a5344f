"""Measures how many tunes of ABC books are read, and how many have the notes of abc2midi: see `python benchmarks/read_abc.py -h`.

Needs the program abc2midi (Debian package abcmidi). Each tune is read as it is written: signs of repeats and parts are taken
out of the text for both readers. For abc2midi also what it plays that is not written: ornaments, the swing of hornpipes
(R:), and chords whose notes begin one after another. Durations are compared, too.
"""

import argparse
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lstm_music.errors import RejectedInputError
from lstm_music.midi.reader import read_midi
from lstm_music.midi.text import decode_text
from lstm_music.scores.abc import read
from lstm_music.sources.books import pieces_of
from lstm_music.sources.entry import Found
from lstm_music.sources.folder import Folder

Rows = list[tuple[float, int, float]]  # onset, pitch, duration in quarters

_FIELD_OR_COMMENT = re.compile(r"[A-Za-z]:(?![|:])|%")
_REPEAT = re.compile(r":*\|[|\]]*\s*\|*:+|:+\|[|\]]*|::+")
_ENDING = re.compile(r"\[\s*\d[\d,-]*|(?<=\|)\d[\d,-]*")
_ORNAMENT = re.compile(r'("[^"]*")|[T~]|!trill!')
_STEP = 48  # of a quarter; abc2midi rounds to 480 ticks


def tunes(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield name and text of each tune of the ABC files in a folder."""
    for entry in pieces_of(Folder(str(folder)).entries()):
        if isinstance(entry, Found) and entry.name.lower().endswith(".abc"):
            yield entry.name, decode_text(entry.data).replace("\r\n", "\n").replace("\r", "\n")


def without_signs(text: str) -> str:
    """Take the signs of repeats, endings and parts out of a tune."""
    lines = [line for line in text.split("\n") if not line.startswith("P:")]
    return "\n".join(line if _FIELD_OR_COMMENT.match(line) else _plain(line) for line in lines)


def _plain(line: str) -> str:
    parts = re.split(r'("[^"]*")', line)
    return "".join(part if place % 2 else _ENDING.sub("", _REPEAT.sub("|", part)) for place, part in enumerate(parts))


def by_abc2midi(text: str, folder: Path) -> Rows:
    """Read a tune with abc2midi; [] if it makes no file."""
    lines = [line for line in text.split("\n") if not line.startswith("R:")]
    lines = [line if _FIELD_OR_COMMENT.match(line) else _ORNAMENT.sub(r"\1", line) for line in lines]
    text = re.sub(r"(?m)^(K:.*)$", r"\1\n%%MIDI chordattack 0", "\n".join(lines), count=1)
    (folder / "tune.abc").write_text(text, encoding="utf-8")
    made = folder / "tune.mid"
    made.unlink(missing_ok=True)
    options = ["-NGUI", "-NGRA", "-NFER"]  # no chord symbols, grace notes or fermatas
    subprocess.run(
        ["abc2midi", "tune.abc", "-o", "tune.mid", *options], cwd=folder, capture_output=True, timeout=60, check=False
    )
    if not made.exists():
        return []
    piece = read_midi(made.read_bytes())
    ticks = piece.ticks_per_quarter
    return [(note["onset_ticks"] / ticks, int(note["pitch"]), note["duration_ticks"] / ticks) for note in piece.notes]


def rounded(rows: Rows, *, durations: bool) -> list[tuple[int, ...]]:
    """Put notes on the grid of the comparison."""
    shown = 3 if durations else 2
    return sorted((round(onset * _STEP), pitch, round(duration * _STEP))[:shown] for onset, pitch, duration in rows)


def difference(ours: Rows, theirs: Rows) -> str:
    """Say in a few words how two readings differ; "" if they do not."""
    if rounded(ours, durations=True) == rounded(theirs, durations=True):
        return ""
    if rounded(ours, durations=False) == rounded(theirs, durations=False):
        return "durations only"
    if len(ours) != len(theirs):
        return "number of notes"
    if [place for place, _ in rounded([(on, 0, 0) for on, _, _ in ours], durations=False)] == [
        place for place, _ in rounded([(on, 0, 0) for on, _, _ in theirs], durations=False)
    ]:
        return "pitches only"
    return "times"


def measure(folder: Path) -> dict[str, object]:
    """Read every tune of a folder with both readers and count what differs."""
    counts: Counter[str] = Counter()
    differing: dict[str, str] = {}
    seconds = 0.0
    with tempfile.TemporaryDirectory() as scratch:
        for name, written in tunes(folder):
            counts["tunes"] += 1
            text = without_signs(written)
            start = time.process_time()
            try:
                score = read(text)
            except RejectedInputError as error:
                differing[name] = f"rejected: {error}"
                continue
            seconds += time.process_time() - start
            counts["pieces"] += bool(score.notes)
            counts["with_warnings"] += bool(score.warnings)
            ours = [(float(note.onset), note.pitch, float(note.end - note.onset)) for note in score.notes]
            how = difference(ours, by_abc2midi(text, Path(scratch)))
            counts["equal"] += not how
            if how:
                differing[name] = how
    return {
        **counts,
        "equal_percent": round(100 * counts["equal"] / max(counts["tunes"], 1), 2),
        "cpu_milliseconds_per_tune": round(1000 * seconds / max(counts["pieces"], 1), 2),
        "differing": differing,
    }


def main() -> None:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder with ABC files, such as the Nottingham database")
    parser.add_argument("--json", action="store_true", help="print the result for programs")
    arguments = parser.parse_args()
    if shutil.which("abc2midi") is None:
        parser.error("needs the program abc2midi; install the Debian package abcmidi")
    result = measure(arguments.folder)
    if arguments.json:
        print(json.dumps(result, indent=1))
        return
    for name, value in result.items():
        if name != "differing":
            print(f"{name}: {value}")
    for name, how in dict(result["differing"]).items():  # type: ignore[call-overload]
        print(f"  {name}: {how}")


if __name__ == "__main__":
    main()
