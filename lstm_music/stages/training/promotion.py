"""Promotion: new models replace the promoted models of a recipe only if they are not significantly worse."""

import contextlib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lstm_music.encoding.splits import VALIDATION
from lstm_music.errors import CorruptArtifactError, MismatchError, MissingArtifactError
from lstm_music.evaluation.paired import Comparison, compare
from lstm_music.recipe import Recipe
from lstm_music.stages.current import (
    Promoted,
    PromotedMeanwhileError,
    earlier_models,
    keep,
    promoted_models,
    replace_promoted,
    require_promoted,
)
from lstm_music.stages.data.dataset import Dataset, inputs_of, load_dataset
from lstm_music.stages.training.piece_scores import nats_of_pieces
from lstm_music.stages.training.scorecard import models_of_card, read_card
from lstm_music.stages.training.trained import is_of_this_version, model_stage, start_of
from lstm_music.store import ArtifactRef, Store

SAME_NLL = 1e-3
"""Largest relative difference of two measurements of one model on the same events: batches add up in another order."""

MOST_EARLIER = 20
"""How many promotions `rollback` can undo."""

Outcome = Literal["promoted", "forced", "unchanged", "kept", "refused"]
"""What a decision did.

promoted   the new models are the promoted ones now, and were not before
forced     the same, although they are worse: somebody asked for it
unchanged  they were the promoted ones before, so nothing changed
kept       they are worse, so the models before stay promoted
refused    their scores are leaky, so they are never promoted
"""

PROMOTING: frozenset[Outcome] = frozenset({"promoted", "forced"})
"""The outcomes that change which models are promoted."""

_SENTENCES: dict[Outcome, str] = {
    "promoted": "The models are promoted: {reason}",
    "forced": "The models are promoted as asked, although they are worse: {reason}",
    "unchanged": "Nothing changed: {reason}",
    "kept": "The new models are not promoted: {reason}",
    "refused": "The models are not promoted: {reason}",
}


@dataclass(frozen=True)
class Decision:
    """What promotion decided about new models, and the reason.

    `new_nll`, `old_nll` and their `difference` are nats per event on the validation pieces of the new dataset, where both could
    be compared. `interval` is the confidence interval of the difference, (lower, upper), for two pieces or more.
    """

    outcome: Outcome
    reason: str
    new_nll: float | None = None
    old_nll: float | None = None
    difference: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def promoted(self) -> bool:
        """Whether the new models are the promoted ones now, whether or not they were before."""
        return self.outcome in {*PROMOTING, "unchanged"}

    @property
    def sentence(self) -> str:
        """The decision and its reason as one sentence, without a full stop."""
        return _SENTENCES[self.outcome].format(reason=self.reason)


def warm_starts(store: Store, recipe: Recipe, dataset: ArtifactRef) -> dict[str, ArtifactRef]:
    """Give the models that a warm training on a dataset starts from, by name: the promoted ones that this version reads.

    A promoted model may itself be what the recipe makes of this dataset. Then the training starts from that model's own start,
    so that the finished training is found and not repeated. Where it had no start, the result has none either.
    """
    promoted = promoted_models(store, recipe.name)
    starts = {}
    for name, ref in (promoted.models if promoted else {}).items():
        if name not in recipe.model.models or not is_of_this_version(store, ref):
            continue
        own_start = start_of(store, ref)
        is_the_same = model_stage(recipe, dataset, name, own_start).ref == ref
        start = own_start if is_the_same else ref
        if start is not None:
            starts[name] = start
    return starts


def promote(store: Store, recipe: Recipe, new: Promoted, *, force: bool = False) -> Decision:
    """Promote new models if they are not significantly worse than the promoted ones by more than the recipe's tolerance.

    Both are scored on the validation pieces of the new dataset: see `lstm_music.evaluation.paired`. With `force` worse models are
    promoted, too; leaky ones never are. If other models are promoted meanwhile, by another training or by `rollback`, the new
    ones are compared with those.
    """
    if recipe.split.by == "random_windows":
        return Decision("refused", "they are scored on random windows (leaky), which says nothing about other music")
    require_weights_as_trained(store, new)
    while True:
        old = promoted_models(store, recipe.name)
        decision = decide(store, recipe, old, new, force)
        with contextlib.suppress(PromotedMeanwhileError):
            _record(store, recipe, old, new, decision)
            return decision


def _record(store: Store, recipe: Recipe, old: Promoted | None, new: Promoted, decision: Decision) -> None:
    facts: dict[str, Any] = {"seen": {"inputs": inputs_of(store, new.dataset).key}}
    if decision.outcome in PROMOTING:
        facts["promoted"] = new.to_json()
        facts["earlier"] = [*earlier_models(store, recipe.name), *([old.to_json()] if old else [])][-MOST_EARLIER:]
        facts[UNTOLD] = None
    replace_promoted(store, recipe.name, old, facts)


