"""Trained recipes → a comparison: scores, sizes and learning curves side by side, and what cannot be compared."""

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any

from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.splits import SPLITS, TEST, TRAIN, VALIDATION
from lstm_music.errors import MissingArtifactError, RecipeError
from lstm_music.evaluation.scorecard import LEAKY
from lstm_music.recipe import load_recipe
from lstm_music.rendering.comparison_page import comparison_html
from lstm_music.rendering.curves import loss_curves
from lstm_music.stages.current import Promoted, promoted_models, require_promoted
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.training.curves import panels_of
from lstm_music.stages.training.fitting import music_of
from lstm_music.stages.training.scorecard import models_of_card, read_card
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "comparisons"
COMPARISON_VERSION = 1
Comparison = dict[str, Any]


def trained_names(store: Store, texts: Sequence[str]) -> list[str]:
    """Turn names and paths of recipes into the names of at least two trained recipes.

    Raises RecipeError for fewer than two different ones, MissingArtifactError for one without promoted models.
    """
    names = list(dict.fromkeys(load_recipe(text).name if text.endswith(".toml") else text for text in texts))
    trained = [name for name in store.recipes() if promoted_models(store, name)]
    known = ", ".join(trained) or "none"
    if len(names) < 2:
        raise RecipeError(
            f"compare: expected two or more different recipes, got {', '.join(names) or 'none'}; trained ones: {known}"
        )
    for name in names:
        if name not in trained:
            raise MissingArtifactError(
                f"{store.where}: recipe {name!r} is not trained yet (trained: {known}); run `lstm-music run --recipe {name}`"
            )
    return names


def compare(store: Store, names: Sequence[str]) -> ArtifactRef:
    """Compare the promoted models of recipes: write `comparison.html`, `comparison.json` and `curves.svg`."""
    promoted = {name: require_promoted(store, name) for name in names}
    stage = _stage(promoted)
    if store.has(stage.ref):
        return stage.ref
    found = _found(store, promoted)
    rows = [
        panels_of(store, models_of_card(store, one.scorecard), read_card(store, one.scorecard), f"{name}: ")
        for name, one in promoted.items()
    ]
    curves = loss_curves(rows, " and ".join(names))
    with store.write(stage) as writer:
        writer.file("comparison", "json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        writer.file("curves", "svg").write_text(curves, encoding="utf-8")
        writer.file("comparison", "html").write_text(comparison_html(found), encoding="utf-8")
    return stage.ref


def read_comparison(store: Store, ref: ArtifactRef) -> Comparison:
    """Read what `compare` found: `recipes`, one mapping each, and `notes`, sentences about what cannot be compared."""
    found: Comparison = json.loads(store.open(ref).file("comparison.json").read_text(encoding="utf-8"))
    return found


def _stage(promoted: dict[str, Promoted]) -> Stage:
    inputs = [(one.dataset, *one.models.values(), one.scorecard) for one in promoted.values()]
    spec = {"recipes": list(promoted)}
    return Stage(KIND, COMPARISON_VERSION, spec, tuple(chain(*inputs)), ("matplotlib",), plain_names=True)


def _found(store: Store, promoted: dict[str, Promoted]) -> Comparison:
    datasets = {name: load_dataset(store, one.dataset) for name, one in promoted.items()}
    recipes = [_recipe(store, name, one, datasets[name]) for name, one in promoted.items()]
    names = list(promoted)
    notes = [note for name in names[1:] for note in _differences(store, names[0], name, promoted, datasets)]
    return {"recipes": recipes, "notes": notes}


def _recipe(store: Store, name: str, promoted: Promoted, dataset: Dataset) -> dict[str, Any]:
    """Gather what is known of a recipe's promoted models."""
    card = read_card(store, promoted.scorecard)
    models = {model: _model(store, ref) for model, ref in models_of_card(store, promoted.scorecard).items()}
    seconds = [model["training_seconds"] for model in models.values()]
    return {
        "recipe": name,
        "protocol": card["protocol"],
        "events": dataset.events.model_dump(mode="json"),
        "streams": list(card["splits"][VALIDATION]["streams"]),
        "pieces": {split: len(dataset.spans[split]) for split in SPLITS},
        "models": models,
        "parameters": sum(model["parameters"] for model in models.values()),
        "training_seconds": None if None in seconds else sum(seconds),
        "splits": {split: _scores(card["splits"][split]) for split in (VALIDATION, TEST) if split in card["splits"]},
        "warnings": card["warnings"],
    }


def _model(store: Store, ref: ArtifactRef) -> dict[str, Any]:
    """Give the size of a model and of its training; earlier versions did not measure the seconds."""
    artifact = store.open(ref)
    counts = {key: artifact.counts[key] for key in ("epochs", "best_epoch", "parameters")}
    return {**counts, "training_seconds": artifact.provenance.get("training_seconds")}


def _scores(split: dict[str, Any]) -> dict[str, Any]:
    """Give the scores of the models on a split, and of the strongest baseline."""
    return {
        "events": split["events"],
        "nll_per_event": split["nll_per_event"],
        "nll_per_note": split["nll_per_note"],
        "streams": {stream: scores["nll"] for stream, scores in split["streams"].items()},
        "ngram_joint": split["baselines"].get("ngram_joint", {}).get("nll_per_event"),
    }


def _written(value: Any) -> Any:
    return [*value] if isinstance(value, tuple) else value


def _differences(
    store: Store, first: str, other: str, promoted: dict[str, Promoted], datasets: dict[str, Dataset]
) -> list[str]:
    """Explain why the scores of two recipes cannot be compared, one sentence per reason."""
    both, notes = f"{first} and {other}", []
    ours, theirs = datasets[first], datasets[other]
    had, has = ({key: getattr(one.events, key) for key in EventSpec.model_fields} for one in (ours, theirs))
    if keys := [f"{key} {_written(had[key])} and {_written(has[key])}" for key in had if had[key] != has[key]]:
        notes.append(
            f"{both} encode events differently ({'; '.join(keys)}), so nats per event cannot be compared: "
            "compare nats per note"
        )
    cards = {name: store.open(promoted[name].scorecard).manifest["spec"] for name in (first, other)}
    if set(promoted[first].models) != set(promoted[other].models):
        notes.append(f"{both} predict other streams, so their sums cannot be compared: compare single streams")
    if cards[first]["first"] != cards[other]["first"]:
        notes.append(
            f"{both} are scored on other events: from event {cards[first]['first']} and {cards[other]['first']} of a piece on"
        )
    notes += [note for split in (VALIDATION, TEST) if (note := _other_pieces(store, both, split, ours, theirs))]
    if music_of(store, ours, TRAIN) & music_of(store, theirs, VALIDATION, TEST):
        notes.append(f"{first} was trained on pieces that {other} holds out")
    if music_of(store, theirs, TRAIN) & music_of(store, ours, VALIDATION, TEST):
        notes.append(f"{other} was trained on pieces that {first} holds out")
    notes += [f"The scores of {name} are {LEAKY}" for name in (first, other) if datasets[name].is_leaky]
    return notes


def _other_pieces(store: Store, both: str, split: str, ours: Dataset, theirs: Dataset) -> str | None:
    """Report where two recipes are scored on other pieces."""
    one, two = music_of(store, ours, split), music_of(store, theirs, split)
    if one == two:
        return None
    return (
        f"{both} have other {split} pieces ({len(one)} and {len(two)}, {len(one & two)} in both), so a difference of their "
        f"{split} scores may come from the pieces"
    )
