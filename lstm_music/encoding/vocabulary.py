"""Vocabularies: the values of each stream and their ids, fitted on the training pieces."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.chords import PIANO_HIGHEST, PIANO_LOWEST, ChordEncoding, content, drum_key
from lstm_music.encoding.grid import MAX_QUARTERS, Grid
from lstm_music.encoding.parts import nearest_part
from lstm_music.encoding.streams import PART, VELOCITY
from lstm_music.encoding.velocities import LEVELS
from lstm_music.errors import MismatchError

START, END, UNKNOWN = 0, 1, 2
SPECIAL_IDS = 3  # the first value has this id
NOTE_STREAM = "note"

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vocabulary:
    """The values of one stream; the id of `values[i]` is `i + 3`, after the ids for start, end and unknown.

    `counts` holds how often each value occurs in the training pieces (0 for values that only a transposition or the
    encoding adds). `log_unknown` is ln of the number of values of the stream's finite alphabet that are missing here, or
    0.0 if none is.
    """

    stream: str
    values: tuple[str, ...]
    counts: tuple[int, ...]
    log_unknown: float

    @property
    def size(self) -> int:
        """The number of ids, the three special ones included."""
        return len(self.values) + SPECIAL_IDS

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {value: index + SPECIAL_IDS for index, value in enumerate(self.values)}

    def encode(self, texts: Sequence[str]) -> Ids:
        """Return the id of each text, int64; UNKNOWN for a text outside the vocabulary."""
        ids = self._ids
        return np.array([ids.get(text, UNKNOWN) for text in texts], dtype=np.int64)

    def value(self, token: int) -> str:
        """Return the value of an id. Raises MismatchError for a special id, or an id beyond the vocabulary."""
        if not SPECIAL_IDS <= token < self.size:
            raise MismatchError(
                f"{self.stream} vocabulary: expected the id of a value, {SPECIAL_IDS} to {self.size - 1}, got {token}",
            )
        return self.values[token - SPECIAL_IDS]

    def nearest(self, value: str) -> int:
        """Return the id of the value that is most like `value`: its own id if the vocabulary has it.

        For a number it is the closest one (of two equally close, the smaller). For a part see `nearest_part`. For a chord it
        is the one that shares the most pitches, then the most pitch classes, then has the fewest others, then is closest in
        pitch. Raises MismatchError if the vocabulary is empty.
        """
        if value in self._ids:
            return self._ids[value]
        if not self.values:
            raise MismatchError(
                f"{self.stream} vocabulary: expected at least one value, to replace {value!r}, got none"
            )
        nearest = {NOTE_STREAM: self._nearest_chord, PART: self._nearest_part}.get(self.stream, self._nearest_fraction)
        return nearest(value) + SPECIAL_IDS

    def _nearest_part(self, value: str) -> int:
        return self.values.index(nearest_part(value, self.values))

    def _nearest_fraction(self, value: str) -> int:
        wanted = _fraction(value)
        return min(range(len(self.values)), key=lambda index: (abs(_fraction(self.values[index]) - wanted), index))

    def _nearest_chord(self, value: str) -> int:
        wanted_pitches, wanted_classes, wanted_height = _chord_rows([value])
        pitches, classes, heights = self._chords
        return int(
            np.lexsort(
                (
                    np.abs(heights - wanted_height),
                    (classes ^ wanted_classes).sum(axis=1),
                    -(classes & wanted_classes).sum(axis=1),
                    -(pitches & wanted_pitches).sum(axis=1),
                ),
            )[0],
        )

    @cached_property
    def _chords(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
        return _chord_rows(self.values)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the stream and its values in order: equal digests mean equal ids."""
        return hashlib.sha256(json.dumps([self.stream, *self.values]).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the vocabulary as a dictionary for JSON."""
        return {
            "stream": self.stream,
            "values": list(self.values),
            "counts": list(self.counts),
            "log_unknown": self.log_unknown,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Vocabulary":
        """Inverse of `to_json`."""
        return cls(
            stream=str(data["stream"]),
            values=tuple(data["values"]),
            counts=tuple(data["counts"]),
            log_unknown=float(data["log_unknown"]),
        )


def fit_notes(
    counts: Mapping[str, int],
    encoding: ChordEncoding,
    shifts: Iterable[int] = (0,),
    lowest: int = PIANO_LOWEST,
    highest: int = PIANO_HIGHEST,
) -> Vocabulary:
    """Make the note vocabulary: the training values, transposed by every shift, and `encoding.always`.

    `counts` holds how often each value occurs in the training pieces. `shifts` are semitones. A shift that moves a value out
    of lowest … highest (inclusive) adds nothing. Raises MismatchError for a value that the encoding does not write.
    """
    moved = {encoding.transposed(text, shift, lowest, highest) for shift in shifts for text in counts}
    texts = {text for text in moved if text is not None} | counts.keys() | set(encoding.always)
    values = sorted(texts, key=_chord_order)
    return Vocabulary(
        stream=NOTE_STREAM,
        values=tuple(values),
        counts=tuple(counts.get(value, 0) for value in values),
        log_unknown=encoding.log_unknown(len(values)),
    )


def fit_steps(stream: str, counts: Mapping[str, int], grid: Grid) -> Vocabulary:
    """Make the vocabulary of `offset` or `duration`: the fractions of the training pieces, ascending, with their counts.

    The alphabet of offsets is every distance between two grid points up to `MAX_QUARTERS`. The alphabet of durations is every
    grid point up to there; it includes 0 only if a training piece does.
    """
    durations = grid.point_count(MAX_QUARTERS) - ("0" not in counts)
    alphabet = durations if stream == "duration" else grid.offset_count(MAX_QUARTERS)
    return _fit_numbers(stream, counts, alphabet)


def fit_velocities(counts: Mapping[str, int]) -> Vocabulary:
    """Make the vocabulary of `velocity`: the levels of the training pieces, ascending. The alphabet is all levels."""
    return _fit_numbers(VELOCITY, counts, LEVELS)


def fit_parts(counts: Mapping[str, int], alphabet: Sequence[str]) -> Vocabulary:
    """Make the vocabulary of `part`: the parts of the training pieces, in the order of the alphabet."""
    values = tuple(value for value in alphabet if value in counts)
    unknown = len(alphabet) - len(values)
    return Vocabulary(
        PART, values, tuple(counts[value] for value in values), float(np.log(unknown)) if unknown else 0.0
    )


def _fit_numbers(stream: str, counts: Mapping[str, int], alphabet: int) -> Vocabulary:
    values = sorted(counts, key=_fraction)
    unknown = alphabet - len(values)
    return Vocabulary(
        stream=stream,
        values=tuple(values),
        counts=tuple(counts[value] for value in values),
        log_unknown=float(np.log(unknown)) if unknown > 0 else 0.0,
    )


def fit(
    stream: str,
    counts: Mapping[str, int],
    encoding: ChordEncoding,
    grid: Grid,
    shifts: Iterable[int] = (0,),
    parts: Sequence[str] = (),
) -> Vocabulary:
    """Make the vocabulary of any stream from the values of the training pieces and their counts; `parts` is their alphabet."""
    if stream == NOTE_STREAM:
        return fit_notes(counts, encoding, shifts)
    if stream == PART:
        return fit_parts(counts, parts)
    return fit_velocities(counts) if stream == VELOCITY else fit_steps(stream, counts, grid)


def grown(before: Vocabulary, fitted: Vocabulary) -> Vocabulary:
    """Give the values of `fitted` those ids that they have in `before`, and the others the ids after them.

    So what was counted or learnt by the ids of `before` holds. Raises MismatchError if `fitted` lacks a value of `before`.
    """
    counts = dict(zip(fitted.values, fitted.counts, strict=True))
    if missing := [value for value in before.values if value not in counts]:
        raise MismatchError(
            f"{before.stream} vocabulary: expected all values of the earlier one, got none for {', '.join(missing[:3])}; keep "
            "its [windows] and [events]"
        )
    known = {*before.values}
    values = (*before.values, *(value for value in fitted.values if value not in known))
    return replace(fitted, values=values, counts=tuple(counts[value] for value in values))


def steps_of(vocabulary: Vocabulary, grid: Grid) -> npt.NDArray[np.int32]:
    """Return how many steps of the grid each id of an offset or a duration stands for, int32 [ids]; 0 for special ids."""
    return np.array([0] * SPECIAL_IDS + [grid.steps(value) for value in vocabulary.values], np.int32)


def transposition_table(
    vocabulary: Vocabulary,
    encoding: ChordEncoding,
    shifts: Sequence[int],
    lowest: int = PIANO_LOWEST,
    highest: int = PIANO_HIGHEST,
) -> Ids:
    """Return the transposed id of each note id for each shift in semitones, int64 [len(shifts), size].

    Special ids stay. A value that leaves lowest … highest, or whose result is not in the vocabulary, becomes UNKNOWN.
    """
    table = np.empty((len(shifts), vocabulary.size), dtype=np.int64)
    table[:, :SPECIAL_IDS] = range(SPECIAL_IDS)
    for row, shift in zip(table, shifts, strict=True):
        moved = [encoding.transposed(value, shift, lowest, highest) for value in vocabulary.values]
        row[SPECIAL_IDS:] = vocabulary.encode(["" if text is None else text for text in moved])
    return table


def _fraction(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise MismatchError(f"expected a fraction of a quarter such as '4/3', got {text!r}") from error


def _chord_order(text: str) -> tuple[float, bool, tuple[int, ...]]:
    key = drum_key(text)
    if key is not None:
        return math.inf, True, (key,)  # behind all pitches
    pitches, classes = content(text)
    return len(pitches or classes), not pitches, pitches or tuple(map(int, text.split(".")))


def _chord_rows(
    texts: Sequence[str],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Return the pitches [texts, 128], the pitch classes [texts, 12] and the mean pitch (or class) [texts] of each text."""
    has_pitch = np.zeros((len(texts), 128), dtype=np.bool_)
    has_class = np.zeros((len(texts), 12), dtype=np.bool_)
    height = np.zeros(len(texts))
    for row, text in enumerate(texts):
        pitches, classes = content(text)
        has_pitch[row, list(pitches)] = True
        has_class[row, list(classes)] = True
        height[row] = np.mean(pitches or classes or (drum_key(text) or 0,))
    return has_pitch, has_class, height
