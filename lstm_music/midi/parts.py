"""Parts: who plays which notes of a piece that has a track for each part, as generated ensembles have.

Track 0 is the conductor's and has the title; each further track is a part. Where notes of one pitch overlap, the writer moves
the later ones to a further track (`lstm_music.midi.writer`), which belongs to the same part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lstm_music.midi.general_midi import CHANNELS, DRUM_CHANNEL
from lstm_music.midi.notes import PieceNotes, sorted_notes
from lstm_music.midi.writer import OVERLAPPING

_CHANNELS = [channel for channel in range(CHANNELS) if channel != DRUM_CHANNEL]


@dataclass(frozen=True, slots=True)
class Part:
    """Who plays: a name as people read it ("Violin 1"), and its General MIDI program, or the drums."""

    name: str
    program: int = 0
    is_drum: bool = False


def in_parts(piece: PieceNotes, parts: Sequence[Part], of_note: npt.NDArray[np.int64], title: str = "") -> PieceNotes:
    """Give each part a named track, from 1 on, a channel and its program; the conductor track gets the title.

    `of_note` int64 [notes] is the index of each note's part in `parts`. Drums have channel 10; more than 15 other parts share
    channels, on which the program then changes before each note that needs another one.
    """
    melodic = [number for number, part in enumerate(parts) if not part.is_drum]
    channel_of = dict.fromkeys(range(len(parts)), DRUM_CHANNEL)
    channel_of |= {number: _CHANNELS[place % len(_CHANNELS)] for place, number in enumerate(melodic)}
    notes = piece.notes.copy()
    notes["track"] = 1 + of_note
    notes["channel"] = np.array([channel_of[number] for number in range(len(parts))], np.int8)[of_note]
    notes["program"] = np.array([0 if part.is_drum else part.program for part in parts], np.uint8)[of_note]
    notes["is_drum"] = np.array([part.is_drum for part in parts], np.bool_)[of_note]
    return replace(piece, notes=sorted_notes(notes), track_names=(title, *(part.name for part in parts)))


def parts_of(piece: PieceNotes) -> tuple[tuple[Part, ...], npt.NDArray[np.int64]]:
    """Find the parts of a piece that `in_parts` made, also after it was written and read: those that have notes.

    Returns them in the order of their tracks, and the index of each note's part, int64 [notes].
    """
    notes = piece.notes
    names = [_name(piece, track) for track in range(int(notes["track"].max(initial=0)) + 1)]
    parts: dict[str, int] = {}
    of_track = np.zeros(len(names), np.int64)
    found: list[Part] = []
    for track in np.unique(notes["track"]).tolist():
        own = names[track].removesuffix(OVERLAPPING)
        if own not in parts:
            first = notes[notes["track"] == track][0]
            parts[own] = len(found)
            found.append(Part(own, int(first["program"]), bool(first["is_drum"])))
        of_track[track] = parts[own]
    return tuple(found), of_track[notes["track"]]


def _name(piece: PieceNotes, track: int) -> str:
    return (piece.track_names[track] if track < len(piece.track_names) else "") or f"Track {track}"
