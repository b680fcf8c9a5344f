"""How long what sounds: the total time of each pitch class between any two moments of a piece."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Steps = npt.NDArray[np.int64]

CLASSES = 12


@dataclass(frozen=True, eq=False)
class Sounding:
    """The notes that sound from each of the `times` to the next, both in steps of a grid.

    `times` int64 [times] ascend. Between one and the next `counts` int64 [times, 12] notes of each pitch class sound; `totals`
    int64 [times, 12] is how long they sounded before, each note counted on its own.
    """

    times: Steps
    counts: Steps
    totals: Steps

    @classmethod
    def of(cls, onset: Steps, duration: Steps, pitch: Steps) -> "Sounding":
        """Find what sounds of notes, int64 [notes]: a pitch below 0 stands for a drum, which has no pitch class."""
        is_pitched = pitch >= 0
        onset, end, pitch_class = onset[is_pitched], (onset + duration)[is_pitched], pitch[is_pitched] % CLASSES
        times = np.unique(np.concatenate([[0], onset, end]))
        changes = np.zeros((len(times), CLASSES), np.int64)
        np.add.at(changes, (np.searchsorted(times, onset), pitch_class), 1)
        np.add.at(changes, (np.searchsorted(times, end), pitch_class), -1)
        counts = np.cumsum(changes, axis=0)
        lasted = counts[:-1] * np.diff(times)[:, None]
        totals = np.concatenate([np.zeros((1, CLASSES), np.int64), np.cumsum(lasted, axis=0)])
        return cls(times, counts, totals)

    def between(self, starts: Steps, stops: Steps) -> Steps:
        """Return how long each pitch class sounds from each start to its stop, in steps, int64 [moments, 12]."""
        return self._until(stops) - self._until(starts)

    def _until(self, moments: Steps) -> Steps:
        """Return how long each pitch class sounds before each moment, int64 [moments, 12]; nothing does before the first time."""
        place = np.maximum(np.searchsorted(self.times, moments, side="right") - 1, 0)
        since = np.maximum(moments - self.times[place], 0)
        found: Steps = self.totals[place] + self.counts[place] * since[:, None]
        return found
