"""Statistics of a piece: MusPy's metrics, and those of Yang & Lerch (2018) that MusPy lacks.

Drums are left out, as in the events. Time is brought to `STEPS_PER_QUARTER` first, onsets and ends each to the nearest step.

A statistic depends on how long the piece is, so pieces that are compared must be excerpts with equally many notes.

MusPy's metrics (Dong et al., "MusPy: A Toolkit for Symbolic Music Generation", ISMIR 2020) are computed here, because importing
MusPy takes seconds; tests compare them with MusPy. Four points differ from it on purpose:

- Its rates of empty beats and bars, and its groove, take the end of a note as a step where it still sounds: a beat of
  silence after a note would not be empty, and a piece that ends on a bar line would have a bar more. Here a note ends before
  that step.
- Its rate of polyphony counts the steps with more than `threshold` pitches, by default more than two. Here it is two or more.
- Bars are all equally long: a change of time signature inside a piece is not seen.
- Without notes some of its metrics raise, others return 0 or -127. Here all statistics of such a piece are NaN.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from lstm_music.midi.notes import PieceNotes

STEPS_PER_QUARTER = 24
"""MusPy's own resolution, and the grid of the default recipe."""

METRICS: Mapping[str, str] = MappingProxyType(
    {
        "pitch_class_entropy": "how evenly the 12 pitch classes are used: 0 bits for one alone, 3.58 for all alike",
        "pitch_entropy": "how evenly the pitches are used, octaves distinguished, in bits: 0 for one alone, 6 for 64 alike",
        "scale_consistency": "share of the notes that lie in the major or natural minor scale that fits best: 0 to 1",
        "groove_consistency": "how alike the rhythms of neighbouring bars are: 1 for equal onsets in all of them",
        "polyphony": "how many pitches sound at once, on average where any does",
        "polyphony_rate": "share of the time in which two or more pitches sound: 0 to 1",
        "empty_beat_rate": "share of the beats (quarters) in which nothing sounds: 0 to 1",
        "empty_measure_rate": "share of the bars in which nothing sounds: 0 to 1",
        "pitch_range": "semitones from the lowest pitch to the highest",
        "n_pitches_used": "how many different pitches there are, of 128",
        "n_pitch_classes_used": "how many different pitch classes there are, of 12",
        "notes_per_bar": "how many notes begin in a bar, on average",
        "pitch_interval": "semitones from one note to the next, up or down, on average, chords read from the bottom up",
        "inter_onset_interval": "quarter lengths from one onset to the next one after it, on average",
        "note_length": "quarter lengths that a note lasts, on average",
    },
)
"""The keys of `piece_statistics`, and what each measures."""

HISTOGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "pitch_class_histogram": "share of the notes in each pitch class, C to B",
        "note_length_histogram": "share of the notes nearest to each note value, plain, dotted and triplet",
    },
)
"""What `piece_histograms` gives, each as many keys `name[bin]`."""

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

# The 12 lengths of Yang & Lerch, in quarter lengths; a note counts for the nearest by ratio.
NOTE_LENGTHS: Mapping[str, float] = MappingProxyType(
    {
        "1/3": 1 / 3,
        "2/3": 2 / 3,
        "4/3": 4 / 3,
        "1/4": 1 / 4,
        "3/8": 3 / 8,
        "1/2": 1 / 2,
        "3/4": 3 / 4,
        "1": 1.0,
        "3/2": 3 / 2,
        "2": 2.0,
        "3": 3.0,
        "4": 4.0,
    },
)

_Ints = npt.NDArray[np.int64]

