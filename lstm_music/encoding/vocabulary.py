"""Vocabularies: the values of a stream and their ids, fitted on the training pieces."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.chords import PIANO_HIGHEST, PIANO_LOWEST, ChordEncoding, content
from lstm_music.encoding.grid import MAX_QUARTERS, Grid
from lstm_music.encoding.streams import VELOCITY
from lstm_music.encoding.velocities import LEVELS
from lstm_music.errors import MismatchError

START, END, UNKNOWN = 0, 1, 2
SPECIAL_IDS = 3  # the first value has this id
NOTE_STREAM = "note"

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vocabulary:
    """The values of one stream; the id of `values[i]` is `i + 3`, after the ids for start, end and unknown.

    `counts` are how often the training pieces hold each value (0 for one that only a transposition or a rule brings
    in). `log_unknown` is ln of the number of values of the stream's finite alphabet that are not here (0.0 for none).
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
        """Give the id of each text, int64; UNKNOWN for one that is not here."""
        ids = self._ids
        return np.array([ids.get(text, UNKNOWN) for text in texts], dtype=np.int64)

    def value(self, token: int) -> str:
        """Give the value of an id. Raises MismatchError for a special id, or one beyond the vocabulary."""
        if not SPECIAL_IDS <= token < self.size:
            raise MismatchError(
                f"{self.stream} vocabulary: id {token} stands for no value, where {SPECIAL_IDS} to {self.size - 1} do",
            )
        return self.values[token - SPECIAL_IDS]

    def nearest(self, value: str) -> int:
        """Give the id of the value that is most like `value`: itself where it is here.

        A number's is the closest one (of two equally close, the smaller). A chord's shares most pitches with it, then
        most pitch classes, then has fewest others, then lies closest. Raises MismatchError where there is no value.
        """
        if value in self._ids:
            return self._ids[value]
        if not self.values:
            raise MismatchError(f"{self.stream} vocabulary: it is empty, so that no value is near {value!r}")
        index = self._nearest_chord(value) if self.stream == NOTE_STREAM else self._nearest_fraction(value)
        return index + SPECIAL_IDS

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
        """SHA-256 (hex) of the stream and its values in order: equal where the same id means the same value."""
        return hashlib.sha256(json.dumps([self.stream, *self.values]).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Give a dictionary that JSON can hold."""
        return {
            "stream": self.stream,
            "values": list(self.values),
            "counts": list(self.counts),
            "log_unknown": self.log_unknown,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Vocabulary":
        """Read what `to_json` gave."""
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
    """Make the note vocabulary: the training pieces' values, each at every shift, and `encoding.always`.

    `counts` are how often the training pieces hold each value. `shifts` are semitones; where one takes a value out of
    lowest … highest (inclusive), nothing is added. Raises MismatchError for a value that the encoding does not write.
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
    """Make the vocabulary of `offset` or `duration`: the training pieces' fractions, ascending, with their counts.

    Its alphabet ends at `MAX_QUARTERS`: every distance between two grid points, or every grid point, 0 only where it is there.
    """
    durations = grid.point_count(MAX_QUARTERS) - ("0" not in counts)
    alphabet = durations if stream == "duration" else grid.offset_count(MAX_QUARTERS)
    return _fit_numbers(stream, counts, alphabet)


def fit_velocities(counts: Mapping[str, int]) -> Vocabulary:
    """Make the vocabulary of `velocity`: the levels of the training pieces, ascending, of all that there are."""
    return _fit_numbers(VELOCITY, counts, LEVELS)


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
) -> Vocabulary:
    """Make the vocabulary of any stream from the training pieces' values and how often each stands."""
    if stream == NOTE_STREAM:
        return fit_notes(counts, encoding, shifts)
    return fit_velocities(counts) if stream == VELOCITY else fit_steps(stream, counts, grid)


def transposition_table(
    vocabulary: Vocabulary,
    encoding: ChordEncoding,
    shifts: Sequence[int],
    lowest: int = PIANO_LOWEST,
    highest: int = PIANO_HIGHEST,
) -> Ids:
    """Give, for each shift in semitones, the id that each id of the note vocabulary moves to, [len(shifts), size].

    Special ids stay. A value that leaves lowest … highest, or that moves to none of the vocabulary's, gives UNKNOWN.
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
        raise MismatchError(f"{text!r} is no fraction of a quarter such as '4/3'") from error


def _chord_order(text: str) -> tuple[int, bool, tuple[int, ...]]:
    pitches, classes = content(text)
    return len(pitches or classes), not pitches, pitches or tuple(map(int, text.split(".")))


def _chord_rows(
    texts: Sequence[str],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Give for each text its pitches [texts, 128], pitch classes [texts, 12] and mean pitch, or class, [texts]."""
    has_pitch = np.zeros((len(texts), 128), dtype=np.bool_)
    has_class = np.zeros((len(texts), 12), dtype=np.bool_)
    height = np.zeros(len(texts))
    for row, text in enumerate(texts):
        pitches, classes = content(text)
        has_pitch[row, list(pitches)] = True
        has_class[row, list(classes)] = True
        height[row] = np.mean(pitches or classes)
    return has_pitch, has_class, height
