"""A score as it was read, in exact quarter lengths, and how it becomes the JSON that a child process sends."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import NOTE_DTYPE
from lstm_music.midi.smf import DRUM_CHANNEL, ReadLimits

MAX_TICKS_PER_QUARTER = 32_767  # the largest number that a MIDI file can hold
ROUNDED_TICKS_PER_QUARTER = 30_240  # 2^5 · 3^3 · 5 · 7, used if the exact number is larger than that
_LIMITS = ReadLimits()
_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]


@dataclass(frozen=True, slots=True)
class ScoreNote:
    """A note of a score, in quarter lengths from its start."""

    track: int
    program: int
    is_drum: bool
    pitch: int
    velocity: int
    onset: Fraction
    end: Fraction
    tie: str  # "start", "continue", "stop" or ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of a score as it is written: where it starts, how long it lasts, how long its time signature makes it.

    `is_implicit` is one that the score does not count, such as a pickup or the rest of a bar that a repeat sign divides.
    """

    start: Fraction
    length: Fraction
    nominal: Fraction
    is_implicit: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """A score, with positions in quarter lengths.

    `notes` are those of each track in the order of their onsets, tied ones joined. A tempo is (position, microseconds per
    quarter), a time signature (position, numerator, denominator), a key signature (position, sharps, is minor).
    """

    notes: tuple[ScoreNote, ...]
    measures: tuple[Measure, ...] = ()
    tempos: tuple[tuple[Fraction, int], ...] = ()
    time_signatures: tuple[tuple[Fraction, int, int], ...] = ()
    key_signatures: tuple[tuple[Fraction, int, bool], ...] = ()
    part_names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _CountedBar:
    start: Fraction
    number: int
    begins_at: Fraction
    nominal: Fraction


def to_json(score: Score) -> dict[str, Any]:
    """Convert a score to JSON with the fields of `PieceNotes`; the notes are one list per column.

    `ticks_per_quarter` is the smallest number that puts every position on a whole tick. Raises RejectedInputError if the
    score is too long or has too many parts.
    """
    _check_extent(score)
    bars = count_bars(score.measures)
    places = {place for note in score.notes for place in (note.onset, note.end)}
    signs = (score.tempos, score.time_signatures, score.key_signatures)
    places.update(place for changes in signs for place, *_ in changes)
    places.update(place for bar in bars for place in (bar.start, bar.begins_at, bar.nominal))
    ticks_per_quarter = common_ticks(places)

    def tick(place: Fraction) -> int:
        return round(place * ticks_per_quarter)

    return {
        "ticks_per_quarter": ticks_per_quarter,
        "notes": _columns(score.notes, tick),
        "tempos": [(tick(place), *change) for place, *change in score.tempos],
        "time_signatures": [(tick(place), *change) for place, *change in score.time_signatures],
        "key_signatures": [(tick(place), *change) for place, *change in score.key_signatures],
        "bars": [(tick(bar.start), bar.number, tick(bar.begins_at), tick(bar.nominal)) for bar in bars],
        "track_names": list(score.part_names),
        "warnings": list(score.warnings),
    }


def count_bars(measures: Iterable[Measure]) -> list[_CountedBar]:
    """Count measures as bars: from 0 if the first is a pickup, else from 1.

    A pickup is a first measure that is shorter than its time signature, or a short one that the score does not count. It
    ends where a whole bar would, so it begins within the bar. A short measure that completes the short one before it (a
    repeat sign or a double bar stands within the bar) is the rest of that bar; so the first measure is no pickup if it is
    counted and an uncounted one completes it. Any other short measure begins at the start of its bar.
    """
    bars: list[_CountedBar] = []
    written = list(measures)
    number, reached, whole = 0, Fraction(0), Fraction(0)  # `reached`: the place in the last bar at which it ended
    for index, measure in enumerate(written):
        is_short = 0 < measure.length < measure.nominal
        is_rest = index > 0 and is_short and 0 < reached < whole == measure.nominal
        if is_rest and (measure.is_implicit or reached + measure.length == whole) and reached + measure.length <= whole:
            begins_at = reached
        elif is_short and (_is_pickup(written) if index == 0 else measure.is_implicit and reached >= whole):
            begins_at = measure.nominal - measure.length
            number += index > 0
        else:
            begins_at = Fraction(0)
            number += 1
        bars.append(_CountedBar(measure.start, number, begins_at, measure.nominal))
        reached, whole = begins_at + measure.length, measure.nominal
    return bars


def _is_pickup(measures: Sequence[Measure]) -> bool:
    """Return whether a short first measure is a pickup."""
    if len(measures) == 1:
        return False
    first, second = measures[:2]
    is_completed = second.nominal == first.nominal == first.length + second.length
    return first.is_implicit or not (second.is_implicit and is_completed)


def common_ticks(places: Iterable[Fraction]) -> int:
    """Return the ticks per quarter that put every position on a whole tick; 30,240 if MIDI cannot hold that number."""
    exact_ticks = 1
    for denominator in {place.denominator for place in places}:
        exact_ticks = math.lcm(exact_ticks, denominator)
        if exact_ticks > MAX_TICKS_PER_QUARTER:  # of thousands of denominators, the exact number would be as long
            return ROUNDED_TICKS_PER_QUARTER
    return exact_ticks


def _check_extent(score: Score) -> None:
    if len(score.part_names) > _LIMITS.max_tracks:
        raise RejectedInputError(
            f"too many parts: expected at most {_LIMITS.max_tracks:,}, got {len(score.part_names):,}"
        )
    quarters = max((note.end for note in score.notes), default=Fraction(0))
    if quarters > _LIMITS.max_quarters:
        raise RejectedInputError(
            f"too long: expected at most {_LIMITS.max_quarters:,} quarter notes, got {int(quarters):,}"
        )
    if any(note.onset < 0 for note in score.notes):
        raise RejectedInputError("has a note before the start of the score")


def _columns(notes: Iterable[ScoreNote], tick: Callable[[Fraction], int]) -> dict[str, list[int]]:
    """Return one list per column of `NOTE_DTYPE`; a note lasts at least one tick. Each program has its own channel."""
    notes = list(notes)
    programs = sorted({note.program for note in notes if not note.is_drum})
    channels = {program: _CHANNELS[place % len(_CHANNELS)] for place, program in enumerate(programs)}
    rows = [
        (
            note.track,
            DRUM_CHANNEL if note.is_drum else channels[note.program],
            note.program,
            int(note.is_drum),
            note.pitch,
            note.velocity,
            tick(note.onset),
            max(tick(note.end) - tick(note.onset), 1),
        )
        for note in notes
    ]
    return {name: [row[place] for row in rows] for place, name in enumerate(NOTE_DTYPE.names or ())}
