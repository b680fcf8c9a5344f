"""A lost or damaged current.json is told again from the artifacts, and what can be read stays as it is."""

import json

import pytest

from lstm_music.stages.current import kept_form, promoted_models
from lstm_music.stages.training.promotion import promote, rollback
from lstm_music.stages.upkeep.repair import plan_repair, repair
from lstm_music.store import Store
from lstm_music.store.checksummed import dump_checksummed, load_checksummed

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tiny, tmp_path):
    return Store(tiny.copy(tmp_path))


def facts_of(store, recipe="tiny"):
    return {key: value for key, value in store.current(recipe).items() if value is not None}


def test_nothing_is_to_repair_where_everything_can_be_read(store):
    assert plan_repair(store).facts == {}


def test_a_lost_file_is_told_again_as_it_was(store):
    before = facts_of(store)
    (store.root / "current.json").unlink()
    planned = plan_repair(store)
    assert [sentence.split(":")[0] for sentence in planned.sentences] == ["Recipe tiny", "Recipe tiny"]
    assert planned.unknown == 0
    assert not (store.root / "current.json").exists()
    repair(store, planned)
    assert facts_of(store) == {"earlier": []} | before
    assert store.recipes() == ["tiny"]


def test_a_recipe_that_the_artifacts_do_not_name_is_found_when_it_is_given(store, tiny):
    for kind in ("scorecard", "dataset"):  # as earlier versions wrote them
        for ref in store.refs(kind):
            path = store.open(ref).folder / "provenance.json"
            content = load_checksummed(path.read_bytes(), path, "")
            del content["recipe"]
            path.write_bytes(dump_checksummed(content))
    before = facts_of(store)
    (store.root / "current.json").unlink()
    planned = plan_repair(store)
    assert planned.facts == {}
    assert planned.unknown == 1
    repair(store, plan_repair(store, [str(tiny.recipe)]))
    assert facts_of(store) == {"earlier": []} | before


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_damaged_file_is_told_again_and_kept_beside(store, place):
    before, path = facts_of(store), store.root / "current.json"
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1 << 2
    path.write_bytes(data)
    repair(store, plan_repair(store))
    assert facts_of(store) == {"earlier": []} | before
    (kept,) = store.root.glob("current-damaged-*.json")
    assert kept.read_bytes() == bytes(data)
    assert store.verify().bad == []


def test_facts_that_can_be_read_stay(store):
    path = store.root / "current.json"
    content = load_checksummed(path.read_bytes(), path, "")
    promoted = content["recipes"]["tiny"].pop("promoted")
    content["recipes"]["tiny"]["prepared"]["inputs"] = "0" * 64
    path.write_bytes(dump_checksummed(content))
    repair(store, plan_repair(store))
    assert store.current("tiny")["promoted"] == promoted
    assert store.current("tiny")["prepared"]["inputs"] == "0" * 64


def test_the_history_is_told_again_by_the_rule_of_promotion(made, evaluated, publish, tmp_path, uncompiled):
    """Two promotions, and models in between that were worse: they were never promoted."""
    from small_music import tiny_recipe

    from lstm_music.stages.current import Promoted
    from lstm_music.stages.training.scorecard import evaluate

    copy = made.copy(tmp_path / "storage")
    store, dataset = copy.store, copy.prepared.dataset
    recipes = {"untrained": tiny_recipe(random_seed=99), "trained": copy.recipe}
    models = publish(store, recipes["untrained"], dataset)
    first = Promoted(dataset, models, evaluate(store, recipes["untrained"], dataset, models))
    again = Promoted(dataset, evaluated.models, evaluate(store, copy.recipe, dataset, evaluated.models))
    started = {first.scorecard: "2026-01-01T00:00:00+00:00", again.scorecard: "2026-01-02T00:00:00+00:00"}
    for ref, when in started.items():
        path = store.open(ref).folder / "provenance.json"
        content = load_checksummed(path.read_bytes(), path, "")
        path.write_bytes(dump_checksummed({**content, "started": when}))
    repair(store, plan_repair(store))
    assert promoted_models(store, "tiny") == again
    assert store.current("tiny")["earlier"] == [first.to_json()]
    assert store.current("tiny")["recipe"] in map(kept_form, recipes.values())
    assert rollback(store, "tiny").promoted == first
    (store.root / "current.json").unlink()
    started.update({first.scorecard: "2026-01-03T00:00:00+00:00"})
    path = store.open(first.scorecard).folder / "provenance.json"
    content = load_checksummed(path.read_bytes(), path, "")
    path.write_bytes(dump_checksummed({**content, "started": started[first.scorecard]}))
    repair(store, plan_repair(store))
    assert promoted_models(store, "tiny") == again  # the worse ones came later, and were not promoted
    assert store.current("tiny")["earlier"] == []
    assert promote(store, copy.recipe, again).outcome == "unchanged"


def test_the_command_changes_nothing_without_apply(store, lstm_music_here):
    path = store.root / "current.json"
    path.unlink()
    code, out, _ = lstm_music_here("repair", "--storage", store.root)
    assert (code, path.exists()) == (0, False)
    assert "--apply" in out
    code, out, _ = lstm_music_here("repair", "--storage", store.root, "--apply", "--json")
    assert (code, path.exists()) == (0, True)
    assert json.loads(out.splitlines()[-1])["applied"]
    code, out, _ = lstm_music_here("repair", "--storage", store.root)
    assert (code, "Nothing to repair" in out) == (0, True)


def test_a_command_that_meets_a_damaged_file_names_the_repair(store, lstm_music_here):
    (store.root / "current.json").write_bytes(b"{}")
    code, _, errors = lstm_music_here("status", "--storage", store.root)
    assert code == 6
    assert "run `lstm-music repair`" in errors
