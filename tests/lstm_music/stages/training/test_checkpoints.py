"""What is kept of a training in a bucket: another machine goes on from it."""

import numpy as np
import pytest
from small_music import tiny_recipe

from lstm_music.models.checkpoint import EpochScore, RunningEpoch, TrainingState, load_state, save_state
from lstm_music.stages.training import checkpoints
from lstm_music.stages.training.checkpoints import (
    ProgressWatch,
    Sharing,
    forget_training,
    note_progress,
    read_progress,
    resumed_state,
    unfinished_trainings,
)
from lstm_music.stages.training.trained import model_stage
from lstm_music.store import ArtifactRef, Store

RECIPE = tiny_recipe()
STAGE = model_stage(RECIPE, ArtifactRef("dataset", "0" * 64), "note")


@pytest.fixture
def machine(s3, tmp_path, monkeypatch):
    """Open the storage of one bucket on a machine of a name."""
    url = s3.new_bucket()
    monkeypatch.setattr(checkpoints, "SHARE_SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "SHARE_PROGRESS_SECONDS", 0.0)

    def open_on(name):
        for key, value in {**s3.settings, "LSTM_MUSIC_CACHE": str(tmp_path / name)}.items():
            monkeypatch.setenv(key, value)
        return Store(url)

    return open_on


def keep(store, epochs, steps):
    """Train up to there, and share it."""
    state = TrainingState([np.ones(3)], [], [], [EpochScore(epoch, 1.0, 1.0) for epoch in range(epochs)])
    state.running = RunningEpoch(steps=steps)
    save_state(resumed_state(store, STAGE, RECIPE), state)
    note_progress(store, STAGE.ref, {"epoch": epochs})
    Sharing(store, STAGE, RECIPE).now_and_then()


def resumed_from(store):
    state = load_state(resumed_state(store, STAGE, RECIPE))
    return state and (len(state.history), state.running.steps)


def test_another_machine_goes_on_from_the_state_that_is_further(machine):
    store = machine("first")
    with store.session():
        assert resumed_from(store) is None
        keep(store, 1, 5)
    second = machine("second")
    assert resumed_from(second) == (1, 5)
    assert unfinished_trainings(second) == [STAGE.ref.key]
    keep(second, 1, 9)
    assert resumed_from(machine("first")) == (1, 9)
    save_state(resumed_state(store, STAGE, RECIPE), TrainingState([np.ones(3)], [], [], [EpochScore(0, 1.0, 1.0)] * 2))
    assert resumed_from(machine("first")) == (2, 0)  # what is shared is behind
    assert {path.suffix for path in (store.root / "checkpoints").iterdir()} == {".npz", ".json"}


def test_the_progress_of_a_training_elsewhere_is_seen(machine):
    first, second = machine("first"), machine("second")
    watch = ProgressWatch(second)
    assert watch.read(STAGE.ref) is None
    note_progress(first, STAGE.ref, {"epoch": 1, "step": 7})
    Sharing(first, STAGE, RECIPE).now_and_then()
    note_progress(second, STAGE.ref, {"epoch": 1, "step": 6})  # of a training here that was killed
    assert watch.read(STAGE.ref) == {"epoch": 1, "step": 7}
    note_progress(second, STAGE.ref, {"epoch": 2, "step": 1})
    assert watch.read(STAGE.ref) == {"epoch": 2, "step": 1}
    forget_training(second, STAGE, RECIPE)
    assert watch.read(STAGE.ref) is None


def test_a_server_that_is_away_does_not_end_a_training(s3, machine):
    store = machine("first")
    s3.go_away()
    try:
        Sharing(store, STAGE, RECIPE).now_and_then()
    finally:
        s3.come_back()
    assert store.training_files() == []


def test_a_training_that_ended_leaves_nothing_but_what_may_go_on(machine):
    store = machine("first")
    keep(store, 1, 0)
    forget_training(store, STAGE, RECIPE)
    assert (store.training_files(), resumed_from(store), read_progress(store, STAGE.ref)) == ([], None, None)
    constant = RECIPE.model_copy(update={"training": RECIPE.training.model_copy(update={"schedule": "constant"})})
    stage = model_stage(constant, ArtifactRef("dataset", "0" * 64), "note")
    save_state(resumed_state(store, stage, constant), TrainingState([np.ones(3)], []))
    forget_training(store, stage, constant)
    assert [name.rpartition(".")[2] for name in store.training_files()] == ["npz"]
