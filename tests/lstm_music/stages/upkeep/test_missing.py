"""What is gone from a storage is named, with why it is needed: single files and whole folders alike."""

import shutil

import pytest

from lstm_music.stages.current import promoted_models
from lstm_music.stages.upkeep.missing import find_missing
from lstm_music.store import Store
from lstm_music.store.checksummed import dump_checksummed, load_checksummed

pytestmark = pytest.mark.slow  # the tiny run


@pytest.fixture
def store(tiny, tmp_path):
    return Store(tiny.copy(tmp_path))


def named(store):
    return {str(one.path): one.reason for one in find_missing(store)}


def test_nothing_is_missing_from_a_whole_storage(store):
    assert find_missing(store) == []
    assert find_missing(Store(store.root / "nothing here")) == []


@pytest.mark.parametrize(
    "kind", ["inputs", "notes", "events", "dataset", "model", "scorecard", "copies", "reference", "music"]
)
def test_a_lost_manifest_is_named(store, kind):
    ref = next(store.refs(kind))
    (store.open(ref).folder / "manifest.json").unlink()
    (path,), (reason,) = zip(*named(store).items(), strict=True)
    assert path == str(store.root / kind / ref.key)
    assert reason.startswith("its manifest.json is missing: ")
    assert "recipe tiny" in reason or "the generation" in reason


@pytest.mark.parametrize(
    "kind", ["inputs", "notes", "events", "dataset", "model", "scorecard", "copies", "reference", "music"]
)
def test_a_lost_folder_is_named(store, kind):
    refs = list(store.refs(kind))
    shutil.rmtree(store.root / kind)
    assert set(named(store)) == {str(store.root / kind / ref.key) for ref in refs}


def test_each_lost_content_is_named_with_its_file_and_its_source(store, tiny):
    blobs = list((store.root / "blobs").glob("*/*"))
    blobs[0].unlink()
    ((path, reason),) = named(store).items()
    assert path == str(blobs[0])
    assert "script>.mid" in reason
    assert "ingest its source again" in reason
    shutil.rmtree(store.root / "blobs")
    assert set(named(store)) == set(map(str, blobs))


def test_the_reason_is_the_promoted_model(store):
    ref = promoted_models(store, "tiny").models["note"]
    shutil.rmtree(store.open(ref).folder)
    (reason,) = named(store).values()
    assert reason.startswith("missing: it is the promoted note model of recipe tiny; make it again")
    assert "`lstm-music train --recipe tiny`" in reason


def test_a_lost_file_of_what_is_promoted_is_named(store):
    (store.root / "current.json").unlink()
    ((path, reason),) = named(store).items()
    assert path == str(store.root / "current.json")
    assert "generations" in reason
    assert "lstm-music repair" in reason
    shutil.rmtree(store.root / "generations")
    assert "scored models" in named(store)[path]


def test_a_damaged_file_of_what_is_promoted_hides_nothing_else(store):
    path = store.root / "current.json"
    path.write_bytes(path.read_bytes().replace(b'"', b"'", 1))
    assert find_missing(store) == []
    assert [bad.path for bad in store.verify().bad] == [path]
    shutil.rmtree(store.root / "copies")
    assert all("the generation" in reason for reason in named(store).values())


def test_the_provenance_of_another_artifact_is_named(store):
    first, second = (store.open(ref).folder / "provenance.json" for ref in list(store.refs("model"))[:2])
    shutil.copy(first, second)
    (bad,) = store.verify().bad
    assert bad.path == second
    assert "got that of another artifact" in bad.reason


def test_a_provenance_of_an_earlier_version_is_accepted(store):
    path = store.open(next(store.refs("model"))).folder / "provenance.json"
    content = load_checksummed(path.read_bytes(), path, "")
    assert content.pop("artifact")["kind"] == "model"
    path.write_bytes(dump_checksummed(content))
    assert store.verify().bad == []


def test_verify_says_what_is_missing_on_the_command_line(store, lstm_music_here):
    shutil.rmtree(store.root / "dataset")
    code, out, errors = lstm_music_here("verify", "--storage", store.root, "--json")
    assert code == 6
    assert '"missing": [{"path": ' in out
    assert errors.splitlines()[-1].endswith("; see above")
