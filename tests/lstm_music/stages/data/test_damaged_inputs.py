"""Files of which something cannot be read: kept with a warning, or rejected by a strict recipe."""

import pytest
from tiny_music import piece, write_pieces

from lstm_music.recipe import Recipe
from lstm_music.stages.data.ingest import ingest, read_inputs
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.data.prepare import describe, prepare
from lstm_music.store import Store


@pytest.fixture
def music(tmp_path):
    folder = write_pieces(tmp_path / "music")
    (folder / "cut.mid").write_bytes(piece(50)[:-100])
    return folder


def prepared(tmp_path, music, **reading):
    store = Store(tmp_path / "storage")
    recipe = Recipe(name="tiny", reading=reading)
    with store.session():
        made = prepare(store, recipe, ingest(store, recipe, str(music)))
    return (
        store,
        made,
        {row.name: row for row in read_inputs(store, made.notes)}["cut.mid"],
        describe(store, recipe, made),
    )


def test_a_cut_file_is_kept_with_a_warning(tmp_path, music):
    store, made, row, told = prepared(tmp_path, music)
    assert (row.status, row.reason) == ("accepted", "")
    (warning,) = row.warnings
    assert warning.startswith("truncated: ")
    assert (told["with_warnings"], told["rejected"]) == (1, 0)
    (kept,) = (found for found in read_pieces(store, made.notes) if found["name"] == "cut.mid")
    assert kept["warnings"] == [warning]
    assert 0 < kept["notes"] < 120


def test_a_strict_recipe_rejects_it_with_the_same_reason(tmp_path, music):
    _, made, row, told = prepared(tmp_path, music, strict=True)
    assert row.status == "rejected"
    assert row.reason.startswith("truncated: ")
    assert row.reason.endswith("(the recipe reads only whole files)")
    assert (told["with_warnings"], told["rejected"]) == (0, 1)
    assert prepared(tmp_path, music)[1].notes != made.notes
