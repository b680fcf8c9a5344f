"""Statistics of a piece: MusPy's metrics, and those of Yang & Lerch (2018) that MusPy lacks.

Drums are left out, as in the events. Time is brought to `STEPS_PER_QUARTER` first, onsets and ends each to the
nearest step: MusPy's polyphony makes a table of 128 pitches per step, which in a file's own ticks may be 20 times as large.

A statistic depends on how long the piece is, so pieces that are compared must be excerpts with equally many notes.

Of MusPy's metrics (Dong et al., "MusPy: A Toolkit for Symbolic Music Generation", ISMIR 2020) these need care:

- Its rates of empty beats and bars, and its groove, take the end of a note as a step where it still sounds: a beat of
  silence after a note would not be empty, and a piece that ends on a bar line would have a bar more. They are given notes
  that end a step earlier.
- Its rate of polyphony counts the steps with more than `threshold` pitches, by default more than two. Here it is 1: two or more.
- Bars are all equally long there: a change of time signature inside a piece is not seen.
- Without notes some of them raise, others return 0 or -127. Here all statistics of such a piece are NaN.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lstm_music.midi.notes import PieceNotes

if TYPE_CHECKING:
    import muspy

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
    from muspy import metrics

    music = _muspy_music(steps, steps.duration)
    until_last_step = _muspy_music(steps, steps.duration - 1)
    values = {
        "pitch_class_entropy": metrics.pitch_class_entropy(music),
        "pitch_entropy": metrics.pitch_entropy(music),
        "scale_consistency": metrics.scale_consistency(music),
        "groove_consistency": metrics.groove_consistency(until_last_step, bar_steps),
        "polyphony": metrics.polyphony(music),
        "polyphony_rate": metrics.polyphony_rate(music, threshold=1),
        "empty_beat_rate": metrics.empty_beat_rate(until_last_step),
        "empty_measure_rate": metrics.empty_measure_rate(until_last_step, bar_steps),
        "pitch_range": metrics.pitch_range(music),
        "n_pitches_used": metrics.n_pitches_used(music),
        "n_pitch_classes_used": metrics.n_pitch_classes_used(music),
    }
    return {name: float(value) + 0.0 for name, value in values.items()}  # an entropy of -0.0 becomes 0.0


def _muspy_music(steps: _Steps, duration: _Ints) -> "muspy.Music":
    """Build MusPy's music in memory, a track a program, with the durations given in steps."""
    import muspy

    tracks = []
    for program in np.unique(steps.program).tolist():
        mine = steps.program == program
        rows = zip(steps.onset[mine].tolist(), steps.pitch[mine].tolist(), duration[mine].tolist(), strict=True)
        tracks.append(muspy.Track(program=program, is_drum=False, notes=[muspy.Note(*row) for row in rows]))
    return muspy.Music(resolution=STEPS_PER_QUARTER, tracks=tracks)


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
