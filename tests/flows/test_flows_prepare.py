"""The flow `prepare` on every runner, and on a Dask scheduler of the user's with two workers: the same bytes."""

import json
import sys
import time

import pytest
from distributed import Client
from kill_run import contents
from program import Program
from tiny_music import write_pieces, write_recipe

from lstm_music.store import Store

pytestmark = pytest.mark.slow

FLOW = """
import sys
from flows.engine.server import orchestrated
recipe, music, storage, runner, *scheduler = sys.argv[1:]
with orchestrated():
    from flows.prepare import prepare
    from lstm_music.stages.data import parse
    parse.MIDI_FILES_PER_BATCH = 2
    prepare(recipe, music, storage, runner, 2, *scheduler)
"""


@pytest.fixture
def scheduler(tmp_path):
    """The address of a Dask scheduler with two workers, in processes of their own."""
    dask, file = [sys.executable, "-m", "dask"], tmp_path / "scheduler.json"
    known = ["--no-dashboard", "--scheduler-file", str(file)]
    programs = [Program(tmp_path / "scheduler", [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *known])]
    while not file.exists():
        assert programs[0].process.poll() is None, programs[0].errors
        time.sleep(0.05)
    worker = [*dask, "worker", "--no-nanny", "--nthreads", "1", *known]
    programs += [Program(tmp_path / f"worker {number}", worker) for number in range(2)]
    yield json.loads(file.read_text())["address"]
    for program in programs:
        program.kill()


def test_every_runner_makes_the_same_bytes(scheduler, tmp_path, users_server):
    recipe, music = write_recipe(tmp_path), write_pieces(tmp_path / "music")
    made = {}
    for runner in (["threads"], ["processes"], ["dask"], ["dask", scheduler]):
        place = tmp_path / f"of {len(made)}"
        # A relative path is one of the flow's working directory, which is not that of workers elsewhere.
        command = [sys.executable, "-c", FLOW, *map(str, (recipe, music, "storage", *runner))]
        program = Program(place, command, users_server)
        program.finish()
        assert (program.process.returncode, program.errors) == (0, "")
        assert program.left_after(5.0) == []
        assert len(list(Store(place / "storage").refs("parsed"))) == 4
        made[" ".join(runner)] = contents(place / "storage")
    with Client(scheduler) as client:
        assert client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.transition_counter) >= 4
    assert made["threads"] == made["processes"] == made["dask"] == made[f"dask {scheduler}"]
