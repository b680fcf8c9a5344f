"""`--start-from`: a recipe of its own, which goes on from the models of another one or of a bundle."""

from dataclasses import dataclass
from pathlib import Path

from flows.cli.display import Display
from lstm_music.bundle.shipped import find_bundle, shipped_bundles
from lstm_music.errors import RecipeError
from lstm_music.recipe import Recipe
from lstm_music.sources.catalogue import open_source
from lstm_music.stages.bundle.importing import import_bundle
from lstm_music.stages.current import find_recipe, keep, kept_form, promoted_models
from lstm_music.stages.training import fine_tuning
from lstm_music.store import ArtifactRef, Store


@dataclass(frozen=True)
class StartChoice:
    """What a user said of how trainings start: `warm`, or from the models of a recipe or a bundle.

    `compare` says whether to train from nothing, too; None leaves it to the number of files.
    """

    warm: bool = False
    start_from: str | None = None
    compare: bool | None = None

    def __post_init__(self) -> None:
        if self.start_from is None and self.compare is not None:
            raise RecipeError("--compare-from-nothing: needs --start-from, the models that are compared")
        if self.start_from is not None and self.warm:
            raise RecipeError(
                "--start-from: excludes --warm-start, which goes on from the promoted models of the same recipe"
            )


def fine_tuned_recipe(
    display: Display, store: Store, start: str, recipe_name: str | None, source: str | None
) -> Recipe:
    """Give the recipe that starts from the models of `start`, the name of a recipe in the storage or a bundle."""
    own = None if recipe_name is None else find_recipe(store, recipe_name)
    if source is not None:
        open_source(source)  # before a bundle is imported for a mistyped one
    earlier = _earlier(display, store, start)
    recipe = fine_tuning.fine_tuned(store, earlier, own, source)
    settings = f"those of {earlier}" if own is None else f"those of {recipe_name}"
    display.log(f"Recipe {recipe.name}: starts from the models of {earlier}; its settings are {settings}")
    return recipe


def keep_recipe(store: Store, recipe: Recipe, inputs: ArtifactRef, compare: bool | None) -> Recipe:
    """Keep a fine-tuned recipe in the storage, where flows and later commands find it by its name."""
    recipe = fine_tuning.with_comparison(store, recipe, inputs, compare)
    keep(store, recipe.name, {"recipe": kept_form(recipe)})
    return recipe


def _earlier(display: Display, store: Store, start: str) -> str:
    """Give the name of the recipe in the storage that a text means; a bundle is imported first, under its own name.

    A recipe with models comes before a bundle of its name.
    """
    is_bundle = Path(start).is_file() or start in shipped_bundles()
    if promoted_models(store, start) is not None or not is_bundle:
        return start
    with display.doing(f"Importing {start}"):
        found = import_bundle(find_bundle(Path(start)), store)
    display.log(f"Recipe {found.name}: the models of {start}")
    return found.name
