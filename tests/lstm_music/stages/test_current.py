"""Which recipe a command takes: by its name, by its file, or without either the one of the storage."""

import json

import pytest
from small_music import tiny_recipe

from lstm_music.errors import MissingArtifactError, RecipeError
from lstm_music.recipe import load_recipe
from lstm_music.stages.current import (
    default_recipe,
    find_recipe,
    keep,
    kept_form,
    name_in,
    recipes_with,
    require_promoted,
)
from lstm_music.store import Stage, Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "storage")


def make(store, name, fact, started, *, keeps=True):
    """Note that a recipe was prepared or trained at a time."""
    kind = {"promoted": "scorecard", "prepared": "dataset"}[fact]
    stage = Stage(kind, 1, {"of": name, "started": started})
    with store.write(stage) as writer:
        writer._started = type(writer._started).fromisoformat(started)
    recipe = tiny_recipe(name=name)
    store.set_current(name, {fact: {kind: stage.ref.key}, **({"recipe": kept_form(recipe)} if keeps else {})})
    return recipe


def test_an_empty_storage_says_what_to_run(store):
    with pytest.raises(
        MissingArtifactError,
        match="no recipe is trained yet; run `lstm-music run --recipe demo`, or `lstm-music import bach`",
    ):
        default_recipe(store, "promoted")
    with pytest.raises(
        MissingArtifactError, match=r"no recipe is prepared yet; run `lstm-music prepare --recipe demo`$"
    ):
        default_recipe(store, "prepared")


def test_a_storage_without_models_names_what_is_prepared(store):
    mine = make(store, "mine", "prepared", "2026-01-01T00:00:00+00:00")
    with pytest.raises(
        MissingArtifactError,
        match=r"no recipe is trained yet \(prepared: mine\); run `lstm-music train --recipe mine`$",
    ):
        default_recipe(store, "promoted")
    assert default_recipe(store, "promoted", "prepared").recipe == mine
    assert default_recipe(store, "prepared").reason == "Recipe mine: the only prepared one in this storage"


def test_the_one_trained_recipe_is_taken_and_of_several_the_latest(store):
    first = make(store, "z-first", "promoted", "2026-01-01T00:00:00+00:00")
    make(store, "later", "prepared", "2026-03-01T00:00:00+00:00")
    assert default_recipe(store, "promoted", "prepared").recipe == first
    assert default_recipe(store, "promoted").reason == "Recipe z-first: the only trained one in this storage"
    second = make(store, "second", "promoted", "2026-02-01T00:00:00+00:00")
    assert default_recipe(store, "promoted").recipe == second
    assert default_recipe(store, "promoted").reason == (
        "Recipe second: trained last; this storage holds z-first, too (--recipe)"
    )
    assert recipes_with(store, "promoted") == ["second", "z-first"]


def test_a_recipe_whose_time_nobody_knows_comes_before_the_others(store):
    make(store, "z-unknown", "promoted", "2026-03-01T00:00:00+00:00")
    known = make(store, "known", "promoted", "2026-01-01T00:00:00+00:00")
    key = store.current("z-unknown")["promoted"]["scorecard"]
    (store.root / "scorecard" / key / "provenance.json").write_text("{}")
    assert default_recipe(store, "promoted").recipe == known


def test_an_older_storage_keeps_no_recipe_so_it_is_one_of_the_project(store):
    make(store, "demo", "promoted", "2026-01-01T00:00:00+00:00", keeps=False)
    assert default_recipe(store, "promoted").recipe == load_recipe("demo")
    make(store, "mine", "promoted", "2026-02-01T00:00:00+00:00", keeps=False)
    with pytest.raises(RecipeError, match=r"keeps no copy of recipe 'mine'; give its file with --recipe$"):
        default_recipe(store, "promoted")


def test_a_recipe_is_found_by_its_file_by_its_name_and_by_its_name_in_storage(store, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[model]\nunits = 12\n')
    assert find_recipe(store, str(path)).model.units == 12
    assert find_recipe(store, "demo") == load_recipe("demo")
    kept = make(store, "mine", "prepared", "2026-01-01T00:00:00+00:00")
    assert find_recipe(store, "mine") == kept
    with pytest.raises(RecipeError, match=r"recipe 'nobody': not found; .* \(in this storage: mine\)$"):
        find_recipe(store, "nobody")
    path.write_text("name = [")
    with pytest.raises(RecipeError, match="cannot be read as TOML"):
        find_recipe(store, str(path))


def test_a_kept_recipe_survives_but_for_its_runner(store):
    recipe = tiny_recipe(runner={"name": "processes", "workers": 7})
    assert "runner" not in json.dumps(kept_form(recipe))
    store.set_current("tiny", {"prepared": {}, "recipe": kept_form(recipe)})
    assert find_recipe(store, "tiny") == tiny_recipe()
    assert name_in(store, recipe, "here/tiny.toml") == "tiny"
    assert name_in(store, tiny_recipe(random_seed=5), "here/tiny.toml") == "here/tiny.toml"


def test_a_recipe_without_models_names_those_that_have_some(store):
    make(store, "demo", "promoted", "2026-01-01T00:00:00+00:00")
    with pytest.raises(
        MissingArtifactError, match=r"'mine' is not trained yet \(trained: demo\); run `lstm-music run --recipe mine`$"
    ):
        require_promoted(store, "mine")


def test_a_name_of_the_project_means_its_recipe_also_where_storage_keeps_another_of_that_name(store):
    other = load_recipe("demo").model_copy(update={"random_seed": 99})
    keep(store, "demo", {"recipe": kept_form(other), "promoted": {"scorecard": "0" * 64}})
    assert default_recipe(store, "promoted").recipe == find_recipe(store, "demo") == load_recipe("demo")
    assert name_in(store, other, "my_demo.toml") == "my_demo.toml"
    assert name_in(store, load_recipe("demo"), "demo") == "demo"
