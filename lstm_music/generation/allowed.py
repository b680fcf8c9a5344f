"""The grammar's rules for many outputs at once, in TensorFlow: which ids each of them may choose now."""

from typing import Any

import numpy as np
import tensorflow as tf

from lstm_music.encoding.echoes import PART_COLUMN
from lstm_music.encoding.streams import PART
from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, START
from lstm_music.generation.grammar import Grammar


def allowed_ids(
    stream: str, grammar: Grammar, may_end: Any, last: Any, current: Any, onset: Any, logits: Any, within: Any = None
) -> Any:
    """Say which ids may be chosen now, bool [outputs, ids].

    `last` and `current` are the tokens of the two events, `onset` where the last one began. If no offset may follow, the piece
    has to end; `within` says which may, if not all.
    """
    ids = tf.range(logits.shape[-1])[None]
    values = tf.broadcast_to(ids >= SPECIAL_IDS, tf.shape(logits))
    latest = last[:, 1:2]
    if stream == "offset":
        allowed = values & tf.gather(tf.constant(grammar.on_grid), onset % grammar.steps_per_quarter)
        if grammar.ascending:  # where no note may follow at once, time has to go on
            stays = tf.constant(grammar.offset_steps)[None] == 0
            allowed &= ~(stays & _is_last_of_all(grammar, last))
        if within is not None:
            allowed &= within
        stuck = ~tf.reduce_any(allowed, -1, keepdims=True)
        return allowed | ((may_end | stuck) & (ids == END))
    at_once = tf.gather(tf.constant(grammar.offset_steps), current[:, :1]) == 0
    if stream == PART:
        of_last = last[:, PART_COLUMN, None]
        follows = (ids > of_last) | ((ids == of_last) & ~_is_last_of_part(grammar, last)) | (of_last == START)
        return values & tf.constant(grammar.parts)[None] & (~at_once | follows)
    part = current[:, PART_COLUMN] if grammar.has_parts else None
    if stream == "note":
        allowed = values & (
            tf.constant(grammar.notes)[None] if part is None else tf.gather(grammar.notes_of_part, part)
        )
        if grammar.ascending:
            is_bound = at_once if part is None else at_once & (part == last[:, PART_COLUMN])[:, None]
            allowed &= ~is_bound | (ids > latest) | (latest == START)
        return allowed
    if stream == "duration":
        return values & (
            tf.constant(grammar.durations)[None] if part is None else tf.gather(grammar.durations_of_part, part)
        )
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
    return last[:, 1:2] >= tf.gather(tf.constant(highest), last[:, PART_COLUMN])[:, None]
