"""How pitches are spelled in a key, and which accidentals a bar shows.

A pitch is written as a `Spelled`: its step, the semitones that an accidental alters it by, and the octave of the natural note.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lstm_music.midi.notes import KeySignature

_NAMES = "FCGDAEB"  # the line of fifths


class Spelled(NamedTuple):
    """A pitch as it is written, such as ("E", -1, 4); C-flat 4 sounds as B3."""

    step: str
    alteration: int
    octave: int


def spelled(number: int, key: KeySignature) -> Spelled:
    """Spell a MIDI pitch by the harmonic chromatic scale of a key: in C major with E-flat, in A minor with D-sharp."""
    lowest = key.sharps - (2 if key.is_minor else 3)  # on the line of fifths, where C is 0
    fifths = (number * 7 - lowest) % 12 + lowest
    alteration, name = divmod(fifths + 1, 7)
    return Spelled(_NAMES[name], alteration, (number - alteration) // 12 - 1)


def shown_accidentals(pitches: Iterable[tuple[Spelled, bool]], sharps: int) -> Iterator[bool]:
    """Say of each pitch of a staff's bar, in order, whether its accidental (a natural sign, too) is shown.

    It is where neither the key signature nor one before it in the bar says the same. Each pitch comes with whether it is tied
    to the one before it, which shows none.
    """
    signature = dict.fromkeys(_NAMES[: max(sharps, 0)], 1) | dict.fromkeys(_NAMES[7 + min(sharps, 0) :], -1)
    said: dict[tuple[str, int], int] = {}
    for (step, alteration, octave), is_tied_from in pitches:
        yield not is_tied_from and alteration != said.get((step, octave), signature.get(step, 0))
        if not is_tied_from:
            said[step, octave] = alteration
