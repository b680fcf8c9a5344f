"""Places: the position of each event in its bar, as an extra input of the models.

A place follows from the offsets and the time signature. It is not a stream, because no model predicts it: once the offset is
chosen, the place of the new event is known. In the token array the places follow the streams.
"""

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.grid import Grid, Steps

PLACES = ("step_in_quarter", "quarter_in_bar")
QUARTERS = 12  # in a longer bar, later quarters count as the last of these


def place_sizes(grid: Grid) -> dict[str, int]:
    """Return the number of ids of each place column."""
    return dict(zip(PLACES, (grid.steps_per_quarter, QUARTERS), strict=True))


def place_tokens(position_in_bar_steps: npt.ArrayLike, grid: Grid) -> Steps:
    """Return the place ids, int64 [events, places], for events at these steps from the start of their bar."""
    quarter, step = np.divmod(np.asarray(position_in_bar_steps, dtype=np.int64), grid.steps_per_quarter)
    return np.stack([step, np.minimum(quarter, QUARTERS - 1)], axis=-1)


def bar_steps(numerator: int, denominator: int, grid: Grid) -> int:
    """Return the length of a bar in steps, rounded down but at least 1."""
    return max(1, 4 * numerator * grid.steps_per_quarter // denominator)
