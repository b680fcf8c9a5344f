"""Loudness as people hear it: LUFS by ITU-R BS.1770-4, annex 1, computed from the spectra of blocks of 100 ms.

The filters of the recommendation are applied to the spectra, so an hour of audio needs little memory and no recursion.
"""

import math

import numpy as np
import numpy.typing as npt

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_DB = 10.0
OFFSET_DB = -0.691

_BLOCKS_PER_SECOND = 10
_BLOCKS_AT_ONCE = 256
_OVERLAP = 4  # blocks of 400 ms begin every 100 ms
_FILTER_RATE = 48_000  # for which the coefficients of tables 1 and 2 are given: (b0, b1, b2), (1, a1, a2)
_FILTERS = (
    ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)


def loudness(samples: npt.NDArray[np.float32], sample_rate: int) -> float:
    """Measure [channels, samples], left and right, in LUFS where they sound; -inf where nothing does."""
    power = _block_power(samples, sample_rate)
    if len(power) > _OVERLAP:
        power = np.convolve(power, np.full(_OVERLAP, 1 / _OVERLAP), "valid")
    sounding = power[_lufs(power) > ABSOLUTE_GATE_LUFS]
    if not len(sounding):
        return -math.inf
    gate = float(_lufs(sounding.mean())) - RELATIVE_GATE_DB
    return float(_lufs(sounding[_lufs(sounding) > gate].mean()))


def _lufs(power: npt.ArrayLike) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.asarray(OFFSET_DB + 10 * np.log10(power), np.float64)


def _block_power(samples: npt.NDArray[np.float32], sample_rate: int) -> npt.NDArray[np.float64]:
    """Give the filtered power of each block of 100 ms, summed over the channels; what is left over at the end is left out."""
    size = sample_rate // _BLOCKS_PER_SECOND
    if samples.shape[1] < size:
        samples = np.pad(samples, ((0, 0), (0, size - samples.shape[1])))
    count = samples.shape[1] // size
    weights = _weights(size, sample_rate)
    power = np.zeros(count)
    for channel in samples:
        blocks = channel[: count * size].reshape(count, size)
        for start in range(0, count, _BLOCKS_AT_ONCE):
            spectra = np.fft.rfft(blocks[start : start + _BLOCKS_AT_ONCE])
            power[start : start + _BLOCKS_AT_ONCE] += (spectra.real**2 + spectra.imag**2) @ weights
    return power


def _weights(size: int, sample_rate: int) -> npt.NDArray[np.float64]:
    """Give for each bin of a spectrum what its square adds to the mean square after the filters (Parseval's theorem)."""
    frequencies = np.fft.rfftfreq(size, 1 / sample_rate)
    delay = np.exp(-2j * np.pi * frequencies / _FILTER_RATE)
    response = np.ones(len(frequencies), np.complex128)
    for above, below in _FILTERS:
        response *= np.polyval(above[::-1], delay) / np.polyval(below[::-1], delay)
    twice = np.full(len(frequencies), 2.0)  # a spectrum of real samples has each frequency once more, below zero
    twice[0] = 1
    if size % 2 == 0:
        twice[-1] = 1
    return np.asarray(np.abs(response) ** 2 * twice / size**2, np.float64)
