"""The stage of training: published whole or not at all, the same bytes in this process and in a child."""

import dataclasses
import json

import numpy as np
import pytest
from small_music import small_piece, tiny_recipe, write_folder

from lstm_music.child import run_child
from lstm_music.encoding.streams import STREAMS
from lstm_music.errors import MismatchError, NotEnoughMusicError, TrainingError
from lstm_music.stages.data.dataset import load_dataset
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.data.prepare import prepare
from lstm_music.stages.training import train
from lstm_music.stages.training.checkpoints import note_progress, progress_path, read_progress
from lstm_music.stages.training.train import (
    each,
    starts_again_note,
    train_in_child,
    train_model,
    train_model_in_child,
)
from lstm_music.stages.training.trained import load_model, model_stage
from lstm_music.store import Store


def test_a_model_is_published_with_its_history(made, trained):
    for stream, ref in trained.items():
        artifact = made.store.open(ref)
        history = json.loads(artifact.file("history").read_text())
        assert [score["epoch"] for score in history] == [0, 1]
        assert artifact.counts["epochs"] == 2
        assert artifact.facts["held_out_nll"] == min(score["held_out"] for score in history)
        best = history[artifact.counts["best_epoch"] - 1]
        assert best["held_out"] == artifact.facts["held_out_nll"]
        model = load_model(made.store, ref, made.dataset)
        assert artifact.counts["parameters"] == sum(weight.numpy().size for weight in model.weights)
        assert model.predicts == (stream,)


def test_a_published_model_scores_as_its_training_said(made, trained, uncompiled):
    from lstm_music.models.scoring import make_scorer, score_held_out

    dataset, held_out = made.dataset, made.dataset.targets("validation")
    model = load_model(made.store, trained["duration"], dataset)
    scorer = make_scorer(model, dataset.tokens)
    found = score_held_out(scorer, held_out, dataset.tokens, STREAMS, dataset.log_unknown)
    assert found.nll == pytest.approx(made.store.open(trained["duration"]).facts["held_out_nll"], rel=1e-5)


def test_what_is_trained_is_not_trained_again(made, trained, monkeypatch):
    monkeypatch.setattr(train, "load_tensorflow", None)
    monkeypatch.setattr(train, "run_child", None)
    assert train_model(made.store, made.recipe, made.prepared.dataset, "note") == trained["note"]
    assert train_model_in_child(made.store, made.recipe, made.prepared.dataset, "note") == trained["note"]
    assert (
        train_in_child(
            {
                "storage": str(made.store.root),
                "recipe": made.recipe.model_dump(mode="json"),
                "dataset": made.prepared.dataset.to_json(),
                "name": "note",
                "start": None,
            },
            lambda _progress: None,
        )
        == trained["note"].to_json()
    )


def test_a_child_writes_the_same_bytes_and_tells_its_progress(made, trained, tmp_path):
    """Without the manifest of the model the copy has to be trained again, in a process of its own."""
    copy = made.copy(tmp_path / "storage")
    (copy.store.root / "model" / trained["offset"].key / "manifest.json").unlink()
    told = []
    ref = train_model_in_child(copy.store, copy.recipe, copy.prepared.dataset, "offset", told.append)
    assert ref == trained["offset"]
    assert copy.store.open(ref).manifest == made.store.open(ref).manifest
    assert (told[-1]["model"], told[-1]["epoch"]) == ("offset", 2)


def test_where_a_training_is_lies_in_the_storage_while_it_runs(made, publish, monkeypatch, tmp_path):
    from lstm_music.models import training
    from lstm_music.models.training_data import TrainingProgress

    copy, recipe = made.copy(tmp_path / "storage"), tiny_recipe(random_seed=77)
    ref = model_stage(recipe, made.prepared.dataset, "note").ref
    nothing_known = dict.fromkeys(field.name for field in dataclasses.fields(TrainingProgress))
    progress = TrainingProgress(**{**nothing_known, "model": "note", "epoch": 1, "loss": 5.0})
    seen = []

    def interrupted(*_arguments, report, checkpoint, **_options):
        report(progress)
        seen.append(read_progress(copy.store, ref))
        checkpoint.write_bytes(b"state")
        raise TrainingError("the loss is nan")

    with monkeypatch.context() as patch:
        patch.setattr(training, "train", interrupted)
        with pytest.raises(TrainingError):
            train_model(copy.store, recipe, made.prepared.dataset, "note")
    assert progress.to_json().items() <= seen[0].items()
    assert not copy.store.has(ref)
    publish(copy.store, recipe, made.prepared.dataset)
    assert copy.store.has(ref)
    assert read_progress(copy.store, ref) is None
    assert list((copy.store.root / "checkpoints").iterdir()) == []


