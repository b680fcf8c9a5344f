"""The standard streams of a command: they show every character somehow, and a full disk behind them is no traceback."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator

from lstm_music.errors import LstmMusicError


def show_every_character() -> None:
    """Let a terminal that lacks a character, such as one of ASCII, show a question mark in its place; replace closed streams."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started this process
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for the life of the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextlib.contextmanager
def written(where: str) -> Iterator[None]:
    """Turn an output that cannot be written, such as a file on a full disk, into one sentence."""
    try:
        yield
    except OSError as error:
        raise LstmMusicError(f"{where}: cannot be written ({error.strerror}); finished work is kept") from error


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
