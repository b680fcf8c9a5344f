"""The pickup of a MIDI file that has no sign of one, estimated from where its long and full chords lie.

MIDI has no bar lines. A program that exports a score with a pickup may leave out its sign (a shorter first bar), and then every
bar seems to begin too early. Long notes and full chords lie on strong beats more often than not (Lerdahl and Jackendoff 1983,
metrical preference rules 4 and 5), so of all beats at which the first bar could begin, the one with most of them is taken, if it
is clearly better than the start of the file. `python benchmarks/pickups.py` measures this on scores whose pickups are known.
"""

import numpy as np

from lstm_music.midi.notes import PieceNotes

LEAST_BARS = 4
CLEARLY_BETTER = 0.1  # of the weight on strong beats; tuned on chorales
# In triple time long notes lie on the second beat, too: mazurkas and sarabandes.
CLEARLY_BETTER_IN_THREE = 0.3
_LONGEST_QUARTERS = 4.0
_FINEST = 64  # denominator of a time signature that music has


def estimated_pickup(piece: PieceNotes) -> int:
    """Return the length of a piece's pickup in ticks; 0 if it seems to have none.

    There is none where the file says how its bars lie: by bars of its own, by a time signature that comes later, by another one,
    or by a rest before the first note. Without a time signature the length of a bar is unknown, and so is a pickup.
    """
    signatures = {(sign.numerator, sign.denominator) for sign in piece.time_signatures}
    if piece.bars or len(signatures) != 1 or not len(piece.notes):
        return 0
    ((numerator, denominator),) = signatures
    if piece.time_signatures[0].tick or numerator < 1 or not 1 <= denominator <= _FINEST:
        return 0
    bar, rest = divmod(4 * numerator * piece.ticks_per_quarter, denominator)
    beats = numerator // 3 if numerator % 3 == 0 and numerator > 3 else numerator
    onsets, weights = _chords(piece)
    if rest or beats < 2 or bar % beats or onsets[0] or onsets[-1] < LEAST_BARS * bar:
        return 0
    strength = _strengths(onsets, weights, bar, beats)
    best = int(strength.argmax())
    needed = CLEARLY_BETTER_IN_THREE if beats == 3 else CLEARLY_BETTER
    return best * (bar // beats) if strength[best] > (1 + needed) * strength[0] else 0


def _chords(piece: PieceNotes) -> tuple[np.ndarray, np.ndarray]:
    """Return the onsets in ticks, and a weight for each: the longer and the fuller the chord, the heavier."""
    is_pitched = ~piece.notes["is_drum"]
    onset = piece.notes["onset_ticks"][is_pitched]
    if not len(onset):
        return np.zeros(1, np.int64), np.ones(1)
    is_first = np.ones(len(onset), np.bool_)
    is_first[1:] = onset[1:] != onset[:-1]  # notes are sorted by onset
    first = np.flatnonzero(is_first)
    onsets = onset[first]
    longest = np.maximum.reduceat(piece.notes["duration_ticks"][is_pitched], first) / piece.ticks_per_quarter
    notes = np.concatenate([first[1:], [len(onset)]]) - first
    return onsets, np.sqrt(np.minimum(longest, _LONGEST_QUARTERS) * notes)


def _strengths(onsets: np.ndarray, weights: np.ndarray, bar: int, beats: int) -> np.ndarray:
    """Return for each beat the weight that lies on strong beats if the first bar begins there: half bars count half."""
    beat = bar // beats
    on_beats = onsets % beat == 0
    of_beat = np.bincount(onsets[on_beats] // beat % beats, weights[on_beats], beats)
    return of_beat + 0.5 * np.roll(of_beat, beats // 2) if beats % 2 == 0 else of_beat
