"""A bundle → a storage: one of its own for a while, or the user's, with the models as promoted ones."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lstm_music.bundle import Manifest, read_bundle
from lstm_music.bundle.reading import AGAIN
from lstm_music.errors import BundleError, LstmMusicError, RecipeError
from lstm_music.recipe import Recipe, load_recipe, parse_recipe
from lstm_music.recipe_files import recipe_names
from lstm_music.stages.current import Promoted, earlier_models, keep, kept_form, promoted_models
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.music.control_ranges import control_ranges
from lstm_music.stages.music.lengths import usual_density
from lstm_music.stages.music.segments import piece_rows
from lstm_music.stages.training.scorecard import models_of_card, read_card
from lstm_music.stages.training.trained import is_of_this_version
from lstm_music.stages.upkeep.missing import find_missing
from lstm_music.store import Store

UNFIT = (LstmMusicError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading artifacts raises whose bytes are whole and mean nothing."""

LARGEST_FACT = 1000.0
"""Notes a quarter or a bar, and pitches, are below this."""


@dataclass(frozen=True)
class Opened:
    """A bundle that was checked and unpacked: its recipe, and a storage with its promoted models."""

    manifest: Manifest
    recipe: Recipe
    promoted: Promoted
    store: Store


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """Check a bundle and unpack it into the temporary folder of the system, for a while.

    Raises BundleError, in one sentence, for whatever is wrong with the file.
    """
    with tempfile.TemporaryDirectory(prefix="lstm-music-") as scratch:
        yield _open(path, Path(scratch, "storage"))


def _open(path: Path, folder: Path) -> Opened:
    manifest = read_bundle(path, folder)
    try:
        recipe = parse_recipe(manifest.recipe, "recipe")
        promoted = Promoted.of_json(manifest.promoted.model_dump())
        store = Store(folder)
        keep(store, manifest.name, {"promoted": promoted.to_json(), "recipe": kept_form(recipe)})
        _require_sound(store, recipe, promoted, manifest)
    except UNFIT as error:
        reason = str(error).replace(f"{folder}/", "").strip().partition("\n")[0] or type(error).__name__
        raise BundleError(f"{path}: its contents do not fit together ({reason}); {AGAIN}") from error
    return Opened(manifest, recipe, promoted, store)


def _require_sound(store: Store, recipe: Recipe, promoted: Promoted, manifest: Manifest) -> None:
    """Raise an error for artifacts that are damaged, missing, of another version, or that do not belong together."""
    bad = [*store.verify().bad, *find_missing(store)]
    if bad:
        raise BundleError(f"{bad[0].path}: {bad[0].reason}")
    dataset = load_dataset(store, promoted.dataset)
    if not dataset.is_bundled or recipe.name != manifest.name or promoted.models.keys() != {*recipe.model.models}:
        raise BundleError("the recipe is that of other models")
    if models_of_card(store, promoted.scorecard) != dict(promoted.models) or not read_card(store, promoted.scorecard):
        raise BundleError("the score card is that of other models")
    if not all(is_of_this_version(store, ref) for ref in promoted.models.values()):
        raise BundleError("the models are of another version")
    spans = [span for spans in dataset.spans.values() for span in spans]
    if {span.piece_id for span in spans} - piece_rows(store, dataset).keys():
        raise BundleError("a prompt has no credits")
    if any(not 0 <= span.start <= span.stop <= len(dataset.tokens) for span in spans):
        raise BundleError("a prompt lies outside of the tokens")
    bounds = (bound for low_and_high in control_ranges(dataset).values() for bound in low_and_high)
    if not all(abs(number) < LARGEST_FACT for number in (usual_density(dataset), *bounds)):
        raise BundleError("the density, or the range of a control, is that of no music")


@dataclass(frozen=True)
class Imported:
    """What an import did: the name of the recipe, and whether its models were promoted before."""

    name: str
    was_there: bool


def import_bundle(path: Path, store: Store, name: str = "") -> Imported:
    """Put the models of a bundle into a storage, promoted for a recipe of its name, or of another `name`.

    Raises BundleError for what is wrong with the file, and RecipeError if a recipe of the name has other models or settings.
    """
    with opened(path) as bundle:
        recipe = bundle.recipe if not name else parse_recipe({**bundle.manifest.recipe, "name": name}, "--name")
        present = promoted_models(store, recipe.name)
        if present is not None and present != bundle.promoted:
            raise RecipeError(
                f"{store.where}: recipe {recipe.name!r} has other models; import these under another name with --name OTHER"
            )
        if recipe.name in recipe_names() and kept_form(load_recipe(recipe.name)) != kept_form(recipe):
            raise RecipeError(
                f"recipe {recipe.name!r}: that of this version has other settings than that of the bundle; import it under "
                "another name with --name OTHER"
            )
        with store.session():
            _copy(bundle, store)
            facts: dict[str, Any] = {"promoted": bundle.promoted.to_json(), "recipe": kept_form(recipe)}
            keep(store, recipe.name, facts if present else {**facts, "earlier": earlier_models(store, recipe.name)})
    return Imported(recipe.name, present is not None)


def _copy(bundle: Opened, store: Store) -> None:
    """Copy all that the models need; what they are made of comes before them."""
    with store.blobs() as put:
        for key in bundle.store.entries("blobs"):
            put(bundle.store.get_blob(key.rpartition("/")[2]))
    for artifact in bundle.store.artifacts():
        store.adopt(artifact)
