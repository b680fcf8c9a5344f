"""MusicXML, ABC and kern → `PieceNotes`, read by music21 in a child process that can be killed.

music21 may need a minute for 40 hostile bytes, and takes seconds to import: so it runs in one child a batch, where a
score that hangs, or takes the child down with it, is rejected alone and the rest goes on in a new child. What a score's
signs mean in notes is said in `lstm_music.midi.score_child`.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lstm_music.child import run_child
from lstm_music.errors import ChildError, RejectedInputError
from lstm_music.midi.notes import NOTE_DTYPE, KeySignature, PieceNotes, Tempo, TimeSignature, sorted_notes
from lstm_music.midi.score_text import score_text

TIMEOUT_SECONDS = 60.0
MEMORY_BYTES = 2 << 30
_START_SECONDS = 120.0  # for Python and music21 to start, on a machine that does other things too
_CHILD = "lstm_music.midi.score_child:read_batch"
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}  # its buffers would count against the memory

Outcome = PieceNotes | RejectedInputError


def read_score(
    data: bytes,
    score_format: str,
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> PieceNotes:
    """Read one score of the format "musicxml", "abc" or "kern"; for many, `read_scores` is faster.

    Raises RejectedInputError, with the reason, when it cannot be read.
    """
    items = [("", score_format, data)]
    ((_, outcome),) = read_scores(items, timeout_seconds=timeout_seconds, memory_bytes=memory_bytes)
    if isinstance(outcome, RejectedInputError):
        raise outcome
    return outcome


def read_scores(
    items: Sequence[tuple[str, str, bytes]],
    *,
    timeout_seconds: float = TIMEOUT_SECONDS,
    memory_bytes: int = MEMORY_BYTES,
) -> Iterator[tuple[str, Outcome]]:
    """Read a batch of (id, format, bytes); yield (id, its notes or why it is rejected) in the order of the batch.

    Each score may take `timeout_seconds`, and the child `memory_bytes`. The whole batch is read before the first is
    yielded. Raises ChildError when the child cannot even start.
    """
    outcomes: dict[int, Outcome] = {}
    texts: dict[int, dict[str, str]] = {}
    for index, (_, score_format, data) in enumerate(items):
        try:
            texts[index] = {"format": score_format, "text": score_text(data, score_format)}
        except RejectedInputError as error:
            outcomes[index] = error
    while texts:
        answered = _read_until_one_fails(texts, timeout_seconds, memory_bytes)
        for index in answered:
            del texts[index]
        outcomes.update(answered)
    for index, (piece_id, _, _) in enumerate(items):
        yield piece_id, outcomes[index]


def _read_until_one_fails(
    texts: Mapping[int, dict[str, str]],
    timeout_seconds: float,
    memory_bytes: int,
) -> dict[int, Outcome]:
    """Read scores in one child until all are read or one, which is rejected, has ended it: at least one is answered."""
    indices = list(texts)
    answered: dict[int, Outcome] = {}
    started: list[tuple[int, float]] = []  # (place in this child's batch, monotonic seconds)

    def receive(message: dict[str, Any]) -> None:
        if "started" in message:
            started.append((message["started"], message["at_seconds"]))
        else:
            answered[indices[message["index"]]] = _outcome(message)

    try:
        run_child(
            _CHILD,
            {"scores": list(texts.values()), "timeout_seconds": timeout_seconds},
            on_message=receive,
            timeout_seconds=_START_SECONDS + timeout_seconds * len(texts),
            memory_bytes=memory_bytes,
            environment=_ENVIRONMENT,
        )
    except ChildError as error:
        if not started:
            raise
        place, since = started[-1]
        if time.monotonic() - since >= timeout_seconds:
            reason = f"music21 did not read it within {timeout_seconds:g} seconds"
        else:
            reason = f"music21 did not survive reading it ({error})"
        answered.setdefault(indices[place], RejectedInputError(reason))
    return answered


def _outcome(message: Mapping[str, Any]) -> Outcome:
    return RejectedInputError(message["reason"]) if "reason" in message else _piece(message["piece"])


def _piece(described: Mapping[str, Any]) -> PieceNotes:
    """Build the piece from what `score_child.piece_of` said of it."""
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
        track_names=tuple(described["track_names"]),
    )