def require_weights_as_trained(store: Store, new: Promoted) -> None:
    """Raise CorruptArtifactError where a model scores otherwise, on the validation pieces, than when it was trained."""
    scores = read_card(store, new.scorecard)["splits"].get(VALIDATION, {"streams": {}})["streams"]
    for name, ref in models_of_card(store, new.scorecard).items():
        model, streams = store.open(ref), name.split("+")
        if not scores.keys() >= {*streams}:
            continue
        trained, scored = model.facts["held_out_nll"], sum(scores[stream]["nll"] for stream in streams)
        if abs(trained - scored) > SAME_NLL * max(1.0, trained):
            raise CorruptArtifactError(
                f"{model.folder}: its training ended with {trained:.4f} nats per event on validation, and its score card says "
                f"{scored:.4f}, so the weights are not those that were trained; delete the folder and train again"
            )


UNTOLD = "rollback_untold"
"""The fact that a rollback is done and its user does not know it yet."""


@dataclass(frozen=True)
class Rollback:
    """The models that are promoted now, and whether an earlier call did it already."""

    promoted: Promoted
    was_done: bool = False


def rollback(store: Store, recipe: str, from_scorecard: str | None = None) -> Rollback:
    """Promote the models again that were promoted before the present ones; each call goes one step back.

    A call that was killed, or failed after its change, is finished by the next one, which goes no further: call
    `rollback_is_told` once the user knows. With `from_scorecard`, the key of a score card or its beginning, nothing is changed
    unless the models of that card are the promoted ones: so a script may repeat the call at any time.

    Raises MissingArtifactError where there are no earlier models or one of them was deleted, MismatchError where this version
    cannot read them, PromotedMeanwhileError after a promotion at the same moment.
    """
    with store.session():  # so that nothing of what is promoted again is removed meanwhile
        return _rolled_back(store, recipe, from_scorecard)


def _rolled_back(store: Store, recipe: str, from_scorecard: str | None) -> Rollback:
    present = require_promoted(store, recipe)
    if from_scorecard is not None:
        if not present.scorecard.key.startswith(from_scorecard):
            return Rollback(present, was_done=True)
    elif (store.current(recipe) or {}).get(UNTOLD):
        return Rollback(present, was_done=True)
    earlier = earlier_models(store, recipe)
    if not earlier:
        raise MissingArtifactError(
            f"{store.where}: recipe {recipe!r} has no earlier models to return to; the promoted ones are its first"
        )
    before = Promoted.of_json(earlier[-1])
    if not all(is_of_this_version(store, ref) for ref in before.models.values()):
        raise MismatchError(
            f"recipe {recipe!r}: an older version of this project wrote the earlier models, and this version cannot read them; "
            "the promoted models stay"
        )
    replace_promoted(store, recipe, present, {"promoted": before.to_json(), "earlier": earlier[:-1], UNTOLD: True})
    return Rollback(before)


def rollback_is_told(store: Store, recipe: str) -> None:
    """Record that the user knows of the last rollback, so that the next one goes further back."""
    keep(store, recipe, {UNTOLD: None})


def decide(store: Store, recipe: Recipe, old: Promoted | None, new: Promoted, force: bool = False) -> Decision:
    """Decide whether new models may take the place of old ones; nothing is recorded."""
    if old is None:
        return Decision("promoted", "they are the first models of this recipe")
    if old == new:
        return Decision("unchanged", "the promoted models of this recipe are the same")
    if not all(is_of_this_version(store, ref) for ref in old.models.values()):
        return Decision(
            "promoted", "an older version of this project wrote the models before, and this version cannot read them"
        )
    fresh, before = load_dataset(store, new.dataset), load_dataset(store, old.dataset)
    if fresh.events != before.events or _scored_events(store, old) != _scored_events(store, new):
        return Decision(
            "promoted", "the recipe's encoding or architecture changed, so old and new scores cannot be compared"
        )
    return _decision_on(_compared(store, recipe, (old, before), (new, fresh)), recipe, fresh.is_leaky, force)


def _decision_on(found: Comparison, recipe: Recipe, is_leaky: bool, force: bool) -> Decision:
    reason = (
        f"validation NLL {found.new_nll:.3f} nats per event, {found.old_nll:.3f} for the models before "
        f"({found.text}{', leaky' if is_leaky else ''})"
    )
    outcome: Outcome = "promoted"
    if not found.is_not_worse(recipe.promotion.tolerance):
        outcome = "forced" if force else "kept"
        reason += f"; the recipe tolerates {recipe.promotion.tolerance:g} more"
    return Decision(outcome, reason, found.new_nll, found.old_nll, found.difference, found.interval)


def _scored_events(store: Store, promoted: Promoted) -> tuple[frozenset[str], int]:
    """Give what models are scored on: their names, which name the streams, and the first scored position of a piece."""
    spec = store.open(promoted.scorecard).manifest["spec"]
    return frozenset(promoted.models), int(spec["first"])


def _compared(store: Store, recipe: Recipe, old: tuple[Promoted, Dataset], new: tuple[Promoted, Dataset]) -> Comparison:
    """Compare old and new models, each with their dataset, on the validation pieces of the new dataset."""
    fresh, first = new[1], recipe.first_target
    new_nats, old_nats = (nats_of_pieces(store, dataset, models.models, fresh, first) for models, dataset in (new, old))
    return compare(new_nats, old_nats, np.array(fresh.targets(VALIDATION, first).lengths), recipe.promotion.level)
