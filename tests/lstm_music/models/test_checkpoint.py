"""The state of a training on disk: whole, or as if it were not there."""

import numpy as np
import pytest

from lstm_music.models.checkpoint import EpochScore, TrainingState, load_state, save_state


@pytest.fixture
def state() -> TrainingState:
    rng = np.random.default_rng(1)

    def arrays(count):
        return [rng.normal(0, 1, (3, index + 1)).astype(np.float32) for index in range(count)]

    slots = [np.int64(7), *arrays(11)]
    history = [EpochScore(0, 3.5, 4.0), EpochScore(1, 3.1, 3.7), EpochScore(2, 2.9, 3.7)]
    return TrainingState(arrays(4), [np.asarray(slot) for slot in slots], arrays(4), history)


def assert_same(found: TrainingState, wanted: TrainingState) -> None:
    assert found.history == wanted.history
    for name in ("weights", "slots", "best"):
        pairs = list(zip(getattr(found, name), getattr(wanted, name), strict=True))
        assert all(np.array_equal(one, other) and one.dtype == other.dtype for one, other in pairs)


def test_a_state_comes_back_in_its_order(tmp_path, state):
    path = tmp_path / "checkpoints" / "key.npz"
    save_state(path, state)
    assert_same(load_state(path), state)
    assert [entry.name for entry in path.parent.iterdir()] == ["key.npz"]


def test_the_newest_state_takes_the_place_of_the_one_before(tmp_path, state):
    path = tmp_path / "key.npz"
    save_state(path, TrainingState([], []))
    assert load_state(path) == TrainingState([], [])
    save_state(path, state)
    assert_same(load_state(path), state)


def test_there_is_no_state_where_there_is_no_file(tmp_path):
    assert load_state(tmp_path / "key.npz") is None


def test_a_state_that_is_cut_off_is_none(tmp_path, state):
    path = tmp_path / "key.npz"
    save_state(path, state)
    data = path.read_bytes()
    for length in [*range(0, len(data), 53), len(data) - 1]:
        path.write_bytes(data[:length])
        assert load_state(path) is None


def test_a_state_with_a_flipped_bit_is_none(tmp_path, state):
    path = tmp_path / "key.npz"
    save_state(path, state)
    data = path.read_bytes()
    for place in range(0, len(data), 7):
        broken = bytearray(data)
        broken[place] ^= 1 << place % 8
        path.write_bytes(broken)
        assert load_state(path) is None


def test_the_best_epoch_is_the_first_of_the_smallest_score(state):
    assert state.best_score == EpochScore(1, 3.1, 3.7)
    assert TrainingState([], []).best_score is None
