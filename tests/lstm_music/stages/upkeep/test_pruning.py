"""Pruning: what is needed stays, what is not goes, and whatever stops it, the storage is valid and the next prune finishes."""

import contextlib
import json
import os
import shutil

import pytest

from lstm_music.errors import CorruptArtifactError, StorageError
from lstm_music.stages.current import promoted_models
from lstm_music.stages.music.names import read_names
from lstm_music.stages.music.results import find_result
from lstm_music.stages.upkeep import pins
from lstm_music.stages.upkeep.missing import find_missing
from lstm_music.stages.upkeep.pruning import outcome, plan_pruning, prune, prune_if_free
from lstm_music.stages.upkeep.survey import Limits, survey
from lstm_music.store import ArtifactRef, Store

pytestmark = pytest.mark.slow

ALL = Limits(keep_history=1, older_than_days=0.0)
LATER = 4e9  # seconds since 1970, so that everything is old


@pytest.fixture
def store(tiny, tmp_path):
    return Store(tiny.copy(tmp_path))


@pytest.fixture
def unused(store):
    """The store after its models were replaced by none: only the prepared data is still needed."""
    store.change_current("tiny", lambda _facts: {"promoted": None, "earlier": []})
    return store


def kinds(items):
    return {item.kind for item in items}


def pruned(store, limits=ALL, below=None):
    with store.alone():
        planned = plan_pruning(store, limits, below, LATER)
        prune(store, planned)
    return planned


def is_whole(store):
    return store.verify().bad == [] and find_missing(store) == []


def test_nothing_goes_that_a_run_just_made(store):
    before = store.entries()
    assert pruned(store).items == []
    assert store.entries().keys() == before.keys()
    reasons = {item.kind: item.reason for item in survey(store, ALL, LATER)}
    assert reasons["model"] == reasons["dataset"] == reasons["blobs"] == "promoted"
    assert reasons["music"] == "generations"
    assert reasons["parsed"] == "cache"


def test_what_no_recipe_uses_goes_with_its_name_its_link_and_its_page(unused):
    (name,) = read_names(unused).key_of
    link = unused.root / "generations" / name
    assert link.is_symlink()
    planned = pruned(unused)
    assert kinds(planned.items) == {"model", "scorecard", "curves", "generations", "music"}
    assert not link.is_symlink()
    assert read_names(unused).key_of == {}
    assert name not in (unused.root / "generations/index.html").read_text()
    assert {ref.kind for ref in unused.refs()} == {
        "inputs",
        "parsed",
        "notes",
        "events",
        "dataset",
        "versions",
        "copies",
        "reference",
    }
    assert is_whole(unused)
    assert pruned(unused).items == []


def test_what_is_younger_stays(unused):
    with unused.alone():
        planned = plan_pruning(unused, Limits())
    assert planned.items == []


def test_a_result_that_is_kept_stays_with_all_that_it_was_made_from(unused):
    ref = find_result(unused, "latest")
    pins.pin(unused, ref)
    assert pruned(unused).items == []
    assert {item.reason for item in survey(unused, ALL, LATER) if item.kind == "model"} == {"pinned"}
    assert is_whole(unused)
    pins.release(unused, ref)
    assert kinds(pruned(unused).items) == {"model", "scorecard", "curves", "generations", "music"}


def test_a_damaged_list_of_kept_results_removes_nothing(unused):
    pins.pin(unused, find_result(unused, "latest"))
    path = unused.root / "generations/kept.json"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(CorruptArtifactError, match=r"kept\.json"):
        plan_pruning(unused, ALL, now=LATER)
    assert [one.path for one in find_missing(unused)] == [path]


def test_stopped_anywhere_the_storage_is_whole_and_the_next_prune_finishes(unused, monkeypatch):
    """Stopped in the middle of each artifact, and before each other item: each prune goes one step further."""
    real, stops = Store.remove, 0
    going = len(plan_pruning(unused, ALL, now=LATER).items)

    def remove(store, key):
        nonlocal stops
        manifest = store.root / key / "manifest.json"
        if manifest.exists():
            manifest.unlink()
            stops += 1
            raise InterruptedError
        real(store, key)

    monkeypatch.setattr(Store, "remove", remove)
    while plan_pruning(unused, ALL, now=LATER).items:
        with contextlib.suppress(InterruptedError):
            pruned(unused)
        assert is_whole(unused)
    assert stops == going  # at the manifest of each artifact that goes
    assert {ref.kind for ref in unused.refs()} == {
        "inputs",
        "parsed",
        "notes",
        "events",
        "dataset",
        "versions",
        "copies",
        "reference",
    }
    assert read_names(unused).key_of == {}
    assert [path for kind in ("model", "music") for path in (unused.root / kind).iterdir()] == []


