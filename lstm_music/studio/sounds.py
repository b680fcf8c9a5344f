"""The sounds of the composing page: single notes of instruments by the soundfont, each an Ogg file that a browser decodes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstm_music.midi.general_midi import DRUM_CHANNEL
from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, Tempo, sorted_notes
from lstm_music.rendering.audio import PEAK, SAMPLE_RATE, encode_audio, fade_out, peak_of, player
from lstm_music.studio.tables import Arrays

PITCHES = range(24, 106, 6)
"""The pitches that are played; those between are made by the page, by at most three semitones up or down."""
HELD_SECONDS = 3.0
NOTE_SECONDS = 3.6
DRUM_SECONDS = 1.5
VELOCITY = 100

_TICKS = 480
_QUARTER_SECONDS = 0.5
_SLOT_SECONDS = 7.0  # from one note to the next, so that none sounds in another


@dataclass(frozen=True)
class Instrument:
    """What plays: a name for people, and its program of General MIDI; the drums have none."""

    name: str
    program: int = 0
    is_drum: bool = False

    @property
    def key(self) -> str:
        """The name of its sounds."""
        return "drums" if self.is_drum else str(self.program)


def sound_arrays(instruments: Sequence[Instrument], drum_keys: Sequence[int], soundfont: Path | None) -> Arrays:
    """Play the notes of each instrument: uint8 [bytes] of an Ogg file by `key/pitch`. Raises the errors of `rendering.audio`."""
    found: Arrays = {}
    for one in dict.fromkeys(instruments):
        pitches = list(drum_keys) if one.is_drum else list(PITCHES)
        for pitch, data in _sounds(one, pitches, soundfont):
            found[f"{one.key}/{pitch}"] = np.frombuffer(data, np.uint8)
    return found


def _sounds(instrument: Instrument, pitches: Sequence[int], soundfont: Path | None) -> Iterator[tuple[int, bytes]]:
    if not pitches:
        return
    piece = _piece(instrument, pitches)
    mixed = player(piece, soundfont)(piece).mean(axis=0, keepdims=True)
    mixed *= PEAK / max(peak_of(mixed), 1e-9)
    seconds = DRUM_SECONDS if instrument.is_drum else NOTE_SECONDS
    for number, pitch in enumerate(pitches):
        start = round(number * _SLOT_SECONDS * SAMPLE_RATE)
        sound = mixed[:, start : start + round(seconds * SAMPLE_RATE)].copy()
        fade_out(sound)
        yield pitch, encode_audio(sound.T, ".ogg")


def _piece(instrument: Instrument, pitches: Sequence[int]) -> PieceNotes:
    """Write one note after another."""
    per_second = _TICKS / _QUARTER_SECONDS
    slot, held = round(_SLOT_SECONDS * per_second), round(HELD_SECONDS * per_second)
    channel = DRUM_CHANNEL if instrument.is_drum else 0
    rows: list[Any] = [
        (1, channel, instrument.program, instrument.is_drum, pitch, VELOCITY, number * slot, held)
        for number, pitch in enumerate(pitches)
    ]
    notes = sorted_notes(np.array(rows, NOTE_DTYPE))
    return PieceNotes(_TICKS, notes, tempos=(Tempo(0, round(_QUARTER_SECONDS * 1e6)),))
