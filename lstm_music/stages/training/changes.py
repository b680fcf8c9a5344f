"""What changed in a recipe since its promoted models were trained, key by key."""

from collections.abc import Iterator, Mapping
from typing import Any

from lstm_music.recipe import Recipe
from lstm_music.stages.current import Promoted
from lstm_music.stages.data.dataset import dataset_stage
from lstm_music.stages.training.trained import model_stage, start_of
from lstm_music.store import ArtifactRef, Store

Change = tuple[Any, Any]
"""The value that the models were trained with, and that of the recipe now."""

_KEYS = {"model.streams": "streams", "windows.transpose_from": "shifts.0", "windows.transpose_to": "shifts.1"}
"""Key of a recipe → where a stage keeps it, where that has another name."""


def changes_since_training(store: Store, recipe: Recipe, trained: Promoted) -> dict[str, Change]:
    """Compare a recipe with what its promoted models were trained with: key → (then, now), sorted by key.

    Only keys that decide something of a model count, and of an older model only those that its version knew. Which music was
    included is no key of a model.
    """
    if set(trained.models) != set(recipe.model.models):
        return {"model": (", ".join(sorted(trained.models)), ", ".join(sorted(recipe.model.models)))}
    found = dict(_of_dataset(store, recipe, trained.dataset))
    of_models = {name: dict(_of_model(store, recipe, trained, name)) for name in recipe.model.models}
    for name, changes in of_models.items():
        for key, change in changes.items():
            of_all = all(other.get(key) == change for other in of_models.values())
            found[key if of_all else f"models.{name}.{key.rpartition('.')[2]}"] = change
    return dict(sorted(found.items()))


def changes_text(changes: Mapping[str, Change]) -> str:
    """Write changes for a sentence: `model.units (192 → 256)`."""
    return ", ".join(f"{key} ({then} → {now})" for key, (then, now) in changes.items())


def _of_dataset(store: Store, recipe: Recipe, ref: ArtifactRef) -> Iterator[tuple[str, Change]]:
    artifact = store.open(ref)
    events, notes = artifact.inputs[:2]
    now = dataset_stage(recipe, notes, events).spec
    wanted = {key: value for key, value in now.items() if key in {"split", "events", "shifts"}}
    yield from _changed(artifact.manifest["spec"], wanted)


def _of_model(store: Store, recipe: Recipe, trained: Promoted, name: str) -> Iterator[tuple[str, Change]]:
    ref = trained.models[name]
    now = model_stage(recipe, trained.dataset, name, start_of(store, ref)).spec
    shared = {key: value for key, value in now.items() if key != "name"}
    yield from _changed(store.open(ref).manifest["spec"], shared)


def _changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Change]]:
    """Give the keys, as a recipe spells them, whose values differ; those that only one of the two has are left out."""
    before, after = dict(_flat(then)), dict(_flat(now))
    names = {place: key for key, place in _KEYS.items()}
    for place in before.keys() & after.keys():
        if before[place] != after[place]:
            yield names.get(place, place), (before[place], after[place])


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Give the leaves of nested tables with their dotted places; a list is a leaf, but for the two ends of the shifts."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{place}.{key}" if place else str(key))
    elif place == "shifts":
        yield from ((f"{place}.{index}", one) for index, one in enumerate(value))
    else:
        yield place, list(value) if isinstance(value, list | tuple) else value
