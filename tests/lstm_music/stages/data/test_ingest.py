"""Ingesting a source: every input has one row, and every content is stored once."""

import hashlib
from collections import Counter

import pytest
from small_music import QUARTER, piece_of, small_piece, tiny_recipe, write_folder

from lstm_music.errors import NotEnoughMusicError, SourceError
from lstm_music.midi.writer import write_midi
from lstm_music.parquet import read_table
from lstm_music.stages.data.ingest import ingest, missing, read_inputs
from lstm_music.stages.data.notes import iterate_notes, read_pieces
from lstm_music.stages.data.prepare import describe, prepare
from lstm_music.store import Store

GOOD = write_midi(small_piece(1))
CONTENTS = {
    "bach/good.mid": GOOD,
    "bach/same as good.mid": GOOD,
    "liszt/other.midi": write_midi(small_piece(2)),
    "liszt/broken.mid": GOOD[:30] + b"\xff" * 40 + GOOD[70:],
    "liszt/truncated.mid": GOOD[: -len(GOOD) + 40],
    "liszt/empty.mid": b"",
    "liszt/text.mid": b"Dear Clara, this is no MIDI file.",
    "liszt/drums.mid": write_midi(piece_of([(0, QUARTER, 36), (QUARTER, QUARTER, 38)], drums=True)),
    "liszt/empty too.mid": b"",
    "liszt/read me.txt": b"no music",
    "liszt/con\x1btrol\n.mid": write_midi(small_piece(3)),
}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "storage")


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "music", CONTENTS)


def test_every_input_is_accepted_duplicate_or_rejected_with_a_reason(store, folder):
    recipe = tiny_recipe()
    others = Counter()
    inputs = ingest(store, recipe, str(folder), others)
    assert store.open(inputs).counts == {"inputs": 10}
    assert others == {"ignored": 1}
    prepared = prepare(store, recipe, inputs)
    counts = describe(store, recipe, prepared)
    assert (counts["pieces"], counts["rejected"], counts["duplicates"]) == (3, 5, 2)
    final = store.open(prepared.notes)
    rows = {row["name"]: row for row in read_table(final.file("inputs")).to_pylist()}
    assert {name: row["status"] for name, row in rows.items()} == {
        "bach/good.mid": "accepted",
        "bach/same as good.mid": "duplicate",
        "liszt/other.midi": "accepted",
        "liszt/broken.mid": "rejected",
        "liszt/truncated.mid": "rejected",
        "liszt/empty.mid": "duplicate",
        "liszt/text.mid": "rejected",
        "liszt/drums.mid": "rejected",
        "liszt/empty too.mid": "rejected",
        "liszt/con\ufffdtrol .mid": "accepted",
    }
    assert {row["name"] for row in rows.values() if row["reason"]} == {
        name for name, row in rows.items() if row["status"] != "accepted"
    }
    assert rows["bach/same as good.mid"]["reason"] == "has the same content as bach/good.mid"
    assert rows["liszt/drums.mid"]["reason"] == (
        "holds only drums (2 notes on channel 10), which this recipe leaves out; "
        "use one with parts = 'families', such as ensemble"
    )
    for row in rows.values():
        assert row["piece_id"] == hashlib.sha256(store.get_blob(row["piece_id"])).hexdigest()
        assert row["bytes"] == len(store.get_blob(row["piece_id"]))
        assert row["format"] == "midi"
        assert row["composer"] == row["name"].split("/")[0]


def test_the_same_bytes_are_read_in_each_format_on_its_own(store, tmp_path):
    kern, both = b"**kern\n4c\n4d\n*-\n", b"X:1\nT:t\nK:C\nCDEF|\n\n**kern\n4c\n4d\n*-\n"
    names = {
        "1 no.abc": kern,
        "2 kern.krn": kern,
        "3 as.krn": kern,
        "4 no.abc": kern,
        "5 tune.abc": both,
        "6 kern.krn": both,
    }
    folder = tmp_path / "scores"
    folder.mkdir()
    for name, data in names.items():
        (folder / name).write_bytes(data)
    prepared = prepare(store, tiny_recipe(), ingest(store, tiny_recipe(), str(folder)))
    rows = read_table(store.open(prepared.notes).file("inputs")).to_pylist()
    assert {row["name"]: (row["status"], row["reason"]) for row in rows if row["status"] != "rejected"} == {
        "2 kern.krn": ("accepted", ""),
        "3 as.krn": ("duplicate", "has the same content as 2 kern.krn"),
        "4 no.abc": ("duplicate", "has the same content as 1 no.abc"),
        "5 tune.abc": ("accepted", ""),
        "6 kern.krn": ("duplicate", "has the same content as 5 tune.abc"),
    }
    pieces = read_pieces(store, prepared.notes, ("name", "format", "notes"))
    assert {row["name"]: (row["format"], row["notes"]) for row in pieces} == {
        "2 kern.krn": ("kern", 2),
        "5 tune.abc": ("abc", 4),
    }
    assert [piece.num_rows for _, piece in iterate_notes(store, prepared.notes)] in ([2, 4], [4, 2])


