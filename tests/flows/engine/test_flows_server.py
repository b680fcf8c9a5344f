import os
import signal
import time

import httpx
import pytest

from flows.engine import server, server_child
from flows.engine.server import TemporaryServer, quiet_settings, server_is_configured
from lstm_music.errors import ChildError


@pytest.mark.parametrize(
    ("environment", "profiles", "configured"),
    [
        ({}, None, False),
        ({}, "not = [toml", False),
        ({}, 'active = "ephemeral"\n[profiles.ephemeral]\n', False),
        ({"PREFECT_API_URL": "http://127.0.0.1:4200/api"}, None, True),
        ({"PREFECT_API_URL": ""}, None, False),
        ({}, 'active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "http://127.0.0.1:4200/api"\n', True),
        ({}, 'active = "other"\n[profiles.mine]\nPREFECT_API_URL = "http://127.0.0.1:4200/api"\n', False),
        ({"PREFECT_PROFILE": "mine"}, '[profiles.mine]\nPREFECT_API_URL = "http://127.0.0.1:4200/api"\n', True),
    ],
)
def test_a_server_of_the_environment_or_the_profile_is_found(tmp_path, environment, profiles, configured):
    if profiles is not None:
        (tmp_path / "profiles.toml").write_text(profiles)
    assert server_is_configured({"PREFECT_HOME": str(tmp_path)} | environment) is configured


def test_what_the_user_has_set_stays():
    settings = quiet_settings({"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "DEBUG", "PYTHONWARNINGS": "error"})
    assert "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL" not in settings
    assert settings["PYTHONWARNINGS"].startswith("error,")
    assert settings["DO_NOT_TRACK"] == "1"


def test_the_environment_is_set_back(monkeypatch):
    monkeypatch.setenv("LSTM_MUSIC_A", "before")
    with server._environment({"LSTM_MUSIC_A": "within", "LSTM_MUSIC_B": "within"}):
        assert (os.environ["LSTM_MUSIC_A"], os.environ["LSTM_MUSIC_B"]) == ("within", "within")
    assert os.environ["LSTM_MUSIC_A"] == "before"
    assert "LSTM_MUSIC_B" not in os.environ


def test_a_server_that_does_not_start_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("raise SystemExit('no server today')")
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(server_child, "__file__", str(tmp_path / "broken.py"))
    with (
        pytest.raises(ChildError, match=r"^the temporary Prefect server did not start: no server today$"),
        TemporaryServer(tmp_path / "folder") as broken,
    ):
        broken.wait_until_ready()
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_server_that_hangs_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "hanging.py").write_text("input()")
    monkeypatch.setattr(server_child, "__file__", str(tmp_path / "hanging.py"))
    monkeypatch.setattr(server, "STARTUP_SECONDS", 0.1)
    with (
        pytest.raises(ChildError, match=r"did not start within 0\.1 seconds; run again"),
        TemporaryServer(tmp_path) as hanging,
    ):
        hanging.wait_until_ready()


@pytest.mark.slow
def test_a_run_of_its_own_server_says_nothing_and_leaves_nothing(start):
    program = start("threads", "steps, then fail")
    assert program.finish().splitlines() == [
        "started",
        "ready",
        "0 1 2",
        "trying",
        "trying",
        "CorruptArtifactError: piano.npy: its bytes are not those that were written.",
    ]
    assert program.process.returncode == 0
    assert program.errors == ""
    assert program.left_after(0) == []
    assert sorted(path.name for path in program.home.rglob("*")) == ["stderr", "tmp"]


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 0.3, 2.0])
def test_no_process_survives_a_kill_while_the_server_starts(start, seconds):
    program = start("threads", "steps")
    program.wait_for("started")
    time.sleep(seconds)  # any moment of the start will do
    program.process.kill()
    assert program.left_after(5.0) == []
    # Killed in the milliseconds before there is a server, its folder stays, for nobody is there to remove it: it is empty.
    assert [path for path in (program.home / "tmp").rglob("*") if path.is_file() and path.stat().st_size] == []


@pytest.mark.slow
def test_ctrl_c_is_one_line_and_leaves_nothing(start):
    program = start("threads", "child")
    program.wait_for("busy")
    os.killpg(program.process.pid, signal.SIGINT)
    program.finish()
    assert program.process.returncode == 130
    assert program.errors.startswith("Interrupted.")
    assert program.errors.count("\n") == 1
    assert program.left_after(5.0) == []
    assert not [path for path in (program.home / "tmp").iterdir() if path.name.startswith("prefect-")]


@pytest.mark.slow
def test_against_the_users_server_the_terminal_is_quiet_and_the_lines_reach_the_server(start, users_server):
    program = start("threads", "steps", **users_server)
    program.finish()
    assert program.errors == ""
    assert list((program.home / "tmp").iterdir()) == []
    answer = httpx.post(
        users_server["PREFECT_API_URL"] + "/logs/filter",
        json={"limit": 200},
        auth=tuple(users_server["PREFECT_API_AUTH_STRING"].split(":")),
    )
    lines = {log["message"] for log in answer.json()}
    assert {"a line of the task 0", "a line of the library 0", "a warning of the library 2"} <= lines
