import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import get_args

import httpx
import pytest
from distributed import LocalCluster, Worker

from flows.cli.options import Runner
from flows.engine import dask_runner
from flows.engine.runners import RUNNERS, dask_trainings, runner
from lstm_music.errors import RecipeError
from lstm_music.recipe import RunnerName, RunnerSpec


@pytest.mark.parametrize("name", RUNNERS)
def test_a_runner_has_the_workers_that_were_asked_for(name):
    assert runner(RunnerSpec(name=name, workers=3)) == RUNNERS[name](RunnerSpec(name=name, workers=3))
    assert runner(RunnerSpec(name=name, workers=3)) != runner(RunnerSpec(name=name, workers=2))


def test_the_words_of_the_runners_are_the_same_everywhere():
    assert list(RUNNERS) == list(get_args(RunnerName))
    assert list(RUNNERS) == list(get_args(Runner))


@pytest.fixture
def in_a_hurry(monkeypatch):
    monkeypatch.setattr(dask_runner, "CONNECT_SECONDS", 1.0)


def enter(address):
    with runner(RunnerSpec(name="dask", dask_scheduler=address)):
        pytest.fail("there is nothing to enter")


@pytest.mark.parametrize("protocol", ["tcp", "tls", "ucx"])
def test_a_scheduler_that_does_not_answer_is_a_mistake_of_the_user(in_a_hurry, protocol):
    with pytest.raises(RecipeError, match=rf"no Dask scheduler answers at {protocol}://127.0.0.1:9 \(.+\); start"):
        enter(f"{protocol}://127.0.0.1:9")


def test_what_listens_and_says_nothing_is_no_scheduler(in_a_hurry):
    """Dask's own client would wait for it without end."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(
            RecipeError, match=rf"no Dask scheduler answers at tcp://127.0.0.1:{port} \(no answer within 1 seconds\)"
        ):
            enter(f"tcp://127.0.0.1:{port}")


def test_a_scheduler_without_workers_is_not_waited_for(in_a_hurry):
    nobody = LocalCluster(n_workers=0, dashboard_address=None, processes=False, protocol="tcp")
    with nobody, pytest.raises(RecipeError, match=r"the scheduler at (tcp://\S+) has no workers; start .* \1`"):
        enter(nobody.scheduler_address)


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        ([{}, {}], {}),
        ([{}, {"slot": 2}], {"slot": 1}),
        ([{"slot": 2}, {"GPU": 1, "slot": 1}], {"GPU": 1}),
        ([{"memory": 1e9}], {}),
    ],
)
def test_a_training_asks_for_what_workers_declare(declared, wanted):
    options = {"dashboard_address": None, "processes": False, "protocol": "tcp"}
    with LocalCluster(n_workers=0, **options) as cluster:
        for number, resources in enumerate(declared):
            worker = {"cls": Worker, "options": {"nthreads": 1, "resources": resources, "dashboard_address": None}}
            cluster.worker_spec[number] = worker
        cluster.scale(len(declared))
        cluster.wait_for_workers(len(declared))
        with dask_trainings(RunnerSpec(name="dask", dask_scheduler=cluster.scheduler_address), 3) as running:
            assert running._resources() == wanted


@pytest.mark.slow
def test_a_worker_that_takes_the_place_of_a_killed_one_has_no_credentials_either(monkeypatch):
    monkeypatch.setenv("KAGGLE_KEY", "secret")
    before = dict(os.environ)
    with runner(RunnerSpec(name="dask", workers=1)) as running:
        (nanny,) = running._cluster.workers.values()
        first = nanny.pid
        assert not has_credentials(first)
        os.kill(first, signal.SIGKILL)
        while nanny.pid in {None, first}:
            time.sleep(0.05)
        assert running.client.submit(os.getpid).result() == nanny.pid
        assert not has_credentials(nanny.pid)
    assert dict(os.environ) == before  # and nothing that Dask set for its workers stays here


def has_credentials(process):
    return b"KAGGLE_KEY" in Path(f"/proc/{process}/environ").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=pytest.mark.operation if one == "dask" else ()) for one in RUNNERS]
)
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
        pytest.param("processes", "child", "busy", marks=pytest.mark.operation),
        ("processes", "idle", "idle"),
        ("threads", "child", "busy"),
        pytest.param("dask", "child", "busy", marks=pytest.mark.operation),
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
