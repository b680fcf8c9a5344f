"""Weights on disk: those of the model, or an error."""

import h5py
import keras
import numpy as np
import pytest

from lstm_music.errors import StorageError
from lstm_music.models.weights import save_weights


@pytest.fixture
def model():
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(4), keras.layers.Dense(5, name="head")])


def test_what_is_written_is_what_the_model_has(model, tmp_path):
    path = tmp_path / "model.weights.h5"
    save_weights(model, path)
    before = [np.array(value) for value in model.get_weights()]
    model.set_weights([value + 1 for value in before])
    model.load_weights(path)
    for had, has in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(had, has)


def test_a_write_that_failed_in_silence_is_found(model, tmp_path, monkeypatch):
    """As HDF5 leaves it after one failed write of an array: all zeros, in a file of full length."""
    path = tmp_path / "model.weights.h5"

    def lose_one_write(target):
        type(model).save_weights(model, target)
        with h5py.File(target, "r+") as file:
            largest = []
            file.visititems(lambda name, found: largest.append((found.size, name)) if hasattr(found, "size") else None)
            file[max(largest)[1]][...] = 0

    monkeypatch.setattr(model, "save_weights", lose_one_write, raising=False)
    with pytest.raises(StorageError, match="the disk holds other weights than those that were written; check the disk"):
        save_weights(model, path)


def test_an_error_inside_hdf5_is_one_sentence(model, tmp_path):
    with pytest.raises(StorageError, match=r"the weights cannot be written .*goes on from its checkpoint"):
        save_weights(model, tmp_path / "missing" / "model.weights.h5")
