"""The note table: `PieceNotes` ⇄ Arrow, one row per note, and one row per piece for everything else."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from lstm_music.midi.notes import NOTE_DTYPE, Bar, KeySignature, Pedal, PieceNotes, Tempo, TimeSignature

_NOTE_FIELDS = tuple((name, NOTE_DTYPE[name]) for name in NOTE_DTYPE.names or ())

NOTES_SCHEMA = pa.schema(
    [("piece_id", pa.string()), *((name, pa.from_numpy_dtype(dtype)) for name, dtype in _NOTE_FIELDS)],
)

PIECE_FIELDS = [
    pa.field("ticks_per_quarter", pa.int32()),
    pa.field("tempos", pa.list_(pa.struct([("tick", pa.int64()), ("microseconds_per_quarter", pa.int64())]))),
    pa.field(
        "time_signatures",
        pa.list_(pa.struct([("tick", pa.int64()), ("numerator", pa.int32()), ("denominator", pa.int32())])),
    ),
    pa.field(
        "key_signatures",
        pa.list_(pa.struct([("tick", pa.int64()), ("sharps", pa.int32()), ("is_minor", pa.bool_())])),
    ),
    pa.field("track_names", pa.list_(pa.string())),
    pa.field(
        "pedal",
        pa.list_(
            pa.struct([("tick", pa.int64()), ("track", pa.int16()), ("channel", pa.int8()), ("value", pa.uint8())])
        ),
    ),
    pa.field(
        "bars",
        pa.list_(
            pa.struct(
                [
                    ("tick", pa.int64()),
                    ("number", pa.int32()),
                    ("begins_at_ticks", pa.int64()),
                    ("nominal_ticks", pa.int64()),
                ]
            )
        ),
    ),
    pa.field("warnings", pa.list_(pa.string())),
    pa.field("notes", pa.int64()),
    pa.field("drum_notes", pa.int64()),
]


def to_arrow(piece_id: str, piece: PieceNotes) -> pa.Table:
    """Return the notes of a piece as a table with `NOTES_SCHEMA`, in the order of `piece.notes`."""
    columns = [pa.array(np.ascontiguousarray(piece.notes[name])) for name, _ in _NOTE_FIELDS]
    return pa.Table.from_arrays([pa.repeat(piece_id, len(piece.notes)), *columns], schema=NOTES_SCHEMA)


def piece_row(piece: PieceNotes) -> dict[str, object]:
    """Return everything but the notes of a piece: a value for each of `PIECE_FIELDS`."""
    return {
        "ticks_per_quarter": piece.ticks_per_quarter,
        "tempos": [
            {"tick": tempo.tick, "microseconds_per_quarter": tempo.microseconds_per_quarter} for tempo in piece.tempos
        ],
        "time_signatures": [
            {"tick": signature.tick, "numerator": signature.numerator, "denominator": signature.denominator}
            for signature in piece.time_signatures
        ],
        "key_signatures": [
            {"tick": signature.tick, "sharps": signature.sharps, "is_minor": signature.is_minor}
            for signature in piece.key_signatures
        ],
        "track_names": list(piece.track_names),
        "pedal": [
            {"tick": event.tick, "track": event.track, "channel": event.channel, "value": event.value}
            for event in piece.pedal
        ],
        "bars": [
            {
                "tick": bar.tick,
                "number": bar.number,
                "begins_at_ticks": bar.begins_at_ticks,
                "nominal_ticks": bar.nominal_ticks,
            }
            for bar in piece.bars
        ],
        "warnings": list(piece.warnings),
        "notes": len(piece.notes),
        "drum_notes": int(np.count_nonzero(piece.notes["is_drum"])),
    }


def from_arrow(table: pa.Table, row: Mapping[str, Any]) -> PieceNotes:
    """Return the piece with the notes of `table` and the other fields of `row`: the inverse of `to_arrow` and `piece_row`.

    `table` has at least the columns of `NOTE_DTYPE`, without nulls. `row` has at least `ticks_per_quarter`; the other fields
    default to empty.
    """
    notes = np.empty(table.num_rows, NOTE_DTYPE)
    for name, _ in _NOTE_FIELDS:
        notes[name] = table.column(name).to_numpy()
    return PieceNotes(
        ticks_per_quarter=row["ticks_per_quarter"],
        notes=notes,
        tempos=tuple(Tempo(**tempo) for tempo in row.get("tempos", ())),
        time_signatures=tuple(TimeSignature(**signature) for signature in row.get("time_signatures", ())),
        key_signatures=tuple(KeySignature(**signature) for signature in row.get("key_signatures", ())),
        track_names=tuple(row.get("track_names", ())),
        pedal=tuple(Pedal(**event) for event in row.get("pedal", ())),
        bars=tuple(Bar(**bar) for bar in row.get("bars") or ()),
        warnings=tuple(row.get("warnings") or ()),
    )
