"""Where an event lies in its bar: an input of the models that follows from the offsets and the time signature.

It is no stream, for nobody has to predict it: after an offset is chosen, the place of the new event is known. It stands in
the token array behind the streams.
"""

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.grid import Grid, Steps

PLACES = ("step_in_quarter", "quarter_in_bar")
QUARTERS = 12  # later quarters of a long bar count as the last of these


def place_sizes(grid: Grid) -> dict[str, int]:
    """The number of ids of each place."""
    return dict(zip(PLACES, (grid.steps_per_quarter, QUARTERS), strict=True))


def place_tokens(position_in_bar_steps: npt.ArrayLike, grid: Grid) -> Steps:
    """Give the ids of the places, int64 [events, places], for events so many steps after the beginning of their bar."""
    quarter, step = np.divmod(np.asarray(position_in_bar_steps, dtype=np.int64), grid.steps_per_quarter)
    return np.stack([step, np.minimum(quarter, QUARTERS - 1)], axis=-1)


def bar_steps(numerator: int, denominator: int, grid: Grid) -> int:
    """The length of a bar in steps, rounded down but at least 1."""
    return max(1, 4 * numerator * grid.steps_per_quarter // denominator)
