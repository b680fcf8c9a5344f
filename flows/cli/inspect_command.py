"""`lstm-music inspect`: what is read of music files, as text, as JSON, as a picture, and beside another file."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path
from typing import Any

from flows.cli.display import ROWS_SHOWN, Display
from flows.cli.words import counted
from lstm_music.encoding.bars import bar_starts, places_in
from lstm_music.errors import RecipeError, RejectedInputError, StorageError
from lstm_music.midi.notes import KeySignature, PieceNotes
from lstm_music.midi.parts import parts_of
from lstm_music.rendering.ensemble import is_for_several
from lstm_music.rendering.ensemble_roll import Played, ensemble_roll
from lstm_music.rendering.piano_roll import piano_roll
from lstm_music.stages.data.inspection import (
    Differences,
    Inspected,
    Inspection,
    NoteKey,
    differences,
    inspect,
    keys_of,
    summarise_parts,
)
from lstm_music.stages.data.inspection_json import json_of, number

_PITCHES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
_KEYS = ("C♭", "G♭", "D♭", "A♭", "E♭", "B♭", "F", "C", "G", "D", "A", "E", "B", "F♯", "C♯", "G♯", "D♯", "A♯")
_MINUTE = 60_000_000  # microseconds


def show(display: Display, files: Sequence[str], svg: Path | None, compare_with: str | None) -> None:
    """Show what is read of files. Raises RejectedInputError if nothing is."""
    if svg is not None and svg.suffix.lower() != ".svg":
        raise RecipeError(f"--svg: expected a file name that ends with .svg, got {str(svg)!r}")
    with display.doing(f"Reading {counted(len(files), 'source')}"):
        found = inspect(files)
        other = inspect([compare_with]) if compare_with is not None else None
    for one in found.pieces:
        _describe(display, one)
    for rejected in (*found.rejected, *(other.rejected if other else ())):
        display.log(f"Rejected {rejected.name}: {rejected.reason}")
    others: dict[str, Any] = {}
    if other is not None:
        others["differences"] = _compare(display, found, other)
    if svg is not None:
        others["svg"] = [str(path) for path in _draw(display, found.pieces, svg)]
    display.result_in_parts(json_of(found, others))
    if other is not None and not other.pieces:
        raise RejectedInputError(f"inspect: found no piece to compare with in {compare_with}")
    if not found.pieces:
        reason = f"; the first: {found.rejected[0].name} {found.rejected[0].reason}" if found.rejected else ""
        raise RejectedInputError(f"inspect: found no piece to read in {', '.join(files)}{reason}")


def _describe(display: Display, one: Inspected) -> None:
    piece = one.piece
    parts = summarise_parts(piece)
    quarters = Fraction(
        int((piece.notes["onset_ticks"] + piece.notes["duration_ticks"]).max()), piece.ticks_per_quarter
    )
    display.log(
        f"{one.name}: {counted(len(piece.notes), 'note')} in {counted(len(parts), 'part')}, {float(quarters):g} quarters"
    )
    display.log(f"  Bars: {_bars(one)}")
    written, estimated = keys_of(piece)
    display.log(f"  Tempo: {_tempo(piece)}")
    display.log(f"  Key: {_key(written) + ' written, ' if written else ''}{_key(estimated)} estimated from the notes")
    rows = [
        (
            str(part.part),
            part.name,
            ", ".join([*map(str, part.programs), *(["drums"] if part.drums else [])]),
            "" if part.lowest is None or part.highest is None else f"{_pitch(part.lowest)} to {_pitch(part.highest)}",
            f"{part.notes:,}",
        )
        for part in parts
    ]
    display.table(f"Parts of {one.name}", ("part", "name", "program", "range", "notes"), rows, texts=4)
    for warning in one.warnings:
        display.log(f"Warning: {one.name} {warning}")


def _bars(one: Inspected) -> str:
    bars, piece = one.bars, one.piece
    numbers, _ = places_in(bars, piece.notes["onset_ticks"].max(keepdims=True))
    text = counted(int(numbers[0]), "bar")
    signatures = [f"{sign.numerator}/{sign.denominator}" for sign in piece.time_signatures]
    text += f" in {', '.join(dict.fromkeys(signatures))}" if signatures else ", no time signature"
    if bars[0].number == 0:
        length = (bars[0].length - bars[0].begins_at) / piece.ticks_per_quarter
        text += f", after a pickup of {number(length)} quarter{'s' * (length > 1)}"
    return text


def _tempo(piece: PieceNotes) -> str:
    if not piece.tempos:
        return "none written"
    rates = [_MINUTE / tempo.microseconds_per_quarter for tempo in piece.tempos]
    text = f"{rates[0]:.4g} quarters per minute"
    return text if len(rates) == 1 else f"{text} at first, {min(rates):.4g} to {max(rates):.4g} in all"


def _key(key: KeySignature) -> str:
    return f"{_KEYS[key.sharps + 7 + 3 * key.is_minor]} {'minor' if key.is_minor else 'major'}"


def _pitch(pitch: int) -> str:
    return f"{_PITCHES[pitch % 12]}{pitch // 12 - 1}"


def _compare(display: Display, found: Inspection, other: Inspection) -> list[dict[str, Any]]:
    """Compare piece by piece, in the order of both; return the differences for programs."""
    results = []
    for first, second in zip_longest(found.pieces, other.pieces):
        if first is None or second is None:
            display.log(f"Nothing to compare with {(first or second).name}")
            continue
        compared = differences(first.piece, second.piece)
        display.log(f"{first.name} and {second.name}: {_counts(compared)}")
        _rows(display, first.name, second.name, compared)
        results.append(
            {
                "first": first.name,
                "second": second.name,
                "same": compared.same,
                "only_first": [_note(*note) for note in compared.only_first],
                "only_second": [_note(*note) for note in compared.only_second],
                "lengths": [{**_note(key, mine), "other_duration": number(its)} for key, mine, its in compared.lengths],
            }
        )
    return results


def _counts(compared: Differences) -> str:
    if not (compared.only_first or compared.only_second or compared.lengths):
        return f"the same {counted(compared.same, 'note')}"
    return (
        f"{counted(compared.same, 'note')} the same, {len(compared.only_first):,} only in the first, "
        f"{len(compared.only_second):,} only in the second, {len(compared.lengths):,} of another length"
    )


def _rows(display: Display, first: str, second: str, compared: Differences) -> None:
    rows = [
        *((key, f"{number(duration)}", "") for key, duration in compared.only_first),
        *((key, "", f"{number(duration)}") for key, duration in compared.only_second),
        *((key, f"{number(mine)}", f"{number(its)}") for key, mine, its in compared.lengths),
    ]
    if rows:
        rows.sort()
        shown = [(f"{number(key[0])}", _pitch(key[1]), mine, its) for key, mine, its in rows[:ROWS_SHOWN]]
        display.table(
            f"First {len(shown)} of {len(rows):,} differences", ("onset", "pitch", f"in {first}", f"in {second}"), shown
        )


def _note(key: NoteKey, duration: Fraction) -> dict[str, Any]:
    onset, pitch, is_drum = key
    return {"onset": number(onset), "pitch": pitch, "is_drum": is_drum, "duration": number(duration)}


def _draw(display: Display, pieces: Sequence[Inspected], svg: Path) -> list[Path]:
    """Write a piano roll of each piece: the first to `svg`, the others beside it with a number."""
    paths = []
    for index, one in enumerate(pieces, 1):
        path = svg if index == 1 else svg.with_stem(f"{svg.stem}-{index}")
        try:
            path.write_text(_picture(one), encoding="utf-8")
        except OSError as error:
            raise StorageError(f"--svg: {path} cannot be written ({error.strerror}); give another file") from error
        display.log(f"Made {path}")
        paths.append(path)
    return paths


def _picture(one: Inspected) -> str:
    """Draw a piece by hand if it is for the piano, else by part."""
    starts = [start / one.piece.ticks_per_quarter for start in bar_starts(one.bars, one.end_tick)]
    parts, of_note = parts_of(one.piece)
    if is_for_several(parts):
        return ensemble_roll(parts, Played(one.piece, of_note), one.name, bar_starts=starts)
    return piano_roll(one.piece, one.name, bar_starts=starts)
