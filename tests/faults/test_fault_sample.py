"""A sample of the matrix of faults (see matrix.py): whatever fails, storage is valid and the next run finishes."""

import shutil

import pytest
from tiny_music import write_pieces, write_recipe
from trials import Fault, Server, Trials, built

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler, for the library that makes calls fail"),
]

SAMPLE = [
    Fault("write", 200, "fail once", "EIO"),
    Fault("write", 30, "fail on", "ENOSPC"),
    Fault("fsync", 40, "fail once", "EIO"),
    Fault("rename", 10, "fail on", "EACCES"),
    Fault("link", 1, "fail on", "EPERM"),  # a file system without hard links: this run works
    Fault("link", 3, "kill after"),
    Fault("rename", 20, "kill before"),
    Fault("open to write", 25, "fail once", "EMFILE"),
]


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    server = Server(built(folder), folder)
    words = ["prepare", "--recipe", str(write_recipe(folder)), "--source", str(write_pieces(folder / "music"))]
    yield Trials(server, words, None, folder)
    server.end()


def test_calls_of_every_kind_are_seen(trials):
    assert {kind for kind, count in trials.counts.items() if count} >= {fault.kind for fault in SAMPLE}


@pytest.mark.parametrize("fault", SAMPLE, ids=str)
def test_after_a_fault_the_storage_is_valid_and_the_next_run_finishes(trials, fault):
    outcome = trials.run(fault)
    assert outcome.problems == ()
    works_anyway = fault == Fault("link", 1, "fail on", "EPERM")
    assert outcome.code == (0 if works_anyway else -9 if fault.fault.startswith("kill") else 6)
