"""Small pieces for several instruments and drums, made by chance."""

import numpy as np

from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.parts import Part, in_parts

BAND = (Part("Lead", 0), Part("Violin I", 40), Part("Violin II", 41), Part("Bass", 33), Part("Drums", is_drum=True))
RANGES = ((60, 84), (67, 91), (55, 74), (36, 52))
HITS = (36, 38, 42)


def band_piece(number: int, quarters: int = 16) -> PieceNotes:
    """Draw a piece of chance: chords, two violins, a bass and a beat; another number gives another piece."""
    from small_music import QUARTER, piece_of

    rng = np.random.default_rng(number)
    key, rows, parts = int(rng.integers(12)), [], []
    scale = [key + step for step in (0, 2, 4, 5, 7, 9, 11)]
    for onset in range(0, quarters * QUARTER, QUARTER // 2):
        for part, (lowest, highest) in enumerate(RANGES):
            if rng.random() < 0.6:
                pitches = [pitch for pitch in range(lowest, highest + 1) if pitch % 12 in {one % 12 for one in scale}]
                rows.append((onset, int(rng.choice([QUARTER // 2, QUARTER])), int(rng.choice(pitches))))
                parts.append(part)
        rows.append((onset, QUARTER // 4, HITS[onset // (QUARTER // 2) % 3]))
        parts.append(len(BAND) - 1)
    order = np.lexsort([[row[2] for row in rows], [row[0] for row in rows]])  # as `piece_of` sorts them
    piece = piece_of([rows[place] for place in order])
    return in_parts(piece, BAND, np.array(parts)[order], f"Band {number}")
