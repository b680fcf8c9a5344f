"""What was asked of the bars of a result beside what they are: notes, notes at once, pitch, and chords."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lstm_music.encoding.controls import MOST_EVENTS, MOST_NOTES
from lstm_music.encoding.harmony import CHORD_KINDS, Chord
from lstm_music.encoding.sounding import CLASSES
from lstm_music.evaluation.bar_measures import BarMeasures, measure_bars
from lstm_music.generation.plan import BarPlan, Planned
from lstm_music.generation.steering import MOST_BARS, note_name, read_note

KEPT_CHORDS = 0.75
"""Chords are kept if so many of the quarters have their root, and their third or fifth."""


class _Measure(NamedTuple):
    """How a measure is called, and how far from what was asked it may lie on average: so much, or this share of it."""

    name: str
    within: float
    share: float = 0.0


_MEASURES = {
    "density": _Measure("notes a bar", 2, 0.2),
    "polyphony": _Measure("notes at once", 0.5, 0.2),
    "mean_pitch": _Measure("mean pitch", 4),
}


class AskedOfBars(NamedTuple):
    """What was asked, what was found, and whether that is near enough."""

    name: str
    asked: str
    found: str
    is_kept: bool


def bars_of_notes(notes: np.ndarray, ticks_per_quarter: int, bar: int) -> tuple[BarMeasures, bool]:
    """Measure the bars of notes, the first in which one begins to the last; say whether the first bar begins with a note."""
    begins = int(notes["onset_ticks"].min()) // bar * bar
    onset = notes["onset_ticks"].astype(np.int64) - begins
    pitch = np.where(notes["is_drum"], -1, notes["pitch"].astype(np.int64))
    count = int(onset.max()) // bar + 1
    measured = measure_bars(onset, notes["duration_ticks"].astype(np.int64), pitch, bar, ticks_per_quarter, count)
    return measured, int(onset.min()) == 0


def plan_like(notes: np.ndarray, ticks_per_quarter: int, bar: int, controls: Collection[str]) -> tuple[BarPlan, ...]:
    """Write down what the bars of notes are like, for models that were taught these controls; bars without a note ask nothing.

    Nor does a first bar that the notes begin within: what a part of it has is not what a whole one has.
    """
    measured, is_whole = bars_of_notes(notes, ticks_per_quarter, bar)
    plan = []
    for number, density in enumerate(measured.density[:MOST_BARS].tolist()):
        pitch = measured.mean_pitch[number]
        said = {
            "density": min(density, MOST_EVENTS),
            "polyphony": min(round(float(measured.polyphony[number]), 1), MOST_NOTES),
            "mean_pitch": "" if np.isnan(pitch) else note_name(round(float(pitch))),
        }
        asked = {name: value for name, value in said.items() if name in controls and value and density}
        if asked and (number or is_whole):
            plan.append(BarPlan.model_validate({"bars": str(number + 1), **asked}))
    return tuple(plan)


def compared_bars(spec: Planned, notes: np.ndarray, ticks_per_quarter: int, bar: int) -> Iterator[AskedOfBars]:
    """Compare the bars of the new notes with what was asked of them; a first bar that music begins within is left out."""
    measured, is_whole = bars_of_notes(notes, ticks_per_quarter, bar)
    count = len(measured.density)
    first = 0 if is_whole or count == 1 else 1
    for name, measure in _MEASURES.items():
        asked = np.array([_number(one) for one in spec.of_bars(name, count)[first:]])
        found = getattr(measured, name)[first:]
        is_asked = (asked > 0) & ~np.isnan(found)
        if is_asked.any():
            yield _near(name, measure, asked[is_asked], found[is_asked])
    chords = spec.chords_of_bars(count)
    has_chord = [*(has for bar in range(first, count) for has in chords_kept(measured.quarters[bar], chords[bar]))]
    if has_chord:
        share = float(np.mean(has_chord))
        yield AskedOfBars("chords", spec.chords or "as planned", f"in {share:.0%} of quarters", share >= KEPT_CHORDS)


def chords_kept(quarters: np.ndarray, chords: Sequence[Chord]) -> Iterator[bool]:
    """Say of each quarter of a bar, [quarters, 12], whether its chord sounds: the root, and the third or the fifth."""
    for place, lasts in enumerate(quarters if chords else ()):
        chord = chords[place * len(chords) // len(quarters)]
        _, third, fifth, *_ = CHORD_KINDS[chord.kind]
        root, others = lasts[chord.root], lasts[[(chord.root + third) % CLASSES, (chord.root + fifth) % CLASSES]]
        yield bool(root > 0 and (others > 0).any())


def _near(name: str, measure: _Measure, asked: np.ndarray, found: np.ndarray) -> AskedOfBars:
    off = float(np.abs(found - asked).mean())
    is_kept = off <= max(measure.within, measure.share * float(asked.mean()))
    wanted, lowest, mean, highest = (
        _text(name, value) for value in (float(asked[0]), found.min(), found.mean(), found.max())
    )
    said = wanted if (asked == asked[0]).all() else "as planned"
    return AskedOfBars(measure.name, said, f"{mean} on average, {lowest} to {highest}", is_kept)


def _number(asked: float | str) -> float:
    return float((read_note(asked) if asked else 0) if isinstance(asked, str) else asked)


def _text(name: str, value: float) -> str:
    return note_name(round(value)) if name == "mean_pitch" else f"{value:.1f}".removesuffix(".0")