_PITCHES = 128
_MODES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10))  # major and natural minor
_SCALES = np.array([np.roll(np.isin(np.arange(12), mode), root) for mode in _MODES for root in range(12)], np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class _Steps:
    """The pitched notes of a piece in steps, int64 [notes] each, by onset and pitch; a note lasts one step at least."""

    onset: _Ints
    duration: _Ints
    pitch: _Ints
    program: _Ints


def piece_statistics(piece: PieceNotes, *, bar_quarters: float) -> dict[str, float]:
    """Measure a piece: a number for each of `METRICS`, in their order; `bar_quarters` is the length of a bar in quarter lengths.

    NaN is what cannot be measured: everything in a piece without pitched notes, the groove of one bar, the interval of one note.
    Raises ValueError for a bar shorter than a step.
    """
    bar_steps = round(bar_quarters * STEPS_PER_QUARTER)
    if bar_steps < 1:
        raise ValueError(f"bar_quarters: expected at least 1/{STEPS_PER_QUARTER}, got {bar_quarters}")
    steps = _pitched_steps(piece)
    if not len(steps.onset):
        return dict.fromkeys(METRICS, math.nan)
    return {**_muspy_metrics(steps, bar_steps), **_further_metrics(steps, bar_steps)}


def piece_histograms(piece: PieceNotes) -> dict[str, float]:
    """Count a piece's notes by pitch class and by length: keys such as `pitch_class_histogram[C#]`, each histogram sums to 1.

    They are for `overlapped_area.compare`, which takes the keys of one histogram as one vector. All NaN where no note is pitched.
    """
    steps = _pitched_steps(piece)
    ratios = np.log2((steps.duration / STEPS_PER_QUARTER)[:, None] / np.array([*NOTE_LENGTHS.values()]))
    nearest = np.abs(ratios).argmin(axis=1)
    return {
        **_histogram("pitch_class_histogram", PITCH_CLASSES, steps.pitch % 12),
        **_histogram("note_length_histogram", tuple(NOTE_LENGTHS), nearest),
    }


def _pitched_steps(piece: PieceNotes) -> _Steps:
    notes = piece.notes[~piece.notes["is_drum"]]
    onset = _to_steps(notes["onset_ticks"], piece.ticks_per_quarter)
    end = _to_steps(notes["onset_ticks"] + notes["duration_ticks"], piece.ticks_per_quarter)
    pitch = notes["pitch"].astype(np.int64)
    order = np.lexsort([pitch, onset])
    duration = np.maximum(end - onset, 1)
    return _Steps(onset[order], duration[order], pitch[order], notes["program"].astype(np.int64)[order])


def _to_steps(ticks: _Ints, ticks_per_quarter: int) -> _Ints:
    """Move ticks to the nearest step; halfway between two, to the later."""
    return np.asarray((2 * STEPS_PER_QUARTER * ticks + ticks_per_quarter) // (2 * ticks_per_quarter), np.int64)


def _muspy_metrics(steps: _Steps, bar_steps: int) -> dict[str, float]:
    end = steps.onset + steps.duration
    classes = np.bincount(steps.pitch % 12, minlength=12)
    sounding = _sounding(steps.onset, end, steps.pitch)
    return {
        "pitch_class_entropy": _entropy(classes),
        "pitch_entropy": _entropy(np.bincount(steps.pitch)),
        "scale_consistency": float((_SCALES @ classes).max() / len(steps.pitch)),
        "groove_consistency": _groove_consistency(steps.onset, int(end.max()), bar_steps),
        "polyphony": float(sounding.sum() / np.count_nonzero(sounding)),
        "polyphony_rate": float(np.mean(sounding >= 2)),
        "empty_beat_rate": _empty_rate(sounding, STEPS_PER_QUARTER),
        "empty_measure_rate": _empty_rate(sounding, bar_steps),
        "pitch_range": float(np.ptp(steps.pitch)),
        "n_pitches_used": float(len(np.unique(steps.pitch))),
        "n_pitch_classes_used": float(np.count_nonzero(classes)),
    }


def _entropy(counts: _Ints) -> float:
    """Give the entropy of counts in bits."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum()) + 0.0  # -0.0 becomes 0.0


def _sounding(onset: _Ints, end: _Ints, pitch: _Ints) -> _Ints:
    """Count the pitches that sound in each step, int64 [steps]; one that two tracks hold counts once."""
    changes = np.zeros((int(end.max()) + 1, _PITCHES), np.int32)
    np.add.at(changes, (onset, pitch), 1)
    np.add.at(changes, (end, pitch), -1)
    return np.asarray(np.count_nonzero(changes.cumsum(0)[:-1], axis=1), np.int64)


def _groove_consistency(onset: _Ints, end: int, bar_steps: int) -> float:
    """Give how alike the onsets of neighbouring bars are; NaN for one bar."""
    bars = (end - 1) // bar_steps + 1
    if bars < 2:
        return math.nan
    begins = np.zeros(bars * bar_steps, np.bool_)
    begins[onset] = True
    by_bar = begins.reshape(bars, bar_steps)
    return 1 - int(np.count_nonzero(by_bar[:-1] != by_bar[1:])) / (bar_steps * (bars - 1))


def _empty_rate(sounding: _Ints, length: int) -> float:
    """Give the share of the stretches of so many steps in which nothing sounds."""
    begins = np.arange(0, len(sounding), length)
    return float(np.mean(np.add.reduceat(sounding, begins) == 0))


def _further_metrics(steps: _Steps, bar_steps: int) -> dict[str, float]:
    """Those of Yang & Lerch, section 3: average inter-onset interval and interval, note count by bar; and the mean duration."""
    last = int((steps.onset + steps.duration).max()) - 1
    return {
        "notes_per_bar": len(steps.onset) / (last // bar_steps + 1),
        "pitch_interval": _mean(np.abs(np.diff(steps.pitch))),
        "inter_onset_interval": _mean(np.diff(np.unique(steps.onset))) / STEPS_PER_QUARTER,
        "note_length": _mean(steps.duration) / STEPS_PER_QUARTER,
    }


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _histogram(name: str, bins: tuple[str, ...], places: _Ints) -> dict[str, float]:
    counts = np.bincount(places, minlength=len(bins)).tolist()
    return {
        f"{name}[{key}]": count / len(places) if len(places) else math.nan
        for key, count in zip(bins, counts, strict=True)
    }
