import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import store_processes
from store_processes import STAGE, write_artifact

from lstm_music.store import Stage, Store


def start(*command, **options):
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, store_processes.__file__, *map(str, command)], env=paths, **options)


def assert_whole(root):
    """Everything that a reader can reach is as it was written, and the next run sweeps what it cannot."""
    store = Store(root)
    assert store.verify().bad == []
    for artifact in store.artifacts():
        assert len(artifact.files("notes")) == 3
        named = {entry["file"] for entry in artifact.manifest["files"].values()}
        assert {path.name for path in artifact.folder.iterdir()} == named | {"manifest.json", "provenance.json"}
    with store.session():
        assert list((root / ".partial").iterdir()) == []
    for kind in root.glob("notes"):
        assert all((folder / "manifest.json").exists() for folder in kind.iterdir() if folder.is_dir())
    for link in (root / "latest").glob("*"):
        assert link.exists()


def test_killed_at_any_step_storage_is_whole_and_the_work_can_be_done_again(tmp_path):
    for step in range(1, 1000):
        root = tmp_path / str(step)
        code = start("die_at_step", root, step).wait()
        assert code in {0, -signal.SIGKILL}
        if root.exists():
            assert_whole(root)
        store_processes.all_sorts(root)
        assert Store(root).open(STAGE.ref).counts == {"notes": 6}
        assert Store(root).current("demo") == {}  # a fact that is None is none
        assert (root / "latest" / "one").read_bytes() == b"music"
        assert len(list((root / "latest" / "all").iterdir())) == 3
        assert_whole(root)
        if code == 0:
            break
    assert code == 0
    assert step > 30  # it did die in many places


def test_killed_at_any_time_storage_is_whole(tmp_path):
    times = random.Random(2)
    for _ in range(12):
        with start("write_for_ever", tmp_path, stdout=subprocess.PIPE) as process:
            assert process.stdout.read(1) == b"."
            time.sleep(times.random() / 5)
            process.kill()
        assert_whole(tmp_path)
    assert list(Store(tmp_path).refs())


@pytest.mark.parametrize("own", ["same", "own", "plain"])
def test_two_processes_that_write_the_same_both_succeed_and_leave_one_manifest(tmp_path, own):
    processes = [start("race", tmp_path, own, stdin=subprocess.PIPE) for _ in range(2)]
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        with process:
            pass
    assert [process.returncode for process in processes] == [0, 0]
    store = Store(tmp_path)
    assert len(list(store.refs("notes"))) == 20
    assert [store.current(f"{own}-{process.pid}") for process in processes] == [{"number": 19}] * 2
    assert_whole(tmp_path)


def test_many_threads_that_write_the_same_leave_one_manifest(tmp_path):
    store = Store(tmp_path)
    barrier = threading.Barrier(8)

    def work(number):
        barrier.wait()
        write_artifact(store, STAGE, b"%d" % number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert list(store.refs()) == [STAGE.ref]
    assert_whole(tmp_path)


def test_a_run_does_not_sweep_what_another_process_is_writing(tmp_path):
    store = Store(tmp_path)
    with start("write_for_ever", tmp_path, stdout=subprocess.PIPE) as process:
        process.stdout.read(1)
        for _ in range(20):
            with store.session() as swept:
                assert swept == 0
        assert process.poll() is None
        process.kill()


def test_a_run_sweeps_what_a_killed_one_left_and_says_how_much(tmp_path):
    store = Store(tmp_path)
    write_artifact(store, STAGE, b"kept")
    (tmp_path / ".partial" / "left").mkdir()
    (tmp_path / ".partial" / "file").touch()
    unfinished = tmp_path / "notes" / Stage("notes", 1, {}).ref.key
    unfinished.mkdir()
    (unfinished / "notes-0123456789abcdef.bin").touch()
    (tmp_path / "notes" / "of a person").mkdir()
    (tmp_path / "blobs" / "ab").mkdir(parents=True)
    assert store.verify().bad == []
    with store.session() as swept:
        assert swept == 3
        with store.session() as again:
            assert again == 0
    assert not unfinished.exists()
    assert (tmp_path / "notes" / "of a person").exists()
    assert store.has(STAGE.ref)
