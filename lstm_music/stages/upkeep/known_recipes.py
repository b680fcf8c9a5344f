"""The recipes that a storage may have been used with, where current.json cannot say it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from lstm_music.errors import LstmMusicError, RecipeError
from lstm_music.recipe import Recipe, load_recipe, parse_recipe
from lstm_music.recipe_files import RECIPES
from lstm_music.stages.current import kept_form
from lstm_music.stages.data.dataset import KIND as DATASET
from lstm_music.stages.training.scorecard import KIND as SCORECARD
from lstm_music.store import Store


def known_recipes(store: Store, given: Sequence[str], damaged: Mapping[str, Any]) -> dict[str, list[Recipe]]:
    """Give each recipe in all forms that can be found, by its name; the likeliest form is the first.

    They are those that a user gave, those of a whole current.json, those that the score cards and datasets were made by, and
    those that come with the project. Those of a `damaged` one come first only if an artifact confirms them: a changed byte may
    leave a number that is one.
    """
    found: dict[str, list[Recipe]] = {}
    of_artifacts, doubtful = [*_of_artifacts(store)], [*_of_damaged(damaged)]
    confirmed = [recipe for recipe in doubtful if kept_form(recipe) in map(kept_form, of_artifacts)]
    known = [*map(load_recipe, given), *_kept(store), *confirmed, *of_artifacts, *doubtful]
    for recipe in [*known, *_of_the_project()]:
        forms = found.setdefault(recipe.name, [])
        if kept_form(recipe) not in map(kept_form, forms):
            forms.append(recipe)
    return found


def parsed_anyway(data: bytes | None) -> dict[str, Any]:
    """Read the facts by recipe in a current.json whose bytes are not those that were written; none where nothing can be read."""
    try:
        content = json.loads(data or b"")
        return {name: facts for name, facts in content["recipes"].items() if isinstance(facts, dict)}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _kept(store: Store) -> Iterator[Recipe]:
    with suppress(LstmMusicError):
        for name in store.recipes():
            yield from _parsed((store.current(name) or {}).get("recipe"))


def _of_damaged(damaged: Mapping[str, Any]) -> Iterator[Recipe]:
    for facts in damaged.values():
        yield from _parsed(facts.get("recipe"))


def _of_artifacts(store: Store) -> Iterator[Recipe]:
    for kind in (SCORECARD, DATASET):
        for ref in store.refs(kind):
            with suppress(LstmMusicError):
                yield from _parsed(store.open(ref).provenance.get("recipe"))


def _of_the_project() -> Iterator[Recipe]:
    for path in sorted(RECIPES.glob("*.toml")):
        yield load_recipe(path.stem)


def _parsed(kept: object) -> Iterator[Recipe]:
    if isinstance(kept, dict):
        with suppress(RecipeError):
            yield parse_recipe(kept, "recipe")
