"""How well versions of a piece are found, how many unrelated pieces are joined, and what that costs.

Run: python benchmarks/versions.py SOURCE… [--scale 100000]

For each source (a folder, a zip or `corpus`) it plants a changed version of every piece, one kind of change at a time, and prints
how many are linked with their originals: compared directly, and found by the index. It lists the families among the pieces
themselves, for a person to judge. With --scale it makes that many melodies by chance from the intervals of these pieces, one in
ten a version of another, and prints recall, false links, CPU seconds and the growth of memory that no file backs.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lstm_music.encoding.contours import Intervals, contour
from lstm_music.encoding.versions import Contours, families, find_links, share_of_versions
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.table import from_arrow
from lstm_music.recipe import Recipe
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.notes import collect_notes, iterate_notes, read_pieces
from lstm_music.stages.data.parse import parse_batch
from lstm_music.stages.data.prepare import batches_to_parse
from lstm_music.store import Store

Notes = Mapping[str, np.ndarray]
Change = Callable[[Notes, int, np.random.Generator], Notes]


def transposed(notes: Notes, _quarter: int, _rng: np.random.Generator) -> Notes:
    """Move all notes by a fourth."""
    return {**notes, "pitch": notes["pitch"] + 5}


def slower(notes: Notes, _quarter: int, _rng: np.random.Generator) -> Notes:
    """Write the piece in notes of double length."""
    return {**notes, "onset": 2 * notes["onset"], "duration": 2 * notes["duration"]}


def thinned(notes: Notes, _quarter: int, rng: np.random.Generator) -> Notes:
    """Remove one note of ten."""
    return _chosen(notes, rng.random(len(notes["pitch"])) >= 0.1)


def first_half(notes: Notes, _quarter: int, _rng: np.random.Generator) -> Notes:
    """Keep the notes that begin in the first half of the time."""
    return _chosen(notes, notes["onset"] < (notes["onset"] + notes["duration"]).max() // 2)


def quantised(notes: Notes, quarter: int, _rng: np.random.Generator) -> Notes:
    """Move onsets and ends to sixteenths, which merges faster notes and bends triplets."""
    step = max(quarter // 4, 1)
    onset, duration = ((notes[name] + step // 2) // step * step for name in ("onset", "duration"))
    return {**notes, "onset": onset, "duration": np.maximum(duration, step)}


def played(notes: Notes, quarter: int, rng: np.random.Generator) -> Notes:
    """Shift onsets by 2 % of a quarter at random, and shorten or overlap notes, as a player does."""
    scale = 1000 // quarter + 1
    onset = scale * notes["onset"] + np.round(rng.normal(0, 0.02 * scale * quarter, len(notes["onset"]))).astype(int)
    duration = scale * notes["duration"] * rng.uniform(0.6, 1.05, len(onset))
    return {**notes, "onset": onset - min(onset.min(), 0), "duration": np.maximum(duration, 1).astype(int)}


def ornamented(notes: Notes, quarter: int, rng: np.random.Generator) -> Notes:
    """Give one of ten notes a mordent."""
    scale = 1000 // quarter + 1
    notes = {**notes, "onset": scale * notes["onset"], "duration": scale * notes["duration"]}
    part = np.maximum(notes["duration"] // 8, 1)
    chosen = (rng.random(len(part)) < 0.1) & (notes["duration"] >= scale * quarter // 4)
    first, second, third = ({**notes}, _chosen(notes, chosen), _chosen(notes, chosen))
    first["duration"] = np.where(chosen, part, notes["duration"])
    second = {"onset": second["onset"] + part[chosen], "duration": part[chosen], "pitch": second["pitch"] + 2}
    third = {**third, "onset": third["onset"] + 2 * part[chosen], "duration": third["duration"] - 2 * part[chosen]}
    return {name: np.concatenate([first[name], second[name], third[name]]) for name in notes}


def revoiced(notes: Notes, _quarter: int, rng: np.random.Generator) -> Notes:
    """Keep the highest note of each onset; of the others drop 30 %, and move 30 % an octave down."""
    order = np.lexsort((-notes["pitch"], notes["onset"]))
    notes = _chosen(notes, order)
    is_top = np.diff(notes["onset"], prepend=-1) > 0
    chance = rng.random(len(is_top))
    pitch = np.where(~is_top & (chance < 0.3), notes["pitch"] - 12, notes["pitch"])
    return _chosen({**notes, "pitch": pitch}, is_top | (chance < 0.7))


def edition(notes: Notes, quarter: int, rng: np.random.Generator) -> Notes:
    """Transpose, quantise, and remove one note of twenty."""
    kept = _chosen(notes, rng.random(len(notes["pitch"])) >= 0.05)
    return quantised(transposed(kept, quarter, rng), quarter, rng)


CHANGES: tuple[Change, ...] = (
    transposed,
    slower,
    thinned,
    first_half,
    quantised,
    played,
    ornamented,
    revoiced,
    edition,
)


def _chosen(notes: Notes, kept: np.ndarray) -> dict[str, np.ndarray]:
    return {name: column[kept] for name, column in notes.items()}


def pieces_of(store: Store, source: str) -> Iterator[tuple[str, int, Notes]]:
    """Read a source; yield name, ticks per quarter and pitched notes of each piece."""
    recipe = Recipe(name="versions")
    inputs = ingest(store, recipe, source)
    for batch in batches_to_parse(store, inputs):
        parse_batch(store, batch)
    notes = collect_notes(store, inputs)
    rows = read_pieces(store, notes, ("name", "ticks_per_quarter"))
    for row, (_, table) in zip(rows, iterate_notes(store, notes), strict=True):
        yield row["name"], row["ticks_per_quarter"], _pitched(from_arrow(table, row))


def _pitched(piece: PieceNotes) -> Notes:
    notes = piece.notes[~piece.notes["is_drum"]]
    columns = {"onset": "onset_ticks", "duration": "duration_ticks", "pitch": "pitch"}
    return {name: notes[column].astype(np.int64) for name, column in columns.items()}


def contour_of(notes: Notes) -> Intervals:
    """Return the contour of notes."""
    return contour(notes["onset"], notes["duration"], notes["pitch"])


def links_of(contours: Sequence[Intervals]) -> set[tuple[int, int]]:
    """Return the pairs of versions that the index finds."""
    with tempfile.TemporaryDirectory() as folder:
        found = Contours.write(Path(folder) / "contours", contours)
        return {(link.first, link.second) for link in find_links(found, Path(folder))}


def report_recall(pieces: Sequence[tuple[str, int, Notes]]) -> None:
    """Print, for each kind of change, how many planted versions are found."""
    originals = [contour_of(notes) for *_, notes in pieces]
    print("| change | versions by their runs | found by the index |\n|---|---|---|")
    for change in CHANGES:
        rng = np.random.default_rng(1)
        planted = [contour_of(change(notes, quarter, rng)) for _, quarter, notes in pieces]
        pairs = sum(share_of_versions(one, other) > 0 for one, other in zip(originals, planted, strict=True))
        links = links_of([*originals, *planted])
        found = sum((number, number + len(pieces)) in links for number in range(len(pieces)))
        name = change.__name__.replace("_", " ")
        print(f"| {name} | {pairs / len(pieces):.1%} | {found / len(pieces):.1%} |", flush=True)


def report_families(pieces: Sequence[tuple[str, int, Notes]]) -> None:
    """Print the families among the pieces."""
    with tempfile.TemporaryDirectory() as folder:
        contours = Contours.write(Path(folder) / "contours", (contour_of(notes) for *_, notes in pieces))
        family = families(len(pieces), find_links(contours, Path(folder)))
    members = defaultdict(list)
    for (name, *_), first in zip(pieces, family.tolist(), strict=True):
        members[first].append(name)
    found = [names for names in members.values() if len(names) > 1]
    print(f"{sum(map(len, found))} of {len(pieces)} pieces are in {len(found)} families:")
    for names in sorted(found, key=lambda names: (len(names), names)):
        print("   ", ", ".join(sorted(names)))


def chance(originals: Sequence[Intervals], count: int) -> Iterator[Intervals]:
    """Yield melodies by chance: each interval by the two before it, as in these pieces; one in ten is a version of another."""
    text = np.concatenate([[0, 0], *originals]).astype(np.int64)
    context = text[:-2] * 64 + text[1:-1]
    order = np.argsort(context, kind="stable")
    known, starts, counts = np.unique(context[order], return_index=True, return_counts=True)
    rng = np.random.default_rng(1)
    lengths = rng.choice([len(one) for one in originals if len(one) > 30], count)
    for first in range(0, count, 1000):
        size = lengths[first : first + 1000]
        made = np.zeros((len(size), int(size.max()) + 2), np.int64)
        for place in range(2, made.shape[1]):
            row = np.searchsorted(known, made[:, place - 2] * 64 + made[:, place - 1])
            made[:, place] = text[order[starts[row] + rng.integers(counts[row])] + 2]
        for number, length in enumerate(size.tolist()):
            own = made[number, 2 : length + 2].astype(np.int8)
            if number % 10 == 9:
                pitches = np.cumsum(made[number - 9, 1 : int(size[number - 9]) + 2])
                own = np.diff(pitches[rng.random(len(pitches)) >= 0.05]).astype(np.int8)
            yield own


def report_scale(originals: Sequence[Intervals], count: int) -> None:
    """Print recall, false links, time and memory for a large collection."""
    with tempfile.TemporaryDirectory() as folder:
        contours = Contours.write(Path(folder) / "contours", chance(originals, count))
        before, began = _anonymous_mib(), time.process_time()
        links, most = set(), before
        for link in find_links(contours, Path(folder)):
            links.add((link.first, link.second))
            most = max(most, _anonymous_mib()) if len(links) % 100 == 0 else most
        seconds = time.process_time() - began
        files = sum(path.stat().st_size for path in Path(folder).iterdir()) >> 20
    planted = {(number - 9, number) for number in range(9, count, 10)}
    print(
        f"{count:,} pieces, {int(contours.starts[-1]):,} intervals: {len(planted & links) / len(planted):.1%} of "
        f"{len(planted):,} versions found, {len(links - planted):,} other links, {seconds:.0f} CPU s, "
        f"{most - before:+.0f} MiB anonymous memory, {files:,} MiB of temporary files"
    )


def _anonymous_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("RssAnon:")[1].split()[0]) / 1024


def main() -> None:
    """Print the tables of each source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--scale", type=int, default=0)
    arguments = parser.parse_args()
    for source in arguments.sources:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(folder)
            with store.session():
                pieces = list(pieces_of(store, source))
        print(f"\n## {source}: {len(pieces)} pieces\n")
        report_recall(pieces)
        report_families(pieces)
        if arguments.scale:
            report_scale([contour_of(notes) for *_, notes in pieces], arguments.scale)


if __name__ == "__main__":
    main()
