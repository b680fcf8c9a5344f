"""The note table: pieces survive Arrow and Parquet."""

from dataclasses import replace

import midi_bytes as mb
import numpy as np
import pyarrow as pa
from hypothesis import given, settings

from lstm_music.midi.notes import NOTE_DTYPE, chosen_notes, joined_notes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.table import NOTES_SCHEMA, PIECE_FIELDS, from_arrow, piece_row, rows_to_arrow, to_arrow
from lstm_music.parquet import read_table, write_table

FACTS = ("ticks_per_quarter", "tempos", "time_signatures", "key_signatures", "track_names", "pedal")


def test_the_columns_are_the_piece_and_the_fields_of_a_note():
    assert NOTES_SCHEMA.names == ["piece_id", *NOTE_DTYPE.names]
    assert NOTES_SCHEMA.types == [
        pa.string(),
        pa.int16(),
        pa.int8(),
        pa.uint8(),
        pa.bool_(),
        pa.uint8(),
        pa.uint8(),
        pa.int64(),
        pa.int64(),
    ]


@settings(deadline=None)
@given(mb.pieces())
def test_a_piece_survives_its_tables(piece):
    table = to_arrow(["a piece"], [piece])
    pieces = rows_to_arrow([{}, piece_row(piece), {}], pa.schema(PIECE_FIELDS))
    back = from_arrow(table, pieces.to_pylist()[1])
    assert set(pieces.to_pylist()[0].values()) == {None}
    assert table.schema == NOTES_SCHEMA
    assert set(table.column("piece_id").to_pylist()) <= {"a piece"}
    assert back.notes.tolist() == piece.notes.tolist()
    assert [getattr(back, fact) for fact in FACTS] == [getattr(piece, fact) for fact in FACTS]


def test_a_piece_survives_parquet_in_several_chunks(tmp_path):
    piece = read_midi(mb.smf(mb.track(mb.MIDDLE_C_FOR_A_QUARTER * 3)))
    table = to_arrow(["a piece"], [piece])
    write_table(tmp_path / "notes.parquet", pa.concat_tables([table.slice(0, 1), table.slice(1)]))
    back = from_arrow(read_table(tmp_path / "notes.parquet"), {"ticks_per_quarter": 480})
    assert back.notes.tolist() == piece.notes.tolist()


def test_notes_and_drums_are_counted():
    row = piece_row(read_midi(mb.smf(mb.track(b"\x00\x99\x24\x40\x00\x98\x24\x40\x00\x98\x25\x40"))))
    assert (row["notes"], row["drum_notes"]) == (3, 1)
    assert list(row) == [field.name for field in PIECE_FIELDS]


def test_records_kept_as_columns_and_as_objects_give_the_same_table():
    pedal, tempos = b"\x00\xb0\x40\x7f\x10\xb0\x40\x00", b"\x00\xff\x51\x03\x07\xa1\x20"
    read = read_midi(mb.smf(mb.track(tempos, pedal, mb.MIDDLE_C_FOR_A_QUARTER)))
    made = replace(read, tempos=tuple(read.tempos), pedal=tuple(read.pedal))
    schema = pa.schema(PIECE_FIELDS)
    assert rows_to_arrow([piece_row(read)], schema).equals(rows_to_arrow([piece_row(made)], schema))
    assert (len(read.tempos), len(read.pedal)) == (1, 2)


def test_notes_are_joined_and_chosen_as_numpy_does_it():
    rng = np.random.default_rng(3)
    parts = [rng.integers(0, 2, size).astype(np.uint8) for size in (0, 46, 23)]
    notes = [part.view(NOTE_DTYPE) for part in parts]
    joined = joined_notes(notes)
    assert joined.dtype == NOTE_DTYPE
    assert joined.tolist() == np.concatenate(notes).tolist()
    for chosen in (np.array([2, 0]), np.array([True, False, True])):
        assert chosen_notes(joined, chosen).tolist() == joined[chosen].tolist()
