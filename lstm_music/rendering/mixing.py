"""Audio of several parts: each is as loud as its notes say, however loud its sounds were recorded, and has a seat of its own.

The sounds of a soundfont differ in loudness by tens of decibels: in TimGM6mb, middle C of a French horn is 12 dB louder than
that of the grand piano. So each part is played alone and measured, and a gain makes up for what does not come from the
velocities of its notes.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lstm_music.midi.general_midi import family_of
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.parts import Part
from lstm_music.rendering.audio import PEAK, SAMPLE_RATE, Samples, fade_out, finished, gain_of, peak_of, player
from lstm_music.rendering.loudness import loudness

PART_LUFS = -23.0
"""How loud a part would be if all its notes had velocity 127; what matters is that it is the same for all."""

MOST_BOOST_DB = 15.0
"""What is quieter still is noise, which a larger gain would bring to the front."""

WIDEST_SEAT = 0.4
"""How far from the middle the first and the last part sit, of 1."""

SILENT_PEAK = 1e-4  # of full scale: -80 dB


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """A piece as audio: float32 [samples, 2]; `stems` plays its parts one by one, each as long as all of them together.

    The sum of the stems is `samples`; a part without notes has none. `silent` are the parts that have notes and no sound in the
    soundfont.
    """

    samples: Samples
    stems: Callable[[], Iterator[Samples | None]]
    silent: tuple[int, ...]


def mix_parts(
    piece: PieceNotes,
    parts: Sequence[Part],
    of_note: npt.NDArray[np.int64],
    soundfont: Path | None = None,
) -> Mix:
    """Play a piece in parts; `of_note` int64 [notes] is the index of each note's part in `parts`.

    The loudest sample of all parts together, or of one alone where that is louder, is `PEAK`. A part is played once more for
    its stem, so that two parts at most are in memory at once. Raises the errors of `lstm_music.rendering.audio.synthesise`.
    """
    play = player(piece, soundfont)
    seats = seats_of(parts)
    gains: dict[int, float] = {}
    loudest = 0.0

    def alone(part: int) -> Samples:
        return _seated(play(replace(piece, notes=piece.notes[of_note == part])), seats[part])

    mixed: Samples | None = None
    silent = []
    for part in np.unique(of_note).tolist():
        samples = alone(part)
        if peak_of(samples) < SILENT_PEAK:
            silent.append(part)
        gains[part] = _gain(samples, piece.notes[of_note == part])
        samples *= gains[part]
        loudest = max(loudest, peak_of(samples))
        mixed = samples if mixed is None else np.add(mixed, samples, out=mixed)
    assert mixed is not None  # a piece without notes is rejected by `player`
    scale = PEAK / max(loudest, peak_of(mixed)) if loudest else 0.0
    mixed *= scale
    ended = finished(mixed)

    def stems() -> Iterator[Samples | None]:
        for part in range(len(parts)):
            if part not in gains:
                yield None
                continue
            stem = alone(part)[:, : ended.shape[1]] * np.float32(gains[part] * scale)
            fade_out(stem)
            yield stem.T

    return Mix(ended.T, stems, tuple(silent))


def seats_of(parts: Sequence[Part]) -> list[float]:
    """Place parts from left (-1) to right (1) in their order; drums and basses in the middle, as on records."""
    is_spread = [not part.is_drum and family_of(part.program) != "bass" for part in parts]
    places = iter(np.linspace(-WIDEST_SEAT, WIDEST_SEAT, sum(is_spread)).tolist() if sum(is_spread) > 1 else [0.0])
    return [next(places) if spread else 0.0 for spread in is_spread]


def _seated(samples: Samples, seat: float) -> Samples:
    """Move [2, samples] to a seat by the sine law; in place."""
    angle = (seat + 1) * math.pi / 4
    samples *= np.array([[math.cos(angle)], [math.sin(angle)]], np.float32) * np.float32(math.sqrt(2))
    return samples


def _gain(samples: Samples, notes: np.ndarray) -> float:
    """Give the gain that makes all parts equally loud but for their velocities, of the samples of one part's notes."""
    weights = np.maximum(notes["duration_ticks"].astype(float), 1)
    from_velocities = 10 * math.log10(float(np.average(gain_of(notes["velocity"]) ** 2, weights=weights)))
    missing = PART_LUFS - (loudness(samples, SAMPLE_RATE) - from_velocities)
    return float(10 ** (min(missing, MOST_BOOST_DB) / 20))
