"""Tokens of several parts that repeat their own lines in several keys, with drums, rests, and values without a pitch between."""

import numpy as np

from lstm_music.encoding.chords import PITCH_NAMES
from lstm_music.encoding.shapes import shapes_of
from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN, Vocabulary

DRUM_NAMES = ("drum36", "drum38", "drum42")
VALUES = (*PITCH_NAMES, *DRUM_NAMES)
VOCABULARY = Vocabulary("note", VALUES, (1,) * len(VALUES), 0.0)
SHAPES = shapes_of(VOCABULARY)
NOTES = {
    **{pitch: SPECIAL_IDS + pitch for pitch in range(128)},
    **{d: SPECIAL_IDS + VALUES.index(d) for d in DRUM_NAMES},
}
"""The id of each pitch and drum."""
PITCHES = {SPECIAL_IDS + pitch: pitch for pitch in range(128)}
"""Id → pitch; other ids have none."""
STEPS = np.array([0, 0, 0, 0, 2, 3, 800], np.int32)
"""How long each offset is; the last one is a long rest."""

PARTS = (3, 4, 5)
DRUMS = 6
RARE = 7  # a part that plays seldom


def part_music(rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw `count` events, int64 [events, streams]: each part plays parts of its own theme, each time in some key."""
    themes = {part: np.stack([rng.integers(57, 64, 24), rng.integers(3, 5, 24)], 1) for part in PARTS}
    beat = [NOTES[name] for name in rng.choice(DRUM_NAMES, 6)]
    lines = {part: _line(themes[part], rng) for part in PARTS}
    events = []
    while len(events) < count:
        playing = [part for part in (*PARTS, DRUMS) if rng.random() < 0.9]
        for number, part in enumerate(playing):
            offset = 3 if number else int(rng.choice([4, 5, 6], p=[0.9, 0.08, 0.02]))
            note, duration = (beat[len(events) % 6], 3) if part == DRUMS else next(lines[part])
            events.append((offset, note, duration, part))
        if rng.random() < 0.02:
            events.append((3, UNKNOWN if rng.random() < 0.5 else NOTES[70], 3, rng.choice([*PARTS, RARE])))
    return np.array(events[:count], np.int64).reshape(-1, 4)


def _line(theme, rng):
    while True:
        begin, shift = rng.integers(0, 12), rng.integers(-3, 4)
        for pitch, duration in theme[begin : begin + rng.integers(4, 24)]:
            yield SPECIAL_IDS + pitch + shift, duration
