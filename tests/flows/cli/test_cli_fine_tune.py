"""`--start-from` on the command line: a recipe of its own, a card with all beside each other, and nothing of the old changed."""

import json

import pytest
from tiny_music import write_pieces

from lstm_music.evaluation.fine_tuned import EARLIER, FROM_NOTHING
from lstm_music.stages.current import promoted_models
from lstm_music.store import Store

pytestmark = pytest.mark.slow


@pytest.mark.operation
def test_a_run_starts_from_another_recipe_and_is_found_again(tiny, lstm_music, tmp_path):
    storage = tiny.copy(tmp_path)
    music = write_pieces(tmp_path / "My Files", range(20, 26))
    words = ("run", "--source", music, "--start-from", "tiny", "--storage", storage, "--json")
    before = promoted_models(Store(storage), "tiny")
    found = lstm_music(*words)
    assert found.code == 0, found.errors
    assert "Recipe tiny_my-files: starts from the models of tiny; its settings are those of tiny" in found.errors
    card = json.loads(found.out.splitlines()[-1])["evaluate"]
    assert card["verdict"] in found.errors
    assert card["splits"]["test"]["baselines"].keys() >= {EARLIER, FROM_NOTHING}
    store = Store(storage)
    assert promoted_models(store, "tiny") == before
    models = promoted_models(store, "tiny_my-files").models
    assert {name: store.open(ref).inputs[1] for name, ref in models.items()} == before.models
    again = lstm_music(*words)
    assert json.loads(again.out.splitlines()[-1])["evaluate"] == card
    assert promoted_models(store, "tiny_my-files").models == models
    assert "Training" not in again.errors
    evaluated = lstm_music("evaluate", "--recipe", "tiny_my-files", "--storage", storage, "--json")
    assert json.loads(evaluated.out.splitlines()[-1]) == card
    assert store.verify().bad == []


def test_a_bundle_that_comes_along_is_imported_by_its_name(tiny, lstm_music_here, tmp_path):
    storage = tmp_path / "storage"
    words = ("--source", tiny.music, "--start-from", "bach", "--recipe", tiny.recipe, "--storage", storage)
    found = lstm_music_here("run", *words)
    assert found.code == 2
    assert "training cannot start from the models of demo, because their [events] differ" in found.sentence
    assert Store(storage).recipes() == ["demo"]


def test_another_shape_is_refused_before_anything_is_made(tiny, lstm_music_here, tmp_path):
    storage, other = tiny.copy(tmp_path), tmp_path / "other.toml"
    other.write_text(tiny.recipe.read_text().replace("units = 8", "units = 9").replace('"tiny"', '"other"'))
    words = ("--source", tiny.music, "--start-from", "tiny", "--recipe", other, "--storage", storage)
    found = lstm_music_here("run", *words)
    assert found.code == 2
    assert "its units is 8, and the recipe's is 9; leave out --recipe" in found.sentence
    assert Store(storage).recipes() == ["tiny"]
