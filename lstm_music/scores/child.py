"""Scores → notes in JSON, in a child process that can hang, grow or die: see `lstm_music.scores.reading`.

Time is limited per score by two timers of the system, one of CPU time and one of the clock. A timer that runs out ends the
process by its signal, also while a library is in a native loop.
"""

import signal
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lstm_music.errors import RejectedInputError
from lstm_music.scores import abc, kern, musicxml
from lstm_music.scores.score import Score, to_json
from lstm_music.scores.signals import CLOCK_SIGNAL, CPU_SIGNAL
from lstm_music.scores.spec import Repeats
from lstm_music.scores.text import score_text

# What reads the text of each format. A reader may raise any error; a RejectedInputError is the reason as it is.
READERS: Mapping[str, Callable[[str, Repeats], Score]] = {
    "musicxml": musicxml.read,
    "abc": abc.read,
    "kern": kern.read,
}


def read_batch(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> None:
    """Read `request["scores"]` (a list of {"format", "repeats", "data"}, the bytes in base64).

    Each may take `request["cpu_seconds"]` of CPU time and `request["clock_seconds"]` by the clock; one that takes longer ends
    the process. Before each score it sends {"started": i}, then {"index": i, "piece": {...}} or {"index": i, "reason": "..."},
    with "is_limit" if it was memory that ran out.
    """
    for index, score in enumerate(request["scores"]):
        send({"started": index})
        with _limited(request["cpu_seconds"], request["clock_seconds"]):
            result = _read(b64decode(score["data"]), score["format"], score["repeats"])
        send({"index": index, **result})


@contextmanager
def _limited(cpu_seconds: float, clock_seconds: float) -> Iterator[None]:
    """End this process if what is done within takes longer. The clock is for a reader that waits for something forever."""
    for number in (CPU_SIGNAL, CLOCK_SIGNAL):
        signal.signal(number, signal.SIG_DFL)
    timers = {signal.ITIMER_PROF: cpu_seconds, signal.ITIMER_REAL: clock_seconds}
    for timer, seconds in timers.items():
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for timer in timers:
            signal.setitimer(timer, 0)


def _read(data: bytes, score_format: str, repeats: Repeats) -> dict[str, Any]:
    try:
        return {"piece": to_json(READERS[score_format](score_text(data, score_format), repeats))}
    except RejectedInputError as error:
        return {"reason": str(error)}
    except MemoryError:
        return {"reason": "needs more memory than the limit for one score", "is_limit": True}
    except Exception as error:  # noqa: BLE001 (libraries that parse raise errors of any kind; the reason is kept)
        message = " ".join(str(error).split())[:200]
        return {"reason": f"cannot be read as {score_format} ({type(error).__name__}: {message})"}
