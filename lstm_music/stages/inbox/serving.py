"""Which recipes of a storage the inbox serves: all with promoted models, or those that are named."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lstm_music.errors import RecipeError
from lstm_music.recipe import Recipe
from lstm_music.stages.current import find_recipe, recipe_of_storage, recipes_with
from lstm_music.store import Store

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Served:
    """A recipe that the inbox serves; `given` names it in a command or an event: its name, or the path of its file."""

    recipe: Recipe
    given: str


def served_recipes(store: Store, asked: str | Sequence[str] | None) -> list[Served]:
    """Give the recipes that are named (a list, or names with commas between them), else all that have promoted models.

    So nothing trains from scratch unless somebody names it; without promoted models the list is empty. Raises RecipeError for a
    name that is no recipe, or for one whose models are never promoted.
    """
    names = [name.strip() for name in _names(asked) if name.strip()]
    served = [Served(find_recipe(store, given), given) for given in names] if names else list(_promoted(store))
    for one in served:
        require_retrainable(one.recipe)
    return list({one.recipe.name: one for one in served}.values())


def _names(asked: str | Sequence[str] | None) -> Sequence[str]:
    if isinstance(asked, str):
        return [asked] if Path(asked).is_file() else asked.split(",")  # the path of a file may have a comma
    return asked or ()


def _promoted(store: Store) -> Iterator[Served]:
    """Yield the recipes with promoted models; one that cannot be found any more must not stop the others."""
    for name in recipes_with(store, "promoted"):
        try:
            yield Served(recipe_of_storage(store, name), name)
        except RecipeError as error:
            _LOG.warning("The inbox does not serve recipe %s: %s", name, error)


def nothing_to_serve(store: Store) -> str:
    """Say that no recipe has promoted models, and what to do, as a sentence without a full stop."""
    return (
        f"{store.address}: no recipe has promoted models, so the inbox serves none; run `lstm-music run --recipe demo` first, or "
        "name the recipe that shall learn the inbox from scratch (--recipe)"
    )


def require_retrainable(recipe: Recipe) -> None:
    """Raise RecipeError for a recipe whose models are never promoted."""
    if recipe.split.by == "random_windows":
        raise RecipeError(
            f"recipe {recipe.name!r}: split.by: expected 'hash' or 'folder' to retrain, got 'random_windows'; "
            "its scores are leaky, so its models are never promoted"
        )
