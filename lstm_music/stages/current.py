"""What storage remembers of a recipe in `current.json`: the promoted models, the earlier ones, and other facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from lstm_music.errors import MissingArtifactError
from lstm_music.store import ArtifactRef, Store


@dataclass(frozen=True)
class Promoted:
    """The models that are in use for a recipe, and what they came from."""

    dataset: ArtifactRef
    models: Mapping[str, ArtifactRef]
    scorecard: ArtifactRef

    def to_json(self) -> dict[str, Any]:
        """Give what is kept in `current.json`."""
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
    """Give the models in use for a recipe, by its name; None before the first."""
    kept = (store.current(recipe) or {}).get("promoted")
    return None if kept is None else Promoted.of_json(kept)


def require_promoted(store: Store, recipe: str) -> Promoted:
    """Give the models in use for a recipe; MissingArtifactError before the first."""
    current = promoted_models(store, recipe)
    if current is None:
        raise MissingArtifactError(
            f"{store.where}: recipe {recipe!r} has no models yet; make them with `lstm-music run --recipe {recipe}`"
        )
    return current


def earlier_models(store: Store, recipe: str) -> list[dict[str, Any]]:
    """Give the models that were in use before those that are, the latest last."""
    return list((store.current(recipe) or {}).get("earlier", []))


def remember(store: Store, recipe: str, what: str, value: Mapping[str, Any]) -> None:
    """Keep a fact of a recipe in `current.json`, beside its others."""
    keep(store, recipe, {what: dict(value)})


def keep(store: Store, recipe: str, facts: Mapping[str, Any]) -> None:
    """Keep facts in one step, if any of them is new."""
    kept = store.current(recipe) or {}
    if any(kept.get(name) != value for name, value in facts.items()):
        store.set_current(recipe, dict(facts))
