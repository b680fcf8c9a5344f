"""Results that other instruments play than the models' own: the notes stay, the programs and the names of parts change."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count

import numpy as np

from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.instruments import programs_by_part
from lstm_music.midi.general_midi import PROGRAMS
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.parts import Part, in_parts, parts_of
from lstm_music.midi.reader import read_midi
from lstm_music.midi.writer import write_midi
from lstm_music.rendering.ensemble import PARTS, declared_parts, part_of_note
from lstm_music.stages.music.candidates import Candidate

ALL = ""
"""The part that is all notes, in music without parts."""


@dataclass(frozen=True)
class Players:
    """The program of each part that another instrument plays, by the name of the part; that of `ALL` plays everything."""

    programs: Mapping[str, int]

    @classmethod
    def asked(cls, instrument: str, events: EventSpec) -> "Players":
        """Read the setting `instrument`; RecipeError where it does not fit the parts of the encoding."""
        return cls(programs_by_part(instrument, events))

    def of_candidate(self, made: Candidate) -> Candidate:
        """Let them play a candidate and its prompt."""
        if not self.programs:
            return made
        old = declared_parts(made.facts)
        new = self._renamed(old)
        facts = {**made.facts, PARTS: [asdict(part) for part in new]}

        def played(midi: bytes) -> bytes:
            return write_midi(_played(read_midi(midi), old, new))

        prompt = played(made.prompt_midi) if made.prompt_midi else None
        return replace(made, midi=played(made.midi), prompt_midi=prompt, facts=facts)

    def of_piece(self, piece: PieceNotes) -> PieceNotes:
        """Let them play a piece with a track for each part, or a piece without parts."""
        if not self.programs:
            return piece
        old = () if ALL in self.programs else parts_of(piece)[0]
        return _played(piece, old, self._renamed(old))

    def unused(self, results: Iterable[Candidate]) -> list[str]:
        """Warn of the parts that no result has; `results` are as the models made them."""
        heard = {part.name for one in results for part in declared_parts(one.facts)} | {ALL}
        return [
            f"no result has the part {name}, so its instrument is not heard" for name in self.programs.keys() - heard
        ]

    def _renamed(self, parts: Sequence[Part]) -> list[Part]:
        """Give the parts their instruments, which they are called after; a number tells two of one name apart."""
        if ALL in self.programs:
            return [_player(self.programs[ALL])]
        taken = {part.name for part in parts if part.name not in self.programs}
        times = Counter(self.programs[part.name] for part in parts if part.name in self.programs)
        found = []
        for part in parts:
            program = self.programs.get(part.name)
            found.append(part if program is None else replace(_player(program), name=_name(program, times, taken)))
            taken.add(found[-1].name)
        return found


def _name(program: int, times: Mapping[int, int], taken: Collection[str]) -> str:
    name = _player(program).name
    if times[program] == 1 and name not in taken:
        return name
    return next(numbered for number in count(1) if (numbered := f"{name} {number}") not in taken)


def _player(program: int) -> Part:
    name = PROGRAMS[program]
    return Part(name[:1].upper() + name[1:], program)


def _played(piece: PieceNotes, old: Sequence[Part], new: Sequence[Part]) -> PieceNotes:
    of_note = part_of_note(piece, old) if old else np.zeros(len(piece.notes), np.int64)
    return in_parts(piece, new, of_note, piece.track_names[0] if piece.track_names else "")
