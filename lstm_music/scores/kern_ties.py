"""Ties in `**kern`: within a part, also between its sub-spines; from one staff to another; and over a short gap.

A written-out arpeggio ties each of its short notes to the chord at its end, so other notes stand between.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from lstm_music.scores.score import ScoreNote

_LONGEST_GAP = Fraction(1)  # quarters, exclusive

_Place = tuple[int, Fraction]  # a pitch, and where a note of it ends


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
    """Notes that are tied to one that has not come yet, by their index in `joined`."""

    joined: list[ScoreNote]
    by_place: dict[_Place, list[int]] = field(default_factory=dict)
    latest: dict[tuple[int, int], int] = field(default_factory=dict)  # (track, pitch) → index

    def add(self, note: ScoreNote, index: int) -> None:
        self.by_place.setdefault((note.pitch, note.end), []).append(index)
        self.latest[note.track, note.pitch] = index

    def take(self, note: ScoreNote) -> int:
        """Return the index of the note that is tied to this one, which is open no longer; -1 if there is none."""
        indices = self.by_place.get((note.pitch, note.onset), [])
        if indices:
            place = next((at for at, index in enumerate(indices) if self.joined[index].track == note.track), 0)
            return self._closed(indices, place)
        index = self.latest.get((note.track, note.pitch), -1)
        if index < 0 or not note.onset - _LONGEST_GAP < self.joined[index].end < note.onset:
            return -1
        indices = self.by_place[note.pitch, self.joined[index].end]
        return self._closed(indices, indices.index(index))

    def _closed(self, indices: list[int], place: int) -> int:
        index = indices.pop(place)
        note = self.joined[index]
        if self.latest.get((note.track, note.pitch)) == index:
            del self.latest[note.track, note.pitch]
        return index
