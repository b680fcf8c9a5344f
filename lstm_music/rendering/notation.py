"""Notes as a score writes them: bars, two hands with at most two voices each, and values that have a sign.

Time is counted in steps of 1/24 of a quarter. Every quarter of a bar is read for each hand either in thirty-seconds, in
triplets or in sextuplets, whichever is nearest to the onsets in it. A hand has two voices, so of three chords of
different lengths that begin at once two become one, and a note that a third voice would hold ends where the new one begins.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lstm_music.encoding.bars import place_in_bars, signature_at
from lstm_music.encoding.grid import Grid
from lstm_music.midi.notes import PieceNotes, TimeSignature
from lstm_music.rendering.hands import split_hands

QUARTER = 24  # steps
THIRTY_SECONDS, TRIPLETS, SEXTUPLETS = 3, 8, 4  # the steps between two points of a quarter
_COST_OF_READING = {THIRTY_SECONDS: 0.0, TRIPLETS: 0.5, SEXTUPLETS: 1.0}  # steps; of about equal readings the plainer
_OVERLAP = 6  # steps: a note that ends so soon after the hand's next onset was played legato
_GAP = 9  # steps: a note that ends so soon before the hand's next onset is written until there, not with a short rest
_PLAIN = (144, 96, 72, 48, 24)  # on a beat: dotted whole, whole, dotted half, half, quarter
_WITHIN = (18, 12, 9, 6, 3)  # within a quarter: dotted eighth, eighth, dotted sixteenth, sixteenth, thirty-second
_LONGEST_BAR = 256 * QUARTER
_GRID = Grid((QUARTER,))

Readings = dict[
    int, int
]  # first step of a beat → the steps between two of its points; thirty-seconds where there is none


@dataclass(frozen=True)
class _Frame:
    """An empty bar: its first step, how many it has, and its time signature."""

    first: int
    steps: int
    signature: tuple[int, int]


@dataclass(frozen=True)
class Chord:
    """Some pitches from one step of the piece to another, exclusive."""

    start: int
    end: int
    pitches: tuple[int, ...]


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
    """A bar: steps it lasts, its time signature, and for the right and the left hand the voices that fill it."""

    steps: int
    numerator: int
    denominator: int
    hands: tuple[tuple[tuple[Value, ...], ...], ...]


def write_bars(piece: PieceNotes) -> list[Bar]:
    """Write the pitched notes of a piece as bars; every voice of a bar fills it, and a second one is there if it has notes."""
    is_right, is_pitched = split_hands(piece), ~piece.notes["is_drum"]
    frames = _frames(piece)
    beats = [beat for frame in frames for beat in range(frame.first, frame.first + frame.steps, QUARTER)]
    hands = [_read_hand(piece.notes[is_pitched & (is_right == right)], piece, beats) for right in (True, False)]
    end = max((chord.end for voices, _ in hands for voice in voices for chord in voice), default=1)
    return [
        Bar(frame.steps, *frame.signature, tuple(_fill(voices, readings, frame) for voices, readings in hands))
        for frame in frames
        if frame.first < end
    ]


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


def _read_hand(notes: np.ndarray, piece: PieceNotes, beats: list[int]) -> tuple[list[list[Chord]], Readings]:
    """Move the notes of a hand to its readings, and share them out to two voices."""
    at = (notes["onset_ticks"] * QUARTER / piece.ticks_per_quarter).tolist()
    ends = ((notes["onset_ticks"] + notes["duration_ticks"]) * QUARTER / piece.ticks_per_quarter).tolist()
    readings = _choose_readings(at, beats)
    starts = [_nearest(one, beats, readings) for one in at]
    onsets = np.unique(starts)
    chords: dict[tuple[int, int], set[int]] = defaultdict(set)
    for start, end, pitch in zip(starts, ends, notes["pitch"].tolist(), strict=True):
        chords[start, _end(start, end, onsets, beats, readings)].add(pitch)
    together: dict[int, list[Chord]] = defaultdict(list)
    for (start, end), pitches in sorted(chords.items()):
        together[start].append(Chord(start, end, tuple(sorted(pitches))))
    voices: list[list[Chord]] = [[], []]
    for _, begun in sorted(together.items()):
        _share_out(begun, voices)
    return voices, readings


def _choose_readings(onsets: Sequence[float], beats: list[int]) -> Readings:
    within: dict[int, list[float]] = defaultdict(list)
    for onset in onsets:
        beat = _beat(onset, beats)
        within[beat].append(onset - beat)

    def cost(places: list[float], reading: int) -> float:
        return _COST_OF_READING[reading] + sum(abs(place - round(place / reading) * reading) for place in places)

    whole = {beat for beat, following in pairwise(beats) if following - beat == QUARTER}
    return {
        beat: min(_COST_OF_READING, key=lambda reading: cost(places, reading))
        for beat, places in within.items()
        if beat in whole
    }


def _beat(at: float, beats: list[int]) -> int:
    """Find the beat that a step lies in: they are the quarters of each bar, of which the last may be cut short."""
    return beats[bisect_right(beats, at) - 1]


def _nearest(at: float, beats: list[int], readings: Readings) -> int:
    beat = _beat(at, beats)
    reading = readings.get(beat, THIRTY_SECONDS)
    return beat + round((at - beat) / reading) * reading


def _end(start: int, end: float, onsets: np.ndarray, beats: list[int], readings: Readings) -> int:
    """Say where a note ends: at the hand's onset that it nearly ends at, else at the nearest point, and after it began."""
    near = onsets[(onsets > start) & (onsets >= end - min(_OVERLAP, (end - start) / 4)) & (onsets <= end + _GAP)]
    if len(near):
        return int(near[0])
    beat = _beat(start, beats)
    reading = readings.get(beat, THIRTY_SECONDS)
    return max(_nearest(end, beats, readings), beat + ((start - beat) // reading + 1) * reading)


def _share_out(begun: list[Chord], voices: list[list[Chord]]) -> None:
    """Add chords that begin at once to the two voices, the higher one to the first where both are free."""
    start = begun[0].start
    begun = sorted(begun, key=lambda chord: -chord.pitches[-1])
    free = [number for number, voice in enumerate(voices) if not voice or voice[-1].end <= start]
    if not free:
        shorter = min((0, 1), key=lambda number: voices[number][-1].end)
        voices[shorter][-1] = replace(voices[shorter][-1], end=start)
        free = [shorter]
    if len(begun) > len(free):
        merged = begun[len(free) - 1 :]
        pitches = sorted({pitch for chord in merged for pitch in chord.pitches})
        begun = [*begun[: len(free) - 1], Chord(start, min(chord.end for chord in merged), tuple(pitches))]
    for number, chord in zip(free, begun, strict=False):
        voices[number].append(chord)


def _fill(voices: list[list[Chord]], readings: Readings, frame: _Frame) -> tuple[tuple[Value, ...], ...]:
    """Cut the part of each voice that lies in a bar out of it, with rests between."""
    last = frame.first + frame.steps
    here = {beat - frame.first: readings[beat] for beat in range(frame.first, last, QUARTER) if beat in readings}
    filled = []
    for number, voice in enumerate(voices):
        inside = [chord for chord in voice if chord.start < last and chord.end > frame.first]
        if inside or number == 0:
            filled.append(tuple(_values(inside, here, frame)))
    return tuple(filled)


def _is_compound(numerator: int, denominator: int) -> bool:
    return denominator == 8 and numerator % 3 == 0


def _values(chords: list[Chord], readings: Readings, frame: _Frame) -> Iterator[Value]:
    first, steps, is_compound = frame.first, frame.steps, _is_compound(*frame.signature)
    place = 0
    for chord in [*chords, Chord(first + steps, first + steps, ())]:
        start, end = max(chord.start - first, 0), min(chord.end - first, steps)
        if start > place:
            rests = [(place, steps)] if place == 0 and start == steps else _signs(place, start, readings, is_compound)
            yield from (Value(at, to - at, (), tuplet=_tuplet(at, to, readings)) for at, to in rests)
        for at, to in _signs(start, end, readings, is_compound):
            is_from, is_on = first + at > chord.start, first + to < chord.end
            yield Value(at, to - at, chord.pitches, is_from, is_on, _tuplet(at, to, readings))
        place = end


def _signs(start: int, end: int, readings: Readings, is_compound: bool) -> Iterator[tuple[int, int]]:
    """Cut the steps from `start` to `end` of a bar into those that one sign each can stand for."""
    while start < end:
        length = _sign(start, end, readings, is_compound)
        yield start, start + length
        start += length


def _sign(start: int, end: int, readings: Readings, is_compound: bool) -> int:
    place, left = start % QUARTER, end - start
    reading, last = _reading(readings, start), _reading(readings, end - 1)
    if is_compound and start % 36 == 0 and left >= 36 and last != TRIPLETS:
        return 72 if left >= 72 and start % 72 == 0 else 36
    if place == 0 and left >= QUARTER:
        is_dotted = left == 36 and last != TRIPLETS
        return 36 if is_dotted else next(length for length in _PLAIN if length <= left)
    if place == 12 and left == QUARTER and TRIPLETS not in {reading, last}:
        return QUARTER  # an eighth before the beat and one after it are one quarter
    left = min(left, QUARTER - place)
    if reading == TRIPLETS:
        return left
    if place < 12 < place + left and (reading == SEXTUPLETS or place % 6 or place + left == QUARTER) and place:
        left = 12 - place
    elif reading == SEXTUPLETS:
        left = min(left, 12)
    return left if reading == SEXTUPLETS else next(length for length in _WITHIN if length <= left)


def _reading(readings: Readings, step: int) -> int:
    """Give the reading of the beat that a step of a bar lies in; beats begin with the bar."""
    return readings.get(step // QUARTER * QUARTER, THIRTY_SECONDS)


def _tuplet(start: int, end: int, readings: Readings) -> str:
    """Say which part of its group of three a sign is; groups last a quarter in triplets, half of it in sextuplets."""
    reading = _reading(readings, start)
    if reading == THIRTY_SECONDS or end - start not in {reading, 2 * reading}:
        return ""
    group = 3 * reading
    if start % group == 0:
        return "start"
    return "stop" if end % group == 0 else "inside"
