"""Controls: what models are told of the music to come, as columns that they read and do not predict.

Each says something that follows from the music itself. In training it is hidden in many windows; then the models learn to do
without it as well. In generation a person says it. The controls of an event are those of the time from its onset on:

- `ending`: how many bars the music goes on, the present one included;
- `key`: the key of the present bar and of some bars around it; `chord`: the chord of the present quarter;
- `density`: the events from this one to the end of its bar; `polyphony`: how many notes sound on average until then;
  `mean_pitch`: the mean pitch of the notes that begin until then.

What is left of a bar says to the models, at each of its events, what they still owe to it: who asks for a bar of ten notes tells
them after each note how many are missing. Drums count as events only. 0 means that nothing is said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.harmony import CHORDS, KEYS, chords_of, moved_chord, moved_key
from lstm_music.encoding.sounding import Sounding
from lstm_music.encoding.windows import Batch
from lstm_music.midi.key import keys_of

Ids = npt.NDArray[np.int64]

CONTROLS = ("ending", "key", "chord", "density", "polyphony", "mean_pitch")

CONTROLS_VERSION = 1
"""Of what the ids mean."""

NOTHING = 0
"""The id where nothing is said."""

ENDING_BARS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32)
"""A number of bars counts as the lowest of these that is not below it; more than the last count as the last."""
MOST_EVENTS = 63
POLYPHONY_STEPS = 4
"""Steps of the polyphony for each note that sounds."""
MOST_NOTES = 10
PITCHES = 128
KEY_BARS = 4
"""So many bars before and after the present one say in which key it is."""

SIZES = {
    "ending": 1 + len(ENDING_BARS),
    "key": 1 + KEYS,
    "chord": 1 + CHORDS,
    "density": 1 + MOST_EVENTS,
    "polyphony": 1 + POLYPHONY_STEPS * MOST_NOTES,
    "mean_pitch": 1 + PITCHES,
}
"""The number of ids of each control."""

SILENT_WINDOWS = 0.5
"""The share of training windows in which no control says anything."""
HIDDEN = 0.4
"""The share of the other windows in which one control says nothing, each for itself."""
FROM_THE_START = 0.5
"""In this share of windows a control says something from the first event on, in the others from an event in between."""


@dataclass(frozen=True, eq=False)
class Played:
    """The events of some pieces, one piece after another: int64 [events], times in steps of a grid.

    `piece` is a number per event, `onset` is counted from the start of its piece, `pitch` is -1 for a drum, `bar` the number of
    its bar and `position` where in that bar it begins.
    """

    piece: Ids
    onset: Ids
    duration: Ids
    pitch: Ids
    bar: Ids
    position: Ids

    def part(self, rows: slice) -> "Played":
        """Return some of the pieces."""
        fields = (self.piece, self.onset, self.duration, self.pitch, self.bar, self.position)
        return Played(*(field[rows] for field in fields))

    def in_a_row(self) -> "Played":
        """Put the pieces one after another in time too, so that nothing of one sounds in another."""
        first = np.flatnonzero(np.diff(self.piece, prepend=-1))
        lengths = np.maximum.reduceat(self.onset + self.duration, first) if len(first) else first
        margin = int(self.position.max(initial=0)) + 1  # a piece may begin within a bar
        starts = margin + np.cumsum(lengths + 2 * margin) - (lengths + 2 * margin)
        of_event = np.repeat(starts, np.diff([*first, len(self.piece)]))
        return Played(self.piece, self.onset + of_event, self.duration, self.pitch, self.bar, self.position)


@dataclass(frozen=True, eq=False)
class BarsOfEvents:
    """The bar of each event: it goes from `start` to `stop`, in steps, and has the events `first` to `after` (exclusive).

    All are int64 [events]. `left` is how many bars the piece goes on, this one included.
    """

    start: Ids
    stop: Ids
    first: Ids
    after: Ids
    left: Ids

    @classmethod
    def of(cls, played: Played) -> "BarsOfEvents":
        """Find them; a bar that no other follows is as long as the one before, or until the last of its notes ends."""
        begins = played.onset - played.position
        first = np.flatnonzero((np.diff(played.piece, prepend=-1) != 0) | (np.diff(begins, prepend=-1) != 0))
        counts = np.diff([*first, len(begins)])
        start, piece, bar = begins[first], played.piece[first], played.bar[first]
        last = np.flatnonzero(np.diff(piece, append=-1))  # of each piece
        last_of_piece = np.repeat(last, np.diff([-1, *last]))
        following, before = (
            np.minimum(np.arange(len(first)) + 1, last_of_piece),
            np.maximum(np.arange(len(first)) - 1, 0),
        )
        length = (start[following] - start) // np.maximum(bar[following] - bar, 1)
        until_silence = np.maximum.reduceat(played.onset + played.duration, first) - start
        length[last] = np.where(piece[before[last]] == piece[last], length[before[last]], 0)
        length = np.where(length > 0, length, until_silence)
        left = np.maximum(bar[last_of_piece] - bar, 0) + 1
        start, stop, begin, after, left = (
            np.repeat(array, counts) for array in (start, start + length, first, first + counts, left)
        )
        return cls(start, np.maximum(stop, played.onset + 1), begin, after, left)


def control_tokens(played: Played, steps_per_quarter: int, controls: Sequence[str]) -> Ids:
    """Return the ids of some controls for each event, int64 [events, controls]."""
    if not len(played.onset):
        return np.zeros((0, len(controls)), np.int64)
    played = played.in_a_row()
    bars, sounding = BarsOfEvents.of(played), Sounding.of(played.onset, played.duration, played.pitch)
    found: dict[str, Callable[[], Ids]] = {
        "ending": lambda: ending_ids(bars.left),
        "key": lambda: 1 + _keys(played, bars, sounding),
        "chord": lambda: 1 + _chords(played, bars, sounding, steps_per_quarter),
        "density": lambda: density_ids(bars.after - np.arange(len(bars.after))),
        "polyphony": lambda: _polyphony(played, bars, sounding),
        "mean_pitch": lambda: _mean_pitch(played, bars),
    }
    return np.stack([found[control]() for control in controls], axis=1)


def ending_ids(bars: Ids) -> Ids:
    """Return the ids of numbers of bars until the end, from 1."""
    found: Ids = 1 + np.minimum(np.searchsorted(ENDING_BARS, bars), len(ENDING_BARS) - 1)
    return found


def density_ids(events: Ids) -> Ids:
    """Return the ids of numbers of events, from 1."""
    return np.clip(events, 1, MOST_EVENTS)


def polyphony_ids(notes: npt.NDArray[np.float64]) -> Ids:
    """Return the ids of how many notes sound on average."""
    return np.clip(np.rint(notes * POLYPHONY_STEPS), 0, POLYPHONY_STEPS * MOST_NOTES - 1).astype(np.int64) + 1


def _keys(played: Played, bars: BarsOfEvents, sounding: Sounding) -> Ids:
    around = KEY_BARS * (bars.stop - bars.start)
    first = np.flatnonzero(np.diff(played.piece, prepend=-1))
    counts = np.diff([*first, len(played.piece)])
    begins = np.repeat(played.onset[first], counts)
    ends = np.repeat(np.maximum.reduceat(played.onset + played.duration, first), counts)
    starts, stops = np.maximum(bars.start - around, begins), np.minimum(bars.stop + around, ends)
    return _once(bars.first, lambda some: keys_of(sounding.between(starts[some], stops[some])))


def _chords(played: Played, bars: BarsOfEvents, sounding: Sounding, steps_per_quarter: int) -> Ids:
    starts = bars.start + played.position // steps_per_quarter * steps_per_quarter
    stops = np.maximum(np.minimum(starts + steps_per_quarter, bars.stop), starts + 1)
    return _once(starts, lambda some: chords_of(sounding.between(starts[some], stops[some])))


def _once(stretch: Ids, find: Callable[[Ids], Ids]) -> Ids:
    """Find something for the first event of each stretch, and give it to all of them; those of one follow one another."""
    first = np.flatnonzero(np.diff(stretch, prepend=-1))
    return np.repeat(find(first), np.diff([*first, len(stretch)]))


def _polyphony(played: Played, bars: BarsOfEvents, sounding: Sounding) -> Ids:
    lasts = sounding.between(played.onset, bars.stop).sum(axis=1)
    return polyphony_ids(lasts / (bars.stop - played.onset))


def _mean_pitch(played: Played, bars: BarsOfEvents) -> Ids:
    is_pitched = played.pitch >= 0
    pitches = np.append(0, np.cumsum(np.where(is_pitched, played.pitch, 0)))
    counts = np.append(0, np.cumsum(is_pitched))
    here = np.arange(len(played.onset))
    count = counts[bars.after] - counts[here]
    mean = (pitches[bars.after] - pitches[here]) / np.maximum(count, 1)
    nearest = np.floor(mean + 0.5).astype(np.int64)  # not `rint`: halves have to move with the notes
    return np.where(count > 0, 1 + nearest, NOTHING)


_MOVED: dict[str, Callable[[int, int], int]] = {
    "key": moved_key,
    "chord": moved_chord,
    "mean_pitch": lambda pitch, semitones: min(max(pitch + semitones, 0), PITCHES - 1),
}


def moved_controls(control: str, shifts: Sequence[int]) -> Ids | None:
    """Return the id that each id of a control moves to at each transposition, int64 [shifts, ids]; None if none moves."""
    move = _MOVED.get(control)
    if move is None:
        return None
    return np.array([[NOTHING, *(1 + move(one, shift) for one in range(SIZES[control] - 1))] for shift in shifts])


def hide_controls(batch: Batch, columns: Sequence[int], rng: np.random.Generator | None = None) -> None:
    """Hide controls in whole windows of a batch, or all of them before some event, at random; without `rng` all everywhere.

    A control that is known of an event is known of those after it, too. So the models learn to take over in the middle of music
    of which nothing was said: a prompt.
    """
    if not columns:
        return
    steps, windows = batch.mask.shape
    shape = (windows, len(columns))
    start = np.full(shape, steps + 1)
    if rng is not None:
        says = (rng.random((windows, 1)) >= SILENT_WINDOWS) & (rng.random(shape) >= HIDDEN)
        first = np.where(rng.random(shape) < FROM_THE_START, 0, rng.integers(1, steps, shape))
        start = np.where(says, first, start)
    index = np.arange(steps)[:, None, None]
    batch.current[..., columns] *= index >= start
    batch.previous[..., columns] *= (index > start) | (start == 0)