def test_history_leaves_what_is_recorded_and_its_models_go(store):
    promoted = promoted_models(store, "tiny").to_json()
    lost = {**promoted, "scorecard": "0" * 64}
    store.change_current("tiny", lambda _facts: {"earlier": [lost, promoted]})
    planned = pruned(store)
    assert {recipe: len(after) for recipe, (_, after) in planned.histories.items()} == {"tiny": 1}
    assert store.current("tiny")["earlier"] == [promoted]
    pruned(store, Limits(keep_history=0, older_than_days=0.0))
    assert store.current("tiny")["earlier"] == []
    assert is_whole(store)


def test_contents_that_no_table_of_inputs_needs_go(store):
    sha256 = store.put_blob(b"nobody's")
    (item,) = pruned(store).items
    assert item.key == f"blobs/{sha256[:2]}/{sha256}"
    assert not (store.root / item.key).exists()
    assert is_whole(store)


def test_below_a_size_the_oldest_goes_first_and_no_more_than_needed(store):
    names = [store.put_blob(bytes([number]) * 1000) for number in range(4)]
    for age, sha256 in enumerate(reversed(names)):
        os.utime(store.root / "blobs" / sha256[:2] / sha256, (1000 + age, 1000 + age))
    total = sum(entry.bytes for entry in store.entries().values())
    assert pruned(store, below=total).items == []
    planned = pruned(store, below=total - 1500)
    assert {item.key.rpartition("/")[2] for item in planned.items} == {*names[2:]}


def test_states_of_trainings_stay_only_while_they_can_be_wanted(store):
    folder = store.root / "checkpoints"
    model = next(store.refs("model"))
    folder.mkdir(exist_ok=True)
    for name in (f"{model.key}.npz", f"{model.key}.json", f"{'1' * 64}.npz", f"{'2' * 64}.npz", f"{'2' * 64}.json"):
        (folder / name).write_bytes(b"state")
    os.utime(folder / f"{'1' * 64}.npz", (1000, 1000))
    with store.alone():
        planned = plan_pruning(store, Limits())
    assert {item.key for item in planned.items} == {
        f"checkpoints/{model.key}.npz",
        f"checkpoints/{model.key}.json",
        f"checkpoints/{'1' * 64}.npz",
    }


def test_the_state_of_a_finished_training_that_can_go_on_stays_with_its_model(store, monkeypatch):
    from lstm_music.stages.upkeep import survey as surveying

    model = store.open(next(store.refs("model")))
    monkeypatch.setattr(surveying, "_is_constant", lambda _model: True)
    *_, state = surveying.direct_states(model)
    assert state != model.ref.key
    folder = store.root / "checkpoints"
    folder.mkdir(exist_ok=True)
    (folder / f"{state}.npz").write_bytes(b"state")
    assert plan_pruning(store, ALL, now=LATER).items == []
    store.change_current("tiny", lambda _facts: {"promoted": None, "earlier": []})
    assert f"checkpoints/{state}.npz" in {item.key for item in plan_pruning(store, ALL, now=LATER).items}


def test_what_cannot_be_known_removes_nothing(store):
    current = store.root / "current.json"
    data = current.read_bytes()
    current.unlink()
    with pytest.raises(StorageError, match="lstm-music repair"):
        plan_pruning(store, ALL, now=LATER)
    current.write_bytes(data[:-9])
    with pytest.raises(CorruptArtifactError, match="lstm-music repair"):
        plan_pruning(store, ALL, now=LATER)
    current.write_bytes(data)
    manifest = store.open(promoted_models(store, "tiny").dataset).folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-9])
    with pytest.raises(StorageError, match="lstm-music verify"):
        plan_pruning(store, ALL, now=LATER)


