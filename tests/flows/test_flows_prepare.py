"""The flow `prepare` on every runner, and on a Dask scheduler of the user's with two workers: the same bytes."""

import sys

import pytest
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


@pytest.mark.operation  # half a minute; each runner has a test of its own
def test_every_runner_makes_the_same_bytes(dask_cluster, tmp_path, users_server):
    scheduler = dask_cluster.address
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
    assert sum(dask_cluster.done().values()) >= 4
    assert made["threads"] == made["processes"] == made["dask"] == made[f"dask {scheduler}"]
