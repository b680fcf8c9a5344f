"""Back from a result to the bytes that it was learnt from, and forward from a piece to all that it touched."""

import hashlib
import json

import pytest

from lstm_music.errors import MissingArtifactError
from lstm_music.rendering.lineage_page import lineage_page
from lstm_music.stages.upkeep.holders import artifacts_with, find_contents
from lstm_music.stages.upkeep.lineage import lineage_of
from lstm_music.store import Stage, Store

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tiny, tmp_path):
    return Store(tiny.copy(tmp_path))


@pytest.fixture
def found(store):
    return lineage_of(store, next(store.refs("generations")))


def test_every_piece_is_named_with_its_bytes(found, tiny):
    paths = sorted(path for path in tiny.music.rglob("*.mid"))
    assert {piece["sha256"]: (piece["bytes"], piece["name"]) for piece in found["pieces"]} == {
        hashlib.sha256(path.read_bytes()).hexdigest(): (path.stat().st_size, path.relative_to(tiny.music).as_posix())
        for path in paths
    }
    assert {piece["split"] for piece in found["pieces"]} == {"train", "validation", "test"}
    assert all({"composer", "licence", "source"} <= piece.keys() for piece in found["pieces"])


def test_models_and_versions_are_named(found, store):
    assert {model["name"] for model in found["models"]} == {"offset", "note", "duration"}
    assert {stage["kind"] for stage in found["stages"]} == {
        *("generations", "music", "model", "dataset", "events", "notes", "inputs", "copies", "reference")
    }
    assert all(stage["code"] and stage["python"] and stage["made"] for stage in found["stages"])
    (model,) = {json.dumps(stage["libraries"]) for stage in found["stages"] if stage["kind"] == "model"}
    assert "tensorflow" in model
    assert json.loads(json.dumps(found)) == found


def test_the_page_shows_names_as_text(found):
    page = lineage_page(found)
    assert "<script>" not in page
    assert "&lt;script&gt;alert(00)" in page
    assert all(piece["sha256"] in page for piece in found["pieces"])


def test_a_model_that_started_from_one_that_is_gone_still_has_a_lineage(store, found):
    """Its own dataset is there; what the earlier one learnt can no longer be told but by its key."""
    assert [model["start"] for model in found["models"]] == [None] * 3


def test_forward_from_a_piece(store, tiny, lstm_music_here):
    name = "<script>alert(03)</script>.mid".replace("</", "</")
    contents = find_contents(store, name)
    (sha256,) = contents
    assert sha256 == hashlib.sha256((tiny.music / name).read_bytes()).hexdigest()
    assert set(artifacts_with(store, contents)) == set(store.refs())  # all of it was made from eight pieces
    assert find_contents(store, sha256) == contents
    code, out, _ = lstm_music_here("lineage", "--piece", sha256, "--storage", store.root, "--json")
    assert (code, len(json.loads(out.splitlines()[-1])["artifacts"])) == (0, len(list(store.refs())))


def test_a_name_that_means_no_piece_or_several_is_refused(store):
    with pytest.raises(MissingArtifactError, match="unknown in"):
        find_contents(store, "nobody.mid")
    with pytest.raises(MissingArtifactError, match="several pieces have a name like this; expected one of"):
        find_contents(store, "script>.mid")


def test_a_model_has_learnt_what_the_model_that_it_started_from_had_learnt(tmp_path):
    store = Store(tmp_path / "storage")

    def make(kind, spec, *inputs):
        stage = Stage(kind, 1, spec, inputs)
        with store.write(stage):
            pass
        return stage.ref

    sha256 = "a" * 64
    parsed = make("parsed", {"contents": [[sha256, "midi"]]})
    start = make("model", {"name": "note"}, make("dataset", {}, parsed))
    other = make("dataset", {"without": True})
    warm = make("model", {"name": "note", "again": True}, other, start)
    card = make("scorecard", {}, other, warm)
    made = artifacts_with(store, {sha256})
    assert {parsed, start, warm, card} <= set(made)
    assert other not in made


def test_the_command_tells_and_writes_the_page(store, lstm_music_here):
    code, out, _ = lstm_music_here("lineage", "--storage", store.root)
    assert code == 0
    assert "Learnt from 8 pieces" in out
    (page,) = (store.root / "lineage").glob("*.html")
    assert str(page) in out
    assert store.verify().bad == []
