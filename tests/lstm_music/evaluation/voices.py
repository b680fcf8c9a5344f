"""Music for two to four voices, written by hand: a line of (pitch, quarters) per voice, `None` for a rest."""

from collections.abc import Sequence

import numpy as np

from lstm_music.evaluation.part_notes import PartNotes

QUARTER = 4  # ticks
NAMES = ("soprano", "alto", "tenor", "bass")

Line = Sequence[tuple[int | None, float]]


def voices(*lines: Line, drums: Line = ()) -> PartNotes:
    """Put lines together, the highest voice first; drums are a further part."""
    rows = []
    for part, line in enumerate((*lines, drums) if drums else lines):
        at = 0
        for pitch, quarters in line:
            ticks = round(quarters * QUARTER)
            if pitch is not None:
                rows.append((at, at + ticks, pitch, part, part == len(lines)))
            at += ticks
    onset, end, pitch, part, is_drum = np.array(sorted(rows)).reshape(-1, 5).T
    names = (*NAMES[: len(lines)], *(["drums"] if drums else []))
    return PartNotes(names, onset, end, pitch, part, is_drum.astype(np.bool_))


def line(*pitches: int | None) -> Line:
    """Write quarters."""
    return [(pitch, 1) for pitch in pitches]
