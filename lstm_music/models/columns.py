"""What a model has to know of the tokens that it reads."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a token array: the `streams` in the order of the chain, and behind them the places.

    `sizes` is the number of ids of each column, `offset_quarters` float32 [offset ids] how many quarters each stands for
    (0 for special ids), `window` how many events a window has.
    """

    streams: tuple[str, ...]
    sizes: Mapping[str, int]
    offset_quarters: npt.NDArray[np.float32]
    window: int
