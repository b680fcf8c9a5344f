"""The file of the deployments, with the storage and the inbox of the environment."""

import pytest
import yaml

from flows.engine.deploy import DEPLOYMENTS, _deployments

STORAGE = {"LSTM_MUSIC_STORAGE": "s3://bucket/music"}


def parameters(path):
    return {one["name"]: one.get("parameters") for one in yaml.safe_load(path.read_text())["deployments"]}


@pytest.mark.parametrize("environment", [{}, {"LSTM_MUSIC_STORAGE": "", "LSTM_MUSIC_INBOX": ""}])
def test_without_variables_it_is_the_file_itself(tmp_path, environment):
    assert _deployments(environment, tmp_path) == DEPLOYMENTS
    assert list(tmp_path.iterdir()) == []


def test_every_deployment_gets_the_storage_and_two_get_the_inbox(tmp_path):
    found = parameters(_deployments(STORAGE | {"LSTM_MUSIC_INBOX": "/new"}, tmp_path))
    assert set(found) == set(parameters(DEPLOYMENTS))
    assert {name for name, values in found.items() if values == {"storage": "s3://bucket/music"}} == {
        "ingest",
        "prepare",
        "train-all",
        "generate",
        "tidy",
    }
    assert found["watch"] == found["retrain"] == {"storage": "s3://bucket/music", "inbox": "/new"}


def test_everything_else_stays_as_it_is(tmp_path):
    copy = yaml.safe_load(_deployments(STORAGE, tmp_path).read_text())
    for deployment in copy["deployments"]:
        del deployment["parameters"]
    assert copy == yaml.safe_load(DEPLOYMENTS.read_text())
