"""Which events of a result a variation keeps: whole bars, those that begin phrases first, and a share exact to a chord."""

import numpy as np
import pytest

from lstm_music.generation.kept import kept_events

BAR = 4
EIGHT_BARS = np.arange(8 * BAR)  # an event on each step


def bars_of(kept, onsets=EIGHT_BARS):
    return sorted({*(onsets[kept] // BAR).tolist()})


@pytest.mark.parametrize(
    ("share", "bars"),
    [(0.25, [0, 4]), (0.5, [0, 1, 4, 5]), (0.75, [0, 1, 2, 4, 5, 6]), (1, [*range(8)])],
)
def test_phrases_begin_as_they_did(share, bars):
    kept, closed = kept_events(EIGHT_BARS, BAR, 8 * BAR, share)
    assert kept.sum() == share * len(EIGHT_BARS)
    assert bars_of(kept) == bars
    assert closed[: 8 * BAR].tolist() == kept.tolist()


def test_of_the_bar_that_does_not_fit_the_beginning_stays():
    kept, closed = kept_events(EIGHT_BARS, BAR, 8 * BAR, 10 / 32)
    assert np.flatnonzero(kept).tolist() == [0, 1, 2, 3, 4, 5, 16, 17, 18, 19]
    assert not closed[6:16].any()


def test_chords_stay_whole():
    onsets = np.array([0, 0, 0, 1, 2, 2, 2, 2])
    counts = [int(kept_events(onsets, BAR, 4, count / 8)[0].sum()) for count in range(9)]
    assert counts == [0, 3, 3, 3, 4, 4, 4, 4, 8]  # any share keeps the first chord


def test_nothing_is_kept_of_no_share_and_all_of_a_whole():
    onsets = np.array([1, 9])  # the second bar and the end of the third are silent
    kept, closed = kept_events(onsets, BAR, 3 * BAR, 0)
    assert not kept.any()
    assert not closed.any()
    kept, closed = kept_events(onsets, BAR, 3 * BAR, 1)
    assert kept.all()
    assert closed.all()


def test_a_silent_bar_of_a_kept_phrase_stays_silent():
    _, closed = kept_events(np.array([0, 1, 8, 9, 12]), BAR, 16, 4 / 5)
    assert closed.tolist() == [True] * 12 + [False] * 5
