import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import child_targets
import pytest

from lstm_music import child
from lstm_music.child import follow_parent, run_child
from lstm_music.errors import ChildError, MissingArtifactError, RejectedInputError


def alive(pid):
    """Whether a process runs: one that has ended and was not yet waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def open_descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


def wait_until_dead(pid):
    for _ in range(500):
        if not alive(pid):
            return
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    pytest.fail(f"process {pid} outlived its parent by 10 seconds")


@pytest.mark.parametrize("request_", [None, 1.5, "text", [1, [2, {"a": None}]], {"key": "§ ♭\n\x00"}], ids=repr)
def test_a_request_comes_back_as_the_result(request_):
    assert run_child("child_targets:echo", request_) == request_


def test_requests_and_results_larger_than_a_pipe_come_through_whole():
    notes = list(range(300_000))
    assert run_child("child_targets:echo", notes) == notes


def test_messages_come_in_order_and_before_the_result():
    messages = []
    assert run_child("child_targets:count", 5000, on_message=messages.append) == 5000
    assert [message["number"] for message in messages] == list(range(5000))


def test_messages_may_be_left_unheard():
    assert run_child("child_targets:count", 3) == 3


def test_messages_of_several_threads_are_not_mixed_up():
    messages = []
    run_child("child_targets:from_threads", 500, on_message=messages.append)
    assert sorted(message["number"] for message in messages) == sorted([*range(500)] * 4)


def test_the_environment_is_that_of_the_parent_with_the_additions(monkeypatch):
    monkeypatch.setenv("LSTM_MUSIC_KEPT", "kept")
    monkeypatch.setenv("LSTM_MUSIC_REPLACED", "old")
    names = ["LSTM_MUSIC_KEPT", "LSTM_MUSIC_REPLACED"]
    found = run_child("child_targets:environment", names, environment={"LSTM_MUSIC_REPLACED": "new"})
    assert (found["LSTM_MUSIC_KEPT"], found["LSTM_MUSIC_REPLACED"]) == ("kept", "new")


def test_every_child_has_a_temporary_folder_of_its_own_that_is_removed():
    first, second = (Path(run_child("child_targets:leave_a_file", None)) for _ in range(2))
    assert first.parent != second.parent
    assert not first.parent.exists()
    assert not second.parent.exists()


def test_a_target_cannot_eat_the_lifeline():
    assert run_child("child_targets:read_stdin", None) == ""


def test_children_run_side_by_side_in_threads():
    results = {}
    threads = [
        threading.Thread(target=lambda i=i: results.update({i: run_child("child_targets:echo", i)})) for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {i: i for i in range(4)}


def test_an_error_of_the_tree_is_raised_as_itself():
    with pytest.raises(MissingArtifactError, match=r"^the sentence$") as caught:
        run_child("child_targets:missing", "the sentence")
    assert type(caught.value) is MissingArtifactError


def test_an_error_below_the_tree_is_raised_as_the_nearest_of_the_tree():
    with pytest.raises(RejectedInputError, match=r"^holds no notes$") as caught:
        run_child("child_targets:reject", "holds no notes")
    assert type(caught.value) is RejectedInputError


@pytest.mark.parametrize(
    ("target", "request_", "sentence"),
    [
        ("fault", None, "failed with ValueError: no such chord;"),
        ("not_json", None, "failed with TypeError: Object of type set is not JSON serializable;"),
        ("absent", None, "failed with AttributeError: module 'child_targets' has no attribute 'absent';"),
        ("exit_quietly", 0, "ended with exit code 0 before it gave a result; its last line was: nothing"),
        ("exit_quietly", 7, "ended with exit code 7 before"),
        ("die_at_once", None, "ended by SIGKILL before"),
        ("crash_natively", None, "ended by SIGSEGV before .* its last line was: about to read address 0"),
        ("print_much", 50_000, "exit code 3 before .* its last line was: line"),
    ],
)
def test_whatever_ends_a_child_is_said_in_one_sentence(target, request_, sentence):
    with pytest.raises(ChildError, match=rf"^child_targets:{target}: .*{sentence}") as caught:
        run_child(f"child_targets:{target}", request_)
    assert "\n" not in str(caught.value)


def test_a_module_that_is_not_there_is_a_child_error():
    with pytest.raises(ChildError, match="No module named 'no_such_module'"):
        run_child("no_such_module:main", None)


def test_the_end_of_what_a_child_printed_is_a_note_of_its_error():
    with pytest.raises(ChildError) as caught:
        run_child("child_targets:fault", None)
    assert "before the fault" in caught.value.__notes__[0]
    assert "Traceback" in caught.value.__notes__[0]


def test_only_the_end_of_much_output_is_kept():
    with pytest.raises(ChildError) as caught:
        run_child("child_targets:print_much", 50_000)
    assert 1000 < len(caught.value.__notes__[0]) <= child.OUTPUT_TAIL_BYTES


def test_memory_is_limited():
    assert run_child("child_targets:take", 1 << 20, memory_bytes=512 << 20) == 1 << 20
    with pytest.raises(ChildError, match="needed more than 536,870,912 bytes, its limit"):
        run_child("child_targets:take", 1 << 30, memory_bytes=512 << 20)


def test_running_out_of_memory_without_a_limit_is_said_as_such():
    with pytest.raises(ChildError, match="needed more than the memory of this machine"):
        run_child("child_targets:take", 1 << 62)


@pytest.mark.parametrize("target", ["sleep", "chatter", "hold_the_interpreter"])
def test_a_child_is_killed_when_its_time_is_over(target):
    with pytest.raises(ChildError, match=rf"{target}: stopped after 0.5 seconds, its time limit"):
        run_child(f"child_targets:{target}", None, timeout_seconds=0.5)


def test_a_child_in_time_is_not_disturbed_by_its_limit():
    assert run_child("child_targets:echo", 1, timeout_seconds=60) == 1


@pytest.mark.parametrize("request_", ["and wait", "and end"])
def test_what_a_child_started_ends_with_it(request_):
    pids = []

    def hear(message):
        pids.append(message["pid"])
        if request_ == "and wait":
            raise KeyboardInterrupt

    if request_ == "and wait":
        with pytest.raises(KeyboardInterrupt):
            run_child("child_targets:start_a_grandchild", request_, on_message=hear)
    else:
        run_child("child_targets:start_a_grandchild", request_, on_message=hear)
    wait_until_dead(pids[0])


def test_a_dead_child_is_noticed_though_a_process_that_it_forked_holds_its_pipes():
    messages = []
    with pytest.raises(ChildError, match="ended with exit code 3"):
        run_child("child_targets:fork_and_die", None, on_message=messages.append)
    wait_until_dead(messages[0]["pid"])


def test_an_answer_counts_even_if_its_child_does_not_end(monkeypatch):
    monkeypatch.setattr(child, "EXIT_SECONDS", 0.2)
    assert run_child("child_targets:answer_and_linger", None) == "answered"


def test_a_request_that_a_child_does_not_take_is_no_other_error(monkeypatch, tmp_path):
    deaf = tmp_path / "python"
    deaf.write_text("#!/bin/sh\nexec <&-\nsleep 0.3\nexit 5\n")
    deaf.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(deaf))
    with pytest.raises(ChildError, match="ended with exit code 5 before"):
        run_child("child_targets:echo", "x" * 5_000_000)


def test_a_child_that_cannot_be_started_leaves_no_descriptor_open(monkeypatch):
    def refuse(*args, **kwargs):
        raise MemoryError

    before = open_descriptors()
    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(MemoryError):
        run_child("child_targets:echo", None)
    assert open_descriptors() == before


def pids_of_killed(*command):
    """Start child_targets.py as a parent, wait for the process numbers it prints, kill it, give those."""
    parent = subprocess.Popen(
        [sys.executable, child_targets.__file__, *command],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert pids
        assert all(map(alive, pids))
        parent.kill()
    return pids


@pytest.mark.parametrize("target", ["sleep", "hold_the_interpreter", "start_a_grandchild"])
def test_a_child_and_what_it_started_die_with_a_killed_parent(target):
    for pid in pids_of_killed("child", target):
        wait_until_dead(pid)


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_workers_of_a_pool_die_with_their_killed_parent(method):
    pids = pids_of_killed("pool", method)
    assert len(set(pids)) == 2
    for pid in pids:
        wait_until_dead(pid)


def test_follow_parent_does_nothing_in_a_main_process():
    assert multiprocessing.parent_process() is None
    assert follow_parent() is None


def test_a_lifeline_that_is_cut_already_ends_the_owner():
    code = (
        "import os; from lstm_music.child import _end_at_end_of; ours, theirs = os.pipe(); os.close(theirs); "
        "_end_at_end_of(ours, os.getpid()); print('alive')"
    )
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, env=paths)
    assert (ended.returncode, ended.stdout) == (-signal.SIGIO, b"")


def test_what_a_child_prints_is_logged_by_lines(caplog):
    caplog.set_level("INFO", logger="lstm_music.child")
    run_child("child_targets:print_lines", ["one", "", "two §"])
    assert [record.getMessage() for record in caplog.records] == ["one", "two §"]
