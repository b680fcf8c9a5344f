"""Who plays: the part of each note, as a value of a stream.

A recipe calls parts by the families of General MIDI, by its programs, or by the names of tracks. Each has a fixed alphabet in a
fixed order, which is also the order of notes that begin together. Drums are a part of their own, which comes last.

Names of tracks are read as musicians mean them: "1st Violin", "Violino I" and "Violin 1." are all `violin 1`. Of several tracks
with one name, "Violin" and "Violin", the first is `violin 1`. A name without a number that the recipe lists stands for all of its
numbers: `tenor` for "Tenor 1" and "Tenor 2".
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from lstm_music.errors import RecipeError
from lstm_music.midi.general_midi import DRUMS, FAMILIES, FAMILY_SIZE, PROGRAMS
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.parts import Part
from lstm_music.midi.writer import OVERLAPPING
from lstm_music.scores.instruments import named_program

PartKind = Literal["none", "families", "programs", "names"]
OtherParts = Literal["merge", "leave_out"]

LEFT_OUT = -1
_BY_PROGRAM = -2
CHOIR = 52  # "choir aahs": what a voice is played by

USUAL_PROGRAMS = (0, 11, 19, 24, 33, 40, 48, 61, 71, 73, 81, 89, 99, 104, 114, 122)
"""The program that plays each family."""

VOICES = frozenset({"soprano", "mezzo", "alto", "tenor", "baritone", "bass", "voice", "choir"})
_WORDS = {
    **dict.fromkeys(("violino", "violini", "violine", "violins", "vln", "vl"), "violin"),
    **dict.fromkeys(("viole", "violas", "bratsche", "vla"), "viola"),
    **dict.fromkeys(("violoncello", "violoncelli", "celli", "cellos", "vc", "vcl"), "cello"),
    **dict.fromkeys(("contrabbasso", "kontrabass", "doublebass", "cb"), "contrabass"),
    **dict.fromkeys(("sopran", "canto", "cantus", "discant", "discantus", "superius"), "soprano"),
    **dict.fromkeys(("altus", "alti", "contralto"), "alto"),
    **dict.fromkeys(("tenore", "tenori"), "tenor"),
    **dict.fromkeys(("basso", "bassus", "bassi"), "bass"),
}
_NUMBERS = {
    **{word: str(number) for number, word in enumerate(("i", "ii", "iii", "iv", "v", "vi"), start=1)},
    **{word: str(number) for number, word in enumerate(("first", "second", "third", "fourth"), start=1)},
    **{f"{number}{ending}": str(number) for number in range(1, 10) for ending in ("st", "nd", "rd", "th", "a", "o")},
}


def alphabet(kind: PartKind, names: Sequence[str]) -> tuple[str, ...]:
    """Return all values of the stream, in their order; of families and programs those among `names`, if any are given."""
    if kind == "names":
        return tuple(names)
    known = {"families": (*FAMILIES, DRUMS), "programs": (*PROGRAMS, DRUMS), "none": ()}[kind]
    return tuple(name for name in known if not names or name in names)


def spelled(name: str) -> str:
    """Spell the name of a track as a recipe names parts: lower case, English, the number last."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:st|nd|rd|th|[ao](?![^\W\d_]))?", folded)
    if len(words) > 1:  # a single letter is a name, no number
        words = [_NUMBERS.get(word, word) for word in words]
    words = [_WORDS.get(word, word) for word in words]
    numbers = [word for word in words if word.isdecimal()]
    return " ".join([*(word for word in words if not word.isdecimal()), *numbers])


def named_parts(text: str, kind: PartKind, known: Sequence[str], setting: str = "instruments") -> tuple[str, ...]:
    """Return the parts among `known` that a text names, with commas between; a name without a number means all its numbers.

    Raises RecipeError, which begins with the name of the `setting`, for a name that is no part.
    """
    found: list[str] = []
    for name in filter(None, map(str.strip, text.split(","))):
        wanted = name.casefold() if kind != "names" else spelled(name)
        own = [part for part in known if part == wanted or (kind == "names" and part.rstrip(" 0123456789") == wanted)]
        if not own:
            raise RecipeError(
                f"{setting}: expected some of {', '.join(known)}; got {name!r}"
                if known
                else f"{setting}: names parts, and these models know none; leave it out"
            )
        found += own
    return tuple(part for part in known if part in found)


def without_drums(known: Sequence[str]) -> str:
    """Say that no drums can be added where the models know these parts, or none, and what to do."""
    parts = f"they know {', '.join(known)}" if known else "they know no parts"
    return (
        f"add_drums: the models know no drums ({parts}); train on music with drums by a recipe with events.parts = 'families', "
        "such as: lstm-music run --recipe ensemble --source FOLDER_OR_ZIP"
    )


def player_of(kind: PartKind, value: str) -> Part:
    """Return who plays a value of the stream: its name as people read it, and its program."""
    name = value[:1].upper() + value[1:]
    if value == DRUMS:
        return Part(name, is_drum=True)
    if kind == "families":
        return Part(name, USUAL_PROGRAMS[FAMILIES.index(value)])
    if kind == "programs":
        return Part(name, PROGRAMS.index(value))
    return Part(name, _program_of_name(value) or 0)


