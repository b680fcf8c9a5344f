import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli.interrupt import INTERRUPTED, KEPT, NOTHING_KEPT

REPOSITORY = Path(__file__).parents[3]

PROGRAM = """
import contextlib, signal, sys, time
from flows.cli import interrupt
interrupt.GRACE_SECONDS = {grace}
with interrupt.interruptible():
    print("begun", flush=True)
    {work}
"""
WAIT = "time.sleep(60)"
NEVER_END = """
    with contextlib.suppress(KeyboardInterrupt):
        time.sleep(60)
    print("unwinding", flush=True)
    time.sleep(60)
"""
COMMAND = """
    from flows.cli import app as cli
    from flows.cli import commands
    commands.status = lambda *_, **__: print("in the command", flush=True) or time.sleep(60)
    sys.argv = ["lstm-music", "status"]
    cli.main()
"""
LOADING = """
    from flows.cli import app as cli
    from flows.cli.display import Display
    Display.loading = lambda _: print("loading", flush=True) or time.sleep(60)
    sys.argv = ["lstm-music", "generate", "--model", "bach"]
    cli.main()
"""


def begin(work: str, *, grace: float = 60.0) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(grace=grace, work=work)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("work", "grace", "interrupts"),
    [
        (WAIT, 60.0, 1),
        (NEVER_END, 0.2, 1),  # what does not end by itself is ended
        (NEVER_END, 60.0, 2),  # and so it is by whoever does not want to wait
    ],
)
def test_ctrl_c_is_one_line_and_its_exit_code(work, grace, interrupts):
    with begin(work, grace=grace) as program:
        for _ in range(interrupts):
            program.stdout.readline()
            program.send_signal(signal.SIGINT)
        assert program.wait() == INTERRUPTED
        assert program.stderr.read() == KEPT


@pytest.mark.parametrize(
    ("work", "line", "sentence"),
    [(COMMAND, "in the command\n", KEPT), (LOADING, "loading\n", NOTHING_KEPT)],
    ids=["of a storage", "of a bundle, which keeps nothing, from the first line on"],
)
def test_ctrl_c_in_a_command_that_has_no_threads_to_wait_for_is_the_same(work, line, sentence):
    with begin(work) as program:
        program.stdout.readline()
        assert program.stdout.readline() == line
        program.send_signal(signal.SIGINT)
        assert program.wait() == INTERRUPTED
        assert program.stderr.read() == sentence


def test_ctrl_c_is_not_for_a_program_that_was_told_to_ignore_it():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for what it starts in the background
    try:
        program = begin("sys.stdin.read()")
    finally:
        signal.signal(signal.SIGINT, before)
    with program:
        program.stdout.readline()
        program.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(0.5)
        program.kill()
