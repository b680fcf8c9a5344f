"""The voices of one hand: chords that do not overlap, and how each of their beats is divided.

Time is counted in steps of 1/24 of a quarter. A beat of a voice is divided into thirty-seconds, triplets or sextuplets.
MusicXML and MuseScore allow four voices per staff, so a chord that needs a fifth one cuts another short.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from statistics import fmean

QUARTER = 24  # steps
THIRTY_SECONDS, TRIPLETS, SEXTUPLETS = 3, 8, 4  # the steps between two points of a quarter
MAX_VOICES = 4
_PLAINEST_FIRST = (THIRTY_SECONDS, TRIPLETS, SEXTUPLETS)

Divisions = dict[int, int]
"""First step of a beat → the steps between two of its points; thirty-seconds for a beat that is not in it."""


@dataclass(frozen=True)
class Chord:
    """Some pitches from one step of the piece to another, exclusive."""

    start: int
    end: int
    pitches: tuple[int, ...]


@dataclass(frozen=True)
class Voice:
    """Chords in their order, none of which overlaps another, and the division of each beat that is not in thirty-seconds."""

    chords: tuple[Chord, ...]
    divisions: Divisions


class Beats:
    """The beats of a piece: the quarters of each bar, of which the last may be cut short."""

    def __init__(self, firsts: Sequence[int]) -> None:
        self._firsts = list(firsts)
        self._whole = {first for first, following in pairwise(firsts) if following - first == QUARTER}

    def first(self, step: float) -> int:
        """Give the first step of the beat that a step lies in."""
        return self._firsts[bisect_right(self._firsts, step) - 1]

    def is_whole(self, first: int) -> bool:
        """Say whether a beat lasts a quarter, so that it may be divided into triplets."""
        return first in self._whole


def division_of(points: Iterable[int], *, is_whole: bool = True) -> int | None:
    """Give the plainest division of a beat that has all of its `points` (steps since it began); None if none has."""
    distinct = set(points)
    for division in _PLAINEST_FIRST if is_whole else (THIRTY_SECONDS,):
        if all(point % division == 0 for point in distinct):
            return division
    return None


def is_divisible(start: int, end: int, beats: Beats) -> bool:
    """Say whether a note may begin and end there: in each of its two beats, and in both at once if they are one."""
    points = defaultdict(set)
    for step in (start, end):
        points[beats.first(step)].add(step - beats.first(step))
    return all(division_of(steps, is_whole=beats.is_whole(beat)) is not None for beat, steps in points.items())


def share_out(chords: Iterable[Chord], beats: Beats, most: int = MAX_VOICES) -> list[Voice]:
    """Share chords out to as few voices as hold them, `most` at most, the higher chords to the first ones.

    Each chord starts and ends at points that `is_divisible` allows. It keeps its length unless it needs a voice too many, and
    its place unless its beat holds thirty-seconds and triplets in more voices than there are.
    """
    voices = [_OpenVoice(beats) for _ in range(most)]
    group = 0
    by_start = sorted(chords, key=lambda chord: (chord.start, -chord.pitches[-1], chord.end))
    for start, begun in groupby(by_start, key=lambda chord: chord.start):
        if start == beats.first(start) and all(voice.end <= start for voice in voices):
            group += 1  # nothing is held over this beat, so that any chord may go on in any voice
        for chord in begun:
            _add(chord, group, voices)
    return [voice.closed() for voice in _highest_first(voices, beats) if voice.chords]


class _OpenVoice:
    """A voice that chords are added to; `groups` are the numbers of the groups that its chords are of."""

    def __init__(self, beats: Beats) -> None:
        self.chords: list[Chord] = []
        self.groups: list[int] = []
        self._beats = beats

    @property
    def end(self) -> int:
        return self.chords[-1].end if self.chords else 0

    def add(self, chord: Chord, group: int) -> None:
        self.chords.append(chord)
        self.groups.append(group)

    def until(self, end: int) -> "_OpenVoice":
        """Give a voice with the same chords, of which the last ends there."""
        other = _OpenVoice(self._beats)
        other.chords = [*self.chords[:-1], replace(self.chords[-1], end=end)]
        return other

    def takes(self, chord: Chord) -> bool:
        """Say whether the beats of a chord have a division for its points and for those that the voice has there already."""
        return all(
            self._divisions(self._beats.first(step), (chord.start, chord.end)) for step in (chord.start, chord.end)
        )

    def moved(self, chord: Chord) -> Chord:
        """Move a chord to the nearest points that the voice can take."""
        start = min(range(chord.start, chord.start + QUARTER + 1), key=lambda step: (not self._allows(step), step))
        ends = range(start + 1, max(chord.end, start) + QUARTER + 1)
        end = min(ends, key=lambda step: (not self.takes(Chord(start, step, ())), abs(step - chord.end)))
        return replace(chord, start=start, end=end)

    def _allows(self, step: int) -> bool:
        return bool(self._divisions(self._beats.first(step), (step,)))

    def _divisions(self, beat: int, more: Iterable[int]) -> int | None:
        steps = set(more)
        for chord in reversed(self.chords):
            if chord.end < beat:
                break
            steps |= {chord.start, chord.end}
        inside = [step - beat for step in steps if self._beats.first(step) == beat]
        return division_of(inside, is_whole=self._beats.is_whole(beat))

    def closed(self) -> Voice:
        """Give the finished voice."""
        points: dict[int, set[int]] = defaultdict(set)
        for chord in self.chords:
            for step in (chord.start, chord.end):
                points[self._beats.first(step)].add(step - self._beats.first(step))
        found = {beat: division_of(steps, is_whole=self._beats.is_whole(beat)) for beat, steps in points.items()}
        return Voice(
            tuple(self.chords), {beat: one for beat, one in found.items() if one not in {None, THIRTY_SECONDS}}
        )


def _add(chord: Chord, group: int, voices: Sequence[_OpenVoice]) -> None:
    """Add a chord to the first voice that is free and takes it; without a free one, where least is lost."""
    free = [voice for voice in voices if voice.end <= chord.start]
    if free:
        fitting = next((voice for voice in free if voice.takes(chord)), None)
        if fitting is not None:
            fitting.add(chord, group)
        else:
            free[0].add(free[0].moved(chord), group)
        return
    cut = [voice for voice in voices if voice.chords[-1].start < chord.start and voice.until(chord.start).takes(chord)]
    first_ended = min(cut, key=lambda voice: voice.end, default=None)
    alike = min(voices, key=lambda voice: (chord.start - voice.chords[-1].start, abs(voice.end - chord.end)))
    is_alike = alike.chords[-1].start == chord.start
    if first_ended is None or (is_alike and abs(alike.end - chord.end) <= first_ended.end - chord.start):
        alike.chords[-1] = replace(alike.chords[-1], pitches=tuple(sorted({*alike.chords[-1].pitches, *chord.pitches})))
    else:
        first_ended.chords[-1] = replace(first_ended.chords[-1], end=chord.start)
        first_ended.add(chord, group)


def _highest_first(voices: Sequence[_OpenVoice], beats: Beats) -> list[_OpenVoice]:
    """Order the voices of each group by their mean pitch, the highest first."""
    parts: dict[int, list[list[Chord]]] = defaultdict(list)
    for voice in voices:
        for group, members in groupby(zip(voice.groups, voice.chords, strict=True), key=lambda one: one[0]):
            parts[group].append([chord for _, chord in members])
    ordered = [_OpenVoice(beats) for _ in voices]
    for group, found in sorted(parts.items()):
        for voice, chords in zip(ordered, sorted(found, key=_mean_pitch, reverse=True), strict=False):
            for chord in chords:
                voice.add(chord, group)
    return ordered


def _mean_pitch(chords: Sequence[Chord]) -> float:
    return fmean(pitch for chord in chords for pitch in chord.pitches)
