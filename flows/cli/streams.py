"""The standard streams of a command: they show every character somehow, and a full disk behind them is no traceback."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator


def show_every_character() -> None:
    """Let a terminal that lacks a character, such as one of ASCII, show a question mark in its place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextlib.contextmanager
def nothing_left_to_print() -> Iterator[None]:
    """Drop what standard output did not take, or else Python tries again at its end, and fails with an error of its own."""
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
