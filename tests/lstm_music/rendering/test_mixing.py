"""No part drowns another because of how loud its sounds were recorded, and the stems are the mix."""

import math
from dataclasses import replace

import numpy as np
import pytest
from ensemble_music import BAND, QUARTET, arranged, band
from small_music import QUARTER, piece_of

from lstm_music.midi.parts import Part, in_parts, parts_of
from lstm_music.rendering.audio import PEAK, SAMPLE_RATE, player
from lstm_music.rendering.loudness import loudness
from lstm_music.rendering.mixing import WIDEST_SEAT, mix_parts, seats_of


def levels(piece):
    """The loudness of each part as recorded, and as mixed."""
    parts, of_note = parts_of(piece)
    play = player(piece, None)
    recorded = [
        loudness(play(replace(piece, notes=piece.notes[of_note == part])), SAMPLE_RATE) for part in range(len(parts))
    ]
    return recorded, [loudness(stem.T, SAMPLE_RATE) for stem in mix_parts(piece, parts, of_note).stems()]


@pytest.mark.parametrize(("make", "as_recorded"), [(band, 8), (lambda: arranged(0, 24), 1.5)], ids=["band", "quartet"])
def test_parts_of_one_velocity_are_equally_loud(make, as_recorded):
    recorded, mixed = levels(make())
    assert max(recorded) - min(recorded) > as_recorded
    assert max(mixed) - min(mixed) < 0.5


def test_velocities_stay_what_makes_a_part_louder():
    piece = arranged(0, 8)
    _, of_note = parts_of(piece)
    piece.notes["velocity"] = np.where(of_note == 0, 112, 56)
    _, (first, *others) = levels(piece)
    for other in others:
        assert first - other == pytest.approx(40 * math.log10(112 / 56), abs=1.5)


@pytest.mark.parametrize("make", [band, lambda: arranged(0, 8)], ids=["band", "quartet"])
def test_the_stems_add_up_to_the_mix_and_nothing_clips(make):
    piece = make()
    mix = mix_parts(piece, *parts_of(piece))
    stems = list(mix.stems())
    assert [stem.shape for stem in stems] == [mix.samples.shape] * 4
    assert np.abs(np.sum(stems, axis=0) - mix.samples).max() < 1e-6
    peaks = [float(np.abs(one).max()) for one in (mix.samples, *stems)]
    assert max(peaks) == pytest.approx(PEAK, abs=1e-6)
    assert mix.silent == ()
    assert np.array_equal(mix_parts(piece, *parts_of(piece)).samples, mix.samples)


def test_parts_sit_from_left_to_right_but_basses_and_drums_in_the_middle():
    assert seats_of(QUARTET) == pytest.approx([-WIDEST_SEAT, -WIDEST_SEAT / 3, WIDEST_SEAT / 3, WIDEST_SEAT])
    assert seats_of(BAND) == [-WIDEST_SEAT, WIDEST_SEAT, 0, 0]
    assert seats_of(QUARTET[:1]) == [0]
    assert seats_of(()) == []


def test_a_part_without_a_sound_is_named_and_one_without_notes_has_no_stem():
    parts = [Part("Piano"), Part("Drums", is_drum=True), Part("Tacet")]
    piece = in_parts(piece_of([(0, QUARTER, 60), (QUARTER, QUARTER, 10)]), parts, np.array([0, 1]))
    mix = mix_parts(piece, parts, np.array([0, 1]))
    assert mix.silent == (1,)
    piano, drums, tacet = mix.stems()
    assert np.abs(piano - mix.samples).max() < 1e-6
    assert tacet is None
    assert np.abs(drums).max() < 1e-4


def test_music_without_any_sound_is_silence_not_an_error():
    piece = in_parts(piece_of([(0, QUARTER, 10)], drums=True), [Part("Drums", is_drum=True)], np.zeros(1, np.int64))
    mix = mix_parts(piece, *parts_of(piece))
    assert mix.silent == (0,)
    assert not mix.samples.any()
