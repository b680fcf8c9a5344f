"""Tasks as plain functions: no server, no flow, no settings."""

from concurrent.futures.process import BrokenProcessPool

import pytest
from distributed import CancelledError
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker
from tiny_music import write_pieces, write_recipe

from flows.engine.made import require_made
from flows.train_all import TRAINING_LOST
from lstm_music.errors import ChildError, MismatchError, StorageError
from lstm_music.recipe import load_recipe
from lstm_music.stages.current import promoted_models
from lstm_music.stages.data.ingest import read_inputs
from lstm_music.stages.data.parse import ParseBatch, plan_batches
from lstm_music.stages.data.prepare import Prepared, last_prepared, plan
from lstm_music.store import ArtifactRef, Store
from tasks import generating, preparing, reporting, training

pytestmark = pytest.mark.slow
BATCH = ParseBatch((("0" * 64, "midi"),))


@pytest.fixture
def place(tmp_path):
    recipe = load_recipe(str(write_recipe(tmp_path)))
    return str(tmp_path / "storage"), recipe, str(write_pieces(tmp_path / "music"))


def prepare_by_hand(storage, recipe, music) -> Prepared:
    inputs = preparing.ingest_source.fn(storage, recipe, music)
    for number, batch in enumerate(plan_batches(Store(storage), read_inputs(Store(storage), inputs)), start=1):
        preparing.parse_batch.fn(storage, batch, number, 1)
    notes = preparing.collect_notes.fn(storage, inputs)
    events = preparing.encode_events.fn(storage, recipe, notes)
    dataset = preparing.build_dataset.fn(storage, recipe, notes, events)
    return preparing.remember_prepared.fn(storage, recipe, Prepared(inputs, notes, events, dataset))


def test_the_preparation_by_hand_is_what_was_planned(place):
    storage, recipe, music = place
    prepared = prepare_by_hand(storage, recipe, music)
    assert prepared == plan(recipe, prepared.inputs) == last_prepared(Store(storage), recipe.name)


def test_a_model_is_trained_by_hand_with_no_server(place):
    storage, recipe, music = place
    dataset = prepare_by_hand(storage, recipe, music).dataset
    ref = training.train_model.fn(storage, recipe, dataset, "duration")
    assert Store(storage).open(ref).counts["epochs"] == 2
    assert training.train_model.fn(storage, recipe, dataset, "duration") == ref


def test_what_is_there_is_promoted_and_shown_by_hand(tiny, tmp_path):
    storage, recipe = tiny.copy(tmp_path), load_recipe(str(tiny.recipe))
    first = promoted_models(Store(storage), recipe.name)
    (storage / "current.json").unlink()
    assert training.promote.fn(str(storage), recipe, first).promoted
    assert promoted_models(Store(storage), recipe.name) == first


def test_nothing_is_reported_where_nobody_listens(monkeypatch):
    monkeypatch.setattr(reporting, "create_table_artifact", None)  # to call it would fail
    monkeypatch.setattr(reporting, "create_markdown_artifact", None)
    reporting.publish_card({})
    reporting.publish_generation({})
    with reporting.training_report("note") as report:
        report({})
    with reporting.rendering_report() as report:
        report(1, 2)


@pytest.mark.parametrize("task", [training.train_model, preparing.ingest_source, preparing.parse_batch])
def test_a_task_that_is_tried_again_knows_when(task):
    assert task.retries
    assert task.retry_condition_fn is not None


@pytest.mark.parametrize(
    "task",
    [
        *(preparing.ingest_source, preparing.parse_batch, preparing.collect_notes, preparing.find_versions),
        *(preparing.encode_events, preparing.build_dataset, preparing.remember_prepared, training.train_model),
        *(training.evaluate, training.promote, generating.make_music, generating.measure_reference, generating.present),
    ],
    ids=lambda task: task.name,
)
def test_storage_is_the_only_cache(task):
    assert task.persist_result is False
    assert task.cache_policy.compute_key(None, {}, {}) is None


def test_a_worker_that_sees_no_storage_begins_none(tmp_path):
    with pytest.raises(
        StorageError, match=r"gone: the worker on \S+ cannot see this storage; mount the same folder there, or use"
    ):
        preparing.parse_batch.fn(str(tmp_path / "gone"), BATCH, 1, 1)
    assert list(tmp_path.iterdir()) == []


class Answer:
    """What a worker gave: a result, or the error that a runner has for it."""

    def __init__(self, result=None, error=None):
        self._result, self._error = result, error

    def result(self):
        if self._error:
            raise self._error
        return self._result


@pytest.mark.parametrize("error", [BrokenProcessPool("gone"), KilledWorker("parse-1", None, 3)])
def test_a_batch_that_takes_its_worker_with_it_is_one_sentence(error):
    with pytest.raises(ChildError, match=r"a worker was killed .* memory ran out; run again with fewer --workers"):
        require_made(Answer(error=error), BATCH.stage.ref)


def test_a_training_that_takes_its_workers_with_it_is_one_sentence():
    future = Answer(error=KilledWorker("train_model-1", None, 3))
    with pytest.raises(ChildError, match=r"^the workers that trained the note model .* continues from its checkpoint$"):
        require_made(future, ArtifactRef("model", "0" * 64), TRAINING_LOST.format(model="note"))


@pytest.mark.parametrize("error", [CancelledError("train_model-1"), FutureCancelledError("train_model-1", "lost")])
def test_a_scheduler_that_ends_is_one_sentence(error):
    with pytest.raises(ChildError, match=r"^the Dask scheduler ended, .* run again: finished work is kept$"):
        require_made(Answer(error=error), BATCH.stage.ref)


def test_a_worker_that_cannot_see_the_dataset_says_so(place):
    storage, recipe, _ = place
    with pytest.raises(StorageError, match=r"cannot see dataset 00000000… there; mount the same folder on all workers"):
        training.train_model.fn(storage, recipe, ArtifactRef("dataset", "0" * 64), "note")
    assert not Store(storage).exists()


def test_what_a_worker_with_other_libraries_made_is_refused():
    other = ArtifactRef("parsed", "f" * 64)
    with pytest.raises(
        MismatchError, match=r"expected parsed/.*, got parsed/ffff.*; its libraries have other versions, so install the"
    ):
        require_made(Answer(other), BATCH.stage.ref)
    require_made(Answer(BATCH.stage.ref), BATCH.stage.ref)
