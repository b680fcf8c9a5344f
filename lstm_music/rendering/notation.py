"""Notes as a score writes them: bars, staves with up to four voices each, and values that have a sign.

Time is counted in steps of 1/24 of a quarter; `lstm_music.rendering.quantising` puts notes there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from lstm_music.encoding.bars import place_in_bars, signature_at
from lstm_music.encoding.grid import Grid
from lstm_music.midi.notes import PieceNotes, TimeSignature
from lstm_music.rendering.hands import split_hands
from lstm_music.rendering.quantising import is_on_grid, read_played, read_score, struck
from lstm_music.rendering.voices import (
    MAX_VOICES,
    QUARTER,
    SEXTUPLETS,
    THIRTY_SECONDS,
    TRIPLETS,
    Beats,
    Chord,
    Divisions,
    Voice,
    share_out,
)

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
    """A bar: steps it lasts, its time signature, and for each staff (of a piano: right and left hand) the voices that fill it.

    `skipped` steps of a whole bar are not there: it is above 0 for a pickup bar alone.
    """

    steps: int
    numerator: int
    denominator: int
    staves: tuple[tuple[tuple[Value, ...], ...], ...]
    skipped: int = 0


def write_bars(piece: PieceNotes) -> list[Bar]:
    """Write the pitched notes of a piece as bars of two staves, for the right and the left hand: see `write_staves`."""
    is_right, is_pitched = split_hands(piece), ~piece.notes["is_drum"]
    return write_staves(piece, [[piece.notes[is_pitched & (is_right == right)]] for right in (True, False)])


def write_staves(piece: PieceNotes, staves: Sequence[Sequence[np.ndarray]]) -> list[Bar]:
    """Write some notes of a piece as bars; every voice of a bar fills it, and all but the first have notes.

    A staff is a list of layers, each some of the notes, which have no voice in common; drums have layers of their own. Music
    that begins within its first bar begins with a pickup bar.
    """
    frames = _frames(piece)
    beats = Beats([beat for frame in frames for beat in range(frame.first, frame.first + frame.steps, QUARTER)])
    layers = [layer for staff in staves for layer in staff]
    read = read_score if all(is_on_grid(layer, piece.ticks_per_quarter) for layer in layers) else read_played
    beat_ends = _beat_ends(frames)

    def voices_of(layer: np.ndarray, most: int) -> list[Voice]:
        chords = read(layer, piece.ticks_per_quarter, beats)
        return share_out(struck(chords, beats, beat_ends) if layer["is_drum"].any() else chords, beats, most)

    written = [[one for layer in staff for one in voices_of(layer, MAX_VOICES // len(staff))] for staff in staves]
    voices = [voice for staff in written for voice in staff]
    end = max((chord.end for voice in voices for chord in voice.chords), default=1)
    skipped = _pickup(voices, frames[0], beats)
    return [
        Bar(frame.steps - skip, *frame.signature, tuple(_fill(voices, frame, skip) for voices in written), skip)
        for frame, skip in zip(frames, [skipped, *[0] * (len(frames) - 1)], strict=True)
        if frame.first < end
    ]


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


def _beat_ends(frames: Sequence[_Frame]) -> list[int]:
    """List where the beats of some bars end: each lasts a dotted quarter in 6/8 and its like, else a quarter."""
    return [
        frame.first + min(end, frame.steps)
        for frame in frames
        for length in [36 if has_dotted_beats(*frame.signature) else QUARTER]
        for end in range(length, frame.steps + length, length)
    ]


def _is_writable(signature: TimeSignature) -> bool:
    steps, rest = divmod(4 * QUARTER * signature.numerator, max(signature.denominator, 1))
    return not rest and 0 < steps <= _LONGEST_BAR and steps % THIRTY_SECONDS == 0


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


def has_dotted_beats(numerator: int, denominator: int) -> bool:
    """Say whether the beats of a time signature are dotted quarters."""
    return denominator == 8 and numerator % 3 == 0


def _values(chords: list[Chord], divisions: Divisions, frame: _Frame, skip: int) -> Iterator[Value]:
    first, steps, is_compound = frame.first, frame.steps, has_dotted_beats(*frame.signature)
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
