"""What makes a place bad to start from is noticed, each fault by its own name, and good places do not overlap."""

import numpy as np
import pytest

from lstm_music.generation.prompt_choice import REASONS, PieceView, badness, density_of, good_places

BAR, LENGTH = 48, 16
SCALE = [0, 2, 4, 5, 7, 9, 11]


def view(pitches, onsets=None):
    """A piece with a note an eighth, or at other onsets."""
    onsets = 6 * np.arange(len(pitches)) if onsets is None else np.asarray(onsets)
    classes = np.eye(12)[np.asarray(pitches) % 12]
    return PieceView(onsets, onsets % BAR, BAR, np.asarray(pitches), classes)


def melody(events, seed=1):
    return 60 + np.random.default_rng(seed).choice(SCALE, events)


def faults(piece):
    return dict(zip(REASONS, badness(piece, LENGTH, 1 / 6).T, strict=True))


def test_the_first_and_the_last_bar_are_bad():
    edge = faults(view(melody(80)))["edge"]
    assert np.flatnonzero(edge == 0).tolist() == list(range(8, 80 - LENGTH - 8 + 1))


def test_a_silence_within_is_bad():
    onsets = 6 * np.arange(60)
    onsets[30:] += 2 * BAR
    silence = faults(view(melody(60), onsets))["silence"]
    assert np.flatnonzero(silence).tolist() == list(range(30 - LENGTH + 1, 30))
    assert set(silence[silence > 0]) == {1.0}


def test_the_same_notes_again_and_again_are_bad():
    monotony = faults(view(np.concatenate([melody(30), np.full(30, 60), melody(30, seed=2)])))["monotony"]
    assert monotony[30:45].max() == monotony[35] == 1
    assert monotony[:15].max() < 0.2


def test_notes_outside_of_every_scale_are_bad():
    chromatic = 60 + np.arange(30) % 12
    off_scale = faults(view(np.concatenate([melody(30), chromatic])))["off_scale"]
    assert off_scale[:15].max() == 0
    assert off_scale[30:].min() > 0.3
    assert faults(view(melody(40) + 1))["off_scale"].max() == 0  # D-flat major


def test_too_dense_and_too_thin_are_bad():
    onsets = np.concatenate([6 * np.arange(30), 180 + np.arange(30), 210 + 30 * np.arange(30)])
    density = faults(view(melody(90), onsets))["density"]
    assert density[:14].max() < 0.1
    assert density[31:44].min() > 0.7
    assert density[61:].min() > 0.7


def test_a_piece_shorter_than_a_segment_of_its_length_has_one_place():
    assert badness(view(melody(LENGTH)), LENGTH, 1 / 6).shape == (1, len(REASONS))


def test_good_places_come_from_the_best_on_and_do_not_overlap():
    piece = view(melody(100))
    bad = badness(piece, LENGTH, density_of([piece]))
    chosen = good_places(bad, LENGTH)
    assert chosen[0] == bad.sum(1).argmin()
    assert np.all(np.diff(bad.sum(1)[chosen]) >= 0)
    assert np.diff(sorted(chosen)).min() >= LENGTH
    assert piece.position_in_bar_steps[chosen[0]] == 0


@pytest.mark.parametrize("steps", [3, 12])
def test_the_usual_density_is_the_median_of_pieces(steps):
    pieces = [view(melody(50), each * np.arange(50)) for each in (steps, steps, 40)]
    assert density_of(pieces) == pytest.approx(1 / steps, rel=0.03)
