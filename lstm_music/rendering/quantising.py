"""Notes → chords at points that a score has, in steps of 1/24 of a quarter.

Music that lies on a grid, as generated music does, keeps its onsets and durations. Music that somebody played is moved to a grid
first: each quarter of a hand is divided into thirty-seconds, triplets or sextuplets, whichever is nearest to the onsets in it,
and a note that nearly reaches the next one is written until there. What is struck, as drums are, is written until the next
stroke or the end of the beat, however long it sounds.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from lstm_music.rendering.voices import (
    QUARTER,
    SEXTUPLETS,
    THIRTY_SECONDS,
    TRIPLETS,
    Beats,
    Chord,
    Divisions,
    is_divisible,
)

_COST_OF_DIVISION = {THIRTY_SECONDS: 0.0, TRIPLETS: 0.5, SEXTUPLETS: 1.0}  # steps; of about equal divisions the plainer
_OVERLAP = 6  # steps: a played note that ends so soon after the hand's next onset was played legato
_GAP = 9  # steps: a played note that ends so soon before the hand's next onset is written until there, without a rest


def is_on_grid(notes: np.ndarray, ticks_per_quarter: int) -> bool:
    """Say whether every onset, and each note's duration or end, is one that a score has: a played piece has some that are not."""
    onsets, durations = notes["onset_ticks"] * QUARTER, notes["duration_ticks"] * QUARTER

    def is_point(ticks: np.ndarray) -> np.ndarray:
        steps, rest = np.divmod(ticks, ticks_per_quarter)
        points: np.ndarray = (rest == 0) & ((steps % THIRTY_SECONDS == 0) | (steps % SEXTUPLETS == 0))
        return points

    is_long = notes["is_drum"] | is_point(durations) | is_point(onsets + durations)
    return bool((is_point(onsets) & is_long).all())


def read_score(notes: np.ndarray, ticks_per_quarter: int, beats: Beats) -> list[Chord]:
    """Take notes as they are; one that ends at no point of the division that it begins in ends at the nearest one that is."""
    onsets = (notes["onset_ticks"] * QUARTER // ticks_per_quarter).tolist()
    durations = (notes["duration_ticks"] * QUARTER // ticks_per_quarter).tolist()
    rows = []
    for onset, duration, pitch in zip(onsets, durations, notes["pitch"].tolist(), strict=True):
        start = min(_around(onset), key=lambda step: (not is_divisible(step, step, beats), abs(step - onset)))
        end = min(
            _around(onset + duration),
            key=lambda step: (step <= start or not is_divisible(start, step, beats), abs(step - onset - duration)),
        )
        rows.append((start, end, pitch))
    return _chords(rows)


def _around(step: int) -> range:
    return range(max(step - THIRTY_SECONDS, 0), step + QUARTER + 1)


def _chords(rows: Sequence[tuple[int, int, int]]) -> list[Chord]:
    """Make chords of (start, end, pitch): of notes that begin and end together."""
    pitches: dict[tuple[int, int], set[int]] = defaultdict(set)
    for start, end, pitch in rows:
        pitches[start, end].add(pitch)
    return [Chord(start, end, tuple(sorted(together))) for (start, end), together in sorted(pitches.items())]


def struck(chords: Sequence[Chord], beats: Beats, beat_ends: Sequence[int]) -> list[Chord]:
    """Let each stroke last until the next one, or until the end of its beat: how long a drum sounds is not written.

    It goes on beyond a stroke that no division of a beat has besides its own point: that one is in another voice. `beat_ends`
    are the steps where beats end, in order, from before the first stroke on.
    """
    pitches: dict[int, set[int]] = defaultdict(set)
    for chord in chords:
        pitches[chord.start] |= {*chord.pitches}
    starts = sorted(pitches)
    found = []
    for place, start in enumerate(starts):
        beat_end = beat_ends[bisect_right(beat_ends, start)]
        following = starts[place + 1 : bisect_left(starts, beat_end)]
        end = next((step for step in following if is_divisible(start, step, beats)), beat_end)
        found.append(Chord(start, end, tuple(sorted(pitches[start]))))
    return found


def read_played(notes: np.ndarray, ticks_per_quarter: int, beats: Beats) -> list[Chord]:
    """Move notes that somebody played to the nearest points of their beats."""
    at = (notes["onset_ticks"] * QUARTER / ticks_per_quarter).tolist()
    ends = ((notes["onset_ticks"] + notes["duration_ticks"]) * QUARTER / ticks_per_quarter).tolist()
    divisions = _choose_divisions(at, beats)
    starts = [_nearest(one, beats, divisions) for one in at]
    onsets = np.unique(starts)
    written = [_end(start, end, onsets, beats, divisions) for start, end in zip(starts, ends, strict=True)]
    return _chords(list(zip(starts, written, notes["pitch"].tolist(), strict=True)))


def _choose_divisions(onsets: Sequence[float], beats: Beats) -> Divisions:
    within: dict[int, list[float]] = defaultdict(list)
    for onset in onsets:
        beat = beats.first(onset)
        within[beat].append(onset - beat)

    def cost(places: list[float], division: int) -> float:
        return _COST_OF_DIVISION[division] + sum(abs(place - round(place / division) * division) for place in places)

    return {
        beat: min(_COST_OF_DIVISION, key=lambda division: cost(places, division))
        for beat, places in within.items()
        if beats.is_whole(beat)
    }


def _nearest(at: float, beats: Beats, divisions: Mapping[int, int]) -> int:
    beat = beats.first(at)
    division = divisions.get(beat, THIRTY_SECONDS)
    return beat + round((at - beat) / division) * division


def _end(start: int, end: float, onsets: np.ndarray, beats: Beats, divisions: Mapping[int, int]) -> int:
    """Say where a note ends: at the hand's onset that it nearly ends at, else at the nearest point, and after it began."""
    near = onsets[(onsets > start) & (onsets >= end - min(_OVERLAP, (end - start) / 4)) & (onsets <= end + _GAP)]
    if len(near):
        return int(near[0])
    beat = beats.first(start)
    division = divisions.get(beat, THIRTY_SECONDS)
    return max(_nearest(end, beats, divisions), beat + ((start - beat) // division + 1) * division)
