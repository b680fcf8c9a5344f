"""A music file to accompany: which of its notes are given, who plays them, and on which side of them new notes lie."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.parts import LEFT_OUT, spelled
from lstm_music.encoding.streams import PART
from lstm_music.errors import SourceError
from lstm_music.midi.notes import PieceNotes
from lstm_music.rendering.hands import split_hands
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.prompt_files import PromptMidi, file_warnings, of_known_parts, read_music_of

HANDS = ("right", "left")
"""The values of `part` that mean a hand, for models without parts."""


@dataclass(frozen=True)
class Melody:
    """A music file to accompany, and which part of it is given: its name, the number of its track, a hand, or "" (the first)."""

    file: PromptMidi
    part: str = ""
    verb: ClassVar[str] = "accompany"

    @property
    def spec(self) -> dict[str, Any]:
        """What of it decides the music."""
        return {**self.file.spec, "part": self.part}

    @property
    def words(self) -> str:
        """Say what is accompanied."""
        return f"accompanies {self.file.name}" + (f", part {self.part}" if self.part else "")

    @property
    def length(self) -> str:
        """Say how long results are: `around mine.mid`."""
        return f"around {self.file.name}"

    @property
    def options(self) -> dict[str, str]:
        """The options of the command that says what of the file is taken."""
        return {"part": self.part} if self.part else {}


@dataclass(frozen=True, eq=False)
class GivenPart:
    """The notes of a file that are given: `piece` has them alone, `whole` all. `name` says which they are.

    New notes lie `beside` them in other parts, or `below` or `above` them. `warnings` are sentences for the user.
    """

    piece: PieceNotes
    whole: PieceNotes
    name: str
    side: Any
    warnings: tuple[str, ...]


def given_part(dataset: Dataset, melody: Melody) -> GivenPart:
    """Read a file and choose the given part of it.

    Raises RejectedInputError for a file without music that these models can read, SourceError for a part that it does not have.
    """
    name = melody.file.name
    whole = read_music_of(dataset, melody.file, "to accompany")
    known = of_known_parts(dataset)
    taken, called, others = choose_part(dataset, whole, melody)
    piece = replace(whole, notes=whole.notes[taken])
    side = "beside" if PART in dataset.vocabularies else side_of(whole, taken, melody.part)
    warnings = file_warnings(piece, name, known)
    if others and not melody.part:
        warnings.append(f"{name}: the given part is the {called}; --part takes another one ({', '.join(others)})")
    return GivenPart(by_parts(piece, whole, known), whole, called, side, tuple(warnings))


Choice = tuple[npt.NDArray[np.bool_], str, Sequence[str]]
"""Which notes are given, bool [notes], what they are called, and the other parts that could be."""


def choose_part(dataset: Dataset, whole: PieceNotes, melody: Melody) -> Choice:
    """Choose the notes of a part. Raises SourceError for a part that the file does not have."""
    if PART in dataset.vocabularies:
        return _in_parts(whole, of_known_parts(dataset), melody)
    return _of_piano(whole, melody)


def _in_parts(whole: PieceNotes, known: EventSpec, melody: Melody) -> Choice:
    """Choose by the name or number of a track, or by a part that the models know; first comes the part that they name first."""
    assert known.part_reader is not None  # there are parts
    of_note, values = known.part_reader.read(whole), known.part_alphabet
    present = [int(index) for index in np.unique(of_note) if index != LEFT_OUT]
    names = [values[index] for index in present]
    if not melody.part:
        return of_note == present[0], names[0], names[1:]
    wanted = spelled(melody.part)
    found = [index for index in present if wanted in {values[index], values[index].rstrip(" 0123456789")}]
    taken = np.isin(of_note, found) if found else _of_tracks(whole, melody.part) & (of_note != LEFT_OUT)
    if not taken.any():
        raise _unknown(melody, [*names, *_track_names(whole)])
    return taken, melody.part, ()


def _of_piano(whole: PieceNotes, melody: Melody) -> Choice:
    """Choose a hand or a track; without a choice the right hand of two tracks, or all notes."""
    pitched = ~whole.notes["is_drum"]
    if melody.part in HANDS:
        is_right = split_hands(whole)
        taken = pitched & (is_right if melody.part == HANDS[0] else ~is_right)
    elif melody.part:
        taken = pitched & _of_tracks(whole, melody.part)
    elif len(np.unique(whole.notes["track"][pitched])) == len(HANDS):
        return split_hands(whole), "right hand", ("left",)
    else:
        return pitched, "whole music", ()
    if not taken.any():
        raise _unknown(melody, [*HANDS, *_track_names(whole)])
    return taken, f"{melody.part} hand" if melody.part in HANDS else melody.part, ()


def by_parts(piece: PieceNotes, whole: PieceNotes, known: EventSpec) -> PieceNotes:
    """Call each track of some notes of a file after its part: alone, a second violin would be the first one."""
    if known.part_reader is None or known.parts != "names":
        return piece
    of_note, names = known.part_reader.read(whole), [*whole.track_names]
    names += [""] * (int(whole.notes["track"].max()) + 1 - len(names))
    for track in np.unique(piece.notes["track"]).tolist():
        parts = np.unique(of_note[whole.notes["track"] == track])
        if len(parts) == 1 and parts[0] != LEFT_OUT:
            names[track] = known.part_alphabet[parts[0]]
    return replace(piece, track_names=tuple(names))


def side_of(whole: PieceNotes, taken: npt.NDArray[np.bool_], part: str) -> str:
    """Say on which side of the given notes new ones lie: below, unless they are the left hand or lie below the others."""
    pitches, pitched = whole.notes["pitch"], ~whole.notes["is_drum"]
    others = pitches[pitched & ~taken]
    is_lower = part == HANDS[1] or (len(others) > 0 and pitches[taken].mean() < others.mean())
    return "above" if is_lower and part != HANDS[0] else "below"


def spelled_part(part: str) -> str:
    """Spell a hand, such as "right hand" or "Left-Hand", as one of `HANDS`; other parts stay."""
    words = part.casefold().replace("-", " ").split()
    return words[0] if words and words[0] in HANDS and words[1:] in ([], ["hand"]) else part.strip()


def _of_tracks(whole: PieceNotes, part: str) -> npt.NDArray[np.bool_]:
    """Say which notes are of the track with this number or name; several tracks may have one name."""
    tracks = whole.notes["track"]
    if part.isdecimal():
        return np.asarray(tracks == int(part), np.bool_)
    named = [track for track, name in enumerate(whole.track_names) if name.strip() and spelled(name) == spelled(part)]
    return np.isin(tracks, named)


def _track_names(whole: PieceNotes) -> Iterator[str]:
    for track in np.unique(whole.notes["track"]).tolist():
        name = whole.track_names[track].strip() if track < len(whole.track_names) else ""
        yield f"{track} for {name}" if name else str(track)


def _unknown(melody: Melody, known: Sequence[str]) -> SourceError:
    return SourceError(f"--part: expected a part of {melody.file.name} ({', '.join(known)}), got {melody.part!r}")
