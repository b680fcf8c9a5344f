"""Parsing and the note table: each content is parsed once, and batches do not change the bytes of the table."""

import itertools

import pytest
from small_music import small_collection, small_piece, tiny_recipe, write_folder

from lstm_music.errors import CorruptArtifactError, NotEnoughMusicError, StorageError
from lstm_music.midi.table import from_arrow
from lstm_music.midi.writer import write_midi
from lstm_music.parquet import read_table
from lstm_music.stages.data import parse
from lstm_music.stages.data.ingest import ingest, read_inputs
from lstm_music.stages.data.notes import collect_notes, iterate_notes, read_pieces
from lstm_music.stages.data.parse import ParseBatch, parse_batch, parsed_batches, plan_batches
from lstm_music.store import Store

RECIPE = tiny_recipe()
ABC = b"X:1\nM:3/4\nL:1/4\nK:C\nC D E|F3|\n"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "storage")


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "music", small_collection(5))


def notes_of(store, folder):
    inputs = ingest(store, RECIPE, str(folder))
    for batch in plan_batches(store, read_inputs(store, inputs)):
        parse_batch(store, batch)
    return collect_notes(store, inputs)


def digests(store, ref):
    return {name: entry["sha256"] for name, entry in store.open(ref).manifest["files"].items()}


def test_the_notes_are_those_of_the_pieces_in_the_order_of_ids(store, folder):
    ref = notes_of(store, folder)
    pieces = {row["piece_id"]: row for row in read_pieces(store, ref)}
    assert list(pieces) == sorted(pieces)
    found = list(iterate_notes(store, ref))
    assert [piece_id for piece_id, _ in found] == list(pieces)
    for piece_id, table in found:
        number = int(pieces[piece_id]["name"][-6:-4])
        assert write_midi(from_arrow(table, pieces[piece_id])) == write_midi(small_piece(number))
        assert pieces[piece_id]["names"] == [pieces[piece_id]["name"]]
        assert pieces[piece_id]["composer"] == "composer"
    assert store.open(ref).counts["notes"] == sum(table.num_rows for _, table in found)


def test_only_new_contents_are_parsed(store, folder, monkeypatch):
    notes_of(store, folder)
    inputs = read_inputs(store, ingest(store, RECIPE, str(folder)))
    assert plan_batches(store, inputs) == []
    write_folder(folder, small_collection(2, first=20))
    inputs = read_inputs(store, ingest(store, RECIPE, str(folder)))
    (batch,) = plan_batches(store, inputs)
    new = {row.piece_id for row in inputs if int(row.name[-6:-4]) >= 20}
    assert {piece_id for piece_id, _ in batch.contents} == new
    made = parse_batch(store, batch)
    assert store.open(made).counts["accepted"] == 2
    monkeypatch.setattr(parse, "read_midi", None)
    assert parse_batch(store, batch) == made


def test_in_one_step_or_in_two_the_note_table_has_the_same_bytes(store, folder, tmp_path):
    """Two steps of files, not in the order of their ids, with one batch parsed twice."""
    whole = small_collection(5) | small_collection(4, first=30)
    notes_of(store, folder)
    contents = [content for batch in parsed_batches(store) for content in batch.contents]
    parse_batch(store, ParseBatch(tuple(contents[1:3])))
    write_folder(folder, whole)
    in_two = notes_of(store, folder)
    other = Store(tmp_path / "other")
    in_one = notes_of(other, write_folder(tmp_path / "whole" / "music", whole))
    assert len(list(parsed_batches(store))) == 3
    assert len(list(parsed_batches(other))) == 1
    assert in_two == in_one
    assert digests(store, in_two) == digests(other, in_one)


def test_a_file_removed_from_the_source_is_not_in_the_table(store, folder, tmp_path):
    notes_of(store, folder)
    (folder / "composer" / "piece 02.mid").unlink()
    fewer = notes_of(store, folder)
    other = Store(tmp_path / "other")
    assert notes_of(other, folder) == fewer
    assert digests(store, fewer) == digests(other, fewer)
    assert store.open(fewer).counts["pieces"] == 4


