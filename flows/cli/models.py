"""The trained models that a command makes music with: those of a storage, or those in a bundle."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.cli.bundling import require_no_storage
from flows.cli.choosing import choose_recipe
from flows.cli.display import Display
from flows.cli.scratch import keep_caches_here
from flows.cli.sparing import spare_pandas
from lstm_music.bundle.shipped import find_bundle
from lstm_music.errors import RecipeError
from lstm_music.recipe import Recipe
from lstm_music.stages.bundle import importing
from lstm_music.stages.current import name_in
from lstm_music.stages.music.likeness import recipe_of
from lstm_music.stages.music.overrides import Options
from lstm_music.stages.music.results import names_a_result
from lstm_music.store import Store


@dataclass(frozen=True)
class Models:
    """What was said of them on the command line: the promoted ones of a `recipe`, or those in the file `bundle`."""

    recipe: str | None
    storage: str
    bundle: Path | None = None


@dataclass(frozen=True)
class OpenModels:
    """The models as they are there: in a storage, which for a `bundle` is a temporary one.

    `name` is what the user called them: the name or path of the recipe, or the name of the bundle's file.
    """

    store: Store
    recipe: Recipe
    name: str
    bundle: Path | None = None


@contextlib.contextmanager
def opened(display: Display, models: Models, options: Options) -> Iterator[OpenModels]:
    """Open them, for music with these options.

    Raises RecipeError for what excludes a bundle, BundleError for a bundle that cannot be used, MissingArtifactError for a recipe
    without promoted models.
    """
    spare_pandas()
    if models.bundle is None:
        store, asked = Store(models.storage), models.recipe
        if (like := options.get("like")) and asked is None:
            asked = recipe_of(store, like)
            display.log(f"Recipe {asked}: that of {like}")
        recipe = choose_recipe(display, store, asked, "promoted")
        yield OpenModels(store, recipe, name_in(store, recipe, asked or recipe.name))
        return
    require_no_storage(models.recipe, models.storage)
    _require_no_result([option for option in ("like", "variation") if options.get(option) is not None])
    keep_caches_here()
    with importing.opened(find_bundle(models.bundle)) as bundle:
        prompt = options.get("prompt")
        _require_no_result([f"prompt {prompt}"] if prompt and names_a_result(bundle.store, prompt) else [])
        display.log(f"Recipe {bundle.recipe.name}: that of {models.bundle}")
        yield OpenModels(bundle.store, bundle.recipe, models.bundle.stem, models.bundle)


def _require_no_result(found: list[str]) -> None:
    """Refuse options, the `found` ones, that name results of a storage."""
    if found:
        raise RecipeError(
            f"--model: excludes --{found[0]}, because there is no storage with results; give the bundle to "
            "`lstm-music import` first"
        )
