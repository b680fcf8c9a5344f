"""An earlier model → what a training begins with, where its weights fit and it heard nothing that is held out now."""

from lstm_music.encoding.echoes import ECHOED
from lstm_music.encoding.splits import TEST, TRAIN, VALIDATION
from lstm_music.errors import MismatchError
from lstm_music.models.warm_start import EarlierModel, Moved
from lstm_music.stages.dataset import Dataset, load_dataset
from lstm_music.stages.models import load_model, start_of
from lstm_music.stages.notes import read_pieces
from lstm_music.store import ArtifactRef, Stage, Store


def earlier_model(store: Store, stage: Stage, start: ArtifactRef, dataset: Dataset) -> EarlierModel:
    """Load the model that a training begins with; MismatchError where it does not fit, or heard what is held out now."""
    artifact, before = store.open(start), load_dataset(store, store.open(start).inputs[0])
    model = load_model(store, start, before)  # first, for what older versions wrote is not looked into
    advice = "leave out --warm-start, and the training begins from nothing"
    for key in ("architecture", "units", "layers", "echoes"):
        had, has = artifact.manifest["spec"]["model"][key], stage.spec["model"][key]
        if had != has:
            raise MismatchError(
                f"{start}: cannot be begun with, because its {key} is {had!r} and the recipe's {has!r}; {advice}"
            )
    if before.events != dataset.events:
        raise MismatchError(f"{start}: cannot be begun with, because its [events] are not the recipe's; {advice}")
    if leaked := len(_heard(store, start) & (_music(store, dataset, VALIDATION, TEST) - _music(store, dataset, TRAIN))):
        raise MismatchError(
            f"{start}: cannot be begun with, because it was trained on {leaked} of the pieces that are held out now, so that "
            f"every score would be leaky; {advice}"
        )
    vocabularies = {
        stream: Moved.between(before.vocabularies[stream], now) for stream, now in dataset.vocabularies.items()
    }
    moved = {
        column: vocabularies.get(ECHOED.get(column, column)) or Moved.unchanged(size)
        for column, size in dataset.sizes.items()
    }
    return EarlierModel([weight.numpy() for weight in model.weights], moved)


def _heard(store: Store, ref: ArtifactRef | None) -> set[str]:
    """Give the hashes of all music that a model was trained on, or one that it began with, and so on."""
    heard: set[str] = set()
    while ref is not None:
        heard |= _music(store, load_dataset(store, store.open(ref).inputs[0]), TRAIN)
        ref = start_of(store, ref)
    return heard


def _music(store: Store, dataset: Dataset, *sides: str) -> set[str]:
    """Give the hashes of the music on some sides, which transposed copies share."""
    ids = {span.piece_id for side in sides for span in dataset.spans[side]}
    return {row["music_hash"] for row in read_pieces(store, dataset.notes_ref) if row["piece_id"] in ids}
