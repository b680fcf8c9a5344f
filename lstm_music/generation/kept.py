"""Which events of a result stay in a variation of it: whole bars, the beginnings of its phrases first.

A listener recognises music by how its phrases begin, and hears a bar that is quoted whole as the same music; notes that stay here
and there under new ones are heard as neither. So the first bar of every four stays first, then the second ones, and so on, until
the share is reached; of the bar that does not fit any more its beginning stays, up to a whole chord.
"""

import numpy as np
import numpy.typing as npt

PHRASE = 4
"""Bars of a phrase, counted from the first bar of a result."""

Steps = npt.NDArray[np.int64]


def kept_events(onsets: Steps, bar: int, end: int, share: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Choose the events that stay, bool [events], and say of each step whether it belongs to them, bool [end + 1].

    `onsets` are in steps from the barline before the first event, in ascending order; `bar` is the length of a bar in steps, and
    `end` where the music ends. With any share above 0 at least the first chord stays. Nothing new begins where kept events are.
    """
    kept, closed = np.zeros(len(onsets), np.bool_), np.zeros(end + 1, np.bool_)
    if share >= 1:
        return ~kept, ~closed
    wanted = max(round(share * len(onsets)), int((onsets == onsets[0]).sum())) if share else 0
    bars = onsets // bar
    for number in sorted(range(int(bars[-1]) + 1), key=lambda number: (number % PHRASE, number)):
        in_bar, room = bars == number, wanted - int(kept.sum())
        is_whole = in_bar.sum() <= room
        last = (number + 1) * bar - 1 if is_whole else _last_that_fits(onsets[in_bar], room)
        kept |= in_bar & (onsets <= last)
        closed[number * bar : last + 1] = True
        if not is_whole or kept.sum() == wanted:
            break
    return kept, closed


def _last_that_fits(onsets: Steps, room: int) -> int:
    """Return the onset up to which at most `room` events begin, -1 for none: events of one onset stay together."""
    counts = np.searchsorted(onsets, onsets, side="right")  # events up to and with each onset
    fitting = onsets[counts <= room]
    return int(fitting[-1]) if len(fitting) else -1
