"""Which recipes the inbox serves, and which of its folders are for one recipe alone."""

from pathlib import Path

import pytest
from small_music import small_piece, tiny_recipe

from lstm_music.errors import RecipeError
from lstm_music.midi.writer import write_midi
from lstm_music.stages.current import kept_form
from lstm_music.stages.data.ingest import read_inputs
from lstm_music.stages.inbox.news import ingest_all, look, look_all, remember_seen
from lstm_music.stages.inbox.serving import nothing_to_serve, served_recipes
from lstm_music.store import Store

PIECES = [write_midi(small_piece(number)) for number in (90, 91, 92, 93)]
PROMOTED = {"promoted": {"dataset": "0" * 64, "models": {}, "scorecard": "0" * 64}}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "storage")


def keep(store, name, facts):
    store.set_current(name, {**facts, "recipe": kept_form(tiny_recipe(name=name))})


def names(store, asked):
    return [(one.recipe.name, one.given) for one in served_recipes(store, asked)]


def test_without_a_name_all_recipes_with_promoted_models_are_served_and_no_others(store):
    keep(store, "b", PROMOTED)
    keep(store, "a", PROMOTED)
    keep(store, "prepared", {})
    for asked in (None, "", []):
        assert names(store, asked) == [("a", "a"), ("b", "b")]


def test_without_promoted_models_nothing_is_served_and_the_sentence_says_what_to_do(store):
    keep(store, "prepared", {})
    assert served_recipes(store, None) == []
    assert nothing_to_serve(store) == (
        f"{store.address}: no recipe has promoted models, so the inbox serves none; run `lstm-music run --recipe demo` first, or "
        "name the recipe that shall learn the inbox from scratch (--recipe)"
    )


@pytest.mark.parametrize("asked", ["demo,a", "demo , a,", ["demo", "a"], ["demo", "a", "demo"]])
def test_named_recipes_are_served_also_new_ones(store, asked):
    keep(store, "a", PROMOTED)
    keep(store, "b", PROMOTED)
    assert names(store, asked) == [("demo", "demo"), ("a", "a")]


def test_the_path_of_a_recipe_may_have_a_comma(store, tmp_path):
    path = tmp_path / "mine, the second.toml"
    path.write_text('name = "mine"')
    assert names(store, str(path)) == [("mine", str(path))]


def test_a_name_that_is_no_recipe_is_an_error(store):
    with pytest.raises(RecipeError, match="recipe 'nonsense': not found"):
        served_recipes(store, "demo,nonsense")


def test_a_recipe_that_cannot_be_found_any_more_does_not_stop_the_others(store, caplog):
    store.set_current("gone", PROMOTED)  # as an earlier version of this project left it: without a copy of the recipe
    keep(store, "here", PROMOTED)
    assert names(store, None) == [("here", "here")]
    (line,) = caplog.records
    assert "does not serve recipe gone" in line.getMessage()
    assert "keeps no copy of recipe 'gone'; give its file with --recipe" in line.getMessage()


@pytest.fixture
def two(made, tmp_path):
    """A storage with two recipes that have seen the same collection."""
    copied = made.copy(tmp_path / "storage")
    for name in ("tiny", "other"):
        keep(copied.store, name, PROMOTED | {"prepared": copied.store.current("tiny")["prepared"]})
        remember_seen(copied.store, name, copied.prepared.inputs)
    return copied


@pytest.fixture
def inbox(two):
    root = Path(two.store.inbox())
    for path, piece in zip(("top.mid", "bach/a.mid", "tiny/bach/b.mid", "other/c.mid"), PIECES, strict=True):
        (root / path).parent.mkdir(exist_ok=True, parents=True)
        (root / path).write_bytes(piece)
    return root


def test_a_folder_with_the_name_of_a_recipe_is_for_it_alone(two, inbox):
    waits = []
    recipes = [two.recipe, tiny_recipe(name="other")]
    found = look_all(two.store, recipes, None, 1.0, waits.append)
    assert found["tiny"].new == ("inbox/bach/a.mid", "inbox/tiny/bach/b.mid", "inbox/top.mid")
    assert found["other"].new == ("inbox/bach/a.mid", "inbox/other/c.mid", "inbox/top.mid")
    assert waits == [1.0]  # one pause for both
    rows = [read_inputs(two.store, ingest_all(two.store, one, None, None, found[one.name]))[8:] for one in recipes]
    assert [(row.name, row.composer) for row in rows[0]] == [
        ("inbox/bach/a.mid", "bach"),
        ("inbox/tiny/bach/b.mid", "bach"),
        ("inbox/top.mid", ""),
    ]
    assert ("inbox/other/c.mid", "") in [(row.name, row.composer) for row in rows[1]]


def test_music_that_moves_into_the_folder_of_another_recipe_is_removed_for_this_one(two, inbox):
    remember_seen(
        two.store, "tiny", ingest_all(two.store, two.recipe, None, None, look(two.store, two.recipe, None, 0.0))
    )
    (inbox / "top.mid").rename(inbox / "other" / "top.mid")
    assert look(two.store, two.recipe, None, 0.0).removed == ("inbox/top.mid",)


def test_files_for_other_recipes_show_that_a_bucket_is_not_mistyped(s3, machine, two):
    url = s3.new_bucket()
    s3.put(f"{url}/top.mid", PIECES[0])
    news = look(two.store, two.recipe, url, 0.0)
    remember_seen(two.store, "tiny", ingest_all(two.store, two.recipe, None, url, news))
    s3.remove(f"{url}/top.mid")
    s3.put(f"{url}/other/c.mid", PIECES[1])
    assert look(two.store, two.recipe, url, 0.0).removed == ("inbox/top.mid",)
