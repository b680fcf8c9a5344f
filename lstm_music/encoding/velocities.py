"""Velocities as values of a stream: 32 levels, as in Oore et al. 2018 ("This Time with Feeling").

A level spans four velocities (the first spans 1 to 3) and is written as a velocity near its middle: 2, 6, …, 126.
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
    """Return a velocity within each level that `level_texts` wrote."""
    return np.array([int(text) for text in texts], np.uint8)
