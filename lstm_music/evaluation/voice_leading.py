"""Voice leading: how often voices cross, and how often two of them move in parallel fifths, octaves or unisons.

After the textbook (S. Kostka and D. Payne, "Tonal Harmony", chapter 5): parallels result when two voices that are a perfect
fifth, an octave or a unison apart, octaves added or not, move to new pitch classes that are the same interval apart. Both
voices have to move, and in the same direction: a repeated chord is none, and neither are fifths or octaves by contrary motion.
Voices cross where a lower one sounds above a higher one.

A chord is what sounds when some voice begins a note, if two voices sound then. Two voices are compared at the moments when one
of the two begins a note; where either rests at such a moment, the chain breaks. A rest that ends before the next note of both
does not break it. Of several notes that a voice sounds at once, the highest is its own. Intervals are those of the
keyboard: a diminished sixth is a perfect fifth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import combinations

import numpy as np

from lstm_music.evaluation.part_notes import PITCHES, Ints, PartNotes

OCTAVE, FIFTH = 12, 7  # semitones
_SILENT = -1


@dataclass(frozen=True, slots=True)
class VoiceLeading:
    """Counts: chords, pairs of voices that cross in a chord, and pairs of voices that move in parallel from chord to chord."""

    chords: int = 0
    crossings: int = 0
    parallel_fifths: int = 0
    parallel_octaves: int = 0
    parallel_unisons: int = 0

    def __add__(self, other: "VoiceLeading") -> "VoiceLeading":
        """Add the counts of other music."""
        return VoiceLeading(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def per_100_chords(self) -> dict[str, float]:
        """All but the chords themselves, per 100 chords; nothing for music without chords."""
        names = [one.name for one in fields(self)][1:] if self.chords else []
        return {name: 100 * getattr(self, name) / self.chords for name in names}


def voice_leading(notes: PartNotes, voices: Sequence[int]) -> VoiceLeading:
    """Count in a piece; `voices` are the parts to compare, from the highest to the lowest."""
    own = notes.chosen(np.isin(notes.part, voices) & ~notes.is_drum)
    times = np.unique(own.onset)
    if not len(times):
        return VoiceLeading()
    lines = _highest(own, times)
    begins = [np.isin(times, own.onset[own.part == voice]) for voice in voices]
    sounds = np.array([lines[voice] != _SILENT for voice in voices])
    chords = int((sounds.sum(axis=0) >= 2).sum())
    found = VoiceLeading(chords)
    for upper, lower in combinations(range(len(voices)), 2):
        one, two = lines[voices[upper]], lines[voices[lower]]
        crossings = int((sounds[upper] & sounds[lower] & (one < two)).sum())
        either = begins[upper] | begins[lower]
        found += VoiceLeading(0, crossings, *_parallels(one[either], two[either]))
    return found


def _highest(notes: PartNotes, times: Ints) -> Ints:
    """Return the highest pitch that each part sounds, int64 [parts, times]; -1 where it rests."""
    is_sounding = notes.sounding(times)
    return np.where(is_sounding.any(axis=2), PITCHES - 1 - is_sounding[:, :, ::-1].argmax(axis=2), _SILENT)


def _parallels(one: Ints, two: Ints) -> tuple[int, int, int]:
    """Count parallel fifths, octaves and unisons of two lines of equal length."""
    is_sounding = (one != _SILENT) & (two != _SILENT)
    steps, other_steps = np.diff(one), np.diff(two)
    distance = np.abs(one - two)
    moves = is_sounding[:-1] & is_sounding[1:] & (steps * other_steps > 0) & (steps % OCTAVE != 0)
    before, after = distance[:-1], distance[1:]
    keeps = moves & (before % OCTAVE == after % OCTAVE)
    is_unison = (before == 0) & (after == 0)
    fifths, octaves = (keeps & (before % OCTAVE == interval) for interval in (FIFTH, 0))
    return int(fifths.sum()), int((octaves & ~is_unison).sum()), int((keeps & is_unison).sum())
