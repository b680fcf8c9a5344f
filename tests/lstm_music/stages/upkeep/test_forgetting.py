"""A forgotten piece is nowhere in the storage any more, nor is anything that was learnt from it, and it does not come back."""

import hashlib
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from small_music import small_collection, write_folder

from lstm_music.errors import CorruptArtifactError
from lstm_music.midi.reader import read_midi
from lstm_music.recipe import load_recipe
from lstm_music.stages.current import Promoted, earlier_models, promoted_models
from lstm_music.stages.data.ingest import ingest, read_inputs
from lstm_music.stages.data.prepare import last_prepared, prepare
from lstm_music.stages.inbox.news import look
from lstm_music.stages.training.promotion import promote
from lstm_music.stages.training.scorecard import evaluate
from lstm_music.stages.upkeep.forgetting import forget, plan_forgetting
from lstm_music.stages.upkeep.holders import find_contents
from lstm_music.stages.upkeep.missing import find_missing
from lstm_music.stages.upkeep.pins import pin
from lstm_music.store import Store

pytestmark = pytest.mark.slow

PIECE = "<script>alert(03)</script>.mid"


@pytest.fixture
def store(tiny, tmp_path):
    return Store(tiny.copy(tmp_path))


def forgotten(store, text):
    with store.alone():
        planned = plan_forgetting(store, find_contents(store, text))
        forget(store, planned)
    return planned


def holds(root, data):
    """Whether any file holds the bytes of a piece, its hash in a table, or its melody in a table of notes or a MIDI file."""
    sha256, melody = hashlib.sha256(data).hexdigest(), read_midi(data).notes["pitch"].tolist()
    for path in (path for path in root.rglob("*") if path.is_file()):
        if data in path.read_bytes():
            return True
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            if "piece_id" in table.column_names and sha256 in table.column("piece_id").to_pylist():
                return True
            if "pitch" in table.column_names and _is_in(melody, table.column("pitch").to_pylist()):
                return True
        if path.suffix == ".mid" and _is_in(melody[:12], read_midi(path.read_bytes()).notes["pitch"].tolist()):
            return True
    return False


def _is_in(part, whole):
    windows = np.lib.stride_tricks.sliding_window_view(whole, len(part)) if len(whole) >= len(part) else []
    return any((window == part).all() for window in windows)


def test_nothing_of_it_is_left_and_the_storage_is_valid(store, tiny):
    data = (tiny.music / PIECE).read_bytes()
    assert holds(store.root, data)
    pin(store, next(store.refs("generations")))
    planned = forgotten(store, PIECE)
    assert not holds(store.root, data)
    assert list(store.refs()) == []
    assert {item.kind for item in planned.items} >= {
        "model",
        "dataset",
        "notes",
        "parsed",
        "inputs",
        "blobs",
        "generations",
    }
    assert set(store.current("tiny")) == {"recipe"}
    assert promoted_models(store, "tiny") is None
    assert store.verify().bad == find_missing(store) == []
    assert len(store.entries("blobs")) == 7  # the other pieces'
    assert not list((store.root / "curves").glob("*.svg"))


def test_it_does_not_come_back_and_nothing_else_is_another(store, tiny, tmp_path):
    recipe = load_recipe(str(tiny.recipe))
    (sha256,) = forgotten(store, PIECE).contents
    inputs = ingest(store, recipe, str(tiny.music))
    assert sha256 not in {row.piece_id for row in read_inputs(store, inputs)}
    others = tmp_path / "others" / tiny.music.name
    for path in tiny.music.rglob("*.mid"):
        if path.relative_to(tiny.music).as_posix() != PIECE:
            to = others / path.relative_to(tiny.music)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(path.read_bytes())
    assert ingest(store, recipe, str(others)) == inputs  # the same key as without it
    prepare(store, recipe, inputs)
    assert not holds(store.root, (tiny.music / PIECE).read_bytes())
    assert last_prepared(store, "tiny").inputs == inputs


def test_in_the_inbox_it_is_named_left_and_not_news(store, tiny):
    inbox = store.root / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / "new.mid").write_bytes((tiny.music / PIECE).read_bytes())
    assert forgotten(store, PIECE).inbox == ["inbox/new.mid"]
    assert (inbox / "new.mid").exists()
    assert not look(store, load_recipe(str(tiny.recipe)), None, 0.0).is_any


def test_killed_before_its_end_it_is_finished_by_the_same_command(store, tiny, monkeypatch):
    planned = plan_forgetting(store, find_contents(store, PIECE))
    real, left = Store.remove, len(planned.items) - 1

    def stops(self, key):
        nonlocal left
        if left == 0:
            raise InterruptedError
        left -= 1
        real(self, key)

    monkeypatch.setattr(Store, "remove", stops)
    with pytest.raises(InterruptedError):
        forgotten(store, PIECE)
    monkeypatch.setattr(Store, "remove", real)
    data = (tiny.music / PIECE).read_bytes()
    assert holds(store.root, data)
    assert store.verify().bad == []
    forgotten(store, PIECE)
    assert not holds(store.root, data)


def test_a_damaged_list_lets_nothing_come_back(store, tiny):
    forgotten(store, PIECE)
    path = store.root / "inputs/forgotten.json"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(CorruptArtifactError, match=r"forgotten\.json"):
        ingest(store, load_recipe(str(tiny.recipe)), str(tiny.music))


def test_models_that_did_not_learn_it_are_promoted_again(made, evaluated, publish, tmp_path, uncompiled):
    copy = made.copy(tmp_path / "storage")
    store, recipe = (
        copy.store,
        copy.recipe.model_copy(update={"promotion": copy.recipe.promotion.model_copy(update={"tolerance": 99.0})}),
    )
    first = Promoted(copy.prepared.dataset, evaluated.models, evaluated.scorecard)
    assert promote(store, recipe, first).promoted
    more = write_folder(tmp_path / "more", small_collection(9))
    dataset = prepare(store, recipe, ingest(store, recipe, str(more))).dataset
    models = publish(store, recipe, dataset)
    second = Promoted(dataset, models, evaluate(store, recipe, dataset, models))
    assert promote(store, recipe, second).promoted
    assert promoted_models(store, "tiny") == second
    planned = forgotten(store, "piece 08.mid")
    assert promoted_models(store, "tiny") == first
    assert earlier_models(store, "tiny") == []
    assert dataset.key in {item.key.rpartition("/")[2] for item in planned.items}
    assert store.has(first.scorecard)
    assert "prepared" not in store.current("tiny")


def test_the_command_changes_nothing_without_apply(store, lstm_music_here):
    before = store.entries()
    code, out, _ = lstm_music_here("forget", PIECE, "--storage", store.root, "--json")
    assert (code, json.loads(out.splitlines()[-1])["applied"], store.entries()) == (0, False, before)
    code, out, errors = lstm_music_here("forget", PIECE, "--apply", "--storage", store.root)
    assert (code, errors) == (0, "")
    assert "train again with `lstm-music run --recipe tiny`" in out
    code, _, errors = lstm_music_here("forget", "nobody.mid", "--storage", store.root)
    assert (code, "unknown in" in errors) == (6, True)
