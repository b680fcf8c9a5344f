"""The index of copies: every run of events in the training pieces, for the search in generated music."""

import numpy as np

from lstm_music.encoding.splits import TRAIN
from lstm_music.evaluation.copies import CopyIndex, EventReader, build
from lstm_music.npy import save_array
from lstm_music.stages.data.dataset import Dataset, load_dataset
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "copies"
COPIES_VERSION = 1


def copies_stage(dataset_ref: ArtifactRef) -> Stage:
    """The stage of the index of a dataset's training pieces."""
    return Stage(KIND, COPIES_VERSION, {}, (dataset_ref,), ("numpy",))


def index_copies(store: Store, dataset_ref: ArtifactRef) -> ArtifactRef:
    """Index the training pieces of a dataset, numbered like its spans."""
    stage = copies_stage(dataset_ref)
    if store.has(stage.ref):
        return stage.ref
    dataset = load_dataset(store, dataset_ref)
    reader = event_reader(dataset)
    index = build([reader.read(dataset.tokens[span.start : span.stop]) for span in dataset.spans[TRAIN]])
    with store.write(stage) as writer:
        for name, array in index.arrays().items():
            save_array(writer.file(name, "npy"), array)
        writer.counts.update(pieces=len(dataset.spans[TRAIN]), events=len(index.symbols))
    return stage.ref


def event_reader(dataset: Dataset) -> EventReader:
    """Give the reader that makes tokens of a dataset comparable."""
    return EventReader.of(dataset.vocabularies, dataset.events.grid)


def load_index(store: Store, ref: ArtifactRef) -> CopyIndex:
    """Open an index, memory-mapped."""
    artifact = store.open(ref)
    names = CopyIndex.__dataclass_fields__
    return CopyIndex.from_arrays(
        {name: np.load(artifact.file(name), mmap_mode="r", allow_pickle=False) for name in names}
    )
