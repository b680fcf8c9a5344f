"""Which models a recipe's music is made with: the promoted ones, and only better ones take their place."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_music.encoding.splits import VALIDATION
from lstm_music.encoding.windows import Targets
from lstm_music.errors import MismatchError, MissingArtifactError
from lstm_music.recipe import Recipe
from lstm_music.stages.current import Promoted, earlier_models, keep, promoted_models, require_promoted
from lstm_music.stages.data.columns import iterate_columns
from lstm_music.stages.data.dataset import Dataset, inputs_of, load_dataset
from lstm_music.stages.training.scorecard import score_models
from lstm_music.stages.training.trained import is_of_this_version, model_stage, start_of
from lstm_music.store import ArtifactRef, Store

MOST_EARLIER = 20
"""How many promotions can be taken back."""


@dataclass(frozen=True)
class Decision:
    """Whether new models were promoted, and the sentence that says why."""

    promoted: bool
    reason: str
    new_nll: float | None = None
    old_nll: float | None = None
    """Nats an event on the validation pieces of the new dataset, where both could be compared."""


def warm_starts(store: Store, recipe: Recipe, dataset: ArtifactRef) -> dict[str, ArtifactRef]:
    """Give the models that a warm training on a dataset begins with, by name: those in use that this version can read.

    Where one in use is itself what the recipe makes of this dataset, it is what it began with: the same training again, which is
    found and not done. One that began with nothing is left out then.
    """
    current = promoted_models(store, recipe.name)
    starts = {}
    for name, ref in (current.models if current else {}).items():
        if name not in recipe.model.models or not is_of_this_version(store, ref):
            continue
        begun_with = start_of(store, ref)
        is_the_same = model_stage(recipe, dataset, name, begun_with).ref == ref
        start = begun_with if is_the_same else ref
        if start is not None:
            starts[name] = start
    return starts


def promote(store: Store, recipe: Recipe, new: Promoted) -> Decision:
    """Make new models the current ones if they are not worse than the old by more than the recipe's tolerance.

    Both are measured on the validation pieces of the new dataset.
    """
    if recipe.split.by == "random_windows":
        return Decision(
            False, "they were held out from random windows, which is leaky and tells nothing of other music"
        )
    old = promoted_models(store, recipe.name)
    decision = _decide(store, recipe, old, new)
    facts: dict[str, Any] = {"seen": {"inputs": inputs_of(store, new.dataset).key}}
    if decision.promoted and new != old:
        facts["promoted"] = new.to_json()
        facts["earlier"] = [*earlier_models(store, recipe.name), *([old.to_json()] if old else [])][-MOST_EARLIER:]
    keep(store, recipe.name, facts)
    return decision


def rollback(store: Store, recipe: str) -> Promoted:
    """Return to the models that were in use before those that are, and give them; again, to the ones before.

    Raises MissingArtifactError where there are none, or one of them was deleted, MismatchError where this version cannot read
    them.
    """
    require_promoted(store, recipe)
    earlier = earlier_models(store, recipe)
    if not earlier:
        raise MissingArtifactError(
            f"{store.where}: recipe {recipe!r} has no earlier models to return to; the ones in use are its first"
        )
    before = Promoted.of_json(earlier[-1])
    if not all(is_of_this_version(store, ref) for ref in before.models.values()):
        raise MismatchError(
            f"recipe {recipe!r}: its earlier models were written by an older version of this project, and cannot be read; "
            "those in use stay"
        )
    keep(store, recipe, {"promoted": before.to_json(), "earlier": earlier[:-1]})
    return before


def _decide(store: Store, recipe: Recipe, old: Promoted | None, new: Promoted) -> Decision:
    if old is None:
        return Decision(True, "they are the first models of this recipe")
    if old == new:
        return Decision(True, "they are the current models already")
    if not all(is_of_this_version(store, ref) for ref in old.models.values()):
        return Decision(True, "the current ones were written by an older version of this project, and cannot be read")
    fresh, before = load_dataset(store, new.dataset), load_dataset(store, old.dataset)
    if fresh.events != before.events or _scored_events(store, old) != _scored_events(store, new):
        return Decision(
            True, "the recipe's encoding or architecture changed, so that old and new scores cannot be compared"
        )
    new_nll = store.open(new.scorecard).facts["nll_per_event"][VALIDATION]
    old_nll = _validation_nll(store, old, before, fresh.events_ref, fresh.targets(VALIDATION, recipe.first_target))
    protocol = store.open(new.scorecard).facts["protocol"]
    scores = f"validation NLL {new_nll:.4f} against {old_nll:.4f} nats per event of the current ones ({protocol})"
    if new_nll <= old_nll + recipe.promotion.tolerance:
        return Decision(True, scores, new_nll, old_nll)
    return Decision(False, f"{scores}, and the recipe tolerates {recipe.promotion.tolerance:g} more", new_nll, old_nll)


def _scored_events(store: Store, current: Promoted) -> tuple[frozenset[str], int]:
    """Say what models are scored on: their names tell the streams, and the number the first event of each piece."""
    spec = store.open(current.scorecard).manifest["spec"]
    return frozenset(current.models), int(spec["first"])


def _validation_nll(store: Store, old: Promoted, before: Dataset, events: ArtifactRef, targets: Targets) -> float:
    """Score the old models on the validation events of a new table of events, in the vocabularies that they were trained with."""
    parts = iterate_columns(store, events, before.streams)
    tokens = np.concatenate(
        [columns.tokens(before.vocabularies, before.events.grid).astype(np.uint32) for columns in parts]
    )
    scores = score_models(store, before, old.models, tokens, {VALIDATION: targets})[VALIDATION]
    return sum(stream.total for stream in scores.values()) / targets.events
