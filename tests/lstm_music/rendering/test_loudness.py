"""Loudness is that of BS.1770-4, by the signals that EBU Tech 3341 and the recommendation give."""

import math

import numpy as np
import pytest

from lstm_music.rendering.loudness import loudness


def sine(hertz, seconds, decibels, rate=48_000, channels=2):
    wave = 10 ** (decibels / 20) * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.tile(wave.astype(np.float32), (channels, 1))


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_sine_of_full_scale_in_one_channel_is_3_lufs_below_zero(rate):
    left = sine(997, 2, 0, rate)
    left[1] = 0
    assert loudness(left, rate) == pytest.approx(-3.01, abs=0.05)
    assert loudness(sine(1000, 2, -23, rate), rate) == pytest.approx(-23, abs=0.1)  # EBU Tech 3341, case 1


def test_quiet_passages_do_not_count():
    loud, quiet = sine(1000, 6, -23), sine(1000, 2, -36)
    assert loudness(np.concatenate([quiet, loud, quiet], axis=1), 48_000) == pytest.approx(-23, abs=0.2)  # case 3
    assert loudness(np.concatenate([loud, np.zeros_like(loud)], axis=1), 48_000) == pytest.approx(-23, abs=0.2)


def test_bass_counts_less_and_treble_more():
    levels = [loudness(sine(hertz, 2, -20), 48_000) for hertz in (25, 100, 1000, 4000)]
    assert levels == sorted(levels)
    assert levels[3] - levels[2] == pytest.approx(3.3, abs=0.5)  # the shelf of stage 1


def test_silence_and_sounds_shorter_than_a_block_are_measured():
    assert loudness(np.zeros((2, 96_000), np.float32), 48_000) == -math.inf
    assert loudness(sine(1000, 0.05, -20), 48_000) == pytest.approx(-23, abs=0.5)  # half of a block of 100 ms
