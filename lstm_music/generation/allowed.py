"""The grammar's rules for many outputs at once: which ids each of them may choose now."""

from typing import Any

import numpy as np

from lstm_music.encoding.echoes import PART_COLUMN
from lstm_music.encoding.streams import PART
from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, START
from lstm_music.generation.grammar import Grammar


def allowed_ids(
    stream: str, grammar: Grammar, may_end: Any, last: Any, current: Any, onset: Any, size: int, within: Any = None
) -> Any:
    """Say which of so many (`size`) ids may be chosen now, bool [outputs, ids].

    `last` and `current` are the tokens of the two events, `onset` where the last one began. If no offset may follow, the piece
    has to end; `within` says which may, if not all.
    """
    ids = np.arange(size)[None]
    values = np.broadcast_to(ids >= SPECIAL_IDS, (len(last), size))
    latest = last[:, 1:2]
    if stream == "offset":
        allowed = values & grammar.on_grid[onset % grammar.steps_per_quarter]
        if grammar.ascending:  # where no note may follow at once, time has to go on
            stays = grammar.offset_steps[None] == 0
            allowed &= ~(stays & _is_last_of_all(grammar, last))
        if within is not None:
            allowed &= within
        stuck = ~allowed.any(-1, keepdims=True)
        return allowed | ((may_end | stuck) & (ids == END))
    at_once = grammar.offset_steps[current[:, :1]] == 0
    if stream == PART:
        of_last = last[:, PART_COLUMN, None]
        follows = (ids > of_last) | ((ids == of_last) & ~_is_last_of_part(grammar, last)) | (of_last == START)
        return values & grammar.parts[None] & (~at_once | follows)
    part = current[:, PART_COLUMN] if grammar.has_parts else None
    if stream == "note":
        allowed = values & (grammar.notes[None] if part is None else grammar.notes_of_part[part])
        if grammar.ascending:
            is_bound = at_once if part is None else at_once & (part == last[:, PART_COLUMN])[:, None]
            allowed &= ~is_bound | (ids > latest) | (latest == START)
        return allowed
    if stream == "duration":
        return values & (grammar.durations[None] if part is None else grammar.durations_of_part[part])
    return values


def _is_last_of_all(grammar: Grammar, last: Any) -> Any:
    """Say whether no note can follow at the onset of the event before, bool [outputs, 1]."""
    if not grammar.has_parts:
        return last[:, 1:2] >= int(np.flatnonzero(grammar.notes)[-1])
    return (last[:, PART_COLUMN, None] >= int(np.flatnonzero(grammar.parts)[-1])) & _is_last_of_part(grammar, last)


def _is_last_of_part(grammar: Grammar, last: Any) -> Any:
    """Say whether the part of the event before has no higher note, or may not play, bool [outputs, 1]."""
    ids = np.arange(grammar.notes_of_part.shape[1])
    highest = np.where(grammar.parts, np.max(grammar.notes_of_part * ids, 1), -1).astype(np.int32)
    return last[:, 1:2] >= highest[last[:, PART_COLUMN]][:, None]
