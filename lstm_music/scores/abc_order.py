"""The order in which the measures of an ABC tune are played: repeats, endings, da capo, parts (ABC 2.1, 3.1.9, 4.8 to 4.10)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lstm_music.errors import RejectedInputError
from lstm_music.scores.abc_measures import Marks

MOST_MEASURES = 65_536  # played; a few characters can ask for more than any machine holds
_PARTS = re.compile(r"([A-Z])|(\()|(\))|(\d+)")
_DEEPEST = 20
_FAR = 500  # bars; the endings of a passage are not further apart


def play(marks: Sequence[Marks], parts: str) -> list[int]:
    """Return the numbers of the measures in the order in which they are played. `parts` is the field P: of the header.

    Raises RejectedInputError for more measures than a piece may have.
    """
    player = _Player(marks)
    labels = {mark.part[:1]: place for place, mark in reversed(list(enumerate(marks))) if mark.part}
    order = [label for label in _expand(parts) if label in labels] if labels else []
    if not order:
        return player.play_with_jumps()
    starts = sorted(labels.values())
    ends = dict(zip(starts, [*starts[1:], len(marks)], strict=True))
    played = player.play(0, starts[0])
    for label in order:
        played += player.play(labels[label], ends[labels[label]])
        _check(played)
    return played


def play_once(marks: Sequence[Marks]) -> list[int]:
    """Return the numbers of the measures as they are played without repeats: of the endings of a passage the last."""
    within = _Player(marks).endings
    played: list[int] = []
    endings: list[list[int]] = []  # the measures of each ending of the passage so far
    times: set[int] = set()
    for place, mark in enumerate(marks):
        if endings and (not within[place] or mark.ending & times):  # another passage
            played += _last_of(endings, marks)
            endings, times = [], set()
        if not within[place]:
            played.append(place)
            continue
        if mark.ending or not endings:
            endings.append([])
        endings[-1].append(place)
        times |= mark.ending
    return played + _last_of(endings, marks)


def _last_of(endings: Sequence[Sequence[int]], marks: Sequence[Marks]) -> list[int]:
    """Return the measures of the last ending; of all, if none before it leads back."""
    leads_back = any(marks[place].repeats_to_here for ending in endings[:-1] for place in ending)
    return list(endings[-1]) if leads_back else [place for ending in endings for place in ending]


def _expand(parts: str) -> list[str]:
    """Expand `A(AB)3C` to its labels. A number repeats the label or the group before it."""
    groups: list[list[str]] = [[]]
    last: list[str] = []
    for label, opens, closes, number in _PARTS.findall(parts):
        if label:
            last = [label]
        elif opens:
            groups.append([])
            last = []
            if len(groups) > _DEEPEST:
                raise RejectedInputError("has a field P: with too many parentheses")
        elif closes and len(groups) > 1:
            last = groups.pop()
        elif number:
            last = last * (min(int(number[:6]), MOST_MEASURES) - 1)
        groups[-1] += last
        _check(groups[-1])
    return [label for group in groups for label in group]


@dataclass
class _Passage:
    """The passage that is being played: where it began, and for which time.

    Without a sign, it began where the last repeat or its last ending ended, or with the tune; abc2midi and abcjs do the same.
    """

    start: int
    time: int = 1


class _Player:
    """Plays measures by their signs. `endings` holds the times of the ending that each measure is in; none outside of one."""

    def __init__(self, marks: Sequence[Marks]) -> None:
        self.marks = marks
        self.endings: list[frozenset[int]] = []
        within: frozenset[int] = frozenset()
        for place, mark in enumerate(marks):
            within = mark.ending or (frozenset() if place and mark.repeats_from_here else within)
            self.endings.append(within)
            if mark.ends_section:
                within = frozenset()
        self._known: dict[int, tuple[int, int]] = {}

    def play(self, first: int, stop: int) -> list[int]:
        """Play the measures from `first` to before `stop` with their repeats and endings."""
        played: list[int] = []
        passage, place, is_back = _Passage(first), first, False
        while place < stop:
            mark = self.marks[place]
            if mark.repeats_from_here and not is_back:
                passage = _Passage(place)
            if mark.ending and passage.time not in mark.ending:
                place = self._other_ending(place, stop, passage.time)
                mark = self.marks[place]
            played.append(place)
            _check(played)
            if not mark.repeats_to_here and not (mark.ends_section and self.endings[place]):
                place, is_back = place + 1, False
                continue
            times, last = self._times_and_end(passage.start, place, stop)
            is_back = bool(mark.repeats_to_here) and passage.time < times
            if is_back:
                passage.time += 1
                place = passage.start
            else:
                place = last + 1  # behind the endings that follow this one: they were for earlier times
                passage = _Passage(place)
        return played

    def _times_and_end(self, start: int, place: int, stop: int) -> tuple[int, int]:
        """Say how often the passage with the sign at `place` is played, by its sign or its endings; and where they end."""
        if place not in self._known:
            times = set().union(*self.endings[max(start, place - _FAR) : place + 1])
            last = place
            for later in range(place + 1, min(stop, place + _FAR)):
                ending = self.marks[later].ending
                if not self.endings[later] or self.marks[later].repeats_from_here or ending & times:
                    break  # another passage
                times |= ending
                last = later
            self._known[place] = max(times, default=1 + self.marks[place].repeats_to_here), last
        return self._known[place]

    def _other_ending(self, place: int, stop: int, time: int) -> int:
        """Find the ending for this time behind the one at `place`; that one itself if there is no other."""
        for later in range(place + 1, min(stop, place + _FAR)):
            if time in self.marks[later].ending:
                return later
            if self.marks[later].repeats_from_here:
                break
        return place

    def play_with_jumps(self) -> list[int]:
        """Play the whole, and what da capo or dal segno asks for: that once, with the last endings."""
        played = self.play(0, len(self.marks))
        reached = set(played)
        jump = next((place for place, mark in enumerate(self.marks) if mark.jump and place in reached), None)
        if jump is None:
            return played
        before = played[: len(played) - played[::-1].index(jump)]
        segno = self._first("has_segno") if self.marks[jump].jump == "segno" else None
        start = segno or 0
        coda, fine = self._first("has_coda"), self._first("has_fine")
        last_coda = max((place for place, mark in enumerate(self.marks) if mark.has_coda), default=0)
        if self.marks[jump].until == "coda" and coda is not None:
            return [*before, *self._last_times(start, coda), *self._last_times(max(last_coda, coda), len(self.marks))]
        if fine is not None and fine >= start:
            return [*before, *self._last_times(start, fine + 1)]
        return [*before, *self._last_times(start, jump + 1), *played[len(before) :]]

    def _first(self, sign: str) -> int | None:
        return next((place for place, mark in enumerate(self.marks) if getattr(mark, sign)), None)

    def _last_times(self, start: int, stop: int) -> list[int]:
        """Return the measures of a range without those in an ending that leads back."""
        kept: list[int] = []
        leads_back = False
        for place in reversed(range(start, min(stop, len(self.marks)))):
            if self.endings[place] and self.marks[place].repeats_to_here:
                leads_back = any(self.endings[place + 1 : place + 2])
            elif not self.endings[place]:
                leads_back = False
            if not leads_back:
                kept.append(place)
            if self.marks[place].ending:
                leads_back = False
        return kept[::-1]


def _check(played: Sequence[object]) -> None:
    if len(played) > MOST_MEASURES:
        raise RejectedInputError(f"too long: expected at most {MOST_MEASURES:,} bars as they are played")
