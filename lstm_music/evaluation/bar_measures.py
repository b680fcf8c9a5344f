"""What each bar of a piece is like: how many notes begin in it, how many sound at once, where they lie, and its harmony."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.sounding import Sounding

Steps = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BarMeasures:
    """The measures of each bar in a row, bars without notes too.

    `density` float64 [bars] is the number of notes that begin in a bar, `polyphony` how many with a pitch sound on average, and
    `mean_pitch` the mean of the pitches that begin in it, not a number where there is none. `quarters` int64 [bars, quarters, 12]
    is how long each pitch class sounds in each quarter, in steps.
    """

    density: Floats
    polyphony: Floats
    mean_pitch: Floats
    quarters: Steps


def measure_bars(onset: Steps, duration: Steps, pitch: Steps, bar: int, quarter: int, bars: int) -> BarMeasures:
    """Measure notes, int64 [notes] in steps since a barline, whose `bars` bars are all `bar` steps long; a quarter is `quarter`.

    The pitch of a drum is -1. The last quarter of a bar may be shorter.
    """
    number = np.minimum(onset // bar, bars - 1)
    is_pitched = pitch >= 0
    density = np.bincount(number, minlength=bars).astype(np.float64)
    notes = np.bincount(number[is_pitched], minlength=bars)
    pitches = np.bincount(number[is_pitched], weights=pitch[is_pitched], minlength=bars)
    mean = np.where(notes > 0, pitches / np.maximum(notes, 1), np.nan)
    sounding = Sounding.of(onset, duration, pitch)
    starts = bar * np.arange(bars)
    polyphony = sounding.between(starts, starts + bar).sum(axis=1) / bar
    places = np.arange(0, bar, quarter)
    begins = (starts[:, None] + places).ravel()
    ends = (starts[:, None] + np.minimum(places + quarter, bar)).ravel()
    quarters = sounding.between(begins, ends).reshape(bars, len(places), -1)
    return BarMeasures(density, polyphony, mean, quarters)
