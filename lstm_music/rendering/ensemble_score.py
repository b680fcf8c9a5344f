"""The score of an ensemble, before it becomes text: its bars, and its parts in the order of a score with their clefs and keys."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lstm_music.errors import RejectedInputError
from lstm_music.midi.key import estimate_key
from lstm_music.midi.notes import KeySignature, PieceNotes
from lstm_music.midi.parts import Part, parts_of
from lstm_music.rendering.hands import split_hands
from lstm_music.rendering.instrument_styles import (
    ALTO,
    BASS_CLEF,
    PERCUSSION_CLEF,
    TENOR,
    TREBLE,
    TREBLE_8,
    Style,
    Transposition,
)
from lstm_music.rendering.instrumentation import abbreviations, full_names, score_order, style_of, written_key
from lstm_music.rendering.notation import Bar, write_staves
from lstm_music.rendering.percussion import drum_of
from lstm_music.rendering.rests import with_plain_rests
from lstm_music.rendering.tempo import average_tempo

Pitches = npt.NDArray[np.int64]

_STAFF = {  # the written pitches of the lowest and the highest line; those of the treble-8 clef as they sound
    TREBLE: (64, 77),
    TREBLE_8: (52, 65),
    ALTO: (53, 67),
    TENOR: (50, 64),
    BASS_CLEF: (43, 57),
}
_LOWEST = 14  # written pitch: MusicXML begins at C0, 12, and B-sharp is written below it
_SEMITONES_A_LINE = 3.5  # from a line to the next, on average
_WORTH_A_CLEF = 1.0  # ledger lines that each note has to lose, on average, for another clef than the usual one
_WORTH_A_STAFF = 1.0  # ledger lines of each note, on average, for a second staff
_MOST_LINES = 3.0  # ledger lines of each note, on average, until a clef that its players do not read is better


@dataclass(frozen=True)
class ScorePart:
    """A part as it is written: its names, the clef of each of its staves, and its key.

    `first_staff` is the index of its first staff in `Bar.staves`, `drums` are the keys of a drum part that occur.
    """

    part: Part
    style: Style
    name: str
    abbreviation: str
    clefs: tuple[str, ...]
    key: KeySignature
    transposition: Transposition
    first_staff: int
    drums: tuple[int, ...] = ()


@dataclass(frozen=True)
class EnsembleScore:
    """A score: its bars with all staves, its parts from the top, and its average tempo in quarters a minute."""

    bars: tuple[Bar, ...]
    parts: tuple[ScorePart, ...]
    tempo: int


def ensemble_score(piece: PieceNotes, parts: Sequence[Part] = ()) -> EnsembleScore:
    """Lay out the score of a piece that has a track for each part.

    `parts` are those that the score has even if they have no notes; those of the piece come besides. The key signature is the
    first one of the piece, or that of the estimated key where it has none. Raises RejectedInputError for a piece without notes.
    """
    if not len(piece.notes):
        raise RejectedInputError("holds no notes to write as a score")
    parts, of_note = _all_parts(piece, parts)
    order = score_order(parts)
    key = piece.key_signatures[0] if piece.key_signatures else estimate_key(piece)
    names, short = full_names(parts), abbreviations(parts)
    staves: list[list[np.ndarray]] = []
    found: list[ScorePart] = []
    for number in order:
        part, notes = parts[number], piece.notes[of_note == number]
        style = style_of(part)
        sharps, transposition = written_key(key.sharps, _raised(style.transposition, notes))
        own, clefs = _staves(piece, notes, style, transposition.total)
        found.append(
            ScorePart(
                part,
                style,
                names[number],
                short[number],
                clefs,
                KeySignature(0, sharps, key.is_minor),
                transposition,
                len(staves),
                tuple(np.unique(notes["pitch"]).tolist()) if part.is_drum else (),
            )
        )
        staves += own
    bars = tuple(with_plain_rests(bar) for bar in write_staves(piece, staves))
    return EnsembleScore(bars, tuple(found), average_tempo(piece))


def _all_parts(piece: PieceNotes, named: Sequence[Part]) -> tuple[list[Part], npt.NDArray[np.int64]]:
    """Return the named parts and those of the piece, and the index of each note's part among them."""
    own, of_note = parts_of(piece)
    place = {part.name: number for number, part in enumerate(named)}
    parts = [*named]
    for part in own:
        if part.name not in place:
            place[part.name] = len(parts)
            parts.append(part)
    return parts, np.array([place[part.name] for part in own], np.int64)[of_note]


def _raised(transposition: Transposition, notes: np.ndarray) -> Transposition:
    """Write a part in higher octaves where MusicXML has no octave for its lowest notes."""
    lowest = int(notes["pitch"].min(initial=127)) - transposition.total
    octaves = max(-(-(_LOWEST - lowest) // 12), 0)
    return replace(transposition, octaves=transposition.octaves - octaves)


def _staves(
    piece: PieceNotes, notes: np.ndarray, style: Style, semitones: int
) -> tuple[list[list[np.ndarray]], tuple[str, ...]]:
    """Share the notes of a part out to its staves, each a list of layers (see `write_staves`); return them and their clefs.

    `semitones` is how much higher the part sounds than it is written.
    """
    if style.clefs == (PERCUSSION_CLEF,):
        is_foot = np.array([drum_of(key).is_foot for key in range(128)])[notes["pitch"]]
        return [[notes[~is_foot], notes[is_foot]]], style.clefs
    written = notes["pitch"].astype(np.int64) - semitones
    clef = _clef(written, style.clefs)
    if style.staves == 1 or (style.staves == 0 and _ledger_lines(written, clef) <= _WORTH_A_STAFF):
        return [[notes]], (clef,)
    is_right = split_hands(PieceNotes(piece.ticks_per_quarter, notes))
    hands = (_clef(written[is_right], (TREBLE, BASS_CLEF)), _clef(written[~is_right], (BASS_CLEF, TREBLE)))
    return [[notes[is_right]], [notes[~is_right]]], hands


def _clef(written: Pitches, clefs: Sequence[str]) -> str:
    """Choose a clef for written pitches: the first of some, unless another saves many ledger lines."""
    lines = {clef: _ledger_lines(written, clef) for clef in clefs}
    if min(lines.values()) > _MOST_LINES:
        clefs = (TREBLE, BASS_CLEF)
        lines = {clef: _ledger_lines(written, clef) for clef in clefs}
    fewest = min(clefs, key=lines.__getitem__)
    return clefs[0] if lines[clefs[0]] <= lines[fewest] + _WORTH_A_CLEF else fewest


def _ledger_lines(written: Pitches, clef: str) -> float:
    """Return how many ledger lines a note has, on average."""
    if not len(written):
        return 0.0
    lowest, highest = _STAFF[clef]
    beyond = np.maximum(lowest - written, 0) + np.maximum(written - highest, 0)
    return float((beyond / _SEMITONES_A_LINE).mean())
