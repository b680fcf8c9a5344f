"""The note table: `PieceNotes` ⇄ Arrow, one row per note, and one row per piece for everything else."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from lstm_music.midi.notes import (
    NOTE_DTYPE,
    Bar,
    KeySignature,
    Pedal,
    PieceNotes,
    Records,
    Tempo,
    TimeSignature,
    joined_notes,
)

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


def to_arrow(piece_ids: Sequence[str], pieces: Sequence[PieceNotes]) -> pa.Table:
    """Return the notes of some pieces (at least one) as a table with `NOTES_SCHEMA`, in the order of `piece.notes`."""
    notes = joined_notes([piece.notes for piece in pieces])
    columns = [pa.array(np.ascontiguousarray(notes[name])) for name, _ in _NOTE_FIELDS]
    number = np.repeat(np.arange(len(pieces)), [len(piece.notes) for piece in pieces])
    ids = pa.array(piece_ids, pa.string()).take(pa.array(number))
    return pa.Table.from_arrays([ids, *columns], schema=NOTES_SCHEMA)


def piece_row(piece: PieceNotes) -> dict[str, Any]:
    """Return everything but the notes of a piece: a value for each of `PIECE_FIELDS`, records as they are."""
    return {
        "ticks_per_quarter": piece.ticks_per_quarter,
        "tempos": piece.tempos,
        "time_signatures": piece.time_signatures,
        "key_signatures": piece.key_signatures,
        "track_names": piece.track_names,
        "pedal": piece.pedal,
        "bars": piece.bars,
        "warnings": piece.warnings,
        "notes": len(piece.notes),
        "drum_notes": int(np.count_nonzero(piece.notes["is_drum"])),
    }


def rows_to_arrow(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Write rows with values for some fields of `schema`, among them those of `piece_row`; a value that lacks is null."""
    columns = []
    for field in schema:
        values = [row.get(field.name) for row in rows]
        is_records = pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type)
        columns.append(_records_to_arrow(values, field.type) if is_records else pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _records_to_arrow(values: Sequence[Sequence[Any] | None], kind: pa.ListType) -> pa.Array:
    """Write a sequence of records for each row, field by field: a file can have more pedal events than notes."""
    present = [value for value in values if value]
    columns = [_columns(value, kind.value_type) for value in present]
    fields = [
        np.concatenate([one[number] for one in columns]) if columns else np.empty(0, field.type.to_pandas_dtype())
        for number, field in enumerate(kind.value_type)
    ]
    structs = pa.StructArray.from_arrays(list(map(pa.array, fields)), fields=list(kind.value_type))
    offsets = np.cumsum([0, *(len(value) if value else 0 for value in values)], dtype=np.int32)
    mask = pa.array([value is None for value in values], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(offsets), structs, type=kind, mask=mask)


def _columns(records: Sequence[Any], kind: pa.StructType) -> list[np.ndarray]:
    """Return the fields of records as columns of the types that they have in `kind`."""
    if isinstance(records, Records):
        pairs = zip(records.columns, kind, strict=True)
        return [column.astype(field.type.to_pandas_dtype()) for column, field in pairs]
    return [
        np.array([getattr(record, field.name) for record in records], field.type.to_pandas_dtype()) for field in kind
    ]


def from_arrow(table: pa.Table, row: Mapping[str, Any]) -> PieceNotes:
    """Return the piece with the notes of `table` and the other fields of `row`: the inverse of `to_arrow` and `rows_to_arrow`.

    `table` has at least the columns of `NOTE_DTYPE`, without nulls. `row` has at least `ticks_per_quarter`; the other fields
    default to empty.
    """
    return piece_of(notes_of(table), row)


def notes_of(table: pa.Table) -> np.ndarray:
    """Return the rows of a table, of one piece or of several, as an array of `NOTE_DTYPE`."""
    notes = np.empty(table.num_rows, NOTE_DTYPE)
    for name, _ in _NOTE_FIELDS:
        notes[name] = table.column(name).to_numpy()
    return notes


def piece_of(notes: np.ndarray, row: Mapping[str, Any]) -> PieceNotes:
    """Return the piece with these notes and the other fields of `row`, as `from_arrow` does."""
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