@pytest.mark.parametrize("kind", ["dataset", "notes", "inputs"])
def test_what_is_missing_keeps_what_it_would_be_made_from(store, kind):
    shutil.rmtree(store.root / kind)
    with pytest.raises(StorageError, match=r"missing, and the .* needs it; run `lstm-music verify` first"):
        plan_pruning(store, ALL, now=LATER)


def test_a_result_whose_music_is_lost_stays(unused):
    shutil.rmtree(unused.root / "music")
    assert "generations" not in kinds(pruned(unused).items)


def test_a_damaged_result_stays(unused):
    manifest = unused.open(find_result(unused, "latest")).folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-9])
    assert "generations" not in kinds(pruned(unused).items)


def test_results_are_found_by_name_key_and_path(store):
    (ref,) = store.refs("generations")
    (name,) = read_names(store).key_of
    folder = store.root / "generations"
    for text in (
        name,
        "latest",
        ref.key,
        ref.key[:8],
        folder / name,
        folder / ref.key / "result_001.mid",
        folder / "latest",
    ):
        assert find_result(store, str(text)) == ref
    for text in ("", "nothing", ref.key[:7]):
        with pytest.raises(StorageError, match=f"the latest: {name}"):
            find_result(store, text)


def test_the_commands(unused, lstm_music_here):
    code, out, _ = lstm_music_here("keep", "latest", "--storage", unused.root)
    assert (code, "stays" in out) == (0, True)
    code, out, _ = lstm_music_here("prune", "--older-than", "0", "--storage", unused.root, "--json")
    told = json.loads(out.splitlines()[-1])
    assert (code, told["applied"], told["removed"]) == (0, False, {})
    assert all(unused.has(ref) for ref in unused.refs())
    code, _, errors = lstm_music_here("keep", "latest", "--release", "--storage", unused.root)
    with unused.session():
        code, _, errors = lstm_music_here("prune", "--older-than", "0", "--apply", "--storage", unused.root)
    assert (code, "in use by" in errors) == (6, True)
    code, out, _ = lstm_music_here("prune", "--older-than", "0", "--apply", "--storage", unused.root)
    assert (code, "Removed" in out) == (0, True)
    assert not list(unused.refs("model"))
    code, out, _ = lstm_music_here("prune", "--below", "big", "--storage", unused.root)
    assert code == 2


def test_in_a_bucket_the_same_goes_and_stays(unused, s3, machine):
    url = s3.new_bucket()
    for key in unused.entries():
        s3.put(f"{url}/{key}", (unused.root / key).read_bytes())
    s3.put(f"{url}/music/{'3' * 64}/result.mid", b"of a killed run")
    bucket = Store(url)
    assert kinds(pruned(bucket).items) == {"model", "scorecard", "curves", "generations", "music"}
    assert {ref.kind for ref in bucket.refs()} == {
        "inputs",
        "parsed",
        "notes",
        "events",
        "dataset",
        "versions",
        "copies",
        "reference",
    }
    assert is_whole(bucket)
    assert not any(key.startswith((".leases", "model/", "music/")) for key in s3.contents(url))
    assert read_names(bucket).key_of == {}
    assert b"2 pieces" not in s3.contents(url)["generations/index.html"]
    assert ArtifactRef("dataset", bucket.current("tiny")["prepared"]["dataset"]) in set(bucket.refs())


def test_what_takes_space_is_shown_by_kind_and_by_what_needs_it(store, lstm_music_here):
    store.put_blob(b"nobody's")
    code, out, _ = lstm_music_here("status", "--disk", "--storage", store.root, "--json")
    disk = json.loads(out.splitlines()[-1])["disk"]
    assert code == 0
    assert disk["bytes"] == sum(entry.bytes for entry in store.entries().values())
    assert disk["kinds"]["model"]["number"] == 3
    assert disk["needed_by"]["recent"] == {"number": 1, "bytes": 8}
    assert sum(one["bytes"] for one in disk["needed_by"].values()) == disk["bytes"]


def test_a_scheduled_prune_waits_for_nobody(unused):
    with unused.session():
        assert outcome(prune_if_free(Store(unused.root), ALL)).startswith(
            "Nothing was removed: other runs use the storage"
        )
    assert outcome(prune_if_free(unused, Limits())).startswith("Nothing was removed: everything is needed, or recent")
    assert "model 3" in outcome(prune_if_free(unused, ALL))
