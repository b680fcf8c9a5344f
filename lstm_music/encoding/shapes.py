"""Shapes: a note value split into what transposition keeps (its shape) and what it changes (its lowest pitch)."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.chords import content
from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN, Vocabulary

PITCHES = 128


@dataclass(frozen=True, eq=False)
class Shapes:
    """The shapes of a note vocabulary.

    `shape` and `lowest` (a MIDI number) are int32 [ids]. `ids` is int32 [shapes, 3 · 128]: column 128 + p holds the id of the
    shape with the lowest pitch p, or UNKNOWN if the vocabulary lacks it. Values without a pitch (special ids, pitch
    classes, drums) have the lowest pitch 0 and never change when transposed.
    """

    shape: npt.NDArray[np.int32]
    lowest: npt.NDArray[np.int32]
    ids: npt.NDArray[np.int32]

    @property
    def is_pitched(self) -> npt.NDArray[np.bool_]:
        """Whether each id has a pitch, bool [ids]."""
        is_pitched: npt.NDArray[np.bool_] = self.ids[self.shape, 0] != np.arange(len(self.shape))
        return is_pitched


@lru_cache(maxsize=4)
def shapes_of(vocabulary: Vocabulary) -> Shapes:
    """Find the shapes of a note vocabulary."""
    known: dict[tuple[int, ...] | int, int] = {}
    rows: list[tuple[int, int, int | None]] = []  # shape, lowest pitch, the id that stays
    for token in range(vocabulary.size):
        pitches = content(vocabulary.value(token))[0] if token >= SPECIAL_IDS else ()
        form = tuple(pitch - pitches[0] for pitch in pitches) or token
        rows.append((known.setdefault(form, len(known)), pitches[0] if pitches else 0, None if pitches else token))
    ids = np.full((len(known), 3 * PITCHES), UNKNOWN, np.int32)
    for token, (shape, lowest, stays) in enumerate(rows):
        if stays is None:
            ids[shape, PITCHES + lowest] = token
        else:
            ids[shape] = stays
    table = np.array([(shape, lowest) for shape, lowest, _ in rows], np.int32)
    return Shapes(table[:, 0], table[:, 1], ids)
