"""Prompts in another key: the notes of a segment moved by semitones, so that models go on in the key that was asked for."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.chords import content, drum_key
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.knowledge import Knowledge
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.streams import STREAMS, heard
from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN, Vocabulary
from lstm_music.generation.prompt import Prompt

_NOTE = STREAMS.index("note")
_OCTAVE, _FIFTH = 12, 7


def shift_between(sharps: int, wanted: int, pitches: npt.NDArray[np.int64], pitch_range: tuple[int, int]) -> int:
    """Return the semitones from a key signature to another, by the shorter way; a tritone goes down.

    It is the longer way where that leaves fewer of the `pitches`, MIDI numbers, outside of `pitch_range` (both inclusive).
    """
    up = _FIFTH * (wanted - sharps) % _OCTAVE
    lowest, highest = pitch_range

    def outside(semitones: int) -> int:
        return int(np.count_nonzero((pitches + semitones < lowest) | (pitches + semitones > highest)))

    return min((up, up - _OCTAVE) if up else (0,), key=lambda way: (outside(way), abs(way), way))


def pitches_of(segment: Prompt, notes: Vocabulary) -> npt.NDArray[np.int64]:
    """Return the MIDI numbers that the notes of a segment name, int64 [notes]; drums and pitch classes are none."""
    values = [notes.value(token) for token in segment.tokens[:, _NOTE].tolist()]
    return np.array([pitch for value in values for pitch in content(value)[0]], np.int64)


def transposed(
    segment: Prompt, semitones: int, spec: EventSpec, vocabularies: Mapping[str, Vocabulary], knowledge: Knowledge
) -> Prompt:
    """Move the notes of a segment, and of the event before it; drums stay, and what is known beside the notes is found again.

    A note that the vocabulary lacks becomes the nearest that it has, and is counted as replaced.
    """
    if not semitones:
        return segment
    notes = vocabularies["note"]
    before, tokens = segment.before.copy(), segment.tokens.copy()
    replaced = segment.replaced
    moved = {
        token: _moved(notes, token, semitones, spec) for token in {before[_NOTE].item(), *tokens[:, _NOTE].tolist()}
    }
    before[_NOTE] = moved[before[_NOTE].item()][0]
    for row, token in enumerate(tokens[:, _NOTE].tolist()):
        tokens[row, _NOTE], is_replaced = moved[token]
        replaced += is_replaced
    streams = tokens[:, : len(heard(tuple(vocabularies)))].astype(np.int64)
    known = knowledge.tokens(streams, vocabularies, spec.grid)
    tokens[:, len(vocabularies) + len(PLACES) :] = known
    return replace(segment, tokens=tokens, before=before, replaced=replaced)


def _moved(notes: Vocabulary, token: int, semitones: int, spec: EventSpec) -> tuple[int, bool]:
    """Give the id of a moved note, and whether another stands for it."""
    if token < SPECIAL_IDS or drum_key(notes.value(token)) is not None:
        return token, False
    text = spec.encoding.transposed(notes.value(token), semitones, 0, 127)
    if text is None:
        return token, True
    (found,) = notes.encode([text]).tolist()
    return (notes.nearest(text), True) if found == UNKNOWN else (found, False)
