"""Trainings side by side: one that fails stops the others."""

import threading

import pytest
from small_music import tiny_recipe

from lstm_music.errors import ChildError, TrainingError
from lstm_music.stages.training import side_by_side
from lstm_music.store import ArtifactRef

DATASET = ArtifactRef("dataset", "0" * 64)


def model_of(name):
    return ArtifactRef("model", name[0].encode().hex() * 32)


def train_with(monkeypatch, training, report=None):
    monkeypatch.setattr(side_by_side, "train_model_in_child", training)
    return side_by_side.train_models(None, tiny_recipe(), DATASET, {"note": model_of("earlier")}, report)


def test_every_model_is_trained_and_reports(monkeypatch):
    seen, together = [], threading.Barrier(3, timeout=60)

    def training(_store, _recipe, dataset, name, report, start):
        together.wait()  # all of them run at once
        report({"model": name, "start": start, "dataset": dataset})
        return model_of(name)

    assert train_with(monkeypatch, training, seen.append) == {
        name: model_of(name) for name in ("offset", "note", "duration")
    }
    starts = {progress["model"]: progress["start"] for progress in seen}
    assert starts == {"offset": None, "note": model_of("earlier"), "duration": None}


@pytest.mark.parametrize("error", [TrainingError("a loss is not a number"), KeyboardInterrupt()])
def test_one_that_fails_stops_the_others(monkeypatch, error):
    ended = {}

    def training(_store, _recipe, _dataset, name, report, _start):
        if name == "note":
            raise error
        try:
            while True:
                report({"model": name})
        except ChildError as stopped:
            ended[name] = str(stopped)
            raise

    with pytest.raises(type(error)):
        train_with(monkeypatch, training)
    assert ended == dict.fromkeys(("offset", "duration"), "the training was stopped; train again to continue it")
