"""Models and their score card → learning curves as SVG, and a copy of the newest under the recipe's name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_music.encoding.splits import VALIDATION
from lstm_music.models.spec import streams_of
from lstm_music.rendering.curves import BASELINE_STYLES, Panel, loss_curves
from lstm_music.stages.training.scorecard import models_of_card, read_card
from lstm_music.stages.training.trained import read_history
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "curves"
CURVES_VERSION = 1


def curves_of_card(store: Store, recipe: str, scorecard: ArtifactRef) -> Path:
    """Draw the curves of all models of a score card beside its baselines; return `curves/<recipe>.svg` in storage."""
    return _keep(store, f"{recipe}.svg", recipe, models_of_card(store, scorecard), scorecard)


def curves_of_model(store: Store, recipe: str, model: str, ref: ArtifactRef) -> Path:
    """Draw the curve of one model, which has no score card yet; return `curves/<recipe>.<model>.svg` in storage."""
    return _keep(store, f"{recipe}.{model}.svg", recipe, {model: ref}, None)


def panels_of(
    store: Store, models: Mapping[str, ArtifactRef], card: Mapping[str, Any] | None, title: str = ""
) -> list[Panel]:
    """Give a panel for each model: its history, and the baselines of the card on validation, where there is a card."""
    return [
        Panel(f"{title}{name}", name, read_history(store, ref), _baselines(card, name) if card else {})
        for name, ref in models.items()
    ]


def _baselines(card: Mapping[str, Any], model: str) -> dict[str, float]:
    """Add up the baselines over the streams that a model predicts."""
    found = card["splits"].get(VALIDATION, {"baselines": {}})["baselines"]
    return {
        name: sum(found[name]["streams"][stream]["nll"] for stream in streams_of(model))
        for name in BASELINE_STYLES
        if name in found
    }


def _keep(
    store: Store, name: str, recipe: str, models: Mapping[str, ArtifactRef], scorecard: ArtifactRef | None
) -> Path:
    """Write the artifact unless it is there, and copy it to the name under which a person looks for the newest one."""
    inputs = (*models.values(), *([scorecard] if scorecard else []))
    stage = Stage(
        KIND, CURVES_VERSION, {"recipe": recipe, "models": list(models)}, inputs, ("matplotlib",), plain_names=True
    )
    if not store.has(stage.ref):
        card = read_card(store, scorecard) if scorecard else None
        leaky = " (leaky)" if any(store.open(ref).facts["leaky"] for ref in models.values()) else ""
        svg = loss_curves([panels_of(store, models, card)], f"Training of {recipe}{leaky}")
        with store.write(stage) as writer:
            writer.file("curves", "svg").write_text(svg, encoding="utf-8")
    data = store.open(stage.ref).file("curves.svg").read_bytes()
    newest = store.root / KIND / name
    if newest.is_file() and newest.read_bytes() == data:
        return newest
    return store.put_page(KIND, name, data)
