"""Scores → notes in JSON, in a child process that can hang, grow or die: see `lstm_music.scores.reading`."""

import faulthandler
import importlib
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from lstm_music.errors import RejectedInputError
from lstm_music.scores import kern, music21_reader
from lstm_music.scores.score import Score, to_json
from lstm_music.scores.text import score_text

_STDERR = 2

# What reads the text of each format. A reader may raise any error; a RejectedInputError is the reason as it is.
READERS: Mapping[str, Callable[[str], Score]] = {
    "musicxml": lambda text: music21_reader.read(text, "musicxml"),
    "abc": lambda text: music21_reader.read(text, "abc"),
    "kern": kern.read,
}


def read_batch(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> None:
    """Read `request["scores"]` (a list of {"format", "data"}, the bytes in base64), each in at most `request["timeout_seconds"]`.

    Before each score it sends {"started": i, "at_seconds": monotonic time}, then {"index": i, "piece": {...}} or
    {"index": i, "reason": "..."}. A score that takes longer ends the process. The watchdog is a thread in C, so code that
    never returns cannot block it.
    """
    importlib.import_module("music21")  # takes seconds; they must not count as time of the first score
    for index, score in enumerate(request["scores"]):
        send({"started": index, "at_seconds": time.monotonic()})  # this clock is the same in the parent
        faulthandler.dump_traceback_later(request["timeout_seconds"], exit=True, file=_STDERR)
        result = _read(b64decode(score["data"]), score["format"])
        faulthandler.cancel_dump_traceback_later()
        send({"index": index, **result})


def _read(data: bytes, score_format: str) -> dict[str, Any]:
    try:
        return {"piece": to_json(READERS[score_format](score_text(data, score_format)))}
    except RejectedInputError as error:
        return {"reason": str(error)}
    except MemoryError:
        return {"reason": "needs more memory than the limit for one score"}
    except Exception as error:  # noqa: BLE001 (libraries that parse raise errors of any kind; the reason is kept)
        message = " ".join(str(error).split())[:200]
        return {"reason": f"cannot be read as {score_format} ({type(error).__name__}: {message})"}
