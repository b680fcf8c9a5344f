"""Names of flow runs that say what the run does."""

from types import SimpleNamespace

import pytest

from flows.engine import naming


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"recipe": "demo"}, "train-all demo"),
        ({"recipe": "music/my own.toml"}, "train-all my own"),
        ({"recipe": None}, "train-all"),
        ({}, "train-all"),
    ],
)
def test_a_run_is_named_after_its_flow_and_recipe(monkeypatch, parameters, name):
    monkeypatch.setattr(naming, "flow_run", SimpleNamespace(parameters=parameters))
    assert naming.named_after("train-all")() == name
