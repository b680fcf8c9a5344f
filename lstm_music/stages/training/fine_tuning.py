"""Fine-tuning: a recipe that trains on music of its own, from the promoted models of another recipe on.

It has a name of its own, so the other recipe keeps its models. What its score card compares it with is here, too.
"""

import re
from pathlib import PurePath
from urllib.parse import urlsplit

from lstm_music.errors import RecipeError
from lstm_music.evaluation.fine_tuned import EARLIER, FROM_NOTHING
from lstm_music.recipe import Recipe, StartSpec, parse_recipe
from lstm_music.recipe_files import recipe_names
from lstm_music.stages.current import Promoted, kept_form, promoted_models, recipe_of_storage, require_promoted
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ACCEPTED, read_inputs
from lstm_music.stages.data.prepare import Prepared, plan
from lstm_music.stages.training.fitting import shape_misfit
from lstm_music.stages.training.scorecard import Beside, Trained
from lstm_music.stages.training.trained import is_of_this_version, model_stage, model_stages
from lstm_music.store import ArtifactRef, Store

OPTION = "--start-from"
LONGEST_NAME = 64
FEW_FILES = 50
"""For so many files a training from nothing takes minutes, so it is made for comparison unless the user says otherwise."""


FOR_FEW_FILES = {"warm_epochs": 12, "warm_rate": 0.5, "least_events": 20_000}
"""What `[training]` has in a fine-tuned recipe whose own file does not say it: benchmarks/fine_tune.py."""


def fine_tuned(store: Store, earlier: str, own: Recipe | None, source: str | None) -> Recipe:
    """Give the recipe that trains on the music of a source from the promoted models of the recipe `earlier` on.

    Without a recipe of its `own` it has the settings of the earlier one, and trains as few files need it. Raises
    MissingArtifactError if that one has no models, RecipeError if there is no source, or if the settings or the name do not go
    with these models.
    """
    promoted = require_promoted(store, earlier)
    before = recipe_of_storage(store, earlier)
    if own is None and source is None:
        raise RecipeError(
            f"{OPTION}: needs --source, the music to learn now; without it the recipe is {earlier} itself"
        )
    settings = before.model_copy(update={"include": ("*",), "exclude": ()}) if own is None else own
    said_of_training = frozenset[str]() if own is None else own.training.model_fields_set
    name = _name(settings.name, earlier, source or settings.source)
    _require_free(store, name, earlier)
    start = StartSpec(
        recipe=earlier,
        dataset=promoted.dataset.key,
        models={model: ref.key for model, ref in promoted.models.items()},
    )
    said = {**kept_form(settings), "name": name, "source": source or settings.source, "start": start.model_dump()}
    said["training"] |= {key: value for key, value in FOR_FEW_FILES.items() if key not in said_of_training}
    if own is None and settings.split.by != "hash":
        said["split"] = {"group_versions": True}
    recipe = parse_recipe(said, OPTION)
    _require_shape(store, recipe, promoted)
    return recipe


def with_comparison(store: Store, recipe: Recipe, inputs: ArtifactRef, wanted: bool | None) -> Recipe:
    """Decide whether the models of a fine-tuned recipe are compared with a training from nothing: `wanted`, or few files."""
    assert recipe.start is not None
    if wanted is None:
        wanted = sum(row.status == ACCEPTED for row in read_inputs(store, inputs)) <= FEW_FILES
    return recipe.model_copy(update={"start": recipe.start.model_copy(update={"compare": wanted})})


def from_nothing(recipe: Recipe) -> Recipe | None:
    """Give the recipe that learns the same music from nothing, if a fine-tuned one is to be compared with it."""
    if recipe.start is None or not recipe.start.compare or not recipe.start.models:
        return None
    return recipe.model_copy(update={"start": recipe.start.model_copy(update={"models": {}})})


def beside(recipe: Recipe, prepared: Prepared, *, with_nothing: bool = True) -> Beside:
    """Give what the models of a recipe are compared with: nothing, unless it is a fine-tuned one."""
    if recipe.start is None or not recipe.start.models:
        return {}
    models = {name: ArtifactRef("model", key) for name, key in recipe.start.models.items()}
    found = {EARLIER: Trained(ArtifactRef("dataset", recipe.start.dataset), models)}
    cold = from_nothing(recipe) if with_nothing else None
    if cold is not None:
        dataset = plan(cold, prepared.inputs).dataset
        found[FROM_NOTHING] = Trained(dataset, {name: one.ref for name, one in model_stages(cold, dataset).items()})
    return found


def beside_there(store: Store, recipe: Recipe, prepared: Prepared) -> Beside:
    """Give what the models of a recipe can be compared with: those of `beside` that were trained."""
    found = beside(recipe, prepared)
    return {name: one for name, one in found.items() if all(map(store.has, [one.dataset, *one.models.values()]))}


def _name(name: str, earlier: str, source: str) -> str:
    """Name a recipe: as its file does, or else by the earlier one, or the one of this project, and by the source."""
    if name not in {earlier, *recipe_names()}:
        return name
    words = re.sub(r"[^a-z0-9]+", "-", _last(source).lower()).strip("-") or "music"
    return f"{name}_{words}"[:LONGEST_NAME]


def _last(source: str) -> str:
    """Give the last word of a source: the name of a folder, of a file without its extension, or of a dataset."""
    path = PurePath(urlsplit(source).path or source)
    return path.stem if path.suffix else path.name


def _require_free(store: Store, name: str, earlier: str) -> None:
    if promoted_models(store, name) is None:
        return
    kept = recipe_of_storage(store, name)
    if kept.start is None or kept.start.recipe != earlier:
        raise RecipeError(
            f"{OPTION}: recipe {name!r} has models that do not start from {earlier}; give a --recipe FILE.toml with another name"
        )


def _require_shape(store: Store, recipe: Recipe, promoted: Promoted) -> None:
    """Raise RecipeError where the weights of earlier models do not fit a recipe."""
    assert recipe.start is not None
    before = load_dataset(store, promoted.dataset)
    reasons = []
    if not all(is_of_this_version(store, ref) for ref in promoted.models.values()):
        reasons.append("an older version of this project wrote them")
    if before.streams != recipe.model.streams:
        reasons.append(
            f"their streams are {', '.join(before.streams)}, and the recipe's are {', '.join(recipe.model.streams)}"
        )
    if before.events != recipe.events:
        reasons.append("their [events] differ from the recipe's")
    if promoted.models.keys() != {*recipe.model.models}:
        reasons.append(f"they are {', '.join(promoted.models)}, and the recipe's are {', '.join(recipe.model.models)}")
    for name, ref in promoted.models.items():
        if name in recipe.model.models:
            had, has = store.open(ref).manifest["spec"], model_stage(recipe, promoted.dataset, name).spec
            reasons += filter(None, [shape_misfit(had, has)])
    if reasons:
        raise RecipeError(
            f"{OPTION}: training cannot start from the models of {recipe.start.recipe}, because {reasons[0]}; leave out "
            "--recipe to take their settings"
        )
