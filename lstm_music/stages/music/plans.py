"""What is asked of the bars of new music → what the models are told in the loop, if they were taught to hear it."""

import math

import numpy as np

from lstm_music.encoding.controls import CONTROLS
from lstm_music.errors import RecipeError
from lstm_music.generation.conditioning import Asked
from lstm_music.generation.plan import Planned
from lstm_music.generation.spec import GenerationSpec
from lstm_music.generation.steering import MOST_BARS, read_key, read_note
from lstm_music.stages.data.dataset import Dataset

_SEMITONES_OF_A_SHARP = 7
_RELATIVE_MINOR = 9
_CLASSES = 12


def require_controls(dataset: Dataset, spec: Planned) -> None:
    """Raise RecipeError for what is asked of models that were not taught the control for it."""
    for control, option in spec.asks.items():
        if control not in dataset.knowledge.controls:
            known = [name for name in CONTROLS if name in dataset.knowledge.controls]
            raise RecipeError(
                f"{option}: expected models that were taught {control!r}; these were taught {', '.join(known) or 'no controls'}; "
                "use the recipe 'steerable', or name it in the recipe's [model] controls, and train again"
            )


def asked_of_bars(
    dataset: Dataset, spec: GenerationSpec, bar_steps: np.ndarray, lengths: np.ndarray | None
) -> Asked | None:
    """Return what the models are told; None if nothing is asked that they were taught.

    `bar_steps` int64 [outputs] is how long the bars of each output are, `lengths` int64 [outputs] the whole music, both in steps;
    None where its length is open.
    """
    require_controls(dataset, spec)
    controls = set(dataset.knowledge.controls)
    has_end, has_key = lengths is not None and "ending" in controls, "key" in controls
    if not (spec.asks or has_end or (spec.key and has_key)):
        return None
    bars = np.zeros(len(bar_steps), np.int64) if lengths is None else -(-lengths // bar_steps)
    count = int(bars.max()) if lengths is not None else MOST_BARS
    for entry in spec.plan:
        if entry.numbers.start >= count:
            raise RecipeError(
                f"--plan: expected bars of the music, which has {count}, got bars {entry.bars}; give more --bars"
            )
    return Asked(
        bars=(bars if has_end else 0 * bars).astype(np.int32),
        key=np.array([_key(text) if has_key else 0 for text in spec.of_bars("key", count)], np.int32),
        chord=_chords(spec, count, bar_steps, dataset.events.grid.steps_per_quarter),
        density=np.array(spec.of_bars("density", count), np.float64),
        polyphony=np.array(spec.of_bars("polyphony", count), np.float64),
        mean_pitch=np.array(
            [max(read_note(text), 1) if text else 0 for text in spec.of_bars("mean_pitch", count)], np.float64
        ),
    )


def _key(text: str) -> int:
    """Return the id of a key; 0 for none."""
    if not text:
        return 0
    key = read_key(text)
    tonic = key.sharps * _SEMITONES_OF_A_SHARP + _RELATIVE_MINOR * key.is_minor
    return 1 + tonic % _CLASSES + _CLASSES * key.is_minor


def _chords(spec: GenerationSpec, bars: int, bar_steps: np.ndarray, steps_per_quarter: int) -> np.ndarray:
    """Return the ids of the chords, int32 [outputs, bars, quarters]: 0 for none.

    The chords of a bar share its quarters, the first ones the larger part. Raises RecipeError for more than it has quarters.
    """
    quarters = [max(1, math.ceil(steps / steps_per_quarter)) for steps in bar_steps.tolist()]
    most = max(map(len, spec.chords_of_bars(bars)), default=0)
    if most > min(quarters):
        raise RecipeError(
            f"--chords: expected at most a chord for each quarter of a bar, {min(quarters)}, got {most} in a bar"
        )
    found = np.zeros((len(bar_steps), bars, max(quarters)), np.int32)
    for bar, chords in enumerate(spec.chords_of_bars(bars)):
        for output, count in enumerate(quarters if chords else ()):
            for quarter in range(max(quarters)):
                place = min(quarter, count - 1) * len(chords) // count
                found[output, bar, quarter] = 1 + chords[place].number
    return found
