"""A note or chord in `**kern` → pitches and exact durations.

The format: https://www.humdrum.org/rep/kern
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

_DURATION = re.compile(r"(\d{1,6})(?:%(\d{1,6}))?")
_LETTER = re.compile(r"[a-gA-G]")
_SEMITONES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_MIDDLE_C = 60
_WHOLE = Fraction(4)
_MOST_DOTS = 8


@dataclass(frozen=True, slots=True)
class KernNote:
    """A note of a chord: its MIDI pitch, its duration in quarters, and its tie: "start", "continue", "stop" or ""."""

    pitch: int
    quarters: Fraction
    tie: str


@dataclass(frozen=True, slots=True)
class KernChord:
    """What stands in one place of a spine: notes that begin together, or none (a rest).

    `quarters` is how far the spine goes on; None for what takes no time (grace notes, or a token without a duration).
    `left_out` counts notes without a duration or outside of MIDI's 128 pitches.
    """

    quarters: Fraction | None
    notes: tuple[KernNote, ...] = ()
    left_out: int = 0


@lru_cache(maxsize=16_384)
def read_chord(token: str) -> KernChord:
    """Read a data token of a `**kern` spine: notes that are separated by spaces.

    A note without a duration of its own has that of the first. Grace notes (q) and groupetti (Q) take no time and are left
    out; appoggiaturas (P, p) take the time that is written.
    """
    if "q" in token or "Q" in token:
        return KernChord(None)
    parts = token.split()
    durations = [_quarters(part) for part in parts]
    first = next((quarters for quarters in durations if quarters is not None), None)
    notes = []
    left_out = 0
    for part, own in zip(parts, durations, strict=True):
        pitch = None if "r" in part else _pitch(part)
        quarters = first if own is None else own
        if pitch is None:
            continue
        if not quarters or not 0 <= pitch <= 127:
            left_out += 1
            continue
        notes.append(KernNote(pitch, quarters, _tie(part)))
    return KernChord(first, tuple(notes), left_out)


@lru_cache(maxsize=16_384)
def _quarters(part: str) -> Fraction | None:
    """Return a duration in quarters: 8 is an eighth, 3%2 two thirds of a whole note, 0 a breve, 00 a long, 000 a maxima."""
    found = _DURATION.search(part)
    if not found:
        return None
    number, divisor = int(found[1]), int(found[2] or 1)
    quarters = _WHOLE * divisor / number if number else _WHOLE * divisor * (1 << min(len(found[1]), 3))
    dots = min(part.count("."), _MOST_DOTS)
    return quarters * (2 - Fraction(1, 1 << dots))


def _pitch(part: str) -> int | None:
    """Return the MIDI number of c, cc, C, f#, b-- …: middle C is c; each further letter is an octave further away.

    Letters and accidentals need not stand side by side: c<# is a C sharp.
    """
    found = _LETTER.search(part)
    if not found:
        return None
    letter = found[0]
    octaves = part.count(letter) - 1 if letter.islower() else -part.count(letter)
    return _MIDDLE_C + 12 * octaves + _SEMITONES[letter.lower()] + part.count("#") - part.count("-")


def _tie(part: str) -> str:
    if "_" in part or ("[" in part and "]" in part):
        return "continue"
    return "start" if "[" in part else "stop" if "]" in part else ""
