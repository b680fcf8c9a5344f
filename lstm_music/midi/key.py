"""The key of a piece, estimated from its notes: the algorithm of Krumhansl and Schmuckler.

Source: C. L. Krumhansl, "Cognitive Foundations of Musical Pitch" (1990), chapter 4. The total duration of each pitch class is
correlated with a profile of each key: how well listeners (Krumhansl & Kessler 1982) found that each of the twelve classes fits
it. The key with the highest correlation is the answer.
"""

import numpy as np

from lstm_music.midi.notes import KeySignature, PieceNotes

_MAJOR_PROFILE = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR_PROFILE = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_RELATIVE_MAJOR = 3  # semitones from the tonic of a minor key up to that of the major key with the same signature


def estimate_key(piece: PieceNotes) -> KeySignature:
    """Estimate the key of the pitched notes of a piece; C major if there are none, or all pitch classes last equally long."""
    notes = piece.notes[~piece.notes["is_drum"]]
    lasts = np.bincount(notes["pitch"] % 12, weights=notes["duration_ticks"], minlength=12)
    if not lasts.std():
        return KeySignature(0, 0, is_minor=False)
    tonic, is_minor = max(
        ((tonic, is_minor) for is_minor in (False, True) for tonic in range(12)),
        key=lambda key: _correlation(lasts, *key),
    )
    return KeySignature(0, sharps_of(tonic, is_minor=is_minor), is_minor)


def sharps_of(tonic: int, *, is_minor: bool) -> int:
    """Give the sharps of a key by the pitch class of its tonic, from -5 (five flats) to 6."""
    major = tonic + _RELATIVE_MAJOR if is_minor else tonic
    return (major * 7 + 5) % 12 - 5


def _correlation(lasts: np.ndarray, tonic: int, is_minor: bool) -> float:
    profile = np.roll(_MINOR_PROFILE if is_minor else _MAJOR_PROFILE, tonic)
    return float(np.corrcoef(lasts, profile)[0, 1])
