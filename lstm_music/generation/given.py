"""Given music that a result has to hold note for note: the models play around it.

The given notes wait in the order of events: by onset, then by part, then by pitch. A given note is placed where the sampled event
would come behind it: where the sampled offset leads past its onset, or the sampled part or note sorts behind it at its onset. So
the models decide, event by event, what comes before the next given note, and hear the given notes as they hear their own.

Where there are parts, a given part has the given notes only, and the others play beside it. Where there are none, new notes keep
to one side of the given ones: those that sound, or in a rest those before and after it.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.streams import ALL_STREAMS, PART, STREAMS
from lstm_music.encoding.vocabulary import END, SPECIAL_IDS
from lstm_music.generation.ending import NEVER, with_room
from lstm_music.generation.grammar import Grammar

Side = Literal["beside", "below", "above"]
"""Where new notes may lie: in other parts, or below or above the given ones."""

OFFSET, NOTE, DURATION = STREAMS
_NOTE, _PART = (ALL_STREAMS.index(stream) for stream in (NOTE, PART))
_LOWEST, _HIGHEST = -2, 128  # below all pitches, a drum's -1 too, and above
_NONE = -1

Steps = npt.NDArray[np.int64]


class Given:
    """The rules of given music; these are for music without: they change nothing."""

    def rest_of_bar(self, _onset: Any, position: Any, bars: Any) -> Any:
        """Give the steps to the next bar, int32 [outputs]."""
        return bars - position

    def position(self, _onset: Any, position: Any, bars: Any) -> Any:
        """Give where in its bar an event at an onset lies, int32 [outputs]; `position` are the steps since its last known bar."""
        return position % bars

    def allowed(self, _stream: str, allowed: Any, _following: Any, _onset: Any, _last: Any, _is_given: Any) -> Any:
        """Say which ids may be sampled for a stream, bool [outputs, ids].

        `following` int32 [outputs] is the number of the given note that comes next. `onset` is that of the event `last` for an
        offset, else that of this one.
        """
        return allowed

    def chosen(self, _stream: str, chosen: Any, _following: Any, _onset: Any, is_given: Any) -> tuple[Any, Any]:
        """Give the id that stands for the sampled one, int32 [outputs], and whether the event is known to be the given one."""
        return chosen, is_given


@dataclass(frozen=True, eq=False)
class GivenNotes:
    """Given notes in the order of events: int64 [notes], `onsets` in steps since the start, the others as ids.

    `steps` are how long each sounds; its duration id may be the nearest one to that. `end` is where the music ends, `positions`
    and `rests` int64 [end + 1] say of each step where in its bar it lies, and how far the next bar is.
    """

    onsets: Steps
    parts: Steps
    notes: Steps
    durations: Steps
    velocities: Steps
    steps: Steps
    end: int
    positions: Steps
    rests: Steps


@dataclass(frozen=True, eq=False)
class GivenMusic(Given):
    """Given notes as tables: `rows` int32 [notes + 1, (onset, part, note, duration, velocity)]; the last row stands for no note.

    For each step until the end: `hops` int32 is the offset id that leads towards the next given onset (`END` behind the last),
    `lands` bool says whether a new event may begin there, `highest` int32 the highest new note id, `low` and `high` int32
    between which pitches new notes lie, `room` int32 how long a new note may be.

    Where the given notes are `alone`, no new event begins with one of them, and the music does not end before its end.
    """

    grammar: Grammar
    rows: npt.NDArray[np.int32]
    end: int
    positions: npt.NDArray[np.int32]
    rests: npt.NDArray[np.int32]
    hops: npt.NDArray[np.int32]
    lands: npt.NDArray[np.bool_]
    highest: npt.NDArray[np.int32]
    low: npt.NDArray[np.int32]
    high: npt.NDArray[np.int32]
    room: npt.NDArray[np.int32]
    at_once: int
    alone: bool = False
    start: int = 0

    @classmethod
    def of(
        cls,
        grammar: Grammar,
        given: GivenNotes,
        side: Side,
        closed: npt.NDArray[np.bool_] | None = None,
        start: int = 0,
    ) -> "GivenMusic":
        """Draw up the tables; `grammar` is that of new notes, in which no given part may play.

        In `closed` steps, bool [end + 1], are only given notes, each of them lies in one, and no new note sounds into one. The
        music begins after step `start`.
        """
        low, high = bounds(grammar, given, side)
        room = given.end - np.arange(given.end + 1)
        if closed is not None:
            low, high = np.where(closed, _HIGHEST, low), np.where(closed, _LOWEST, high)
            borders = np.append(np.flatnonzero(closed), given.end)
            room = borders[np.searchsorted(borders, np.arange(given.end + 1), side="right").clip(max=len(borders) - 1)]
            room = room - np.arange(given.end + 1)
        highest = highest_notes(grammar, low, high)
        none = [NEVER, *[_NONE] * 4]
        columns = (given.onsets, given.parts, given.notes, given.durations, given.velocities)
        rows = np.concatenate([np.stack(columns, 1), [none]]).astype(np.int32)
        hops, lands = hops_to(grammar, given.onsets, given.end, highest > _NONE)
        return cls(
            grammar,
            rows,
            given.end,
            given.positions.astype(np.int32),
            given.rests.astype(np.int32),
            hops,
            lands,
            highest,
            low.astype(np.int32),
            high.astype(np.int32),
            room.astype(np.int32),
            offset_of_nothing(grammar),
            alone=closed is not None,
            start=start,
        )

    def unreachable(self) -> int | None:
        """Return the onset, in steps, of the first given note that no offset leads to; None if all can be reached."""
        onsets = self.rows[:-1, 0]
        before = np.concatenate([[self.start], onsets[:-1]])
        reached = np.where(onsets == before, self.at_once != _NONE, self.hops[before] != _NONE)
        missing = np.flatnonzero(~reached)
        return int(onsets[missing[0]]) if len(missing) else None

    def rest_of_bar(self, onset: Any, _position: Any, _bars: Any) -> Any:
        """Give the steps to the next bar, by the bars of the given music."""
        return self._at(self.rests, onset)

    def position(self, onset: Any, _position: Any, _bars: Any) -> Any:
        """Give where in its bar an event at an onset lies, by the bars of the given music."""
        return self._at(self.positions, onset)

    def allowed(self, stream: str, allowed: Any, following: Any, onset: Any, last: Any, is_given: Any) -> Any:
        """Say which ids may be sampled: what sorts behind the next given note may be, because that note then stands for it."""
        ids, row = np.arange(allowed.shape[-1])[None], self._row(following)
        is_due = (row[:, 0] == onset)[:, None]
        if stream == OFFSET:
            found = self._offsets(allowed, row[:, 0], onset, last)
            may_end = ~found.any(-1, keepdims=True) if self.alone else True
            return found | (may_end & (ids == END))
        if stream == PART:
            return (allowed & ~(is_due & self._comes_first)) | (is_due & (ids == row[:, 1:2]))
        if stream == NOTE and not self.grammar.has_parts:
            pitches = self.grammar.pitches[None]
            inside = (pitches > self._at(self.low, onset)[:, None]) & (pitches < self._at(self.high, onset)[:, None])
            note, before = row[:, 2:3], inside & (not self._comes_first)
            return np.where(is_due, (allowed & (before | (ids >= note))) | (ids == note), allowed & inside)
        if stream == DURATION:
            inside = with_room(allowed, self.grammar.duration_steps, self._at(self.room, onset))
            return np.where(is_given[:, None], allowed, inside)
        return allowed

    def chosen(self, stream: str, chosen: Any, following: Any, onset: Any, is_given: Any) -> tuple[Any, Any]:
        """Put the next given note in the place of what sorts behind it, stream after stream."""
        row = self._row(following)
        onset_of, part, note, duration, velocity = (row[:, column] for column in range(5))
        is_due = onset_of == onset
        if stream == OFFSET:
            after = onset + self.grammar.offset_steps[chosen]
            is_past = (chosen < SPECIAL_IDS) | (after > onset_of) | (after >= self.end)
            if self.alone:  # another rule may lead into closed steps
                is_past |= (after != onset_of) & ~self._at(self.lands, after)
            hop = np.where(is_due, self.at_once, self._at(self.hops, onset))
            return np.where(is_past, hop, chosen), is_given
        if stream == PART:
            is_given = is_due & ((chosen >= part) | (chosen < SPECIAL_IDS))
            return np.where(is_given, part, chosen), is_given
        if stream == NOTE:
            if not self.grammar.has_parts:
                is_given = is_due & ((chosen >= note) | (chosen < SPECIAL_IDS))
            return np.where(is_given, note, chosen), is_given
        return np.where(is_given, duration if stream == DURATION else velocity, chosen), is_given

    @property
    def _comes_first(self) -> bool:
        """Whether no new event may come before a given note at its onset: it may not, or no offset leads on at once."""
        return self.alone or self.at_once == _NONE

    def _offsets(self, allowed: Any, next_onset: Any, onset: Any, last: Any) -> Any:
        """Say which offsets may be sampled: to the next given note or the end, or past them, and to where a new note may lie."""
        steps = self.grammar.offset_steps[None]
        after = onset[:, None] + steps
        is_past = (after >= next_onset[:, None]) | (after >= self.end)
        lands = self._at(self.lands, after)
        if not self.grammar.has_parts:  # by the grammar, a later part may always follow
            stays = self._at(self.highest, onset) > last[:, _NOTE]
            lands = np.where(steps == 0, stays[:, None], lands)
        return allowed & (is_past | lands)

    def _row(self, following: Any) -> Any:
        return self.rows[np.minimum(following, len(self.rows) - 1)]

    def _at(self, table: npt.NDArray[Any], step: Any) -> Any:
        """Look up steps; behind the end, where an output waits for the others, stands what is there."""
        return table[np.minimum(step, self.end)]


def bounds(grammar: Grammar, given: GivenNotes, side: Side) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return between which pitches new notes lie at each step, both exclusive, int32 [end + 1]."""
    low, high = np.full(given.end + 1, _LOWEST, np.int32), np.full(given.end + 1, _HIGHEST, np.int32)
    if side == "beside":
        return low, high
    sign = 1 if side == "below" else -1  # then the least is the nearest
    nearest = np.full(given.end + 1, _HIGHEST, np.int64)
    for onset, steps, pitch in zip(given.onsets, given.steps, grammar.pitches[given.notes], strict=True):
        sounding = nearest[onset : onset + steps]
        np.minimum(sounding, sign * int(pitch), out=sounding)
    sounds = np.flatnonzero(nearest < _HIGHEST)
    after = np.searchsorted(sounds, np.arange(given.end + 1))
    around = [nearest[sounds[np.clip(index, 0, len(sounds) - 1)]] for index in (after - 1, after)]
    nearest = np.where(nearest < _HIGHEST, nearest, np.minimum(*around))
    return (low, nearest.astype(np.int32)) if side == "below" else ((-nearest).astype(np.int32), high)


