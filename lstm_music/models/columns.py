"""What a model has to know about the tokens that it reads."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.controls import CONTROLS
from lstm_music.encoding.echoes import ECHOED
from lstm_music.encoding.guesses import GUESSED
from lstm_music.encoding.own_echoes import OWN_ECHOED
from lstm_music.encoding.streams import chain_of

_HELD = {**ECHOED, **OWN_ECHOED, **GUESSED}


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a token array: the `streams` in their order, behind them places, echoes, guesses and controls.

    `sizes` is the number of ids of each column, `offset_quarters` float32 [offset ids] how many quarters each stands for
    (0 for special ids), `window` how many events a window has.
    """

    streams: tuple[str, ...]
    sizes: Mapping[str, int]
    offset_quarters: npt.NDArray[np.float32]
    window: int

    @property
    def chain(self) -> tuple[str, ...]:
        """The streams in the order in which they are predicted."""
        return chain_of(self.streams)

    @property
    def note_columns(self) -> list[int]:
        """The columns that hold notes, which a transposition moves."""
        return [place for place, name in enumerate(self.sizes) if _HELD.get(name, name) == "note"]

    @property
    def controls(self) -> dict[str, int]:
        """The columns of the controls, by name."""
        return {name: place for place, name in enumerate(self.sizes) if name in CONTROLS}
