"""The bars of a piece as it was read, exact in ticks: those of a score, or those that follow from MIDI's time signatures.

`encoding.bars` gives the same places on the grid of a recipe.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from lstm_music.encoding.pickups import estimated_pickup
from lstm_music.midi.notes import PieceNotes

_COMMON_TIME = (4, 4)
_LARGEST_DENOMINATOR = 1024


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar, or the measure of a score that is a part of one, or equal bars one after another; all places in ticks.

    `begins_at` is where in its bar the music begins: above 0 for a pickup and for the rest of a divided bar. If it
    `is_series`, bars of the nominal length follow until the next entry.
    """

    start: Fraction
    number: int
    begins_at: Fraction
    nominal: Fraction
    is_series: bool = False


def bars_of(piece: PieceNotes) -> list[Bars]:
    """Return the bars of a piece in order; there is always a first."""
    if piece.bars:
        return [
            Bars(Fraction(bar.tick), bar.number, Fraction(bar.begins_at_ticks), Fraction(bar.nominal_ticks))
            for bar in piece.bars
        ]
    if pickup := estimated_pickup(piece):
        ((_, quarters),) = _stretches(piece)
        nominal = quarters * piece.ticks_per_quarter
        return [
            Bars(Fraction(0), 0, nominal - pickup, nominal),
            Bars(Fraction(pickup), 1, Fraction(0), nominal, is_series=True),
        ]
    bars: list[Bars] = []
    for tick, quarters in _stretches(piece):
        number = 1
        if bars:
            before, within = place_in(bars, tick)
            number = before + (within > 0)  # a change of the signature begins a new bar
        bars.append(Bars(Fraction(tick), number, Fraction(0), quarters * piece.ticks_per_quarter, is_series=True))
    return bars


def place_in(bars: Sequence[Bars], tick: int) -> tuple[int, Fraction]:
    """Return the number of the bar at a tick, and the place in that bar in ticks."""
    bar = bars[max(bisect_right(bars, Fraction(tick), key=lambda one: one.start) - 1, 0)]
    since = bar.begins_at + tick - bar.start
    if not bar.is_series:
        return bar.number, since
    return bar.number + since // bar.nominal, since % bar.nominal


def bar_starts(bars: Sequence[Bars], end: int) -> Iterator[Fraction]:
    """Yield the ticks before `end` at which a bar begins, a pickup too."""
    for bar, until in zip(bars, [*(following.start for following in bars[1:]), Fraction(end)], strict=True):
        if not bar.is_series:
            if not bar.begins_at or bar.number == 0:
                yield bar.start
            continue
        place = bar.start
        while place < until:
            yield place
            place += bar.nominal


def _stretches(piece: PieceNotes) -> list[tuple[int, Fraction]]:
    """Return (first tick, quarters per bar) of each stretch of one time signature; a piece is in 4/4 until its first."""
    last_at = {0: _COMMON_TIME}
    for signature in piece.time_signatures:
        if signature.numerator > 0 and 0 < signature.denominator <= _LARGEST_DENOMINATOR:
            last_at[signature.tick] = (signature.numerator, signature.denominator)
    stretches: list[tuple[int, tuple[int, int]]] = []
    for tick, metre in sorted(last_at.items()):
        if not stretches or stretches[-1][1] != metre:
            stretches.append((tick, metre))
    return [(tick, Fraction(4 * numerator, denominator)) for tick, (numerator, denominator) in stretches]
