"""Versions of a piece: found in the note table, kept in one split if the recipe says so, and counted in either case."""

from dataclasses import replace

import pytest
from small_music import QUARTER, piece_of, small_piece, tiny_recipe, write_folder

from lstm_music.encoding.splits import SPLITS, TRAIN
from lstm_music.parquet import read_table
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.data.prepare import about_split, plan, prepare
from lstm_music.stages.data.versions import families_of, find_versions, versions_stage
from lstm_music.store import Store

DRUMS = piece_of([(beat * QUARTER, QUARTER, 36) for beat in range(40)], drums=True)


def slower(piece, shift):
    """The same music in another key and half as fast, without the notes of the first chord, so that its hash differs."""
    notes = piece.notes[piece.notes["onset_ticks"] > 0].copy()
    notes["pitch"] += shift
    notes["onset_ticks"] *= 2
    notes["duration_ticks"] *= 2
    return replace(piece, notes=notes)


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """Twelve pieces, a slower version of each, and one of drums alone, in folders for the splits."""
    pieces = {f"train/{number}.mid": small_piece(number, 30) for number in range(12)}
    versions = {f"test/{number} slower.mid": slower(small_piece(number, 30), 3) for number in range(12)}
    return write_folder(tmp_path_factory.mktemp("music"), {**pieces, **versions, "validation/drums.mid": DRUMS})


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("storage"))


def prepared(store, music, **split):
    recipe = tiny_recipe(split=split)
    made = prepare(store, recipe, ingest(store, recipe, str(music)))
    return made, load_dataset(store, made.dataset)


def splits_of(store, made, dataset):
    """The splits of each piece and its version, by the number of the piece."""
    name = {row["piece_id"]: row["name"] for row in read_pieces(store, made.notes, ("piece_id", "name"))}
    found = {}
    for split in SPLITS:
        for span in dataset.spans[split]:
            found.setdefault(name[span.piece_id].split("/")[1].split(".")[0].split(" ")[0], set()).add(split)
    return found


def test_all_versions_of_a_piece_are_in_one_split(store, music):
    made, dataset = prepared(store, music, group_versions=True)
    assert all(len(splits) == 1 for splits in splits_of(store, made, dataset).values())
    assert about_split(store, dataset)[-1] == (
        "12 pieces are other versions of 12 others; all versions of a piece are in one split"
    )


def test_a_split_by_hash_may_part_them_and_the_run_says_so(store, music):
    made, dataset = prepared(store, music)
    found = splits_of(store, made, dataset)
    assert any(len(splits) > 1 for splits in found.values())
    held_out = {split: len(dataset.spans[split]) for split in SPLITS if split != TRAIN}
    parted = sum(len(splits - {TRAIN}) for splits in found.values() if TRAIN in splits)
    assert about_split(store, dataset)[-1] == (
        f"{parted} of {sum(held_out.values())} held-out pieces are other versions of training pieces; set "
        "split.group_versions = true in the recipe to keep them in one split"
    )


def test_a_split_by_folder_stays_as_it_is_and_the_run_says_so(store, music):
    made, dataset = prepared(store, music, by="folder")
    assert {frozenset(splits) for number, splits in splits_of(store, made, dataset).items() if number != "drums"} == {
        frozenset({"train", "test"})
    }
    assert about_split(store, dataset)[-1].startswith("12 of 12 held-out pieces are other versions of training pieces")
    assert about_split(store, dataset)[-1].endswith("the split is that of the folders")
    assert not dataset.is_leaky


def test_the_key_depends_on_versions_only_where_they_decide(store, music):
    made, _ = prepared(store, music)
    kept = {
        by: {
            group: plan(tiny_recipe(split={"by": by, "group_versions": group}), made.inputs) for group in (True, False)
        }
        for by in ("hash", "folder")
    }
    assert kept["hash"][False].dataset == made.dataset != kept["hash"][True].dataset
    assert kept["folder"][True] == kept["folder"][False]


def test_the_table_names_the_family_and_the_closest_version(store, music):
    made, _ = prepared(store, music)
    rows = read_table(store.open(find_versions(store, made.notes)).file("versions")).to_pylist()
    assert [row["piece_id"] for row in rows] == sorted(families_of(store, made.notes))
    assert len(rows) == 24
    for row in rows:
        assert row["family"] == min(row["piece_id"], row["closest"])
        assert 0.9 < row["share"] <= 1


def test_two_storages_get_the_same_files(tmp_path, store, music):
    made, _ = prepared(store, music)
    other = Store(tmp_path / "other")
    again, _ = prepared(other, music)
    manifests = [one.open(versions_stage(made.notes).ref).manifest for one in (store, other)]
    assert again == made
    assert manifests[0] == manifests[1]


def test_without_versions_nothing_is_said(tmp_path):
    recipe, store = tiny_recipe(), Store(tmp_path / "storage")
    folder = write_folder(tmp_path / "music", {f"{number}.mid": small_piece(number, 30) for number in range(6)})
    made = prepare(store, recipe, ingest(store, recipe, str(folder)))
    dataset = load_dataset(store, made.dataset)
    assert families_of(store, made.notes) == {}
    assert about_split(store, dataset) == dataset.warnings
