"""Recipes from TOML files, and what is wrong with one in a sentence that names the key."""

import difflib
import logging
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lstm_music import faults
from lstm_music.errors import RecipeError
from lstm_music.generation.spec import GenerationSpec
from lstm_music.models.spec import OneModelSpec
from lstm_music.recipe.runner import NOT_SHOWN
from lstm_music.recipe.spec import NAME, SHA256, Content, Recipe
from lstm_music.recipe_files import RECIPES, recipe_names

_LOG = logging.getLogger(__name__)


def load_recipe(text: str) -> Recipe:
    """Read a recipe: the name of one that comes with the project, or the path of a TOML file.

    Raises RecipeError for one that is not there, is no TOML, or has a key or value that it may not have, or only on the command
    line.
    """
    path = Path(text) if text.endswith(".toml") else RECIPES / f"{text}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(recipe_names())
        found = "is no .toml file" if Path(text).exists() and not text.endswith(".toml") else "not found"
        raise RecipeError(f"recipe {text!r}: {found}; expected one of {known}, or the path of a .toml file") from error
    except (
        OSError,
        ValueError,
        RecursionError,
    ) as error:  # TOMLDecodeError is a ValueError, as a number too long for Python is
        raise RecipeError(f"recipe {text!r}: cannot be read as TOML ({error})") from error
    recipe = parse_recipe(data, path.name)
    if recipe.generation.prompt_bars:
        raise RecipeError(
            f"{path.name}: generation.prompt_bars: takes bars of a file of yours, which no recipe names; leave it out, and give "
            "--prompt-bars with --prompt-midi"
        )
    return recipe


Place = tuple[int | str, ...]
"""Where a key stands in a recipe: the names of its tables, and its own."""


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


def parse_recipe(data: dict[str, Any], where: str, spell: Callable[[Place], str] = _dotted) -> Recipe:
    """Check what a recipe says; in the error's sentence `where` is the name of its file, if any, and `spell` writes a key."""
    try:
        return Recipe.model_validate(_with_new_keys(data, where))
    except ValidationError as error:
        raise RecipeError(": ".join(filter(None, [where, _sentence(error.errors()[0], spell)]))) from error


RENAMED = {
    "seed_segment": "prompt",
    "seed_segment_events": "prompt_events",
    "include_seed_segment": "include_prompt",
}
"""Former key → key, of `[generation]`: still understood for one release."""


def _with_new_keys(data: dict[str, Any], where: str) -> dict[str, Any]:
    said = data.get("generation")
    if not isinstance(said, dict) or not said.keys() & RENAMED.keys():
        return data
    for old in said.keys() & RENAMED.keys():
        _LOG.warning("%s: generation.%s is now %s; the old name works for one more release", where, old, RENAMED[old])
    return {**data, "generation": {RENAMED.get(key, key): value for key, value in said.items()}}


_PATTERNS = {NAME: "1 to 64 lower-case letters, digits, '-' and '_'", SHA256: "64 digits of lower-case hexadecimal"}


def _sentence(fault: ErrorDetails, spell: Callable[[Place], str] = _dotted) -> str:
    """Say what is wrong with the first key that is."""
    if fault["type"] == "extra_forbidden":
        return f"{spell(fault['loc'])}: unknown key{_suggestion(fault['loc'])}"
    if fault["type"] == "missing":
        return f"{spell(fault['loc'])}: this key is missing"
    said = faults.sentence(fault, _PATTERNS, shows_value=fault["loc"][-1:] != (NOT_SHOWN,))
    key, colon, rest = said.partition(": ")
    if colon and fault["loc"] == ("generation",) and key in GenerationSpec.model_fields:
        return f"{spell((*fault['loc'], key))}: {rest}"  # a fault of several keys names the one to change
    place = spell(fault["loc"])
    return f"{place}: {said}" if place else said  # a fault of two tables together has no place


def _suggestion(place: Place) -> str:
    """Find the keys that are right in this place, and the one that was probably meant."""
    model: type[BaseModel] = Content if "content" in place else Recipe
    parts = place[:-1]
    if model is Content:
        parts = ()
    elif place[0] == "models":  # a table for each model, by its name
        model, parts = OneModelSpec, ()
    for part in parts:
        inner = model.model_fields[str(part)].annotation
        assert isinstance(inner, type)
        assert issubclass(inner, BaseModel)  # nothing else has keys of its own
        model = inner
    close = difflib.get_close_matches(str(place[-1]), list(model.model_fields), n=1)
    return f". Did you mean '{close[0]}'?" if close else f"; expected {faults.one_of(list(model.model_fields))}"
