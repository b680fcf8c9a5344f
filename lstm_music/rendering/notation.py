"""Notes as a score writes them: bars, two hands with up to four voices each, and values that have a sign.

Time is counted in steps of 1/24 of a quarter. Music that lies on a grid, as generated music does, keeps its onsets and
durations. Music that somebody played is moved to a grid first: each quarter of a hand is divided into thirty-seconds, triplets
or sextuplets, whichever is nearest to the onsets in it, and a note that nearly reaches the next one is written until there.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lstm_music.encoding.bars import place_in_bars, signature_at
from lstm_music.encoding.grid import Grid
from lstm_music.midi.notes import PieceNotes, TimeSignature
from lstm_music.rendering.hands import split_hands
from lstm_music.rendering.voices import (
    QUARTER,
    SEXTUPLETS,
    THIRTY_SECONDS,
    TRIPLETS,
    Beats,
    Chord,
    Divisions,
    Voice,
    is_divisible,
    share_out,
)

_COST_OF_DIVISION = {THIRTY_SECONDS: 0.0, TRIPLETS: 0.5, SEXTUPLETS: 1.0}  # steps; of about equal divisions the plainer
_OVERLAP = 6  # steps: a played note that ends so soon after the hand's next onset was played legato
_GAP = 9  # steps: a played note that ends so soon before the hand's next onset is written until there, without a rest
_PLAIN = (144, 96, 72, 48, 24)  # on a beat: dotted whole, whole, dotted half, half, quarter
_WITHIN = (18, 12, 9, 6, 3)  # within a quarter: dotted eighth, eighth, dotted sixteenth, sixteenth, thirty-second
_LONGEST_BAR = 256 * QUARTER
_GRID = Grid((QUARTER,))


@dataclass(frozen=True)
class _Frame:
    """An empty bar: its first step, how many it has, and its time signature."""

    first: int
    steps: int
    signature: tuple[int, int]


@dataclass(frozen=True)
class Value:
    """One sign: `start` in its bar and `length` in steps; no pitches mean a rest; `tuplet` is start, inside, stop or empty."""

    start: int
    length: int
    pitches: tuple[int, ...]
    is_tied_from: bool = False
    is_tied_on: bool = False
    tuplet: str = ""


@dataclass(frozen=True)
class Bar:
    """A bar: steps it lasts, its time signature, and for the right and the left hand the voices that fill it.

    `skipped` steps of a whole bar are not there: it is above 0 for a pickup bar alone.
    """

    steps: int
    numerator: int
    denominator: int
    hands: tuple[tuple[tuple[Value, ...], ...], ...]
    skipped: int = 0


def write_bars(piece: PieceNotes) -> list[Bar]:
    """Write the pitched notes of a piece as bars; every voice of a bar fills it, and all but the first have notes.

    Music that begins within its first bar begins with a pickup bar.
    """
    is_right, is_pitched = split_hands(piece), ~piece.notes["is_drum"]
    frames = _frames(piece)
    beats = Beats([beat for frame in frames for beat in range(frame.first, frame.first + frame.steps, QUARTER)])
    read = _read_score if _is_on_grid(piece) else _read_played
    hands = [
        share_out(read(piece.notes[is_pitched & (is_right == right)], piece.ticks_per_quarter, beats), beats)
        for right in (True, False)
    ]
    voices = [voice for hand in hands for voice in hand]
    end = max((chord.end for voice in voices for chord in voice.chords), default=1)
    skipped = _pickup(voices, frames[0], beats)
    return [
        Bar(frame.steps - skip, *frame.signature, tuple(_fill(voices, frame, skip) for voices in hands), skip)
        for frame, skip in zip(frames, [skipped, *[0] * (len(frames) - 1)], strict=True)
        if frame.first < end
    ]


def _is_on_grid(piece: PieceNotes) -> bool:
    """Say whether every onset, and each note's duration or end, is one that a score has: a played piece has some that are not."""
    notes = piece.notes[~piece.notes["is_drum"]]
    onsets, durations = notes["onset_ticks"] * QUARTER, notes["duration_ticks"] * QUARTER

    def is_point(ticks: np.ndarray) -> np.ndarray:
        steps, rest = np.divmod(ticks, piece.ticks_per_quarter)
        points: np.ndarray = (rest == 0) & ((steps % THIRTY_SECONDS == 0) | (steps % SEXTUPLETS == 0))
        return points

    return bool((is_point(onsets) & (is_point(durations) | is_point(onsets + durations))).all())


def _pickup(voices: Sequence[Voice], frame: _Frame, beats: Beats) -> int:
    """Say how many steps of the first bar to leave out: those before the first note, or before the beat of its triplet."""
    start = min((voice.chords[0].start for voice in voices), default=0)
    if not frame.first < start < frame.first + frame.steps:
        return 0
    beat = beats.first(start)
    has_tuplet = any(beat in voice.divisions for voice in voices)
    return (beat if has_tuplet else start) - frame.first


