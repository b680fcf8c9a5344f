"""Rails for the bars of new music: they leave what leads to what is asked, because models follow their controls only roughly.

A bar with enough notes is left, one with too few is not. A note may not draw the mean pitch too far away. It may not last so long
that too many notes sound, nor, while too few sound, so short that this stays so. Where nothing else is allowed, rails give way.

The numbers were chosen with 16 results for each thing asked, by the share of bars that have it: `benchmarks/controls.py`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.generation.conditioning import OCTAVE, Asked, BarSoFar, of_bar, sounding_until
from lstm_music.generation.grammar import Grammar

SLACK = 0.1
"""A bar may have this share of its notes more or less than asked."""
SEMITONES = 1.5
"""So far the mean pitch of a bar may lie from what was asked, and an octave shared by its notes so far more."""
NOTES = 0.05
"""So many more notes than asked may sound at once on average, and twice as many fewer: models are told of quarters of a note,
and so both stay below half of such a step."""
NOTES_A_QUARTER = 4.0
"""So many notes a quarter are expected in the rest of a bar, and share out what sounds too little. With fewer, the first note
after a thin beginning would have to last to the barline."""
LATER = 0.3
"""So many notes at once, on average over the rest of the bar, are left to notes that begin later. With none, the first long
note takes all that may sound, and those after it are cut to the shortest."""

OFFSET, NOTE, DURATION = STREAMS


@dataclass(frozen=True, eq=False)
class Rails:
    """The rails of a generation; without anything `asked` there are none."""

    grammar: Grammar
    asked: Asked | None

    def allowed(self, stream: str, allowed: Any, so_far: BarSoFar, position: Any, bars: Any) -> Any:
        """Leave the ids, bool [outputs, ids], that lead to what was asked, or all where none does.

        For an offset, `position` int32 [outputs] is that of the event before, in a bar of `bars` steps, else that of the event.
        """
        rails = {OFFSET: self._offsets, NOTE: self._notes, DURATION: self._durations}
        if self.asked is None or stream not in rails:
            return allowed
        for kept in rails[stream](self.asked, allowed, so_far, position, bars):
            both = allowed & kept
            allowed = np.where(both.any(1, keepdims=True), both, allowed)
        return allowed

    def _offsets(self, asked: Asked, allowed: Any, so_far: BarSoFar, position: Any, bars: Any) -> list[Any]:
        steps = self.grammar.offset_steps[None]
        leaves = (steps >= (bars - position)[:, None]) | (np.arange(steps.shape[1])[None] < SPECIAL_IDS)
        farthest = np.where(allowed, steps, 0).max(1, keepdims=True)
        may_leave = leaves | (steps == farthest)  # with no offset that leads out, the one that leads farthest
        is_full, is_thin = _is_full_or_thin(asked, so_far, position, bars)
        return [(~leaves | ~is_thin[:, None]) & (may_leave | ~is_full[:, None])]

    def _notes(self, asked: Asked, _allowed: Any, so_far: BarSoFar, _position: Any, _bars: Any) -> list[Any]:
        pitches = self.grammar.pitches[None]
        wanted = of_bar(asked.mean_pitch, so_far.bar)[:, None]
        count = (so_far.notes + 1)[:, None]
        mean = (so_far.pitches[:, None] + pitches) / count
        return [(wanted <= 0) | (pitches < 0) | (np.abs(mean - wanted) <= SEMITONES + OCTAVE / count)]

    def _durations(self, asked: Asked, _allowed: Any, so_far: BarSoFar, position: Any, bars: Any) -> list[Any]:
        wanted = of_bar(asked.polyphony, so_far.bar)
        steps = self.grammar.duration_steps[None]
        left, span = bars - position, bars - so_far.begun
        area = so_far.area + sounding_until(so_far.sounding, left)
        room = (wanted + NOTES) * span - LATER * left - area
        fits = np.minimum(steps, left[:, None]) <= room[:, None]
        is_shortest = steps <= int(self.grammar.duration_steps[self.grammar.durations].min())
        missing = (wanted - 2 * NOTES) * span - area
        share = missing / (1 + NOTES_A_QUARTER * left / self.grammar.steps_per_quarter)
        return [
            (wanted <= 0)[:, None] | fits | is_shortest,
            self._fits_next_bar(asked, so_far, left, bars) | is_shortest,
            (wanted <= 0)[:, None] | (steps >= np.minimum(share, left)[:, None]),
        ]

    def _fits_next_bar(self, asked: Asked, so_far: BarSoFar, left: Any, bars: Any) -> Any:
        """Say after which durations not too much sounds on in the next bar, `left` steps away, bool [outputs, ids]."""
        steps = self.grammar.duration_steps[None]
        wanted = of_bar(asked.polyphony, so_far.bar + 1)
        area = sounding_until(so_far.sounding, left + bars) - sounding_until(so_far.sounding, left)
        over = np.clip(steps - left[:, None], 0, bars[:, None])
        return (wanted <= 0)[:, None] | (area[:, None] + over <= ((wanted + NOTES) * bars)[:, None])


def _is_full_or_thin(asked: Asked, so_far: BarSoFar, position: Any, bars: Any) -> tuple[Any, Any]:
    """Say which bars have as many notes as asked, and which have too few or too little sounds in them, bool [outputs] each."""
    has_bar, bar = so_far.bar >= 0, np.maximum(so_far.bar, 0)
    span = bars - so_far.begun
    wanted = np.rint(of_bar(asked.density, bar) * span / bars)
    slack = np.floor(SLACK * wanted)
    is_full = has_bar & (wanted > 0) & (so_far.events >= np.maximum(wanted + slack, 1))
    has_few = (wanted > 0) & (so_far.events < wanted - slack)
    notes, area = of_bar(asked.polyphony, bar), so_far.area + sounding_until(so_far.sounding, bars - position)
    is_quiet = (notes > 0) & (area < (notes - 2 * NOTES) * span)
    return is_full, has_bar & ~is_full & (has_few | is_quiet)
