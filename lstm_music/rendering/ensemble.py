"""Who plays what in a generated piece of several parts, as the fact `parts` of its `result_N.json` lists them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.errors import RejectedInputError
from lstm_music.midi.general_midi import family_of
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.parts import Part, parts_of

HANDS = 2
PARTS = "parts"
"""The fact that makes a result an ensemble: a list of `{"name", "program", "is_drum"}`."""


def declared_parts(facts: Mapping[str, Any]) -> tuple[Part, ...]:
    """Give the parts that the facts of a result list; none for a piece of the piano."""
    return tuple(Part(one["name"], one["program"], one["is_drum"]) for one in facts.get(PARTS, ()))


def is_for_several(parts: Sequence[Part]) -> bool:
    """Whether music in these parts is for more than the two hands of a pianist."""
    return len(parts) > HANDS or (
        len(parts) > 1 and any(part.is_drum or family_of(part.program) != "piano" for part in parts)
    )


def part_of_note(piece: PieceNotes, parts: Sequence[Part]) -> npt.NDArray[np.int64]:
    """Give for each note of a piece the index of its part in `parts`, int64 [notes]; a part may have no notes.

    Raises RejectedInputError for notes in a track that bears the name of none of the parts.
    """
    found, of_note = parts_of(piece)
    indices = {part.name: index for index, part in enumerate(parts)}
    stranger = next((part.name for part in found if part.name not in indices), None)
    if stranger is not None:
        raise RejectedInputError(
            f"has notes in the track {stranger!r}; expected one of its parts: {', '.join(indices) or 'none'}"
        )
    return np.array([indices[part.name] for part in found], np.int64)[of_note]
