"""Which earlier models a training can start from: of the recipe's shape, and trained on nothing that is held out now."""

from collections.abc import Mapping
from typing import Any

from lstm_music.encoding.splits import TEST, TRAIN, VALIDATION
from lstm_music.recipe import Recipe
from lstm_music.stages.data.dataset import Dataset, learnt_music, load_dataset
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.training.trained import is_of_this_version, model_stage, start_of
from lstm_music.store import ArtifactRef, Stage, Store


def fitting(
    store: Store, recipe: Recipe, dataset_ref: ArtifactRef, starts: Mapping[str, ArtifactRef]
) -> dict[str, ArtifactRef]:
    """Leave out the models that trainings cannot start from, for retraining without a person."""
    dataset = load_dataset(store, dataset_ref)
    return {
        name: start
        for name, start in starts.items()
        if misfit(store, model_stage(recipe, dataset_ref, name, start), start, dataset) is None
    }


def misfit(store: Store, stage: Stage, start: ArtifactRef, dataset: Dataset) -> str | None:
    """Give the reason why a training cannot start from an earlier model, or None where it can."""
    if not is_of_this_version(store, start):
        return "an older version of this project wrote it"
    artifact, before = store.open(start), load_dataset(store, store.open(start).inputs[0])
    if reason := shape_misfit(artifact.manifest["spec"], stage.spec):
        return reason
    if before.streams != dataset.streams:
        return f"its streams are {', '.join(before.streams)}, and the recipe's are {', '.join(dataset.streams)}"
    if before.events != dataset.events:
        return "its [events] differ from the recipe's"
    held_out = _pieces(store, dataset, VALIDATION, TEST).items()
    learnt, learnt_now = _seen(store, start), music_of(store, dataset, TRAIN)
    if leaked := len({music for piece, music in held_out if music not in learnt_now and {piece, music} & learnt}):
        pieces = "1 piece that is" if leaked == 1 else f"{leaked} pieces that are"
        return f"it was trained on {pieces} held out now, so every score would be leaky"
    return None


def shape_misfit(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """Give the reason why weights do not fit, from the specs of the earlier model and of the new one; None where they do."""
    for key in ("architecture", "units", "layers", "echoes", "experts", "controls"):
        had, has = (spec["model"].get(key, []) for spec in (before, now))
        adds_experts = key == "experts" and not had
        if had != has and not adds_experts:
            return f"its {key} is {had!r}, and the recipe's is {has!r}"
    return None


def _seen(store: Store, ref: ArtifactRef | None) -> set[str]:
    """Give the hashes of all music that a model was trained on, and of its bytes, with the models that it started from."""
    seen: set[str] = set()
    while ref is not None:
        seen |= learnt_music(store, store.open(ref).inputs[0])
        ref = start_of(store, ref)
    return seen


def music_of(store: Store, dataset: Dataset, *splits: str) -> set[str]:
    """Give the hashes of the music in some splits; transposed copies share a hash."""
    return {*_pieces(store, dataset, *splits).values()}


def _pieces(store: Store, dataset: Dataset, *splits: str) -> dict[str, str]:
    """Give the pieces in some splits: the hash of the bytes → that of the music."""
    ids = {span.piece_id for split in splits for span in dataset.spans[split]}
    rows = read_pieces(store, dataset.notes_ref, ("piece_id", "music_hash"))
    return {row["piece_id"]: row["music_hash"] for row in rows if row["piece_id"] in ids}
