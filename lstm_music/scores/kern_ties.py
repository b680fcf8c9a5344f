"""Ties in `**kern`: within a part, also between its sub-spines; from one staff to another; and over a short gap.

A written-out arpeggio ties each of its short notes to the chord at its end, so other notes stand between.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from lstm_music.scores.score import ScoreNote

_LONGEST_GAP = Fraction(1)  # quarters, exclusive


def join_ties(notes: Iterable[ScoreNote]) -> list[ScoreNote]:
    """Join each tied note with the note of its pitch that starts where it ends: of its own part, or else of another.

    If there is none, with the last open one of its part that ended less than a quarter before. A tie without a partner
    changes nothing. The notes come back by part, then by onset.
    """
    joined: list[ScoreNote] = []
    ties = _OpenTies(joined)
    for note in sorted(notes, key=lambda note: note.onset):
        index = ties.take(note) if note.tie in ("stop", "continue") else -1
        if index < 0:
            index = len(joined)
            joined.append(note)
        else:
            joined[index] = replace(joined[index], end=note.end)
        if note.tie in ("start", "continue"):
            ties.add(note, index)
    return sorted(joined, key=lambda note: (note.track, note.onset))


@dataclass(slots=True)
class _OpenTies:
    """Notes that are tied to one that has not come yet, by their index in `joined`.

    A queue keeps what has been closed from another one, until it comes to it: `open` says where each open note ends.
    """

    joined: list[ScoreNote]
    open: dict[int, Fraction] = field(default_factory=dict)
    of_part: dict[tuple[int, int, Fraction], deque[int]] = field(default_factory=dict)  # (track, pitch, end)
    of_all: dict[tuple[int, Fraction], deque[int]] = field(default_factory=dict)  # (pitch, end)
    latest: dict[tuple[int, int], int] = field(default_factory=dict)  # (track, pitch) → index

    def add(self, note: ScoreNote, index: int) -> None:
        self.open[index] = note.end
        track = self.joined[index].track
        self.of_part.setdefault((track, note.pitch, note.end), deque()).append(index)
        self.of_all.setdefault((note.pitch, note.end), deque()).append(index)
        self.latest[note.track, note.pitch] = index

    def take(self, note: ScoreNote) -> int:
        """Return the index of the note that is tied to this one, which is open no longer; -1 if there is none."""
        index = self._first(self.of_part.get((note.track, note.pitch, note.onset)), note.onset)
        if index < 0:
            index = self._first(self.of_all.get((note.pitch, note.onset)), note.onset)
        if index < 0:
            index = self.latest.get((note.track, note.pitch), -1)
            end = self.open.get(index)
            if end is None or not note.onset - _LONGEST_GAP < end < note.onset:
                return -1
        del self.open[index]
        tied = self.joined[index]
        if self.latest.get((tied.track, tied.pitch)) == index:
            del self.latest[tied.track, tied.pitch]
        return index

    def _first(self, waiting: deque[int] | None, end: Fraction) -> int:
        """Return the first note of a queue that is open and ends there; -1 if there is none."""
        while waiting:
            index = waiting.popleft()
            if self.open.get(index) == end:
                return index
        return -1
