"""One flipped bit in any file of a storage is refused by whoever reads that file, and named by `verify`."""

import pytest

from lstm_music.encoding.streams import STREAMS
from lstm_music.errors import CorruptArtifactError
from lstm_music.stages.current import promoted_models
from lstm_music.stages.data.columns import iterate_columns
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import read_inputs
from lstm_music.stages.data.notes import iterate_notes, read_pieces
from lstm_music.stages.training.promotion import promote
from lstm_music.stages.training.scorecard import read_card
from lstm_music.stages.training.trained import load_inference_model, load_model

PLACES = (0.0, 0.3, 0.62, 0.999)  # of a file's length


def flipped(path):
    """Flip a bit at each of some places of a file, one after another; leave the file as it was."""
    data = path.read_bytes()
    for share in PLACES:
        place = int(share * len(data))
        path.write_bytes(data[:place] + bytes([data[place] ^ 8]) + data[place + 1 :])
        yield
    path.write_bytes(data)


def test_every_reader_refuses_a_file_with_a_flipped_bit(made, evaluated, tmp_path):
    copy = made.copy(tmp_path / "storage")
    store, refs = copy.store, copy.prepared
    promote(store, copy.recipe, evaluated)
    dataset = copy.dataset
    readers = [
        (refs.inputs, "inputs", lambda: read_inputs(store, refs.inputs)),
        (refs.notes, "pieces", lambda: read_pieces(store, refs.notes)),
        (refs.notes, "notes-0000", lambda: list(iterate_notes(store, refs.notes))),
        (refs.events, "events-0000", lambda: list(iterate_columns(store, refs.events, STREAMS))),
        (refs.dataset, "splits", lambda: load_dataset(store, refs.dataset)),
        (refs.dataset, "vocabularies", lambda: load_dataset(store, refs.dataset)),
        (refs.dataset, "tokens", lambda: load_dataset(store, refs.dataset).tokens),
        (evaluated.models["note"], "model", lambda: load_model(store, evaluated.models["note"], dataset)),
        (evaluated.models["note"], "model", lambda: load_inference_model(store, evaluated.models["note"], dataset)),
        (evaluated.scorecard, "card.json", lambda: read_card(store, evaluated.scorecard)),
    ]
    paths = [(store.open(ref).file(name), read) for ref, name, read in readers]
    paths += [(store.open(ref).folder / "manifest.json", read) for ref, _, read in readers]
    blob = read_inputs(store, refs.inputs)[0].piece_id
    paths.append((store.root / "blobs" / blob[:2] / blob, lambda: store.get_blob(blob)))
    paths.append((store.root / "current.json", lambda: promoted_models(store, "tiny")))
    for path, read in paths:
        read()
        for _ in flipped(path):
            with pytest.raises(CorruptArtifactError, match=path.name):
                read()
        read()
    path = store.open(refs.dataset).file("tokens")
    next(flipped(path))
    assert [bad.path for bad in store.verify().bad] == [path]
