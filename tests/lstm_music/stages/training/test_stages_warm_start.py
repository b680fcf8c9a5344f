"""Models that begin with those in use: found by what they began with, and only where the weights fit."""

import dataclasses

import numpy as np
import pytest
from small_music import small_collection, small_piece, tiny_recipe, write_folder

from lstm_music.encoding.streams import STREAMS
from lstm_music.errors import MismatchError
from lstm_music.stages.current import Promoted
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.training import trained
from lstm_music.stages.training.promotion import promote, warm_starts
from lstm_music.stages.training.scorecard import evaluate
from lstm_music.stages.training.train import train_model, train_model_in_child
from lstm_music.stages.training.trained import load_model, model_stage, start_of


@pytest.fixture
def copy(made, tmp_path):
    return made.copy(tmp_path / "storage")


@pytest.fixture
def grown(copy, tmp_path):
    """A dataset with more music, and values in it that the music before had not."""
    music = {**small_collection(8), "slow.mid": dataclasses.replace(small_piece(50), ticks_per_quarter=240)}
    for number in range(60, 66):
        music[f"{number}.mid"] = dataclasses.replace(small_piece(number), ticks_per_quarter=240)
    inputs = ingest(copy.store, copy.recipe, str(write_folder(tmp_path / "music", music)))
    return prepare(copy.store, copy.recipe, inputs).dataset


def test_before_there_are_models_a_training_begins_with_nothing(copy):
    assert warm_starts(copy.store, copy.recipe, copy.prepared.dataset) == {}


@pytest.mark.operation  # half a minute of trainings; the weights that are carried over have a test of their own
def test_trainings_begin_with_the_models_in_use_and_are_found_again(copy, grown, evaluated):
    patient = tiny_recipe(promotion={"tolerance": 99})
    promote(copy.store, patient, evaluated)
    assert warm_starts(copy.store, copy.recipe, evaluated.dataset) == {}  # they began with nothing themselves
    starts = warm_starts(copy.store, copy.recipe, grown)
    assert starts == evaluated.models
    warm = {
        name: train_model_in_child(copy.store, copy.recipe, grown, name, start=start) for name, start in starts.items()
    }
    assert {name: start_of(copy.store, ref) for name, ref in warm.items()} == starts
    assert start_of(copy.store, evaluated.models["note"]) is None
    new = Promoted(grown, warm, evaluate(copy.store, copy.recipe, grown, warm))
    assert promote(copy.store, patient, new).promoted
    assert warm_starts(copy.store, copy.recipe, grown) == starts  # the same command again finds what it made
    changed = tiny_recipe(training={"learning_rate": 0.01})
    assert warm_starts(copy.store, changed, grown) == warm  # another recipe goes on from them


def test_models_of_an_older_version_are_not_begun_with(copy, grown, evaluated, publish, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(trained, "MODEL_VERSION", 1)
        older = publish(copy.store, copy.recipe, copy.prepared.dataset)
    promote(copy.store, copy.recipe, dataclasses.replace(evaluated, models=older))
    assert warm_starts(copy.store, copy.recipe, grown) == {}


def test_what_was_heard_is_not_held_out_later(copy, trained):
    """Another split of the same music: the model would be scored on pieces that it was trained on."""
    recipe = tiny_recipe(split={"validation": 0.4, "test": 0.4})
    dataset = prepare(copy.store, recipe, copy.prepared.inputs).dataset
    with pytest.raises(
        MismatchError, match=r"it was trained on \d pieces? that (is|are) held out now, .* leaky; leave out"
    ):
        train_model(copy.store, recipe, dataset, "note", start=trained["note"])


def test_the_one_model_of_notes_only_begins_with_its_like(copy, publish):
    recipe = tiny_recipe(
        model={"architecture": "notes_only"},
        windows={"transpose_from": 0, "transpose_to": 0},
        generation={"prompt_events": 16},
        training={"epochs": 1, "batch_size": 64},
    )
    dataset = prepare(copy.store, recipe, copy.prepared.inputs).dataset
    (start,) = publish(copy.store, recipe, dataset).values()
    ref = train_model(copy.store, recipe, dataset, "note", start=start)
    assert start_of(copy.store, ref) == start


def test_what_a_killed_process_left_of_a_training_is_removed_when_its_model_is_found(copy, trained):
    checkpoints = copy.store.root / "checkpoints"
    checkpoints.mkdir(exist_ok=True)
    for ending in ("json", "npz"):
        (checkpoints / f"{trained['note'].key}.{ending}").write_bytes(b"left")
    assert train_model_in_child(copy.store, copy.recipe, copy.prepared.dataset, "note") == trained["note"]
    assert list(checkpoints.iterdir()) == []


def test_a_warm_training_is_short_and_starts_at_what_was_learnt(copy, grown, trained, publish):
    recipe = tiny_recipe(training={"epochs": 9, "warm_epochs": 1, "learning_rate": 1e-6, "warm_rate": 0.1})
    before = load_model(copy.store, trained["note"], copy.dataset)
    assert copy.dataset.vocabularies["offset"].values != load_dataset(copy.store, grown).vocabularies["offset"].values
    ref = train_model(copy.store, recipe, grown, "note", start=trained["note"])
    artifact = copy.store.open(ref)
    assert artifact.counts["epochs"] == 1
    assert artifact.manifest["spec"]["training"]["epochs"] == 1
    assert artifact.manifest["spec"]["training"]["learning_rate"] == pytest.approx(1e-7)
    model = load_model(copy.store, ref, load_dataset(copy.store, grown))
    notes = [load_dataset(copy.store, dataset).vocabularies["note"] for dataset in (copy.prepared.dataset, grown)]
    assert notes[0].values == notes[1].values  # every pitch is always there
    np.testing.assert_allclose(model.head.kernel, before.head.kernel, atol=1e-5)
    np.testing.assert_allclose(model.stack[0].cell.recurrent_kernel, before.stack[0].cell.recurrent_kernel, atol=1e-5)


def test_how_long_a_warm_training_is_does_not_concern_others(made, trained):
    dataset = made.prepared.dataset
    short, long = tiny_recipe(training={"warm_epochs": 1}), tiny_recipe(training={"warm_epochs": 2})
    for stream in STREAMS:
        assert model_stage(short, dataset, stream) == model_stage(long, dataset, stream)
    refs = {model_stage(recipe, dataset, "note", start).ref for recipe in (short, long) for start in trained.values()}
    assert len(refs) == 6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": {"units": 9}}, "its units is 8, and the recipe's is 9; leave out --warm-start"),
        ({"model": {"layers": 2}}, "its layers is 1, and the recipe's is 2; leave out --warm-start"),
        (
            {"events": {"quarter_length_divisors": [2]}},
            r"because its \[events\] differ from the recipe's; leave out --warm-start",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(copy, trained, changes, said):
    recipe = tiny_recipe(**changes)
    dataset = prepare(copy.store, recipe, copy.prepared.inputs).dataset
    with pytest.raises(MismatchError, match=said):
        train_model(copy.store, recipe, dataset, "note", start=trained["note"])
