"""Results of several parts: their pictures, and what the page shows of each part."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lstm_music.midi.general_midi import DRUMS, PROGRAMS
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.parts import Part
from lstm_music.midi.reader import read_midi
from lstm_music.rendering import ensemble_roll, piano_roll
from lstm_music.rendering.ensemble import declared_parts, part_of_note
from lstm_music.rendering.listening_page import PartShown
from lstm_music.rendering.thumbnail import part_thumbnails, thumbnail
from lstm_music.stages.music.candidates import Candidate, new_notes, picture, result_at_quarters
from lstm_music.stages.music.presented import Presented

NO_SOUND = "not heard: the soundfont has no sound for it"
RESTS = "rests here"


def is_ensemble(candidates: Sequence[Candidate]) -> bool:
    """Whether these are pieces of several parts; all of a generation are, or none is."""
    return any(declared_parts(one.facts) for one in candidates)


def picture_of(made: Candidate, *, has_legend: bool = True) -> str:
    """Draw a candidate as a piano roll: by hand for the piano, by part for an ensemble."""
    parts = declared_parts(made.facts)
    if not parts:
        return picture(made)

    def played(piece: PieceNotes, at_quarters: float = 0) -> ensemble_roll.Played:
        return ensemble_roll.Played(piece, part_of_note(piece, parts), at_quarters)

    return ensemble_roll.ensemble_roll(
        parts,
        played(replace(read_midi(made.midi), notes=new_notes(made)), result_at_quarters(made)),
        made.title,
        played(read_midi(made.prompt_midi)) if made.prompt_midi else None,
        bar_quarters=made.facts["bar_quarters"],
        has_legend=has_legend,
    )


def pixels_per_quarter(made: Candidate) -> int:
    """Give how far a quarter is in the picture of a candidate."""
    return ensemble_roll.PIXELS_PER_QUARTER if declared_parts(made.facts) else piano_roll.PIXELS_PER_QUARTER


def thumbnail_of(made: Candidate) -> str | list[str]:
    """Draw a candidate as small as a stamp: a path, or a path for each part of an ensemble."""
    parts, piece = declared_parts(made.facts), read_midi(made.midi)
    return part_thumbnails(piece, part_of_note(piece, parts), len(parts)) if parts else thumbnail(piece)


def parts_shown(made: Candidate, number: int, presented: Presented) -> list[PartShown]:
    """Describe the parts of a result for the page, with the audio of each where stems were made; none for the piano."""
    parts = declared_parts(made.facts)
    if not parts:
        return []
    playing = set(np.unique(part_of_note(read_midi(made.midi), parts)).tolist())
    result, prompt = f"result_{number:03d}", f"prompt_{number:03d}"
    silent = {name for file in (result, prompt) for name in presented.silent_parts(file)}
    return [
        PartShown(
            part.name,
            ", ".join(filter(None, [_sound(part), "" if index in playing else RESTS])),
            part.is_drum,
            NO_SOUND if part.name in silent else "",
            presented.stem(result, index),
            presented.stem(prompt, index),
        )
        for index, part in enumerate(parts)
    ]


def _sound(part: Part) -> str:
    """Say what a part sounds like, unless its name does."""
    sound = DRUMS if part.is_drum else PROGRAMS[part.program]
    return "" if part.name.casefold() == sound.casefold() else sound
