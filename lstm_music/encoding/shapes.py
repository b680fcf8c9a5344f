"""What stays of a value of the note stream when it is transposed: its shape; and what moves: its lowest pitch."""

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

    `shape` and `lowest` (a MIDI number) int32 [ids]; `ids` int32 [shapes, 3 · 128] is the id of a shape whose lowest pitch is
    128 less than the place in the row, UNKNOWN where the vocabulary has none. What has no pitch, a special id or pitch
    classes, has the lowest pitch 0, and stays what it is wherever it is moved.
    """

    shape: npt.NDArray[np.int32]
    lowest: npt.NDArray[np.int32]
    ids: npt.NDArray[np.int32]


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
