"""The index of copies: every run of events in the training pieces, for the search in generated music.

A bundle may come without one: then its copies artifact has no files, and nobody can say whether music is copied.
"""

import json
import shutil

import numpy as np

from lstm_music.encoding.splits import TRAIN
from lstm_music.evaluation.copies import CopyIndex, EventReader, build
from lstm_music.npy import save_array
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "copies"
COPIES_VERSION = 1

BUNDLED = "copies_"
"""What the names of an index begin with among the files of the dataset of a bundle."""

TITLES = "titles"
"""The titles of the training pieces, in the index of a bundle, which has no tables of them."""

NOT_SEARCHED = "not searched"
NO_INDEX = "copies of training pieces were not searched for: these models came in a bundle without the index of those"
"""What is said of copies where there is no index, in two words and in a sentence."""


def copies_stage(dataset_ref: ArtifactRef) -> Stage:
    """The stage of the index of a dataset's training pieces."""
    return Stage(KIND, COPIES_VERSION, {}, (dataset_ref,), ("numpy",))


def index_copies(store: Store, dataset_ref: ArtifactRef) -> ArtifactRef:
    """Index the training pieces of a dataset, numbered like its spans."""
    stage = copies_stage(dataset_ref)
    if store.has(stage.ref):
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    if dataset.is_bundled:
        _take_from_bundle(store, stage, dataset)
        return stage.ref
    reader = event_reader(dataset)
    index = build([reader.read(dataset.tokens[span.start : span.stop]) for span in dataset.spans[TRAIN]])
    with store.write(stage) as writer:
        for name, array in index.arrays().items():
            save_array(writer.file(name, "npy"), array)
        writer.counts.update(pieces=len(dataset.spans[TRAIN]), events=len(index.symbols))
    return stage.ref


def _take_from_bundle(store: Store, stage: Stage, dataset: Dataset) -> None:
    """Take the index that came with a dataset, if one did."""
    with store.write(stage) as writer:
        for key, entry in sorted(dataset.artifact.manifest["files"].items()):
            if entry["name"].startswith(BUNDLED):
                name, extension = entry["name"].removeprefix(BUNDLED), key.removeprefix(f"{entry['name']}.")
                shutil.copyfile(dataset.artifact.file(key), writer.file(name, extension))


def event_reader(dataset: Dataset) -> EventReader:
    """Give the reader that makes tokens of a dataset comparable."""
    return EventReader.of(dataset.vocabularies, dataset.events.grid)


def training_titles(store: Store, ref: ArtifactRef) -> list[str] | None:
    """Give the titles of the pieces of an index, numbered as there; None where the dataset has the pieces themselves."""
    artifact = store.open(ref)
    if f"{TITLES}.json" not in artifact.manifest["files"]:
        return None
    titles: list[str] = json.loads(artifact.file(TITLES).read_text(encoding="utf-8"))
    return titles


def has_index(store: Store, ref: ArtifactRef) -> bool:
    """Whether copies can be searched for: a bundle may come without its index."""
    return bool(store.open(ref).manifest["files"])


def load_index(store: Store, ref: ArtifactRef) -> CopyIndex | None:
    """Open an index, memory-mapped; None for that of a bundle without one."""
    if not has_index(store, ref):
        return None
    artifact = store.open(ref)
    names = CopyIndex.__dataclass_fields__
    return CopyIndex.from_arrays(
        {name: np.load(artifact.file(name), mmap_mode="r", allow_pickle=False) for name in names}
    )
