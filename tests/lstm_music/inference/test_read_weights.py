"""A file of weights is read by names, and one with another name is refused."""

import h5py
import numpy as np
import pytest
from model_columns import COLUMNS

from lstm_music.inference.weights import canonical, read_weights
from lstm_music.models.spec import ModelSpec


@pytest.fixture
def written(tensorflow, tmp_path):
    """Write the weights of a model."""
    from lstm_music.models.architectures import build_model

    def write(name, **spec):
        model, path = build_model(ModelSpec(units=8, **spec), name, COLUMNS, 3), tmp_path / "model.weights.h5"
        for number, weight in enumerate(model.weights):
            weight.assign(np.full(weight.shape, number, np.float32))
        model.save_weights(path)
        return model, path

    return write


@pytest.mark.parametrize(
    ("name", "spec", "read"),
    [
        (
            "note",
            {},
            [*(f"lstm_1/{part}" for part in ("kernel", "recurrent_kernel", "bias")), "head/kernel", "head/bias"],
        ),
        (
            "offset+note",
            {"architecture": "dual_head"},
            [
                *(f"lstm_1/{part}" for part in ("kernel", "recurrent_kernel", "bias")),
                *(f"{layer}/{part}" for layer in ("bottleneck", "heads/0", "heads/1") for part in ("kernel", "bias")),
                "variance",
            ],
        ),
    ],
    ids=["chained", "two heads"],
)
def test_all_weights_are_read_by_their_names(written, name, spec, read):
    model, path = written(name, **spec)
    found = read_weights(path)
    assert set(found) == set(read)
    assert sorted(float(np.mean(values)) for values in found.values()) == list(range(len(model.weights)))
    assert sum(values.size for values in found.values()) == model.count_params()


def test_layers_are_numbered_as_they_are_stacked(written):
    model, path = written("note", layers=3)
    found = read_weights(path)
    for number, layer in enumerate(model.stack, start=1):
        for part, values in zip(("kernel", "recurrent_kernel", "bias"), layer.get_weights(), strict=True):
            np.testing.assert_array_equal(found[f"lstm_{number}/{part}"], values)


@pytest.mark.parametrize(
    "name", ["layers/gru/cell/vars/0", "layers/lstm/cell/vars/3", "head/vars/2", "", "tail/vars/0", "variance"]
)
def test_an_unknown_name_is_refused(name):
    with pytest.raises(ValueError, match=f"expected a weight of this project, got '{name}'"):
        canonical(name)


def test_a_file_with_more_than_a_model_is_refused(written):
    _, path = written("note")
    with h5py.File(path, "r+") as file:
        file["attention/vars/0"] = np.zeros(3)
    with pytest.raises(ValueError, match="got 'attention/vars/0'"):
        read_weights(path)
