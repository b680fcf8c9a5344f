"""Checks that the music of many tracks comes back note by note: notes → events → notes → MIDI → notes → events.

    python benchmarks/round_trip.py FOLDER [--parts families|programs|names] [--recipe ensemble]

Each MIDI file of the folder, or of a zip, is read as `lstm-music prepare` reads it. What grid and parts of the recipe make of
its notes is worked out here, apart from the encoding:

- onset and duration at the nearest points of the grid; drums the shortest duration, unless they are kept as written;
- each note with the part that plays it, and the program of that part;
- of notes of one part, pitch and onset only the longest, and of equally long ones the loudest.

Then the notes become events, and notes again, are written as generation writes them, and are read. What was read must have the
same onsets, pitches, durations, velocities, programs, drums and names of parts, and the same events once more. The table counts
the notes that cannot come back as they were, by reason, and those that are written on a further track, because a channel cannot
hold overlapping notes of one pitch. Any other difference is printed, and the exit code is then 1.

With `--parts names`, a recipe that lists no names takes those of the tracks of each file.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.events import PieceEvents, decode, encode
from lstm_music.encoding.parts import LEFT_OUT, player_of, spelled
from lstm_music.errors import LstmMusicError, RejectedInputError
from lstm_music.midi.general_midi import DRUMS
from lstm_music.midi.key import estimate_key
from lstm_music.midi.notes import PieceNotes, Tempo, TimeSignature
from lstm_music.midi.parts import parts_of
from lstm_music.midi.reader import read_midi
from lstm_music.midi.usable import require_music
from lstm_music.midi.writer import OVERLAPPING, write_midi
from lstm_music.recipe import load_recipe
from lstm_music.sources.catalogue import open_source
from lstm_music.sources.entry import Found, Remote, music_format

NOT_EQUAL = 1
MERGED, OTHER, LEFT, HITS, FURTHER = (
    "merged into a note of the same part, pitch and onset",
    "played by another part of the recipe",
    "left out, as no part of the recipe plays them",
    "of drums, which lose their length",
    "written on a further track, as they overlap a note of their pitch",
)

Note = tuple[int, int, int, int, int, bool, str]
"""Onset in ticks of the written file, pitch, duration in ticks, velocity, program, whether it is a drum, name of the part."""


def pieces(source: str, *, has_drums: bool) -> Iterator[tuple[str, PieceNotes | str]]:
    """Yield (name, notes, or why there are none) of each MIDI file of a folder or a zip; drums alone are music with drums."""
    opened = open_source(source)
    if isinstance(opened, Remote):
        raise RejectedInputError(f"{source}: expected a folder, a zip or a file of this machine")
    for entry in opened.entries():
        if music_format(entry.name) != "midi":
            continue
        if not isinstance(entry, Found):
            yield entry.name, getattr(entry, "reason", "")
            continue
        try:
            piece = read_midi(entry.data)
            require_music(piece, has_drums=has_drums)
        except RejectedInputError as error:
            yield entry.name, str(error)
        else:
            yield entry.name, piece


def wanted_notes(piece: PieceNotes, spec: EventSpec) -> tuple[list[Note], Counter[str]]:
    """Give the notes that have to come back, sorted, and how many of the piece's cannot come back as they were, by reason."""
    grid, notes = spec.grid, piece.notes
    ticks_per_step = grid.ticks_per_quarter // grid.steps_per_quarter
    reader = spec.part_reader
    assert reader is not None
    parts = reader.read(piece)
    players = [player_of(spec.parts, value) for value in spec.part_alphabet]
    onsets = (grid.onsets(notes["onset_ticks"], piece.ticks_per_quarter) * ticks_per_step).tolist()
    durations = (grid.durations(notes["duration_ticks"], piece.ticks_per_quarter) * ticks_per_step).tolist()
    counts = Counter({MERGED: 0, OTHER: 0, LEFT: 0, HITS: 0})
    for _, plays, count in reader.replaced(piece):
        counts[OTHER if plays else LEFT] += count
    longest: dict[tuple[int, int, int], tuple[int, int]] = {}
    for part, onset, pitch, duration, velocity, is_drum in zip(
        *(parts.tolist(), onsets, notes["pitch"].tolist(), durations),
        *(notes["velocity"].tolist(), notes["is_drum"].tolist()),
        strict=True,
    ):
        if part == LEFT_OUT:
            continue
        is_hit = is_drum and spec.drum_durations == "shortest"
        counts[HITS] += is_hit
        lasts = grid.shortest * ticks_per_step if is_hit else duration
        place = (part, onset, pitch)
        counts[MERGED] += place in longest
        longest[place] = max(longest.get(place, (0, 0)), (lasts, velocity))
    found = [
        (onset, pitch, lasts, velocity, players[part].program, players[part].is_drum, players[part].name)
        for (part, onset, pitch), (lasts, velocity) in longest.items()
    ]
    return sorted(found), counts


def written(events: PieceEvents, spec: EventSpec) -> bytes:
    """Write events as generation writes those that it made."""
    piece = decode(
        *(events.note, events.offset_steps, events.duration_steps, events.velocity, spec),
        tempos=[Tempo(0, 500_000)],
        time_signatures=[TimeSignature(0, 4, 4)],
        part=events.part,
    )
    return write_midi(
        replace(piece, key_signatures=(estimate_key(piece),), track_names=("A title", *piece.track_names[1:]))
    )


