"""The facts about a recipe in `current.json`: its promoted models, the earlier ones, and others."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Self

from lstm_music.errors import LstmMusicError, MissingArtifactError, RecipeError
from lstm_music.recipe import Recipe, load_recipe, parse_recipe
from lstm_music.store import ArtifactRef, Store

Fact = Literal["promoted", "prepared"]
"""What a command needs of a recipe: promoted models, or a dataset."""

_MADE: Mapping[Fact, tuple[str, str]] = {"promoted": ("trained", "scorecard"), "prepared": ("prepared", "dataset")}
"""Fact → its word for the user, and the kind of the artifact that was made last for it."""

_BEGINNINGS: Mapping[Fact, str] = {
    "promoted": "run `lstm-music run --recipe demo`, or `lstm-music import bach` for the models that come along",
    "prepared": "run `lstm-music prepare --recipe demo`",
}
"""Fact → what to do where a storage has nothing."""


@dataclass(frozen=True)
class Promoted:
    """The promoted models of a recipe, with their dataset and score card."""

    dataset: ArtifactRef
    models: Mapping[str, ArtifactRef]
    scorecard: ArtifactRef

    def to_json(self) -> dict[str, Any]:
        """Return the form in which `current.json` holds them."""
        return {
            "dataset": self.dataset.key,
            "models": {stream: ref.key for stream, ref in self.models.items()},
            "scorecard": self.scorecard.key,
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        return cls(
            dataset=ArtifactRef("dataset", kept["dataset"]),
            models={stream: ArtifactRef("model", key) for stream, key in kept["models"].items()},
            scorecard=ArtifactRef("scorecard", kept["scorecard"]),
        )


def promoted_models(store: Store, recipe: str) -> Promoted | None:
    """Return the promoted models of a recipe, given by name; None before the first promotion."""
    kept = (store.current(recipe) or {}).get("promoted")
    return None if kept is None else Promoted.of_json(kept)


def require_promoted(store: Store, recipe: str) -> Promoted:
    """Return the promoted models of a recipe. Raises MissingArtifactError before the first promotion."""
    current = promoted_models(store, recipe)
    if current is None:
        trained = recipes_with(store, "promoted")
        raise MissingArtifactError(
            f"{store.where}: recipe {recipe!r} is not trained yet{_listed('trained', trained)}; "
            f"run `lstm-music run --recipe {recipe}`"
        )
    return current


@dataclass(frozen=True)
class Choice:
    """A recipe that nobody named, and the sentence that says why it was taken."""

    recipe: Recipe
    reason: str


def default_recipe(store: Store, *facts: Fact) -> Choice:
    """Give the recipe for a command without one: of the recipes with the first of `facts` that any has, the latest.

    Raises MissingArtifactError where no recipe has any of them; the sentence says what storage holds, and what to do.
    """
    for fact in facts:
        if names := recipes_with(store, fact):
            word = _MADE[fact][0]
            name = max(names, key=lambda one: (_made_at(store, one, fact), one))
            others = ", ".join(other for other in names if other != name)
            reason = (
                f"{word} last; this storage holds {others}, too (--recipe)"
                if others
                else f"the only {word} one in this storage"
            )
            return Choice(recipe_of_storage(store, name), f"Recipe {name}: {reason}")
    word, prepared = _MADE[facts[0]][0], recipes_with(store, "prepared")
    todo = f"run `lstm-music train --recipe {prepared[-1]}`" if prepared else _BEGINNINGS[facts[0]]
    raise MissingArtifactError(f"{store.where}: no recipe is {word} yet{_listed('prepared', prepared)}; {todo}")


def find_recipe(store: Store, text: str) -> Recipe:
    """Give a recipe: by the path of its file, by its name in the project, or by its name in storage.

    Raises RecipeError where it is none of them, or where its file cannot be read.
    """
    try:
        return load_recipe(text)
    except RecipeError as error:
        if not isinstance(error.__cause__, FileNotFoundError):
            raise
        kept = _kept_recipe(store, text)
        if kept is None:
            raise RecipeError(f"{error}{_listed('in this storage', store.recipes())}") from error
        return kept


def recipe_of_storage(store: Store, name: str) -> Recipe:
    """Give a recipe that storage has facts about, by its name and the rule of `find_recipe`.

    Raises RecipeError if it cannot be found: an earlier version of this project kept no copy.
    """
    try:
        return find_recipe(store, name)
    except RecipeError as error:
        raise RecipeError(f"{store.where}: keeps no copy of recipe {name!r}; give its file with --recipe") from error


def name_in(store: Store, recipe: Recipe, given: str) -> str:
    """Give what names a recipe in a command from now on: its name if that leads to this very recipe, else as it was given."""
    try:
        found = find_recipe(store, recipe.name)
    except RecipeError:
        return given
    return recipe.name if kept_form(found) == kept_form(recipe) else given


def recipes_with(store: Store, fact: Fact) -> list[str]:
    """List the recipes of which storage has a fact, by their names."""
    return [name for name in store.recipes() if fact in (store.current(name) or {})]


def kept_form(recipe: Recipe) -> dict[str, Any]:
    """Give a recipe as storage keeps it: without its runner, which depends on the machine; with a start only if it has one."""
    return recipe.model_dump(mode="json", exclude={"runner"} if recipe.start else {"runner", "start"})


def _kept_recipe(store: Store, name: str) -> Recipe | None:
    kept = (store.current(name) or {}).get("recipe")
    return None if kept is None else parse_recipe(kept, f"{store.where}: recipe {name!r}")


def _made_at(store: Store, name: str, fact: Fact) -> str:
    """Say when a recipe got a fact, in ISO 8601; "" where nobody knows."""
    kind = _MADE[fact][1]
    with suppress(LstmMusicError, KeyError):
        return str(store.open(ArtifactRef(kind, (store.current(name) or {})[fact][kind])).provenance["started"])
    return ""


def _listed(word: str, names: list[str]) -> str:
    return f" ({word}: {', '.join(names)})" if names else ""


def earlier_models(store: Store, recipe: str) -> list[dict[str, Any]]:
    """Return the models that were promoted before the current ones, the latest last."""
    return list((store.current(recipe) or {}).get("earlier", []))


class PromotedMeanwhileError(LstmMusicError):
    """Another process changed what is promoted, so a decision about it has to be made again."""


def replace_promoted(store: Store, recipe: str, old: Promoted | None, facts: Mapping[str, Any]) -> None:
    """Record facts about a recipe in one step, if its promoted models are still `old`; else raise PromotedMeanwhileError.

    Nothing is written if none of the facts is new.
    """
    known = store.current(recipe) or {}
    if known.get("promoted") == (old and old.to_json()) and all(known.get(name) == facts[name] for name in facts):
        return

    def change(present: Mapping[str, Any]) -> Mapping[str, Any]:
        if present.get("promoted") != (old and old.to_json()):
            raise PromotedMeanwhileError(f"recipe {recipe!r}: its promoted models were changed meanwhile; run again")
        return facts

    store.change_current(recipe, change)


def remember(store: Store, recipe: str, what: str, value: Mapping[str, Any]) -> None:
    """Record one fact about a recipe in `current.json`; its other facts stay."""
    keep(store, recipe, {what: dict(value)})


def keep(store: Store, recipe: str, facts: Mapping[str, Any]) -> None:
    """Record several facts about a recipe in one step; nothing is written if none is new."""
    kept = store.current(recipe) or {}
    if any(kept.get(name) != value for name, value in facts.items()):
        store.set_current(recipe, dict(facts))
