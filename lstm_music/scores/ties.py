"""Tied notes → one note each, over bar lines, voices, staves and the parts of one keyboard."""

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby

from lstm_music.scores.score import ScoreNote


@dataclass(frozen=True, slots=True)
class TiedNote:
    """A note, and who plays it: the closest match is tied to it where several could be.

    `goes_on` is where the note that it is tied to starts, its end in most cases. `family` are parts that share an
    instrument, `part` is a part, `voice` a voice of it.
    """

    note: ScoreNote
    goes_on: Fraction
    family: int
    part: int
    voice: str

    @property
    def circles(self) -> tuple[Hashable, ...]:
        """Where a partner is looked for, the closest first."""
        return (self.family, self.part, self.voice), (self.family, self.part), self.family


def join_tied(notes: Iterable[TiedNote]) -> list[ScoreNote]:
    """Join each tied note with the one of the same pitch that starts where it goes on. Return the notes by onset.

    A partner is looked for in the voice, then in the part, then in the family. A tie without one changes nothing.
    """
    by_onset = sorted(notes, key=lambda tied: tied.note.onset)
    joined: list[ScoreNote] = []
    ties = _OpenTies()
    for _, group in groupby(by_onset, key=lambda tied: tied.note.onset):
        together = list(group)
        places = ties.partners(together)
        for index, tied in enumerate(together):
            place = places.get(index)
            if place is None:
                place = len(joined)
                joined.append(tied.note)
            else:
                joined[place] = replace(joined[place], end=max(tied.note.end, joined[place].end))
            if tied.note.tie in ("start", "continue"):
                ties.add(tied, place)
    return joined


class _OpenTies:
    """Ties that wait for the note that they lead to. Each is the index of a joined note."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[int]] = {}  # of (circle, pitch, place); in several circles at once
        self._open: set[int] = set()

    def add(self, tied: TiedNote, place: int) -> None:
        """Let a tie wait at the place to which it leads."""
        self._open.add(place)
        for circle in tied.circles:
            self._waiting.setdefault((circle, tied.note.pitch, tied.goes_on), deque()).append(place)

    def partners(self, together: Sequence[TiedNote]) -> dict[int, int]:
        """Return for notes that start together, by index, the joined note that each goes on with. Uses up their ties."""
        found: dict[int, int] = {}
        ends = [index for index, tied in enumerate(together) if tied.note.tie in ("stop", "continue")]
        for closeness in range(3):
            for index in ends:
                if index not in found:
                    tied = together[index]
                    place = self._take((tied.circles[closeness], tied.note.pitch, tied.note.onset))
                    if place is not None:
                        found[index] = place
        return found

    def _take(self, key: Hashable) -> int | None:
        waiting = self._waiting.get(key, deque())
        while waiting:
            place = waiting.popleft()
            if place in self._open:
                self._open.remove(place)
                return place
        return None
