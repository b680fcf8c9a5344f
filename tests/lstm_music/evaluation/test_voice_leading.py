"""Voice leading in chords written by hand, whose crossings and parallels were counted by eye."""

import pytest
from voices import line, voices

from lstm_music.evaluation.voice_leading import VoiceLeading, voice_leading

C3, D3, E3, F3, G3, A3, B3 = 48, 50, 52, 53, 55, 57, 59
C4, D4, E4, F4, G4, A4, B4, C5, D5, E5, G5 = 60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 79


def found(*lines, **more) -> VoiceLeading:
    return voice_leading(voices(*lines, **more), range(len(lines)))


def test_two_voices_a_fifth_apart_that_move_the_same_way_are_parallel():
    assert found(line(G4, A4, B4), line(C4, D4, E4)) == VoiceLeading(3, parallel_fifths=2)
    assert found(line(A4, G4), line(D4, C4)) == VoiceLeading(2, parallel_fifths=1)
    assert found(line(G4, D4), line(C4, G3)) == VoiceLeading(2, parallel_fifths=1)


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        (line(G4, G4), line(C4, C4)),  # a repeated chord
        (line(G4, D5), line(C4, G3)),  # by contrary motion, to a twelfth
        (line(G4, G4), line(C4, C3)),  # one voice stays
        (line(G5, G4), line(C5, C4)),  # an octave down: the same fifth
        (line(G4, A4), line(C4, E4)),  # a fifth to a fourth
        (line(G4, None, A4), line(C4, D4, D4)),  # the upper voice rests while the lower one moves
    ],
)
def test_what_is_no_parallel_fifth(upper, lower):
    assert found(upper, lower).parallel_fifths == 0


def test_octaves_and_unisons_count_apart_and_octaves_between_the_voices_make_no_difference():
    assert found(line(C5, D5), line(C4, D4)) == VoiceLeading(2, parallel_octaves=1)
    assert found(line(C5, D5), line(C3, D3)) == VoiceLeading(2, parallel_octaves=1)
    assert found(line(C4, D4), line(C4, D4)) == VoiceLeading(2, parallel_unisons=1)
    assert found(line(D5, E5), line(G3, A3)) == VoiceLeading(2, parallel_fifths=1)  # twelfths
    assert found(line(C4, D4), line(C4, D3)) == VoiceLeading(2)  # a unison to an octave, by contrary motion


def test_a_note_in_between_breaks_a_parallel_and_a_held_note_of_a_third_voice_does_not():
    passing = [(G4, 0.5), (F4, 0.5), (A4, 1)]
    assert found(passing, line(C4, D4)).parallel_fifths == 0
    assert found(line(G4, A4), [(E4, 0.5), (F4, 0.5), (F4, 1)], line(C4, D4)).parallel_fifths == 1
    assert found(line(G4, A4), [(E4, 2)], line(C4, D4)).parallel_fifths == 1


def test_a_chorale_cadence_has_what_was_counted_by_eye():
    """Subdominant, dominant and tonic of C major, once with all voices up by step, and once as the textbook has it."""
    parallel = line(C5, D5, C5), line(A4, B4, G4), line(F4, G4, E4), line(F3, G3, C3)
    # F to G: bass and tenor in octaves, bass and soprano, and tenor and soprano, in fifths; G to C has nothing
    assert found(*parallel) == VoiceLeading(3, parallel_octaves=1, parallel_fifths=2)
    correct = line(C5, B4, C5), line(A4, G4, G4), line(F4, D4, E4), line(F3, G3, C3)
    assert found(*correct) == VoiceLeading(3)


def test_voices_cross_where_the_lower_one_sounds_above_and_each_chord_counts():
    assert found(line(G4, C4, G4), line(E4, E4, E4)).crossings == 1
    assert (
        found(line(G4, C4), line(E4, E4), line(C4, D4)).crossings == 2
    )  # the last chord: alto and tenor above soprano
    assert found(line(C4), line(C4)).crossings == 0


def test_chords_are_onsets_at_which_two_voices_sound_and_drums_have_no_part():
    assert found(line(C5, D5, E5), line(None, C4, None)).chords == 1
    assert found(line(C5, D5), line(C4, C4), drums=line(36, 38)) == VoiceLeading(2)
    assert found(line(None, C4)).per_100_chords == {}
    twice = VoiceLeading(3, 1, 2) + VoiceLeading(1, 0, 0, 1)
    assert twice.per_100_chords == {
        "crossings": 25,
        "parallel_fifths": 50,
        "parallel_octaves": 25,
        "parallel_unisons": 0,
    }


def test_voices_may_be_some_parts_in_another_order():
    three = voices(line(C4, D4), line(E4, E4), line(C5, D5))
    assert voice_leading(three, (2, 0)) == VoiceLeading(2, parallel_octaves=1)
    assert voice_leading(three, (0, 2)) == VoiceLeading(2, crossings=2, parallel_octaves=1)
