"""What was read of music files, as JSON: in parts, because the notes of a long file take gigabytes as Python objects."""

import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from lstm_music.encoding.bars import places_in
from lstm_music.stages.data.inspection import Inspected, Inspection

NOTES_AT_ONCE = 1 << 12


def json_of(inspection: Inspection, others: Mapping[str, Any]) -> Iterator[str]:
    """Yield the JSON of what was read, in parts, and behind it what `others` has.

    Quarters are numbers where JSON can hold them exactly, else fractions in text.
    """
    yield '{"pieces": ['
    for index, one in enumerate(inspection.pieces):
        head = json.dumps({"name": one.name, "warnings": list(one.warnings), "notes": []})
        yield (", " if index else "") + head.removesuffix("]}")
        yield from _notes(one)
        yield "]}"
    rejected = [{"name": one.name, "reason": one.reason} for one in inspection.rejected]
    yield "], " + json.dumps({"rejected": rejected, **others}).removeprefix("{")


def number(value: Fraction) -> int | float | str:
    """Give a fraction as an exact number, or as text such as "4/3"."""
    if value.denominator == 1:
        return value.numerator
    return float(value) if Fraction(float(value)) == value else str(value)


def _notes(inspected: Inspected) -> Iterator[str]:
    """Yield the notes of a piece as JSON, without the brackets of a list."""
    piece, bars = inspected.piece, inspected.bars
    for start in range(0, len(piece.notes), NOTES_AT_ONCE):
        notes = piece.notes[start : start + NOTES_AT_ONCE]
        bar, position = places_in(bars, notes["onset_ticks"])
        columns = {
            "onset": _quarters(notes["onset_ticks"], piece.ticks_per_quarter),
            "pitch": notes["pitch"].tolist(),
            "duration": _quarters(notes["duration_ticks"], piece.ticks_per_quarter),
            "program": notes["program"].tolist(),
            "is_drum": notes["is_drum"].tolist(),
            "part": notes["track"].tolist(),
            "bar": bar.tolist(),
            "position_in_bar": _quarters(position, piece.ticks_per_quarter),
        }
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        yield (", " if start else "") + json.dumps(rows)[1:-1]


def _quarters(ticks: np.ndarray, ticks_per_quarter: int) -> list[int | float | str]:
    """Give times in quarters as `number` does; many notes have the same ones."""
    known = {tick: number(Fraction(tick, ticks_per_quarter)) for tick in set(ticks.tolist())}
    return [known[tick] for tick in ticks.tolist()]
