"""The parts of a MusicXML score, measure by measure: which measures stand together, and how long each is in all parts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from lstm_music.scores.musicxml_clock import ZERO
from lstm_music.scores.musicxml_part import WrittenMeasure, WrittenPart
from lstm_music.scores.musicxml_signs import KeySign, TimeSign, merged_signs
from lstm_music.scores.playing_order import MeasureSigns

_SLIP = Fraction(1, 32)  # a 128th note: what rounded durations may lack of a bar, or have too much


@dataclass(frozen=True, slots=True)
class ScoreMeasure:
    """A measure in all parts, which last equally long. `tempos`, `times` and `keys` are (place in the measure, sign).

    `time`, `key` and `tempo` hold at its start.
    """

    parts: tuple[WrittenMeasure, ...]
    length: Fraction
    nominal: Fraction
    is_implicit: bool
    time: TimeSign | None
    key: KeySign | None
    tempo: int | None
    tempos: tuple[tuple[Fraction, int], ...]
    times: tuple[tuple[Fraction, TimeSign], ...]
    keys: tuple[tuple[Fraction, KeySign], ...]
    signs: MeasureSigns


def score_measures(parts: Sequence[WrittenPart]) -> list[ScoreMeasure]:
    """Join the parts to measures. One that is implicit and empty in all parts is none."""
    measures: list[ScoreMeasure] = []
    tempo: int | None = None
    for row in zip(*_aligned([part.measures for part in parts]), strict=True):
        measure = _joined(row, tempo)
        measures.append(measure)
        tempo = measure.tempos[-1][1] if measure.tempos else tempo
    return [measure for measure in measures if measure.length > 0]


def _aligned(parts: Sequence[list[WrittenMeasure]]) -> list[list[WrittenMeasure]]:
    """Give each part as many measures as the longest has.

    Measures stand together by their order, as the specification says. A part with fewer of them has its measures where
    their numbers are, if they all occur in this order in the longest part.
    """
    longest = max(parts, key=len, default=[])
    return [part if len(part) == len(longest) else _spread(part, longest) for part in parts]


def _spread(part: list[WrittenMeasure], longest: list[WrittenMeasure]) -> list[WrittenMeasure]:
    waiting = list(reversed(part))
    row = [waiting.pop() if waiting and waiting[-1].number == other.number else None for other in longest]
    if waiting:  # the numbers say nothing
        row = [*part, *[None] * (len(longest) - len(part))]
    time, key = None, None
    filled: list[WrittenMeasure] = []
    for measure, other in zip(row, longest, strict=True):
        filled.append(measure or WrittenMeasure(other.number, other.is_implicit, time=time, key=key))
        time, key = filled[-1].time, filled[-1].key
    return filled


def _joined(row: tuple[WrittenMeasure, ...], tempo: int | None) -> ScoreMeasure:
    times = [measure.time for measure in row if measure.time is not None]
    nominals = [time.quarters for time in times if time.quarters is not None]
    is_implicit = any(measure.is_implicit for measure in row)
    length = _length(row, nominals, is_implicit=is_implicit)
    # Parts can have signatures of their own. That of the first counts, unless only that of another one fits.
    fitting = [time for time in times if time.quarters == length]
    time = fitting[0] if fitting else next(iter(times), None)
    leader = next((measure for measure in row if measure.time is not None and measure.time == time), None)
    speaker = next((measure for measure in row if measure.key is not None or measure.keys), None)
    return ScoreMeasure(
        parts=row,
        length=length,
        nominal=time.quarters if time is not None and time.quarters is not None else length,
        is_implicit=is_implicit,
        time=time,
        key=speaker.key if speaker else None,
        tempo=tempo,
        tempos=tuple(_tempos(row)),
        times=tuple(leader.times) if leader else (),
        keys=tuple(speaker.keys) if speaker else (),
        signs=merged_signs(measure.signs for measure in row),
    )


def _length(row: Iterable[WrittenMeasure], nominals: Sequence[Fraction], *, is_implicit: bool) -> Fraction:
    """Return how long a measure is in all parts: as long as the part that has most in it.

    A rest of a whole measure only counts where nothing else fills the measure, and a `forward` within a whole bar: some
    programs write one as long as a bar even into a pickup, so one that the score does not count ends with its notes. A
    measure with nothing in it is a whole bar, or none at all if the score does not count it.
    """
    row = list(row)
    nominal = nominals[0] if nominals else None
    filled = max(measure.filled for measure in row)
    skipped = max(measure.skipped for measure in row)
    if filled == 0 or not is_implicit:
        filled = max(filled, skipped if nominal is None else min(skipped, nominal))
    if filled == 0:
        rest = max(measure.rest for measure in row)
        filled = min(rest, nominal) if nominal is not None else rest
    if filled == 0:
        return ZERO if is_implicit or nominal is None else nominal
    return next((whole for whole in nominals if abs(whole - filled) < _SLIP), filled)


def _tempos(row: Iterable[WrittenMeasure]) -> list[tuple[Fraction, int]]:
    """Return the tempos of a measure: what `sound` says is played, and a printed mark where no sound stands."""
    row = list(row)
    tempos = {place: tempo for measure in reversed(row) for place, tempo in reversed(measure.marks)}
    tempos |= {place: tempo for measure in reversed(row) for place, tempo in reversed(measure.sounds)}
    return sorted(tempos.items())
