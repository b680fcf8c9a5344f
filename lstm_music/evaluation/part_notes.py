"""The notes of a piece by part: when each begins and ends, its pitch, and who plays it.

Times are ticks of the piece. Give music that lies on a grid, such as events turned into notes: what sounds together is compared
to the tick.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.parts import parts_of

PITCHES = 128

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class PartNotes:
    """Notes, int64 [notes] each; `part` is an index into `names`, `is_drum` bool [notes] says which have no pitch."""

    names: tuple[str, ...]
    onset: Ints
    end: Ints
    pitch: Ints
    part: Ints
    is_drum: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, piece: PieceNotes, names: Mapping[str, str]) -> "PartNotes":
        """Take a piece that has a named track for each part; `names` are all parts by the names of their tracks, in order.

        Raises KeyError for notes in a track of another name.
        """
        found, of_note = parts_of(piece)
        order = {track: place for place, track in enumerate(names)}
        place = np.array([order[part.name] for part in found], np.int64)
        notes = piece.notes
        return cls(
            names=tuple(names.values()),
            onset=notes["onset_ticks"],
            end=notes["onset_ticks"] + notes["duration_ticks"],
            pitch=notes["pitch"].astype(np.int64),
            part=place[of_note],
            is_drum=notes["is_drum"],
        )

    def chosen(self, is_chosen: npt.NDArray[np.bool_]) -> "PartNotes":
        """Keep some of the notes: bool [notes]."""
        return PartNotes(
            self.names,
            self.onset[is_chosen],
            self.end[is_chosen],
            self.pitch[is_chosen],
            self.part[is_chosen],
            self.is_drum[is_chosen],
        )

    @property
    def pitched(self) -> "PartNotes":
        """The notes without drums."""
        return self.chosen(~self.is_drum)

    def sounding(self, times: Ints) -> npt.NDArray[np.bool_]:
        """Say which pitches each part sounds at ascending times: bool [parts, times, pitches]. A note's end is past it."""
        change = np.zeros((len(self.names), len(times) + 1, PITCHES), np.int32)
        np.add.at(change, (self.part, np.searchsorted(times, self.onset), self.pitch), 1)
        np.add.at(change, (self.part, np.searchsorted(times, self.end), self.pitch), -1)
        return np.asarray(change.cumsum(axis=1)[:, :-1] > 0, np.bool_)
