"""The key of a piece: what the algorithm says, beside music21's."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from small_music import QUARTER, piece_of, small_piece

from lstm_music.midi import key
from lstm_music.midi.key import estimate_key, key_of, keys_of, sharps_of
from lstm_music.midi.notes import KeySignature
from lstm_music.scores.reading import read_score
from lstm_music.sources.corpus import Corpus
from lstm_music.sources.entry import music_format

MAJOR, HARMONIC_MINOR = (0, 2, 4, 5, 7, 9, 11, 12, 7, 4, 0), (0, 2, 3, 5, 7, 8, 11, 12, 7, 3, 0)


def scale(tonic, degrees):
    return piece_of([(at * QUARTER, QUARTER, 60 + tonic + degree) for at, degree in enumerate(degrees)])


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("degrees", "is_minor"), [(MAJOR, False), (HARMONIC_MINOR, True)])
def test_a_scale_and_its_triad_are_in_their_key(tonic, degrees, is_minor):
    assert estimate_key(scale(tonic, degrees)) == KeySignature(0, sharps_of(tonic, is_minor=is_minor), is_minor)


def test_signatures_are_those_of_the_circle_of_fifths():
    assert [sharps_of(tonic, is_minor=False) for tonic in range(12)] == [0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5]
    assert [sharps_of(tonic, is_minor=True) for tonic in (9, 4, 2, 6)] == [0, 1, -1, 3]


def test_drums_and_music_without_a_key_are_in_c_major():
    drum, note = piece_of([(0, QUARTER, 42)], drums=True).notes, scale(2, MAJOR)
    mixed = replace(note, notes=np.concatenate([note.notes, *[drum] * 40]))
    assert estimate_key(mixed) == estimate_key(note)
    assert estimate_key(piece_of([(0, QUARTER, 60 + tone) for tone in range(12)])) == KeySignature(0, 0, is_minor=False)


@pytest.mark.parametrize("number", range(4))
def test_it_agrees_with_music21(number):
    """It has the same profiles and compares by the same correlation."""
    from music21 import note, stream

    piece = small_piece(number)
    score = stream.Stream()
    for one in piece.notes:
        score.insert(
            int(one["onset_ticks"]) / QUARTER,
            note.Note(midi=int(one["pitch"]), quarterLength=one["duration_ticks"] / QUARTER),
        )
    theirs = score.analyze("key.temperleykostkapayne")
    found = estimate_key(piece)
    assert found.is_minor == (theirs.mode == "minor")
    assert (found.sharps - theirs.sharps) % 12 == 0  # seven sharps sound as five flats


def test_chorales_are_in_the_key_that_is_written():
    """Most of them: some are modal, and have a flat less than their key."""
    agreed = []
    for entry in islice(Corpus().entries(), 6):
        piece = read_score(entry.data, music_format(entry.name))
        agreed.append(estimate_key(piece).sharps == piece.key_signatures[0].sharps)
    assert sum(agreed) >= 5


def test_a_key_is_that_whose_profile_correlates_most():
    lasts = np.random.default_rng(1).integers(0, 50, (60, 12))
    profiles = [np.roll(mode, tonic) for mode in (key._MAJOR_PROFILE, key._MINOR_PROFILE) for tonic in range(12)]
    likeliest = [int(np.argmax([np.corrcoef(one, profile)[0, 1] for profile in profiles])) for one in lasts]
    assert keys_of(lasts).tolist() == likeliest
    signatures = [KeySignature(0, sharps_of(one % 12, is_minor=one >= 12), one >= 12) for one in likeliest]
    assert [key_of(one) for one in lasts] == signatures
    assert keys_of(np.zeros((1, 12), np.int64)).tolist() == [0]
