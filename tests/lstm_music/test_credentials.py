import os
import socket
import threading

import pytest

from lstm_music.child import run_child
from lstm_music.credentials import credentials_held_back, of_a_stranger, own_credentials, without_credentials


@pytest.fixture(autouse=True)
def planted(monkeypatch):
    for name in own_credentials():
        monkeypatch.delenv(name)
    monkeypatch.setenv("KAGGLE_KEY", "secret")
    monkeypatch.setenv("NOT_OF_KAGGLE", "open")


def test_a_child_has_no_credentials_but_those_that_it_is_given():
    names = ["KAGGLE_KEY", "NOT_OF_KAGGLE"]
    without = run_child("child_targets:environment", names)
    given = run_child("child_targets:environment", names, environment=own_credentials())
    assert [without[name] for name in names] == [None, "open"]
    assert [given[name] for name in names] == ["secret", "open"]


def test_an_environment_for_others_keeps_all_else():
    others = without_credentials(os.environ)
    assert "KAGGLE_KEY" not in others
    assert {**others, **own_credentials()} == dict(os.environ)


def test_they_are_held_back_for_a_while_and_are_there_again_whatever_happens():
    def fail_within():
        with credentials_held_back():
            assert "KAGGLE_KEY" not in os.environ
            assert os.environ["NOT_OF_KAGGLE"] == "open"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_within()
    assert own_credentials() == {"KAGGLE_KEY": "secret"}


def test_whoever_asks_for_them_while_they_are_held_back_waits_and_has_them():
    found = []
    asking = threading.Thread(target=lambda: found.append(own_credentials()))
    with credentials_held_back():
        asking.start()
    asking.join()
    assert found == [{"KAGGLE_KEY": "secret"}]


def test_a_child_that_reads_foreign_files_knows_no_secret_of_any_kind(monkeypatch):
    names = ["AWS_SECRET_ACCESS_KEY", "PREFECT_API_AUTH_STRING", "GITHUB_TOKEN", "KAGGLE_KEY", "NOT_OF_KAGGLE"]
    for name in names:
        monkeypatch.setenv(name, "secret")
    found = run_child("child_targets:environment", [*names, "PATH"], reads_foreign=True)
    assert {name: found[name] for name in names} == dict.fromkeys(names)
    assert found["PATH"] == os.environ["PATH"]
    ours = run_child("child_targets:environment", names)
    assert (ours["AWS_SECRET_ACCESS_KEY"], ours["PREFECT_API_AUTH_STRING"]) == ("secret", None)
    assert "PATH" in of_a_stranger(os.environ)


def test_a_child_that_reads_foreign_files_reaches_no_network():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert run_child("child_targets:connect", port) == "connected"
        found = run_child("child_targets:connect", port, reads_foreign=True)
    if found == "connected" and not run_child("child_targets:may_leave_network", None):
        pytest.skip("this system lets nobody take the network from a process")
    assert found == "refused"