def test_a_disk_that_keeps_no_progress_does_not_end_a_training(made, tmp_path):
    blocked = Store(tmp_path / "storage")
    blocked.root.mkdir()
    (blocked.root / "checkpoints").write_bytes(b"a file where the folder should be")
    ref = model_stage(made.recipe, made.prepared.dataset, "note").ref
    note_progress(blocked, ref, {"epoch": 1})
    assert read_progress(blocked, ref) is None
    assert not progress_path(blocked, ref).exists()


def test_too_little_music_is_said_before_anything_is_started(tmp_path, monkeypatch):
    store, recipe = Store(tmp_path / "storage"), tiny_recipe()
    folder = write_folder(tmp_path / "music", {"a.mid": small_piece(1)})
    dataset = prepare(store, recipe, ingest(store, recipe, str(folder))).dataset
    monkeypatch.setattr(train, "load_tensorflow", None)
    monkeypatch.setattr(train, "run_child", None)
    for way in (train_model, train_model_in_child):
        with pytest.raises(NotEnoughMusicError, match="at least 1 training piece and 1 validation piece"):
            way(store, recipe, dataset, "note")


def test_an_error_of_the_child_is_the_parents(made):
    request = {"storage": str(made.store.root), "recipe": {"name": "x", "modle": {}}, "dataset": {}, "name": "note"}
    from lstm_music.errors import RecipeError

    with pytest.raises(RecipeError, match="recipe: modle: unknown key"):
        run_child("lstm_music.stages.training.train:train_in_child", request)


def test_a_model_of_another_vocabulary_is_refused(made, trained, tmp_path):
    copy = made.copy(tmp_path / "storage")
    folder = write_folder(tmp_path / "music", {"a.mid": small_piece(90), "b.mid": small_piece(91, 4)})
    other = prepare(
        copy.store, tiny_recipe(events={"quarter_length_divisors": [2]}), ingest(copy.store, copy.recipe, str(folder))
    )
    with pytest.raises(MismatchError, match="the note model was trained with another vocabulary"):
        load_model(copy.store, trained["note"], load_dataset(copy.store, other.dataset))


def test_the_reference_names_all_that_decides_the_weights(made):
    def ref(stream="note", **changes):
        return model_stage(tiny_recipe(**changes), made.prepared.dataset, stream).ref

    others = [
        ref("offset"),
        ref(model={"units": 9}),
        ref(training={"epochs": 3}),
        ref(windows={"length": 17}),
        ref(random_seed=2),
    ]
    assert len({ref(), *others}) == 6
    assert ref(generation={"num_outputs": 9}, promotion={"tolerance": 1}, name="other") == ref()


def test_loaded_weights_are_those_of_the_file(made, trained):
    import h5py

    model = load_model(made.store, trained["note"], made.dataset)
    found = []
    with h5py.File(made.store.open(trained["note"]).file("model")) as file:
        file.visititems(lambda _name, item: found.append(item[...]) if isinstance(item, h5py.Dataset) else None)
    assert len(found) == len(model.weights) == 5
    for weight in model.weights:
        assert any(weight.shape == array.shape and np.array_equal(weight, array) for array in found)


def test_how_long_a_training_took_is_kept_outside_of_the_manifest(made, trained):
    artifact = made.store.open(trained["note"])
    assert artifact.provenance["training_seconds"] > 0
    assert "training_seconds" not in json.dumps(dict(artifact.manifest))


def test_more_epochs_of_a_cosine_say_that_they_start_again(made, trained):
    dataset = made.prepared.dataset
    note = starts_again_note(made.store, tiny_recipe(training={"epochs": 5}), dataset, "note")
    assert note == (
        "The note model has a finished training of 2 epochs. schedule = 'cosine' cannot continue it, so 5 epochs start from "
        "the beginning; schedule = 'constant' can continue"
    )
    for recipe in (
        made.recipe,  # trained
        tiny_recipe(training={"epochs": 1}),  # fewer
        tiny_recipe(training={"epochs": 5, "schedule": "constant"}),
        tiny_recipe(training={"epochs": 5, "learning_rate": 0.01}),  # another training
    ):
        assert starts_again_note(made.store, recipe, dataset, "note") is None


def test_both_receive_a_report():
    received = []
    each(received.append, lambda progress: received.append(progress["epoch"]))({"epoch": 1})
    assert received == [{"epoch": 1}, 1]
