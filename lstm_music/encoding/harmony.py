"""Chords of stretches of music, found by templates in how long each of their pitch classes sounds, and the numbers of keys.

Chords: T. Fujishima, "Realtime chord recognition of musical sound" (ICMC 1999), with binary templates and the cosine of the
angle between them and what sounds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.sounding import CLASSES

Ids = npt.NDArray[np.int64]

CHORD_KINDS: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "dim": (0, 3, 6),
    "m7b5": (0, 3, 6, 10),
}
"""The kinds of chords as they are written behind the root, and their intervals above it in semitones."""

NO_CHORD = 0
"""The number of what is no chord; that of a chord is 1 + its root + 12 times its kind."""
CHORDS = 1 + CLASSES * len(CHORD_KINDS)
KEYS = 2 * CLASSES
"""The number of a key, as `midi.key.keys_of` finds it, is the pitch class of its tonic, 12 more for a minor one."""

LEAST_LIKENESS = 0.7
"""Less like every template, something is no chord: one note alone is, with 0.58; two of the three notes of a triad have 0.82."""

ROOTS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

LETTERS = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
SIGNS = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_SPELLINGS = {"maj": "", "M": "", "min": "m", "-": "m", "min7": "m7", "-7": "m7", "M7": "maj7", "o": "dim", "°": "dim"}
_SPELLINGS |= {"ø": "m7b5", "ø7": "m7b5"}
_CHORD = re.compile(r"([A-Ga-g])([#♯b♭]?)(.*)")


def _templates() -> npt.NDArray[np.float64]:
    """Return unit vectors, float64 [chords but none, 12]."""
    found = np.zeros((CHORDS - 1, CLASSES))
    for kind, intervals in enumerate(CHORD_KINDS.values()):
        for root in range(CLASSES):
            found[kind * CLASSES + root, [(root + interval) % CLASSES for interval in intervals]] = (
                len(intervals) ** -0.5
            )
    return found


_TEMPLATES = _templates()
_ROOT_COUNTS, _DIGITS = 1e-3, 9


def chords_of(lasts: npt.NDArray[np.int64]) -> Ids:
    """Return the chord of each stretch, int64 [stretches], by how long each pitch class lasts in it, [stretches, 12].

    Of chords that are equally like it the one whose root lasts longest is taken.
    """
    lengths = np.maximum(np.linalg.norm(lasts, axis=1), 1)[:, None]
    likeness = lasts @ _TEMPLATES.T / lengths
    of_root = np.tile(lasts / lengths, len(CHORD_KINDS))
    best: Ids = np.round(likeness + _ROOT_COUNTS * of_root, _DIGITS).argmax(axis=1)
    return np.where(likeness[np.arange(len(best)), best] >= LEAST_LIKENESS, 1 + best, NO_CHORD)


def moved_chord(chord: int, semitones: int) -> int:
    """Transpose a chord."""
    if chord == NO_CHORD:
        return chord
    kind, root = divmod(chord - 1, CLASSES)
    return 1 + kind * CLASSES + (root + semitones) % CLASSES


def moved_key(key: int, semitones: int) -> int:
    """Transpose a key."""
    return key // CLASSES * CLASSES + (key + semitones) % CLASSES


@dataclass(frozen=True)
class Chord:
    """A chord by the pitch class of its root and its kind, one of `CHORD_KINDS`."""

    root: int
    kind: str

    @property
    def number(self) -> int:
        """Its number, from 1."""
        return 1 + [*CHORD_KINDS].index(self.kind) * CLASSES + self.root

    def __str__(self) -> str:
        return ROOTS[self.root] + self.kind


def read_chord(text: str) -> Chord:
    """Read `Am`, `F#m7` or `Bbmaj7`. Raises ValueError for anything else."""
    found = _CHORD.fullmatch(text)
    kind = _SPELLINGS.get(found[3], found[3]) if found else ""
    if found is None or kind not in CHORD_KINDS:
        known = ", ".join(f"C{kind}" for kind in CHORD_KINDS)
        raise ValueError(f"expected chords such as {known}")
    return Chord((LETTERS[found[1].upper()] + SIGNS[found[2]]) % CLASSES, kind)


def read_chords(text: str) -> tuple[tuple[Chord, ...], ...]:
    """Read the chords of each bar: `Am F C G` has one in each of four bars, `Am F | C` two in the first of two bars.

    Raises ValueError for anything that is no chord, and for none.
    """
    bars = [*_bars(text)]
    if not bars or not all(bars):
        raise ValueError(
            f"expected a chord for each bar, such as 'Am F C G', or 'Am F | C G' for two in a bar, got {text!r}"
        )
    return tuple(bars)


def _bars(text: str) -> Iterator[tuple[Chord, ...]]:
    for part in text.strip().strip("|").split("|") if "|" in text else text.split():
        yield tuple(map(read_chord, part.split()))


def written_chords(bars: tuple[tuple[Chord, ...], ...]) -> str:
    """Write chords the way that `read_chords` reads."""
    between = " " if all(len(bar) == 1 for bar in bars) else " | "
    return between.join(" ".join(map(str, bar)) for bar in bars)