def nearest_part(value: str, known: Sequence[str]) -> str:
    """Return the part among `known` (at least one) that is most like `value`: the nearest in General MIDI, drums last."""
    order = FAMILIES if value in FAMILIES else PROGRAMS

    def distance(other: str) -> tuple[bool, bool, int]:
        if value not in order or other not in order:
            return other == DRUMS, True, 0
        one, two = order.index(value), order.index(other)
        return False, order is PROGRAMS and one // FAMILY_SIZE != two // FAMILY_SIZE, abs(one - two)

    return min(known, key=distance)


def _program_of_name(name: str) -> int | None:
    program = named_program(name)
    if program is None and VOICES & set(name.split()):
        return CHOIR
    return program


@dataclass(frozen=True)
class PartReader:
    """Finds the part of each note of a piece; `values` are the alphabet."""

    kind: PartKind
    values: tuple[str, ...]
    other_parts: OtherParts

    def read(self, piece: PieceNotes) -> npt.NDArray[np.int64]:
        """Return the index among `values` of each note's part, int64 [notes], or `LEFT_OUT`."""
        notes = piece.notes
        by_name = self.kind == "names"
        found = self._of_tracks(piece)[notes["track"]] if by_name else self._of_programs[notes["program"]]
        if by_name:  # a name that says nothing: each note goes by its own program
            nameless = found == _BY_PROGRAM
            found[nameless] = self._of_programs[notes["program"][nameless]]
        drums = self._index.get(DRUMS, LEFT_OUT)
        return np.where(notes["is_drum"], drums, found)

    def replaced(self, piece: PieceNotes) -> Iterator[tuple[str, str, int]]:
        """Yield what plays in a piece but is none of the parts, the part that takes its notes ("" if none does), and how many."""
        of_note, notes = self.read(piece), piece.notes
        found: Counter[tuple[str, str]] = Counter()
        for track, program, is_drum in np.unique(notes[["track", "program", "is_drum"]]).tolist():
            own = (notes["track"] == track) & (notes["program"] == program) & (notes["is_drum"] == is_drum)
            part = int(of_note[own][0])
            called = DRUMS if is_drum else self._called(piece, track, program)
            plays = "" if part == LEFT_OUT else self.values[part]
            if plays not in {called, called.rstrip(" 0123456789")} and plays.rstrip(" 0123456789") != called:
                found[called or f"track {track}", plays] += int(np.count_nonzero(own))
        for (called, plays), count in found.items():
            yield called, plays, count

    def _called(self, piece: PieceNotes, track: int, program: int) -> str:
        if self.kind == "names":
            return _name_of(piece, track)
        return FAMILIES[program // FAMILY_SIZE] if self.kind == "families" else PROGRAMS[program]

    @cached_property
    def _index(self) -> Mapping[str, int]:
        return {value: index for index, value in enumerate(self.values)}

    @cached_property
    def _programs(self) -> Mapping[str, int]:
        """The program of each part that is no drum."""
        players = {value: player_of(self.kind, value) for value in self.values}
        return {value: player.program for value, player in players.items() if not player.is_drum}

    @cached_property
    def _of_programs(self) -> npt.NDArray[np.int64]:
        """The part of each program, int64 [128]."""
        families = self.kind == "families"
        own = [FAMILIES[program // FAMILY_SIZE] if families else PROGRAMS[program] for program in range(128)]
        return np.array(
            [
                self._index[name] if self.kind != "names" and name in self._index else self._nearest(program)
                for program, name in enumerate(own)
            ],
            np.int64,
        )

    def _nearest(self, program: int) -> int:
        """Return the part that plays what no part is for: one of the same family, else the one of the nearest program."""
        if self.other_parts == "leave_out" or not self._programs:
            return LEFT_OUT

        def distance(value: str) -> tuple[bool, int]:
            other = self._programs[value]
            return other // FAMILY_SIZE != program // FAMILY_SIZE, abs(other - program)

        return self._index[min(self._programs, key=distance)]

    def _of_tracks(self, piece: PieceNotes) -> npt.NDArray[np.int64]:
        """Return the part of each track, int64 [tracks]; `_BY_PROGRAM` where its name says nothing."""
        notes = piece.notes
        tracks = np.unique(notes["track"][~notes["is_drum"]]).tolist()
        names = {track: _name_of(piece, track) for track in tracks}
        found = np.full(int(notes["track"].max(initial=-1)) + 1, LEFT_OUT, np.int64)
        seen: dict[str, int] = {}
        for track, name in names.items():
            if not _is_overlapping(piece, track):  # it belongs to a track before
                seen[name] = seen.get(name, 0) + 1
            found[track] = self._named(name, seen.get(name, 1))
            if found[track] == LEFT_OUT:
                program = _program_of_name(name)
                found[track] = _BY_PROGRAM if program is None else self._nearest(program)
        return found

    def _named(self, name: str, number: int) -> int:
        """Return the part that a track's name means, which is the `number`th track of this name in its piece."""
        base = name.rstrip(" 0123456789")
        numbered = (f"{base} {number}", f"{base} 1") if name == base else (base,)
        for wanted in (name, *numbered):
            if wanted in self._index and wanted != DRUMS:  # what is called so and has pitches is no drum
                return self._index[wanted]
        return LEFT_OUT


def _is_overlapping(piece: PieceNotes, track: int) -> bool:
    return track < len(piece.track_names) and piece.track_names[track].endswith(OVERLAPPING)


def _name_of(piece: PieceNotes, track: int) -> str:
    """Spell the name of a track; the writer's further tracks have that of their own track."""
    return spelled(piece.track_names[track].removesuffix(OVERLAPPING)) if track < len(piece.track_names) else ""