def is_given(
    tokens: npt.NDArray[np.int32], offset_steps: npt.NDArray[np.int32], given: GivenNotes
) -> npt.NDArray[np.bool_]:
    """Find the given notes among the events of a result, tokens [events, columns]: bool [events]."""
    onsets = np.cumsum(offset_steps[tokens[:, 0]])
    parts = tokens[:, _PART] if (given.parts != _NONE).any() else np.full(len(tokens), _NONE)
    keys = {*zip(given.onsets.tolist(), given.parts.tolist(), given.notes.tolist(), strict=True)}
    found = zip(onsets.tolist(), parts.tolist(), tokens[:, _NOTE].tolist(), strict=True)
    return np.array([key in keys for key in found], np.bool_)


def highest_notes(grammar: Grammar, low: npt.NDArray[np.int32], high: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the highest id of a new note at each step, int32 [end + 1], -1 for none."""
    pairs, place = np.unique(np.stack([low, high], 1), axis=0, return_inverse=True)
    may_play = grammar.notes_of_part[grammar.parts].any(0) if grammar.has_parts else grammar.notes
    inside = (grammar.pitches[None] > pairs[:, :1]) & (grammar.pitches[None] < pairs[:, 1:])
    highest = np.where(inside & may_play, np.arange(len(grammar.pitches)), _NONE).max(1).astype(np.int32)
    found: npt.NDArray[np.int32] = highest[place.reshape(-1)]
    return found


def offset_of_nothing(grammar: Grammar) -> int:
    """Return the id of the offset 0, or -1 where there is none."""
    at_once = np.flatnonzero(grammar.offset_steps[SPECIAL_IDS:] == 0)
    return SPECIAL_IDS + int(at_once[0]) if len(at_once) else _NONE


def hops_to(
    grammar: Grammar, given_onsets: Steps, end: int, is_free: npt.NDArray[np.bool_], begin: int = 0
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Return the offset id that leads from each step to the next given onset, or towards it, and where new events may begin.

    Where one offset is not enough, the longest one leads to a place (`is_free`) from which it goes on; -1 stands for no way.
    Steps before `begin` are not looked at.
    """
    onsets = np.unique(given_onsets)
    hops = np.full(end + 1, END, np.int32)
    lands = is_free.copy()
    by_length = np.argsort(-grammar.offset_steps, kind="stable")
    by_length = by_length[grammar.offset_steps[by_length] > 0]
    for start, stop in zip(np.concatenate([[begin], onsets]), onsets, strict=False):
        for step in range(int(stop) - 1, int(start) - 1, -1):
            hops[step] = _hop(grammar, lands, step, int(stop), by_length)
            lands[step] &= hops[step] != _NONE
    return hops, lands


def _hop(
    grammar: Grammar,
    lands: npt.NDArray[np.bool_],
    step: int,
    stop: int,
    ids: npt.NDArray[np.intp],
) -> int:
    after = step + grammar.offset_steps[ids]
    may_follow = grammar.on_grid[step % grammar.steps_per_quarter, ids] & (after <= stop)
    may_follow &= (after == stop) | lands[np.minimum(after, stop)]
    found = np.flatnonzero(may_follow)
    return int(ids[found[0]]) if len(found) else _NONE
