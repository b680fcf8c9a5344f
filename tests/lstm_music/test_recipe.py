"""Recipes: what comes with the project, and the sentence for whatever is wrong in one."""

import pytest
from small_music import tiny_recipe

from lstm_music.errors import RecipeError
from lstm_music.recipe import RECIPES, Recipe, load_recipe, parse_recipe


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_recipe_that_comes_with_the_project_has_the_name_of_its_file(path):
    assert load_recipe(path.stem).name == path.stem
    assert load_recipe(str(path)) == load_recipe(path.stem)


def test_a_recipe_is_read_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nrandom_seed = 7\n[model]\nunits = 12\n[generation]\ntemperature = 0.5\n')
    recipe = load_recipe(str(path))
    assert (recipe.name, recipe.random_seed, recipe.model.units) == ("mine", 7, 12)
    assert recipe.generation.temperature == {"offset": 0.5, "note": 0.5, "duration": 0.5}
    assert recipe.events == Recipe(name="other").events


def test_what_a_recipe_says_survives_json():
    recipe = tiny_recipe(include=["bach/*"])
    assert parse_recipe(recipe.model_dump(mode="json"), "recipe") == recipe


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"name": "a", "windows": {"lenght": 5}}, "r.toml: windows.lenght: unknown key. Did you mean 'length'?"),
        ({"name": "a", "modle": {}}, "r.toml: modle: unknown key. Did you mean 'model'?"),
        (
            {"name": "a", "promotion": {"zzz": 1}},
            "r.toml: promotion.zzz: unknown key; known are tolerance",
        ),
        ({}, "r.toml: name: missing, and every recipe needs it"),
        (
            {"name": "a", "model": {"units": 0}},
            "r.toml: model.units: Input should be greater than or equal to 1, got 0",
        ),
        ({"name": "a", "model": {"dropout": "much"}}, "r.toml: model.dropout: Input should be a valid number"),
        ({"name": "No Name"}, "r.toml: name: String should match pattern"),
        ({"name": "a", "model": {"architecture": "gpt"}}, "r.toml: model.architecture: Input should be 'chained_lstm'"),
        (
            {"name": "a", "generation": {"min_events": 300}},
            "r.toml: generation: min_events 300 is above num_events 256",
        ),
        (
            {"name": "a", "generation": {"top_k": {"note": 3}}},
            "r.toml: generation: top_k names ['note'], where each of ['offset', 'note', 'duration'] needs a number",
        ),
        (
            {"name": "a", "generation": {"temperature": {"note": -1, "offset": 1, "duration": 1}}},
            "r.toml: generation.temperature.note: Input should be greater than or equal to 0, got -1",
        ),
        ({"name": "a", "events": {"quarter_length_divisors": [0]}}, "r.toml: events.quarter_length_divisors: "),
        ({"name": "a", "split": {"validation": 0.6, "test": 0.6}}, "r.toml: split: validation 0.6 and test 0.6 leave"),
        ({"name": "a", "include": 3}, "r.toml: include: Input should be a valid tuple, got 3"),
    ],
)
def test_the_first_fault_is_said_in_one_sentence(data, sentence):
    with pytest.raises(RecipeError) as caught:
        parse_recipe(data, "r.toml")
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_a_recipe_that_is_not_there_names_those_that_are():
    with pytest.raises(RecipeError, match=r"recipe 'demoo': not found; give one of default, demo.*, or the path of a"):
        load_recipe("demoo")


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"{}"])
def test_what_is_no_toml_is_refused(tmp_path, content):
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match="cannot be read as TOML"):
        load_recipe(str(path))


def test_a_folder_is_no_recipe(tmp_path):
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    with pytest.raises(RecipeError, match="cannot be read as TOML"):
        load_recipe(str(folder))


def test_a_recipe_takes_what_it_includes_and_does_not_exclude():
    recipe = tiny_recipe(include=["bach/*", "top.mid"], exclude=["*fugue*"])
    taken = [name for name in ("bach/a.mid", "bach/fugue.mid", "top.mid", "liszt/a.mid") if recipe.takes(name)]
    assert taken == ["bach/a.mid", "top.mid"]
