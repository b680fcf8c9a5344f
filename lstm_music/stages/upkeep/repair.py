"""A lost or damaged current.json, told again from the manifests: which models are promoted, the earlier ones, the prepared data.

A score card whose dataset and models are those that a recipe makes was a promotion of that recipe, unless its models were
worse than those before. Rollbacks leave no trace in manifests, so they are not told again.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lstm_music.errors import LstmMusicError
from lstm_music.recipe import Recipe, load_recipe
from lstm_music.stages.current import Promoted, kept_form
from lstm_music.stages.data.dataset import KIND as DATASET
from lstm_music.stages.data.dataset import dataset_stage, inputs_of
from lstm_music.stages.data.events import events_stage
from lstm_music.stages.training.promotion import MOST_EARLIER, decide
from lstm_music.stages.training.scorecard import KIND as SCORECARD
from lstm_music.stages.training.scorecard import beside_of_card, models_of_card, scorecard_stage
from lstm_music.stages.training.trained import model_stage, start_of
from lstm_music.stages.upkeep.known_recipes import known_recipes, parsed_anyway
from lstm_music.stages.upkeep.missing import inputs_of_reports
from lstm_music.store import Artifact, Stage, Store
from lstm_music.store.checksummed import canonical
from lstm_music.store.stage import IDENTITY_FIELDS


@dataclass(frozen=True)
class Repair:
    """The facts that are missing, by recipe, a sentence about each, and how many score cards belong to no known recipe."""

    facts: Mapping[str, Mapping[str, Any]]
    sentences: Sequence[str]
    unknown: int


@dataclass(frozen=True)
class _Card:
    """A score card that a recipe made, and when."""

    made: str
    recipe: Recipe
    promoted: Promoted


def plan_repair(store: Store, given: Sequence[str] = ()) -> Repair:
    """Find what current.json should say and does not; `given` are names or paths of recipes to look for as well.

    Raises RecipeError for one of them that cannot be read.
    """
    data = store.damaged_current()
    damaged = parsed_anyway(data)
    kept = {} if data is not None else {name: store.current(name) or {} for name in store.recipes()}
    recipes = known_recipes(store, given, damaged)
    named = {load_recipe(text).name for text in given} | damaged.keys()
    cards = _cards(store, recipes)
    facts: dict[str, dict[str, Any]] = {}
    sentences: list[str] = []
    for name, forms in recipes.items():
        salvaged = _salvaged(store, name, damaged.get(name, {}))
        told = _told(store, forms, cards.get(name, []), name in named)
        new = {key: value for key, value in {**told, **salvaged}.items() if key not in kept.get(name, {})}
        if new.keys() - {"recipe"}:
            facts[name] = {"recipe": kept_form(forms[0]), **new}
            sentences += _sentences(name, new)
    known = {one.promoted.scorecard for found in cards.values() for one in found}
    of_reports = set(inputs_of_reports(store))
    return Repair(facts, sentences, len(set(store.refs(SCORECARD)) - known - of_reports))


def _sentences(name: str, new: Mapping[str, Any]) -> Iterator[str]:
    if "promoted" in new:
        earlier = len(new.get("earlier", []))
        yield f"Recipe {name}: promoted models scorecard/{new['promoted']['scorecard'][:16]}, earlier promotions: {earlier}"
    if "prepared" in new:
        yield f"Recipe {name}: prepared data dataset/{new['prepared']['dataset'][:16]}"


def _cards(store: Store, recipes: Mapping[str, Sequence[Recipe]]) -> dict[str, list[_Card]]:
    """Give the score cards that each recipe made, by its name, in the order of time."""
    found: dict[str, list[_Card]] = {}
    experiments = set(inputs_of_reports(store))
    for ref in store.refs(SCORECARD):
        if ref in experiments:
            continue
        for name, forms in recipes.items():
            with suppress(LstmMusicError):
                card = store.open(ref)
                made = next((form for form in forms if _makes(store, form, card)), None)
                if made is not None:
                    promoted = Promoted(card.inputs[0], models_of_card(store, ref), ref)
                    found.setdefault(name, []).append(_Card(_begun(card), made, promoted))
    return {name: sorted(cards, key=lambda one: one.made) for name, cards in found.items()}


def _makes(store: Store, recipe: Recipe, card: Artifact) -> bool:
    """Whether a recipe makes this score card, its models and their dataset; never by random windows, whose models stay unused."""
    if recipe.split.by == "random_windows":
        return False
    models = models_of_card(store, card.ref)
    dataset = card.inputs[0]
    return (
        list(models) == list(recipe.model.models)
        and _is_made_by(card, scorecard_stage(recipe, dataset, models, beside_of_card(card)))
        and all(
            _is_made_by(store.open(ref), model_stage(recipe, dataset, name, start_of(store, ref)))
            for name, ref in models.items()
        )
        and _makes_dataset(store, recipe, store.open(dataset))
    )


def _makes_dataset(store: Store, recipe: Recipe, dataset: Artifact) -> bool:
    events, notes = dataset.inputs[:2]
    stage = dataset_stage(recipe, notes, events)
    return _is_made_by(dataset, stage) and _is_made_by(store.open(events), events_stage(notes, recipe.events))


def _is_made_by(artifact: Artifact, stage: Stage) -> bool:
    """Whether a stage makes an artifact; whichever versions of libraries it was made with."""
    fields = set(IDENTITY_FIELDS) - {"libraries"}
    made, would_be = artifact.manifest, stage.identity()
    return canonical({name: made[name] for name in fields}) == canonical({name: would_be[name] for name in fields})


def _told(store: Store, forms: Sequence[Recipe], cards: Sequence[_Card], is_named: bool) -> dict[str, Any]:
    """Tell the facts of a recipe from its score cards and its datasets; none where it was never used here."""
    facts: dict[str, Any] = {}
    history: list[Promoted] = []
    for card in cards:
        if _is_promotion(store, card, history[-1] if history else None):
            history.append(card.promoted)
    if history:
        facts["promoted"] = history[-1].to_json()
        facts["earlier"] = [one.to_json() for one in history[:-1]][-MOST_EARLIER:]
        with suppress(LstmMusicError):
            facts["seen"] = {"inputs": inputs_of(store, cards[-1].promoted.dataset).key}
    if prepared := _prepared(store, forms, is_named or bool(history)):
        facts["prepared"] = prepared
    return facts


def _is_promotion(store: Store, card: _Card, before: Promoted | None) -> bool:
    """Whether these models were promoted after those before; where the two can no longer be compared, they were."""
    try:
        return decide(store, card.recipe, before, card.promoted).outcome == "promoted"
    except LstmMusicError:
        return True


def _prepared(store: Store, forms: Sequence[Recipe], is_used: bool) -> dict[str, str] | None:
    """Give the newest dataset that a recipe makes; of a recipe that nothing else tells of, only one that it made itself."""
    found = []
    for ref in store.refs(DATASET):
        with suppress(LstmMusicError):
            dataset = store.open(ref)
            made_by = dataset.provenance.get("recipe")
            is_own = isinstance(made_by, dict) and made_by.get("name") == forms[0].name
            if (is_used or is_own) and any(_makes_dataset(store, form, dataset) for form in forms):
                events, notes = dataset.inputs[:2]
                refs = (store.open(notes).inputs[0], notes, events, ref)
                found.append((_begun(dataset), {one.kind: one.key for one in refs}))
    return max(found, key=lambda one: one[0])[1] if found else None


def _salvaged(store: Store, name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give those facts in a damaged file whose artifacts exist and belong together, so that no damage can be in them."""
    found = {}
    with suppress(LstmMusicError, KeyError, TypeError, AttributeError, ValueError):
        if facts.get("recipe", {"name": name})["name"] == name and _belong_together(store, facts["promoted"]):
            found["promoted"] = facts["promoted"]
            if all(_belong_together(store, one) for one in facts.get("earlier", [])):
                found["earlier"] = facts.get("earlier", [])
    return found


def _belong_together(store: Store, kept: Mapping[str, Any]) -> bool:
    promoted = Promoted.of_json(kept)
    return (
        models_of_card(store, promoted.scorecard) == dict(promoted.models)
        and store.open(promoted.scorecard).inputs[0] == promoted.dataset
    )


def _begun(artifact: Artifact) -> str:
    """Say when an artifact was begun, in ISO 8601; "" where nobody knows."""
    try:
        return str(artifact.provenance["started"])
    except (LstmMusicError, KeyError):
        return ""


def repair(store: Store, planned: Repair) -> None:
    """Write what was planned."""
    store.add_to_current(planned.facts)
