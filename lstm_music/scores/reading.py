"""MusicXML, ABC and kern → `PieceNotes`, read by music21 in a child process that can be killed.

music21 takes seconds to import, and 40 hostile bytes can keep it busy for a minute. So each batch of scores runs in one
child process, which also unpacks and decodes them. If a score hangs or kills the child, only that score is rejected, and a
new child reads the rest.
`lstm_music.scores.child` documents how scores become notes.
"""

import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lstm_music.child import run_child
from lstm_music.errors import ChildError, RejectedInputError
from lstm_music.midi.notes import NOTE_DTYPE, Bar, KeySignature, PieceNotes, Tempo, TimeSignature, sorted_notes
from lstm_music.scores.spec import Repeats

TIMEOUT_SECONDS = 60.0
MEMORY_BYTES = 2 << 30
_START_SECONDS = 120.0  # for Python and music21 to start on a busy machine
_CHILD = "lstm_music.scores.child:read_batch"
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}  # more threads allocate buffers that count against the memory limit

Outcome = PieceNotes | RejectedInputError


def read_score(
    data: bytes,
    score_format: str,
    *,
    repeats: Repeats = "once",
    timeout_seconds: float = TIMEOUT_SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> PieceNotes:
    """Read one score in the format "musicxml", "abc" or "kern". `read_scores` is faster for many.

    Raises RejectedInputError, with the reason, if the score cannot be read.
    """
    items = [("", score_format, data)]
    ((_, outcome),) = read_scores(items, repeats=repeats, timeout_seconds=timeout_seconds, memory_bytes=memory_bytes)
    if isinstance(outcome, RejectedInputError):
        raise outcome
    return outcome


def read_scores(
    items: Sequence[tuple[str, str, bytes]],
    *,
    repeats: Repeats = "once",
    timeout_seconds: float = TIMEOUT_SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> Iterator[tuple[str, Outcome]]:
    """Read a batch of (id, format, bytes); yield (id, its notes or the rejection) in the order of the batch.

    Each score can take up to `timeout_seconds`, and the child up to `memory_bytes`. The whole batch is read before the first
    result is yielded. Raises ChildError if the child cannot start.
    """
    outcomes: dict[int, Outcome] = {}
    unread = {
        index: {"format": score_format, "data": b64encode(data).decode()}
        for index, (_, score_format, data) in enumerate(items)
    }
    while unread:
        results = _read_until_one_fails(unread, repeats, timeout_seconds, memory_bytes)
        for index in results:
            del unread[index]
        outcomes.update(results)
    for index, (piece_id, _, _) in enumerate(items):
        yield piece_id, outcomes[index]


def _read_until_one_fails(
    unread: Mapping[int, dict[str, str]],
    repeats: Repeats,
    timeout_seconds: float,
    memory_bytes: int,
) -> dict[int, Outcome]:
    """Read scores in one child until all are read, or until a score ends the child and is rejected.

    The result has at least one score.
    """
    indices = list(unread)
    results: dict[int, Outcome] = {}
    started: list[tuple[int, float]] = []  # (index in this child's batch, monotonic seconds)

    def receive(message: dict[str, Any]) -> None:
        if "started" in message:
            started.append((message["started"], message["at_seconds"]))
        else:
            results[indices[message["index"]]] = _outcome(message)

    try:
        run_child(
            _CHILD,
            {"scores": list(unread.values()), "repeats": repeats, "timeout_seconds": timeout_seconds},
            on_message=receive,
            timeout_seconds=_START_SECONDS + timeout_seconds * len(unread),
            memory_bytes=memory_bytes,
            environment=_ENVIRONMENT,
            reads_foreign=True,
        )
    except ChildError as error:
        if not started:
            raise
        index, since = started[-1]
        if time.monotonic() - since >= timeout_seconds:
            reason = f"music21 did not read the score within {timeout_seconds:g} seconds"
        else:
            reason = f"music21 crashed on the score ({error})"
        results.setdefault(indices[index], RejectedInputError(reason))
    return results


def _outcome(message: Mapping[str, Any]) -> Outcome:
    return RejectedInputError(message["reason"]) if "reason" in message else _piece(message["piece"])


def _piece(described: Mapping[str, Any]) -> PieceNotes:
    """Build the piece from the JSON of `score.to_json`."""
    columns = described["notes"]
    notes = np.empty(len(columns["pitch"]), NOTE_DTYPE)
    for name in NOTE_DTYPE.names or ():
        notes[name] = columns[name]
    return PieceNotes(
        ticks_per_quarter=described["ticks_per_quarter"],
        notes=sorted_notes(notes),
        tempos=tuple(Tempo(*change) for change in described["tempos"]),
        time_signatures=tuple(TimeSignature(*change) for change in described["time_signatures"]),
        key_signatures=tuple(KeySignature(*change) for change in described["key_signatures"]),
        bars=tuple(Bar(*bar) for bar in described["bars"]),
        track_names=tuple(described["track_names"]),
        warnings=tuple(described["warnings"]),
    )
