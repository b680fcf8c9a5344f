"""Rests that show the beats: in simple metres none is dotted, and none lies across a beat or the middle of a bar.

So write engravers for players (E. Gould, "Behind Bars", 2011, "Rests"). A piano's score joins rests as it does notes.
"""

from collections.abc import Iterator
from dataclasses import replace

from lstm_music.rendering.notation import Bar, Value
from lstm_music.rendering.voices import QUARTER

_HALF = 2 * QUARTER
_HALVES = {(4, 4), (2, 2)}  # time signatures whose halves of a bar have rests of their own
_LONGEST_WITHIN = 18  # steps: a dotted eighth, which lies within a beat


def with_plain_rests(bar: Bar) -> Bar:
    """Cut the rests of a bar of quarters or halves where beats begin; a rest of the whole bar stays one."""
    if bar.denominator not in (2, 4):
        return bar
    staves = tuple(
        tuple(tuple(cut for value in values for cut in _cut(bar, value)) for values in voices) for voices in bar.staves
    )
    return replace(bar, staves=staves)


def _cut(bar: Bar, value: Value) -> Iterator[Value]:
    if value.pitches or value.tuplet or value.length <= _LONGEST_WITHIN or value.length == bar.steps:
        yield value
        return
    place, end = value.start, value.start + value.length
    while place < end:
        at = place + bar.skipped
        is_half = (bar.numerator, bar.denominator) in _HALVES and at % _HALF == 0 and end - place >= _HALF
        length = _HALF if is_half else min(QUARTER - at % QUARTER, end - place)
        yield replace(value, start=place, length=length)
        place += length
