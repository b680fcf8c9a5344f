import json
import os
import signal
from typing import get_args

import httpx
import pytest

from flows import dask_runner
from flows.options import Runner
from flows.runners import RUNNERS, runner
from lstm_music.errors import RecipeError
from lstm_music.recipe import RunnerName, RunnerSpec


@pytest.mark.parametrize("name", RUNNERS)
def test_a_runner_has_the_workers_that_were_asked_for(name):
    assert runner(RunnerSpec(name=name, workers=3)) == RUNNERS[name](RunnerSpec(name=name, workers=3))
    assert runner(RunnerSpec(name=name, workers=3)) != runner(RunnerSpec(name=name, workers=2))


def test_the_words_of_the_runners_are_the_same_everywhere():
    assert list(RUNNERS) == list(get_args(RunnerName))
    assert list(RUNNERS) == list(get_args(Runner))


def test_a_scheduler_that_does_not_answer_is_a_mistake_of_the_user(monkeypatch):
    monkeypatch.setattr(dask_runner, "CONNECT_SECONDS", "1s")
    with (
        pytest.raises(RecipeError, match=r"nobody answers as a Dask scheduler at tcp://127.0.0.1:9 "),
        runner(RunnerSpec(name="dask", dask_scheduler="tcp://127.0.0.1:9")),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNNERS)
def test_every_runner_gives_the_results_and_the_error_of_its_tasks(start, users_server, name):
    program = start(name, "steps, then fail", **users_server)
    assert program.finish().splitlines() == [
        "started",
        "ready",
        "0 1 2",
        "trying",
        "trying",
        "CorruptArtifactError: piano.npy: its bytes are not those that were written.",
    ]
    assert program.errors == ""
    assert program.left_after(0) == []
    (error,) = (program.home / ".prefect" / "storage").iterdir()  # Prefect always keeps the error of a flow
    assert json.loads(error.read_text())["message"].startswith("piano.npy:")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "work", "moment"),
    [
        ("processes", "wait", "submitted"),  # the workers have hardly begun
        ("processes", "child", "busy"),
        ("processes", "idle", "idle"),
        ("threads", "child", "busy"),
        ("dask", "child", "busy"),
    ],
)
def test_no_worker_survives_a_kill(start, users_server, name, work, moment):
    program = start(name, work, **users_server)
    program.wait_for(moment)
    program.process.kill()
    assert program.left_after(5.0) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["processes", "dask"])
def test_ctrl_c_ends_the_workers_and_the_server_hears_of_it(start, users_server, name):
    program = start(name, "wait", **users_server)
    program.wait_for("submitted")
    os.killpg(program.process.pid, signal.SIGINT)
    program.finish()
    assert program.process.returncode == 130
    assert program.errors.startswith("Interrupted.")
    assert program.errors.count("\n") == 1
    assert program.left_after(5.0) == []
    answer = httpx.post(
        users_server["PREFECT_API_URL"] + "/flow_runs/filter",
        json={"limit": 1, "sort": "START_TIME_DESC"},
        auth=tuple(users_server["PREFECT_API_AUTH_STRING"].split(":")),
    )
    assert answer.json()[0]["state_type"] == "CRASHED"