def notes_of(piece: PieceNotes) -> list[Note]:
    """Give the notes of a written file, sorted."""
    parts, of_note = parts_of(piece)
    names = ("onset_ticks", "pitch", "duration_ticks", "velocity", "program", "is_drum")
    columns = (piece.notes[name].tolist() for name in names)
    return sorted(zip(*columns, [parts[part].name for part in of_note.tolist()], strict=True))


def difference(wanted: list[Note], events: PieceEvents, read: PieceNotes, spec: EventSpec) -> str:
    """Name the first difference; "" if there is none."""
    found = notes_of(read)
    if wanted != found:
        missing, added = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
        return (
            f"{missing.total():,} notes did not come back, {added.total():,} are new; the first are "
            f"{min(missing, default=None)} and {min(added, default=None)}"
        )
    again = encode(read, spec)
    for name in ("note", "part", "onset_steps", "offset_steps", "duration_steps", "velocity"):
        first, second = np.asarray(getattr(events, name)), np.asarray(getattr(again, name))
        if not np.array_equal(first, second):
            at = int(np.flatnonzero(first != second)[0]) if len(first) == len(second) else min(len(first), len(second))
            return f"other events: {name} of event {at} of {len(first)}"
    return ""


def further(read: PieceNotes) -> int:
    """Count the notes on tracks for overlapping notes."""
    tracks = [track for track, name in enumerate(read.track_names) if name.endswith(OVERLAPPING)]
    return int(np.count_nonzero(np.isin(read.notes["track"], tracks)))


def of_file(spec: EventSpec, piece: PieceNotes) -> EventSpec:
    """Give the spec for a file: where it lists no names, those of the file's tracks."""
    if spec.parts != "names" or spec.part_names:
        return spec
    names = dict.fromkeys(spelled(name.removesuffix(OVERLAPPING)) for name in piece.track_names)
    listed = tuple(name for name in names if name and name != DRUMS)
    return spec.model_copy(update={"part_names": (*listed, DRUMS)})


def spec_of(arguments: argparse.Namespace) -> EventSpec:
    """Give the recipe's events, with the parts that were asked for."""
    spec = load_recipe(arguments.recipe).events
    parts = arguments.parts or spec.parts
    return spec if parts == spec.parts else spec.model_copy(update={"parts": parts, "part_names": ()})


def check(source: str, spec: EventSpec) -> tuple[Counter[str], dict[str, str]]:
    """Send every file of a source on the round trip; return the counts, and the first difference of each file that has one."""
    total: Counter[str] = Counter()
    differing: dict[str, str] = {}
    has_drums = DRUMS in spec.part_alphabet or (
        spec.parts == "names" and not spec.part_names
    )  # `of_file` lists the drums
    for name, piece in pieces(source, has_drums=has_drums):
        total["files"] += 1
        if isinstance(piece, str):
            total["rejected"] += 1
            print(f"rejected: {name}: {piece}")
            continue
        own = of_file(spec, piece)
        wanted, counts = wanted_notes(piece, own)
        events = encode(piece, own)
        read = read_midi(written(events, own))
        total += counts
        total["notes"] += len(piece.notes)
        total["back"] += len(read.notes)
        total[FURTHER] += further(read)
        total["parts"] = max(total["parts"], len(set(events.part or ())))
        if differs := difference(wanted, events, read, own):
            differing[name] = differs
    return total, differing


def show(total: Counter[str], differing: dict[str, str], spec: EventSpec) -> None:
    """Print the table, and each file that differs."""
    checked = total["files"] - total["rejected"]
    equal = checked - len(differing)
    print(
        f"parts: {spec.parts}, at most {total['parts']} in a file; grid: {list(spec.quarter_length_divisors)} of a quarter"
    )
    print(f"{total['files']:9,} files, {total['rejected']:,} of them rejected")
    print(f"{equal:9,} of {checked:,} files equal ({100 * equal / checked:.2f} %)")
    print(f"{total['notes']:9,} notes, {total['back']:,} of them written and read")
    for reason in (MERGED, OTHER, LEFT, HITS, FURTHER):
        print(f"{total[reason]:9,} notes {reason}")
    for name, differs in differing.items():
        print(f"differs: {name}: {differs}")


def main() -> None:
    """Check a collection and print the table; exit with 1 if a file came back otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", metavar="FOLDER", help="a folder or a zip with MIDI files")
    parser.add_argument("--recipe", default="ensemble", help="a recipe's name, or the path of a .toml file")
    parser.add_argument("--parts", choices=["families", "programs", "names"], help="instead of those of the recipe")
    arguments = parser.parse_args()
    try:
        spec = spec_of(arguments)
        if spec.parts == "none":
            parser.error(f"recipe {arguments.recipe!r} has no parts; give --parts")
        total, differing = check(arguments.source, spec)
    except LstmMusicError as error:
        sys.stderr.write(f"round_trip.py: {error}\n")
        sys.exit(error.exit_code)
    if total["files"] == total["rejected"]:
        parser.error(f"{arguments.source}: expected MIDI files, found none that can be read")
    show(total, differing, spec)
    sys.exit(NOT_EQUAL if differing else 0)


if __name__ == "__main__":
    main()