def test_the_table_is_sorted_by_name_and_the_same_for_the_same_source(store, folder):
    inputs = ingest(store, tiny_recipe(), str(folder))
    names = [row.name for row in read_inputs(store, inputs)]
    assert names == sorted(names)
    assert ingest(store, tiny_recipe(), str(folder)) == inputs
    (folder / "new.mid").write_bytes(GOOD)
    assert ingest(store, tiny_recipe(), str(folder)) != inputs


def test_what_a_recipe_leaves_out_is_counted(store, folder):
    others = Counter()
    inputs = ingest(store, tiny_recipe(include=["bach/*"], exclude=["*same*"]), str(folder), others)
    assert store.open(inputs).counts == {"inputs": 1}
    assert others == {"ignored": 1, "left_out": 9}


def test_other_files_do_not_change_the_key(store, folder):
    inputs = ingest(store, tiny_recipe(), str(folder))
    (folder / "another read me.txt").write_text("no music")
    assert ingest(store, tiny_recipe(), str(folder)) == inputs


def test_midi_is_known_by_its_first_bytes(store, tmp_path):
    folder = write_folder(tmp_path / "named", {"a.abc": GOOD, "b.abc": b"X:1\nK:C\nC"})
    rows = read_inputs(store, ingest(store, tiny_recipe(), str(folder)))
    assert [row.format for row in rows] == ["midi", "abc"]


def test_an_unreadable_input_has_a_row(store, folder):
    (folder / "gone.mid").symlink_to(folder / "nowhere.mid")
    rows = {row.name: row for row in read_inputs(store, ingest(store, tiny_recipe(), str(folder)))}
    gone = rows["gone.mid"]
    assert (gone.status, gone.piece_id, gone.bytes) == ("rejected", "", 0)
    assert gone.reason
    counts = describe(store, tiny_recipe(), prepare(store, tiny_recipe(), ingest(store, tiny_recipe(), str(folder))))
    assert counts["pieces"] + counts["rejected"] + counts["duplicates"] == len(rows)


def test_a_source_without_music_is_an_error(store, tmp_path):
    folder = write_folder(tmp_path / "texts", {"a.txt": b"a"})
    with pytest.raises(NotEnoughMusicError, match="holds no music, only 1 other file; give a folder or zip with"):
        ingest(store, tiny_recipe(), str(folder))
    write_folder(folder, {"b.mid": GOOD})
    with pytest.raises(
        NotEnoughMusicError, match=r"recipe 'tiny' includes only c\*, which matches none of 1 music file;"
    ):
        ingest(store, tiny_recipe(include=["c*"]), str(folder))
    with pytest.raises(SourceError):
        ingest(store, tiny_recipe(), str(tmp_path / "nowhere"))
    assert not store.root.exists()


def content(name, data):
    return {"name": name, "sha256": hashlib.sha256(data).hexdigest()}


def test_contents_are_included_whatever_their_names(store, folder):
    recipe = tiny_recipe(include=[content("schumann/op1.mid", GOOD), content("gone.mid", b"nowhere"), "liszt/o*"])
    others = Counter()
    inputs = read_inputs(store, ingest(store, recipe, str(folder), others))
    assert [(row.name, row.status) for row in inputs] == [
        ("bach/good.mid", "accepted"),
        ("bach/same as good.mid", "duplicate"),
        ("liszt/other.midi", "accepted"),
    ]
    assert others == {"ignored": 1, "left_out": 7}


def test_missing_contents_are_named(store, folder):
    recipe = tiny_recipe(include=[content("op1.mid", GOOD), content("a.mid", b"nowhere"), content("b.mid", b"lost")])
    inputs = read_inputs(store, ingest(store, recipe, str(folder)))
    assert missing(recipe, inputs) == ["a.mid", "b.mid"]
    assert missing(tiny_recipe(include=[content("op1.mid", GOOD)]), inputs) == []
    assert missing(tiny_recipe(), inputs) == []


def test_an_unreadable_input_does_not_match_a_content(store, folder):
    (folder / "gone.mid").symlink_to(folder / "nowhere.mid")
    inputs = read_inputs(store, ingest(store, tiny_recipe(include=[content("gone.mid", GOOD)]), str(folder)))
    assert [row.name for row in inputs] == ["bach/good.mid", "bach/same as good.mid"]


@pytest.mark.parametrize(("patterns", "wanted"), [([], ""), (["c*"], r"c\*, ")])
def test_a_source_without_any_of_the_contents_is_an_error(store, folder, patterns, wanted):
    contents = [content("a.mid", b"nowhere"), content("b.mid", b"lost")]
    with pytest.raises(
        NotEnoughMusicError,
        match=rf"recipe 'tiny' includes only {wanted}2 files with given contents, which matches none of 10 music files",
    ) as caught:
        ingest(store, tiny_recipe(include=[*patterns, *contents]), str(folder))
    assert "\n" not in str(caught.value)