def test_batches_have_one_kind_and_a_limited_size(store, tmp_path, monkeypatch):
    monkeypatch.setattr(parse, "MIDI_FILES_PER_BATCH", 2)
    music = small_collection(5) | {"a.abc": ABC}
    inputs = read_inputs(store, ingest(store, RECIPE, str(write_folder(tmp_path / "music", music))))
    batches = plan_batches(store, inputs)
    assert [[form for _, form in batch.contents] for batch in batches] == [
        ["midi"] * 2,
        ["midi"] * 2,
        ["midi"],
        ["abc"],
    ]


def test_a_batch_has_a_limited_number_of_bytes(store, folder, monkeypatch):
    inputs = read_inputs(store, ingest(store, RECIPE, str(folder)))
    sizes = {row.piece_id: row.bytes for row in inputs}
    most = sum(sorted(sizes.values())[:2])
    monkeypatch.setattr(parse, "MIDI_BYTES_PER_BATCH", most)
    batches = [[sizes[piece_id] for piece_id, _ in batch.contents] for batch in plan_batches(store, inputs)]
    assert list(itertools.chain(*batches)) == [sizes[piece_id] for piece_id in sorted(sizes)]
    assert all(sum(batch) <= most or len(batch) == 1 for batch in batches)
    assert all(sum(batch) + following[0] > most for batch, following in itertools.pairwise(batches))


def test_bytes_parsed_in_another_format_are_parsed_again(store, tmp_path):
    first = write_folder(tmp_path / "first", {"a.abc": ABC, "b.kern": b"", "c.mid": small_piece(1)})
    assert store.open(notes_of(store, first)).counts["pieces"] == 2
    second = write_folder(tmp_path / "second", {"a.mid": ABC, "c.mid": small_piece(1)})
    counts = store.open(notes_of(store, second)).counts
    assert (counts["pieces"], counts["rejected"]) == (1, 1)
    counts = store.open(notes_of(store, first)).counts
    assert (counts["pieces"], counts["rejected"]) == (2, 0)


def test_a_batch_with_a_damaged_manifest_is_an_error(store, folder):
    notes_of(store, folder)
    (batch,) = parsed_batches(store)
    manifest = store.root / "parsed" / batch.stage.ref.key / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    with pytest.raises(CorruptArtifactError, match=r"manifest\.json"):
        list(parsed_batches(store))


def test_batches_of_other_library_versions_are_not_used(store, folder, monkeypatch):
    notes_of(store, folder)
    monkeypatch.setattr(parse, "READER_VERSION", 99)
    assert list(parsed_batches(store)) == []


def test_collecting_unparsed_contents_is_an_error(store, folder):
    inputs = ingest(store, RECIPE, str(folder))
    with pytest.raises(StorageError, match="5 of 5 pieces are not parsed yet"):
        collect_notes(store, inputs)


def test_if_no_input_holds_music_the_error_gives_the_reasons(store, tmp_path):
    folder = write_folder(tmp_path / "music", {"a.mid": b"text", "b.mid": b""})
    with pytest.raises(
        NotEnoughMusicError, match=r"none of the 2 inputs holds music that can be read \(a.mid: .*b.mid: "
    ):
        notes_of(store, folder)


def test_a_flipped_bit_in_a_parsed_batch_is_an_error(store, folder):
    inputs = ingest(store, RECIPE, str(folder))
    (batch,) = plan_batches(store, read_inputs(store, inputs))
    for name in ("notes", "pieces"):
        path = store.open(parse_batch(store, batch)).file(name)
        data = path.read_bytes()
        path.write_bytes(data[:50] + bytes([data[50] ^ 4]) + data[51:])
        with pytest.raises(CorruptArtifactError, match=path.name):
            collect_notes(store, inputs)
        path.write_bytes(data)
    final = store.open(collect_notes(store, inputs))
    assert read_table(final.file("inputs")).num_rows == 5
