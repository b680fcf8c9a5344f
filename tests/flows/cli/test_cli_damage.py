import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_music.encoding.streams import STREAMS
from lstm_music.errors import StorageError
from lstm_music.stages.data.columns import iterate_columns
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import read_inputs
from lstm_music.stages.data.notes import iterate_notes, read_pieces
from lstm_music.stages.data.versions import families_of
from lstm_music.stages.music.candidates import read_music
from lstm_music.stages.music.copies import load_index
from lstm_music.stages.music.generation import describe_generation
from lstm_music.stages.music.reference import read_reference
from lstm_music.stages.training.scorecard import read_card
from lstm_music.store import ArtifactRef, Store

pytestmark = pytest.mark.slow


def read_notes(store: Store, ref: ArtifactRef) -> None:
    read_inputs(store, ref)
    read_pieces(store, ref)
    list(iterate_notes(store, ref))


def read_files(store: Store, ref: ArtifactRef) -> None:
    for path in store.open(ref).files():
        path.read_bytes()


READERS: dict[str, Callable] = {
    "curves": read_files,
    "dataset": lambda store, ref: load_dataset(store, ref).tokens,
    "events": lambda store, ref: list(iterate_columns(store, ref, STREAMS)),
    "generations": describe_generation,
    "inputs": read_inputs,
    "copies": lambda store, ref: (load_index(store, ref), read_files(store, ref)),
    "model": read_files,
    "music": read_music,
    "notes": read_notes,
    "parsed": read_files,
    "reference": lambda store, ref: (read_reference(store, ref), read_files(store, ref)),
    "versions": lambda store, ref: families_of(store, store.open(ref).inputs[0]),
    "scorecard": lambda store, ref: (read_card(store, ref), read_files(store, ref)),
}


def flip(path: Path, place: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] ^= 1 << 4
    path.write_bytes(data)


def files_of(storage: Path) -> list[Path]:
    files = (path for path in storage.rglob("*") if path.is_file() and not path.is_symlink())
    found = [path for path in files if not path.name.startswith(".")]
    pages = (storage / "generations", storage / "curves")  # copies under names for people
    artifacts = [path for path in found if "checkpoints" not in path.parts and path.parent not in pages]
    return sorted(path for path in artifacts if path.stat().st_size)


def read(store: Store, path: Path) -> None:
    """Read what lies at `path` as the pipeline does."""
    kind = path.relative_to(store.root).parts[0]
    if kind == "blobs":
        store.get_blob(path.name)
    elif kind == "current.json":
        store.current("tiny")
    elif kind == "format.json":
        Store(store.root)
    else:
        READERS[kind](store, ArtifactRef(kind, path.parent.name))


@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_one_flipped_bit_in_any_file_is_named_and_refused(tiny, tmp_path, place):
    storage = tiny.copy(tmp_path)
    kinds = set()
    for path in files_of(storage):
        whole, store = path.read_bytes(), Store(storage)
        flip(path, place)
        if path.name != "format.json":  # without which nothing is opened, and so nothing verified
            assert [bad.path for bad in store.verify().bad] == [path]
        if path.name != "provenance.json":  # which says when and where, and which nothing reads
            with pytest.raises(StorageError, match=re.escape(str(path))):
                read(store, path)
        path.write_bytes(whole)
        kinds.add(re.sub("-[0-9a-f]{16}", "", path.name))
    assert kinds >= {"manifest.json", "tokens.npy", "model.weights.h5", "card.json", "result_001.mid", "current.json"}


def test_the_command_line_names_the_damage_and_does_not_play_it(tiny, lstm_music, tmp_path):
    storage = tiny.copy(tmp_path)
    weights = next(storage.glob("model/*/model-*.h5"))
    flip(weights, 0.5)
    verified = lstm_music("verify", "--storage", storage, "--json")
    assert verified.code == 6
    assert f'"bad": [{{"path": "{weights}", ' in verified.out.splitlines()[-1]
    assert str(weights) in verified.errors.splitlines()[-1]
    played = lstm_music("generate", "--recipe", tiny.recipe, "--storage", storage, "--random-seed", "3", "--json")
    assert played.code == 6
    assert played.out == ""
    assert str(weights) in played.errors.splitlines()[-1]
    assert len(list(Store(storage).refs("generations"))) == 1
