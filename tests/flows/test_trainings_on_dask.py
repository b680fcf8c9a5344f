"""Trainings on the workers of a Dask cluster: the same bytes as in threads of this machine, also when a worker is lost."""

import json
import sys
import time
from pathlib import Path

import pytest
from dask_cluster import DaskCluster
from kill_run import contents
from program import Program
from tiny_music import RECIPE

pytestmark = pytest.mark.slow

TRAIN = """
import sys
from flows.engine.server import orchestrated
recipe, music, storage, runner, *scheduler = sys.argv[1:]
with orchestrated():
    from flows.train_all import train_all
    train_all(recipe, music, storage, runner, None, *scheduler)
"""
LONG = RECIPE.replace('"tiny"', '"long"').replace("epochs = 2", "epochs = 150\npatience = 150")
LONGEST_SECONDS = 400.0


def train(home: Path, settings: dict[str, str], *words: object) -> Program:
    return Program(home, [sys.executable, "-c", TRAIN, *map(str, words)], settings)


def finish(program: Program) -> None:
    program.finish()
    assert (program.process.returncode, program.errors) == (0, "")


def wait(happened, what):
    end = time.monotonic() + LONGEST_SECONDS
    while not happened():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def epochs(folder: Path) -> dict[str, int]:
    """The epoch of each training that has a checkpoint, by its key."""
    found = {}
    for path in folder.glob("checkpoints/*.json"):
        if path.with_suffix(".npz").exists():
            found[path.stem] = json.loads(path.read_text())["epoch"]
    return found


@pytest.mark.operation
def test_a_training_runs_on_a_worker_and_not_here(dask_cluster, tiny, tmp_path, users_server):
    storage = tiny.copy(tmp_path, "duration")
    program = train(tmp_path / "home", users_server, tiny.recipe, tiny.music, storage, "dask", dask_cluster.address)
    here = 0
    while program.process.poll() is None:
        here += len(program.processes("lstm_music.child"))
        time.sleep(0.1)
    finish(program)
    assert here == 0
    assert "train_model" in dask_cluster.functions()
    assert contents(storage) == contents(tiny.storage)


@pytest.fixture(scope="module")
def of_threads(tiny, tmp_path_factory, users_server):
    """The long recipe, and its storage after a run with threads."""
    folder = tmp_path_factory.mktemp("threads")
    recipe, storage = folder / "long.toml", tiny.copy(folder, "model", "scorecard", "generation")
    recipe.write_text(LONG)
    finish(train(folder / "home", users_server, recipe, tiny.music, storage, "threads"))
    return recipe, contents(storage)


@pytest.fixture
def cluster(tmp_path):
    made = DaskCluster(tmp_path / "dask")
    yield made
    made.close()


def with_slots(cluster, **settings):
    """Start a worker without a slot, and four with one."""
    cluster.add_worker("--nthreads", "2", **settings)
    for number in range(4):
        own = {name: f"{value} {number}" if name == "LSTM_MUSIC_CACHE" else value for name, value in settings.items()}
        cluster.add_worker("--nthreads", "2", "--resources", "slot=1", **own)
    cluster.wait_for_workers(5)


@pytest.mark.operation
def test_a_training_whose_worker_is_killed_goes_on_elsewhere_to_the_same_bytes(
    of_threads, cluster, tiny, tmp_path, users_server
):
    recipe, whole = of_threads
    with_slots(cluster)
    storage = tiny.copy(tmp_path, "model", "scorecard", "generation")
    program = train(tmp_path / "home", users_server, recipe, tiny.music, storage, "dask", cluster.address)
    wait(lambda: sum(epoch > 10 for epoch in epochs(storage).values()) == 3, "three trainings")
    busy = cluster.training_on()
    assert len(busy) == 3
    assert cluster.workers[0] not in busy
    busy[0].kill()
    assert busy[0].left_after(5.0) == []
    had = epochs(storage)
    wait(lambda: len(cluster.training_on()) == 3, "the training elsewhere")
    least = dict(had)
    while program.process.poll() is None:
        least = {key: min(epoch, epochs(storage).get(key, epoch)) for key, epoch in least.items()}
        time.sleep(0.05)
    finish(program)
    assert len(had) == 3
    assert all(least[key] >= had[key] - 1 for key in had), (had, least)
    assert cluster.done()[address_of(cluster.workers[0])] == 0
    assert contents(storage) == whole


def address_of(worker: Program) -> str:
    """The address under which a worker registered, from its log."""
    return next(line.rpartition(" ")[2] for line in worker.errors.splitlines() if "Start worker at:" in line)


@pytest.mark.operation
def test_a_bucket_gives_a_lost_training_to_a_worker_with_another_cache(
    of_threads, cluster, tiny, tmp_path, users_server, s3
):
    recipe, whole = of_threads
    url, settings = s3.new_bucket(), {**s3.settings, "LSTM_MUSIC_CACHE": str(tmp_path / "cache")}
    with_slots(cluster, **settings)
    program = train(tmp_path / "home", users_server | settings, recipe, tiny.music, url, "dask", cluster.address)
    wait(lambda: len(cluster.training_on()) == 3 and any(map(epochs, tmp_path.glob("cache*/*"))), "a checkpoint")
    busy = cluster.training_on()
    busy[0].kill()
    finish(program)
    made = {key: data for key, data in s3.contents(url).items() if key.startswith("model/")}
    models = {key: data for key, data in whole.items() if key.startswith("model/")}
    assert {key: data for key, data in made.items() if not key.endswith("provenance.json")} == models
    assert not any(key.startswith("checkpoints/") for key in s3.contents(url))


@pytest.mark.operation
def test_trainings_of_a_killed_run_end_and_the_next_run_goes_on(of_threads, cluster, tiny, tmp_path, users_server):
    recipe, whole = of_threads
    for _ in range(2):
        cluster.add_worker("--nthreads", "2")
    cluster.wait_for_workers(2)
    storage = tiny.copy(tmp_path, "model", "scorecard", "generation")
    words = (recipe, tiny.music, storage, "dask", cluster.address)
    program = train(tmp_path / "home", users_server, *words)
    wait(lambda: len(epochs(storage)) == 3, "three trainings on two workers")
    program.kill()
    wait(lambda: cluster.training_on() == [], "the end of the trainings")
    assert all(worker.process.poll() is None for worker in cluster.workers)
    finish(train(tmp_path / "again", users_server, *words))
    assert contents(storage) == whole
