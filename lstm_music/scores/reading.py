"""MusicXML, ABC and kern → `PieceNotes`, read in a child process that can be killed.

What reads scores is large and meets hostile bytes: a few of them can ask for hours of work. So each batch of scores runs
in one child process, which also unpacks and decodes them. A score that takes too much CPU time or memory, or kills the child, is
read once more in a child of its own, where nothing that was read before it counts; if that fails too, it alone is rejected.
A new child reads the rest. `lstm_music.scores.child` documents how scores become notes.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lstm_music.child import run_child
from lstm_music.errors import ChildError, ReadLimitError, RejectedInputError
from lstm_music.midi.notes import NOTE_DTYPE, Bar, KeySignature, PieceNotes, Tempo, TimeSignature, sorted_notes
from lstm_music.scores.signals import CLOCK_SIGNAL, CPU_SIGNAL
from lstm_music.scores.spec import Repeats

CPU_SECONDS = 60.0
MEMORY_BYTES = 2 << 30
# A reader gets at least this share of a core, or else it waits for something that does not come.
_LEAST_SHARE_OF_A_CORE = 0.1
_START_SECONDS = 120.0  # for Python and the readers to start on a busy machine
_CHILD = "lstm_music.scores.child:read_batch"
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}  # more threads allocate buffers that count against the memory limit

Outcome = PieceNotes | RejectedInputError


def read_score(
    data: bytes,
    score_format: str,
    *,
    repeats: Repeats = "once",
    cpu_seconds: float = CPU_SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> PieceNotes:
    """Read one score in the format "musicxml", "abc" or "kern". `read_scores` is faster for many.

    Raises RejectedInputError, with the reason, if the score cannot be read, and ReadLimitError if a limit was the reason.
    """
    items = [("", score_format, data)]
    ((_, outcome),) = read_scores(items, repeats=repeats, cpu_seconds=cpu_seconds, memory_bytes=memory_bytes)
    if isinstance(outcome, RejectedInputError):
        raise outcome
    return outcome


def read_scores(
    items: Sequence[tuple[str, str, bytes]],
    *,
    repeats: Repeats = "once",
    cpu_seconds: float = CPU_SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> Iterator[tuple[str, Outcome]]:
    """Read a batch of (id, format, bytes); yield (id, its notes or the rejection) in the order of the batch.

    Each score can take up to `cpu_seconds` of CPU time, however busy the machine is, and the child up to `memory_bytes`. What
    exceeds them alone, too, is a ReadLimitError. The whole batch is read before the first result is yielded. Raises
    ChildError if the child cannot start.
    """
    outcomes: dict[int, Outcome] = {}
    unread = {
        index: {"format": score_format, "repeats": repeats, "data": b64encode(data).decode()}
        for index, (_, score_format, data) in enumerate(items)
    }
    while unread:
        read, failed = _read_together(unread, cpu_seconds, memory_bytes)
        outcomes.update(read)
        for index in failed:
            read, reasons = _read_together({index: unread[index]}, cpu_seconds, memory_bytes)
            outcomes.update(reasons | read)
        unread = {index: score for index, score in unread.items() if index not in outcomes}
    for index, (piece_id, _, _) in enumerate(items):
        yield piece_id, outcomes[index]


def _read_together(
    scores: Mapping[int, dict[str, str]], cpu_seconds: float, memory_bytes: int
) -> tuple[dict[int, Outcome], dict[int, Outcome]]:
    """Read scores in one child until all are read, or until one of them ends the child.

    Return the outcomes, and the rejections of those that met a limit or ended the child. At least one score is in either.
    """
    indices = list(scores)
    read: dict[int, Outcome] = {}
    failed: dict[int, Outcome] = {}
    started: list[int] = []
    clock_seconds = cpu_seconds / _LEAST_SHARE_OF_A_CORE

    def receive(message: dict[str, Any]) -> None:
        if "started" in message:
            started.append(indices[message["started"]])
        elif message.get("is_limit"):
            failed[indices[message["index"]]] = ReadLimitError(message["reason"])
        else:
            read[indices[message["index"]]] = _outcome(message)

    try:
        run_child(
            _CHILD,
            {"scores": list(scores.values()), "cpu_seconds": cpu_seconds, "clock_seconds": clock_seconds},
            on_message=receive,
            timeout_seconds=_START_SECONDS + clock_seconds * len(scores),
            memory_bytes=memory_bytes,
            environment=_ENVIRONMENT,
            reads_foreign=True,
        )
    except ChildError as error:
        if not started:
            raise
        if started[-1] not in read | failed:
            failed[started[-1]] = _rejection(error, cpu_seconds)
    return read, failed


def _rejection(error: ChildError, cpu_seconds: float) -> RejectedInputError:
    """Return why a score is rejected that ended its child."""
    if error.ended_by == CPU_SIGNAL:
        return ReadLimitError(f"takes more than {cpu_seconds:g} seconds of CPU time to read")
    if error.ended_by == CLOCK_SIGNAL:
        return ReadLimitError(f"takes more than {cpu_seconds / _LEAST_SHARE_OF_A_CORE:g} seconds to read")
    return RejectedInputError(f"ends the program that reads it ({error})")


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
