"""Which recipe a command works with: the one that was named, or else one of the storage, which is then reported."""

from flows.cli.display import Display
from lstm_music.recipe import Recipe, load_recipe
from lstm_music.stages.current import Fact, default_recipe, find_recipe, recipes_with
from lstm_music.store import Store

FIRST = "default"
"""The recipe of a first run without `--recipe`."""


def choose_recipe(display: Display, store: Store, name: str | None, *facts: Fact) -> Recipe:
    """Give the recipe that was named, or else the latest with the first of `facts` that any recipe in storage has."""
    if name is not None:
        return find_recipe(store, name)
    choice = default_recipe(store, *facts)
    display.log(choice.reason)
    return choice.recipe


def choose_new_recipe(display: Display, store: Store, name: str | None, source: str | None) -> Recipe:
    """Give the recipe for a command that may be the first one: a source of its own, or an empty storage, takes `default`."""
    if name is None and (source is not None or not recipes_with(store, "promoted")):
        display.log(f"Recipe {FIRST}: no --recipe was given")
        return load_recipe(FIRST)
    return choose_recipe(display, store, name, "promoted")
