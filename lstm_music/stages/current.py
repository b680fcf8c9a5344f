"""The facts about a recipe in `current.json`: its promoted models, the earlier ones, and others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from lstm_music.errors import MissingArtifactError
from lstm_music.store import ArtifactRef, Store


@dataclass(frozen=True)
class Promoted:
    """The promoted models of a recipe, with their dataset and score card."""

    dataset: ArtifactRef
    models: Mapping[str, ArtifactRef]
    scorecard: ArtifactRef

    def to_json(self) -> dict[str, Any]:
        """Return the form in which `current.json` holds them."""
        return {
            "dataset": self.dataset.key,
            "models": {stream: ref.key for stream, ref in self.models.items()},
            "scorecard": self.scorecard.key,
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """Inverse of `to_json`."""
        return cls(
            dataset=ArtifactRef("dataset", kept["dataset"]),
            models={stream: ArtifactRef("model", key) for stream, key in kept["models"].items()},
            scorecard=ArtifactRef("scorecard", kept["scorecard"]),
        )


def promoted_models(store: Store, recipe: str) -> Promoted | None:
    """Return the promoted models of a recipe, given by name; None before the first promotion."""
    kept = (store.current(recipe) or {}).get("promoted")
    return None if kept is None else Promoted.of_json(kept)


def require_promoted(store: Store, recipe: str) -> Promoted:
    """Return the promoted models of a recipe. Raises MissingArtifactError before the first promotion."""
    current = promoted_models(store, recipe)
    if current is None:
        raise MissingArtifactError(
            f"{store.where}: recipe {recipe!r} has no models yet; make them with `lstm-music run --recipe {recipe}`"
        )
    return current


def earlier_models(store: Store, recipe: str) -> list[dict[str, Any]]:
    """Return the models that were promoted before the current ones, the latest last."""
    return list((store.current(recipe) or {}).get("earlier", []))


def remember(store: Store, recipe: str, what: str, value: Mapping[str, Any]) -> None:
    """Record one fact about a recipe in `current.json`; its other facts stay."""
    keep(store, recipe, {what: dict(value)})


def keep(store: Store, recipe: str, facts: Mapping[str, Any]) -> None:
    """Record several facts about a recipe in one step; nothing is written if none is new."""
    kept = store.current(recipe) or {}
    if any(kept.get(name) != value for name, value in facts.items()):
        store.set_current(recipe, dict(facts))
