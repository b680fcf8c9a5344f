"""Trainings side by side: which run at once, and one that fails stops the others."""

import threading

import pytest
from small_music import tiny_recipe

from lstm_music.errors import ChildError, TrainingError
from lstm_music.stages.training import side_by_side
from lstm_music.store import ArtifactRef, Store

DATASET = ArtifactRef("dataset", "0" * 64)


def model_of(name):
    return ArtifactRef("model", name[0].encode().hex() * 32)


@pytest.mark.parametrize(
    ("epochs", "cores", "wanted"),
    [
        ({"offset": 5, "note": 12, "duration": 5}, 2, [["note"], ["offset", "duration"]]),
        ({"offset": 5, "note": 12, "duration": 5}, 1, [["note", "offset", "duration"]]),
        ({"offset": 5, "note": 12, "duration": 5}, 3, [["note"], ["offset"], ["duration"]]),
        # The time of 36 epochs, where two at a time would take that of 48.
        ({"offset": 24, "note": 24, "duration": 24}, 2, [["offset"], ["note"], ["duration"]]),
        ({"offset": 6, "note": 12, "duration": 6, "velocity": 12}, 2, [["note", "offset"], ["velocity", "duration"]]),
        # The note model is in storage.
        ({"offset": 5, "note": 0, "duration": 5}, 2, [["offset", "note"], ["duration"]]),
        ({"note": 150}, 2, [["note"]]),
    ],
)
def test_the_longest_training_never_waits_and_no_core_idles_where_that_can_be_helped(epochs, cores, wanted):
    assert side_by_side.lanes(epochs, cores) == wanted


def test_no_arrangement_of_lanes_ends_sooner():
    """The time of an arrangement, by the shares of the cores that its lanes have, against that of any other number of lanes."""
    for lengths in [(12, 5, 5), (24, 24, 24), (12, 5, 5, 5), (7, 6, 5, 4), (3, 1, 1)]:
        epochs = {str(number): length for number, length in enumerate(lengths)}
        for cores in (1, 2, 3):
            ends = [time_of(side_by_side.lanes(epochs, many), epochs, cores) for many in range(1, len(lengths) + 1)]
            assert time_of(side_by_side.lanes(epochs, cores), epochs, cores) <= min(ends) + 1e-9


def time_of(lanes, epochs, cores):
    """Run lanes in small steps of time, in which each running training has its share of the cores."""
    left, time = [[epochs[name] for name in lane] for lane in lanes], 0.0
    while running := [lane for lane in left if lane]:
        step = min(lane[0] for lane in running)
        time += step * max(len(running), cores) / cores
        for lane in running:
            lane[0] -= step
            if lane[0] == 0:
                lane.pop(0)
    return time


@pytest.fixture
def train_with(monkeypatch, tmp_path):
    """Train by a function in place of `train_model_in_child`, on a machine of two cores."""

    def train(training, report=None, **epochs):
        monkeypatch.setattr(side_by_side, "train_model_in_child", training)
        monkeypatch.setattr(side_by_side, "cores", lambda: 2)
        recipe = tiny_recipe(models={name: {"epochs": count} for name, count in epochs.items()})
        return side_by_side.train_models(Store(tmp_path), recipe, DATASET, {"note": model_of("earlier")}, report)

    return train


def test_every_model_is_trained_and_reports(train_with):
    seen, together = [], threading.Barrier(3, timeout=60)

    def training(_store, _recipe, dataset, name, report, start):
        together.wait()  # all of them run at once
        report({"model": name, "start": start, "dataset": dataset})
        return model_of(name)

    trained = train_with(training, seen.append, offset=3, duration=3)  # a warm start has 3 epochs, too
    assert trained == {name: model_of(name) for name in ("offset", "note", "duration")}
    starts = {progress["model"]: progress["start"] for progress in seen}
    assert starts == {"offset": None, "note": model_of("earlier"), "duration": None}


def test_short_trainings_take_turns_beside_a_long_one(train_with):
    order = []

    def training(_store, _recipe, _dataset, name, _report, _start):
        order.append(name)
        return model_of(name)

    trained = train_with(training, offset=1, duration=1)
    assert list(trained) == ["offset", "note", "duration"]  # the chain, whatever came first
    assert sorted(order) == sorted(trained)
    assert order.index("offset") < order.index("duration")


@pytest.mark.parametrize("error", [TrainingError("a loss is not a number"), KeyboardInterrupt()])
def test_one_that_fails_stops_the_others(train_with, error):
    ended, together = {}, threading.Barrier(3, timeout=60)

    def training(_store, _recipe, _dataset, name, report, _start):
        together.wait()
        if name == "note":
            raise error
        try:
            while True:
                report({"model": name})
        except ChildError as stopped:
            ended[name] = str(stopped)
            raise

    with pytest.raises(type(error)):
        train_with(training, offset=3, duration=3)
    assert ended == dict.fromkeys(("offset", "duration"), "the training was stopped; train again to continue it")


def test_one_that_fails_keeps_the_next_of_its_lane_from_starting(train_with):
    begun = []

    def training(_store, _recipe, _dataset, name, _report, _start):
        begun.append(name)
        if name == "offset":
            raise TrainingError("a loss is not a number")
        return model_of(name)

    with pytest.raises(TrainingError):
        train_with(training, offset=1, duration=1)
    assert "offset" in begun
    assert "duration" not in begun
