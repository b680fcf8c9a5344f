"""Velocities as values of a stream: 32 levels, which is as fine as Oore et al. 2018 have them ("This Time with Feeling").

A level is four velocities, 1 to 3 in the first, and is written as one near its middle: 2, 6, …, 126.
"""

import numpy as np
import numpy.typing as npt

LEVELS = 32
_WIDTH = 128 // LEVELS


def level_texts(velocity: npt.ArrayLike) -> list[str]:
    """Write the level of each velocity, 1 to 127."""
    middles = np.asarray(velocity, np.int64) // _WIDTH * _WIDTH + _WIDTH // 2
    return [str(middle) for middle in middles.tolist()]


def velocities(texts: list[str]) -> npt.NDArray[np.uint8]:
    """Give a velocity for each level that `level_texts` wrote: one that is of this level."""
    return np.array([int(text) for text in texts], np.uint8)
