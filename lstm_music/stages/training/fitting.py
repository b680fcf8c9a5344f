"""Which earlier models a training can begin with: their shape is the recipe's, and they heard nothing that is held out now."""

from collections.abc import Mapping

from lstm_music.encoding.splits import TEST, TRAIN, VALIDATION
from lstm_music.recipe import Recipe
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.training.trained import is_of_this_version, model_stage, start_of
from lstm_music.store import ArtifactRef, Stage, Store


def fitting(
    store: Store, recipe: Recipe, dataset_ref: ArtifactRef, starts: Mapping[str, ArtifactRef]
) -> dict[str, ArtifactRef]:
    """Leave out the models that trainings cannot begin with, for retraining that nobody watches."""
    dataset = load_dataset(store, dataset_ref)
    return {
        name: start
        for name, start in starts.items()
        if misfit(store, model_stage(recipe, dataset_ref, name, start), start, dataset) is None
    }


def misfit(store: Store, stage: Stage, start: ArtifactRef, dataset: Dataset) -> str | None:
    """Say why a training cannot begin with an earlier model, or None where it can."""
    if not is_of_this_version(store, start):
        return "it was written by an older version of this project"
    artifact, before = store.open(start), load_dataset(store, store.open(start).inputs[0])
    for key in ("architecture", "units", "layers", "echoes"):
        had, has = artifact.manifest["spec"]["model"][key], stage.spec["model"][key]
        if had != has:
            return f"its {key} is {had!r} and the recipe's {has!r}"
    if before.streams != dataset.streams:
        return f"its streams are {', '.join(before.streams)} and the recipe's {', '.join(dataset.streams)}"
    if before.events != dataset.events:
        return "its [events] are not the recipe's"
    if leaked := len(_heard(store, start) & (_music(store, dataset, VALIDATION, TEST) - _music(store, dataset, TRAIN))):
        return f"it was trained on {leaked} of the pieces that are held out now, so that every score would be leaky"
    return None


def _heard(store: Store, ref: ArtifactRef | None) -> set[str]:
    """Give the hashes of all music that a model was trained on, or one that it began with, and so on."""
    heard: set[str] = set()
    while ref is not None:
        heard |= _music(store, load_dataset(store, store.open(ref).inputs[0]), TRAIN)
        ref = start_of(store, ref)
    return heard


def _music(store: Store, dataset: Dataset, *splits: str) -> set[str]:
    """Give the hashes of the music on some splits, which transposed copies share."""
    ids = {span.piece_id for split in splits for span in dataset.spans[split]}
    rows = read_pieces(store, dataset.notes_ref, ("piece_id", "music_hash"))
    return {row["music_hash"] for row in rows if row["piece_id"] in ids}