def _frames(piece: PieceNotes) -> list[_Frame]:
    """List the bars of a piece, and some after it; a signature that no thirty-seconds fill is passed over."""
    usable = [
        replace(change, tick=round(change.tick * QUARTER / piece.ticks_per_quarter / THIRTY_SECONDS) * THIRTY_SECONDS)
        for change in piece.time_signatures
        if _is_writable(change)
    ]
    ends = piece.notes["onset_ticks"] + piece.notes["duration_ticks"]
    end = int(ends.max(initial=0)) * QUARTER // piece.ticks_per_quarter + _LONGEST_BAR
    bar, _ = place_in_bars(np.arange(end + _LONGEST_BAR), usable, QUARTER, _GRID)
    firsts = np.flatnonzero(np.diff(bar, prepend=0)).tolist()
    return [
        _Frame(first, following - first, signature_at(usable, first, QUARTER, _GRID))
        for first, following in pairwise(firsts)
    ]


def _is_writable(signature: TimeSignature) -> bool:
    steps, rest = divmod(4 * QUARTER * signature.numerator, max(signature.denominator, 1))
    return not rest and 0 < steps <= _LONGEST_BAR and steps % THIRTY_SECONDS == 0


def _read_score(notes: np.ndarray, ticks_per_quarter: int, beats: Beats) -> list[Chord]:
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


def _read_played(notes: np.ndarray, ticks_per_quarter: int, beats: Beats) -> list[Chord]:
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


def _fill(voices: Sequence[Voice], frame: _Frame, skip: int) -> tuple[tuple[Value, ...], ...]:
    """Cut the part of each voice that lies in a bar, from step `skip` of it on, out of it, with rests between.

    A voice without notes is left out; but not before one that is tied to another bar, where it has to keep its number.
    """
    first, last = frame.first, frame.first + frame.steps
    found = [[chord for chord in voice.chords if chord.start < last and chord.end > first] for voice in voices]
    is_tied = any(chord.start < first or chord.end > last for inside in found for chord in inside)
    while found and not found[-1]:
        found.pop()
    filled = []
    for voice, inside in zip(voices, found, strict=False):
        if inside or is_tied:
            beats = [beat for beat in range(first, last, QUARTER) if beat in voice.divisions]
            filled.append(tuple(_values(inside, {beat - first: voice.divisions[beat] for beat in beats}, frame, skip)))
    return tuple(filled) or (tuple(_values([], {}, frame, skip)),)


def _is_compound(numerator: int, denominator: int) -> bool:
    return denominator == 8 and numerator % 3 == 0


def _values(chords: list[Chord], divisions: Divisions, frame: _Frame, skip: int) -> Iterator[Value]:
    first, steps, is_compound = frame.first, frame.steps, _is_compound(*frame.signature)
    place = skip
    for chord in [*chords, Chord(first + steps, first + steps, ())]:
        start, end = max(chord.start - first, 0), min(chord.end - first, steps)
        if start > place:
            rests = [(place, steps)] if place == 0 and start == steps else _signs(place, start, divisions, is_compound)
            yield from (Value(at - skip, to - at, (), tuplet=_tuplet(at, to, divisions)) for at, to in rests)
        for at, to in _signs(start, end, divisions, is_compound):
            is_from, is_on = first + at > chord.start, first + to < chord.end
            yield Value(at - skip, to - at, chord.pitches, is_from, is_on, _tuplet(at, to, divisions))
        place = end


def _signs(start: int, end: int, divisions: Divisions, is_compound: bool) -> Iterator[tuple[int, int]]:
    """Cut the steps from `start` to `end` of a bar into those that one sign each can stand for."""
    while start < end:
        length = _sign(start, end, divisions, is_compound)
        yield start, start + length
        start += length


def _sign(start: int, end: int, divisions: Divisions, is_compound: bool) -> int:
    place, left = start % QUARTER, end - start
    division, last = _division(divisions, start), _division(divisions, end - 1)
    if is_compound and start % 36 == 0 and left >= 36 and last != TRIPLETS:
        return 72 if left >= 72 and start % 72 == 0 else 36
    if place == 0 and left >= QUARTER:
        is_dotted = left == 36 and last != TRIPLETS
        return 36 if is_dotted else next(length for length in _PLAIN if length <= left)
    if place == 12 and left == QUARTER and TRIPLETS not in {division, last}:
        return QUARTER  # an eighth before the beat and one after it are one quarter
    left = min(left, QUARTER - place)
    if division == TRIPLETS:
        return left
    if place < 12 < place + left and (division == SEXTUPLETS or place % 6 or place + left == QUARTER) and place:
        left = 12 - place
    elif division == SEXTUPLETS:
        left = min(left, 12)
    return left if division == SEXTUPLETS else next(length for length in _WITHIN if length <= left)


def _division(divisions: Divisions, step: int) -> int:
    """Give the division of the beat that a step of a bar lies in; beats begin with the bar."""
    return divisions.get(step // QUARTER * QUARTER, THIRTY_SECONDS)


def _tuplet(start: int, end: int, divisions: Divisions) -> str:
    """Say which part of its group of three a sign is; groups last a quarter in triplets, half of it in sextuplets."""
    division = _division(divisions, start)
    if division == THIRTY_SECONDS or end - start not in {division, 2 * division}:
        return ""
    group = 3 * division
    if start % group == 0:
        return "start"
    return "stop" if end % group == 0 else "inside"
