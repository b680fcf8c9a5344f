"""The guard against parallels: it blocks the note that would make fifths, octaves or unisons of two parts parallel.

Parts whose notes begin together are chosen one after another. So when the note of a part is due, the moves of the parts before it
are known: it may not move in the same direction as one of them from a perfect fifth, octave or unison to another of its kind (see
`evaluation.voice_leading`). A part that begins no note then does not move. What a part did last counts even if it rested since.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.streams import ALL_STREAMS, PART

OCTAVE, FIFTH = 12, 7  # semitones
NO_PITCH = -1
_PART = ALL_STREAMS.index(PART)


class Moves(NamedTuple):
    """What each part did last, [outputs, part ids]: its pitch, that before the latest onset, and whether it moved.

    `latest` and `before` int32 are pitches or `NO_PITCH`; `is_new` bool says which parts begin a note at the latest onset.
    """

    latest: Any
    before: Any
    is_new: Any


class ParallelGuard:
    """The guard of a generation; one that is off does nothing. `pitches` int32 [note ids]."""

    def __init__(self, pitches: npt.NDArray[np.int32], *, is_on: bool) -> None:
        self._pitches, self._is_on = pitches, is_on

    def avoided(self, allowed: Any, moves: Moves, current: Any, passed: Any) -> Any:
        """Forbid notes that would make parallels, bool [outputs, note ids], where another note is allowed."""
        if not self._is_on:
            return allowed
        others = allowed & ~parallel_notes(moves, current[:, _PART], passed, self._pitches)
        return np.where(others.any(-1, keepdims=True), others, allowed)

    def moved(self, moves: Moves, event: Any, passed: Any) -> Moves:
        """Note an event, as `moved` does."""
        return moved(moves, event, passed, self._pitches) if self._is_on else moves


def moves_of(tokens: npt.NDArray[np.int32], offset_steps: npt.NDArray[np.int32], pitches: Any, parts: int) -> Moves:
    """Follow the prompts, tokens [events, outputs, columns], for so many part ids; `pitches` int32 [note ids]."""
    nothing = np.full((tokens.shape[1], parts), NO_PITCH, np.int32)
    moves = Moves(nothing, nothing, np.zeros(nothing.shape, np.bool_))
    for event in tokens if parts else ():
        moves = moved(moves, event, offset_steps[event[:, 0]], pitches)
    return moves


def moved(moves: Moves, event: Any, passed: Any, pitches: Any) -> Moves:
    """Note an event, int32 [outputs, columns], that came `passed` steps after the one before it."""
    latest, before, is_new = _at(moves, passed)
    plays = np.arange(latest.shape[1])[None] == event[:, _PART, None]
    pitch = pitches[event[:, 1]][:, None]
    return Moves(np.where(plays, pitch, latest), before, is_new | plays)


def parallel_notes(moves: Moves, part: Any, passed: Any, pitches: Any) -> Any:
    """Say which notes a part may not begin now, bool [outputs, note ids]; `part` and `passed` are int32 [outputs]."""
    latest, before, is_new = _at(moves, passed)
    own = before[np.arange(len(part)), part][:, None]
    step = pitches[None] - own  # [outputs, note ids]
    other_step = latest - before  # [outputs, part ids]
    is_other = (
        is_new & (np.arange(latest.shape[1])[None] != part[:, None]) & (before != NO_PITCH) & (latest != NO_PITCH)
    )
    interval = np.abs(own - before) % OCTAVE
    is_open = is_other & ((interval == 0) | (interval == FIFTH))
    same_way = np.sign(step)[:, :, None] == np.sign(other_step)[:, None]
    same_interval = np.abs(pitches[None, :, None] - latest[:, None]) % OCTAVE == interval[:, None]
    moves_on = (step % OCTAVE != 0) & (own != NO_PITCH) & (pitches != NO_PITCH)[None]
    return (is_open[:, None] & same_way & same_interval).any(-1) & moves_on


def _at(moves: Moves, passed: Any) -> Moves:
    """Say what each part did where time may have passed since."""
    stays = (passed == 0)[:, None]
    return Moves(moves.latest, np.where(stays, moves.before, moves.latest), moves.is_new & stays)
