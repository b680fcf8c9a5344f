"""Beams: which short notes of a voice are joined, and by how many lines, as MusicXML says it.

Notes are joined within a beat (a quarter, or a dotted quarter in 6/8 and its like); eighths also within half a bar of 4/4, and
within a bar of 3/4. A rest ends a beam.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from lstm_music.rendering.notation import Bar, Value, has_dotted_beats
from lstm_music.rendering.signs import sign_of
from lstm_music.rendering.voices import QUARTER

_WIDE = {(4, 4): 48, (2, 2): 48, (2, 4): 48, (3, 4): 72}  # steps in which eighths alone are joined
_LINES = {"eighth": 1, "16th": 2, "32nd": 3}


def beams_of(bar: Bar, values: Sequence[Value]) -> list[tuple[str, ...]]:
    """Return for each value of a voice what its beams do, the first line first: "begin", "continue", "end" or a hook.

    A value without beams has ().
    """
    lines = [_LINES.get(sign_of(value).kind, 0) if value.pitches else 0 for value in values]
    found: list[tuple[str, ...]] = [()] * len(values)
    for group in _groups(bar, values, lines):
        for place in group:
            found[place] = tuple(_beam(values, lines, group, place, line) for line in range(1, lines[place] + 1))
    return found


def _groups(bar: Bar, values: Sequence[Value], lines: Sequence[int]) -> Iterator[list[int]]:
    """Yield the places of values that a beam joins."""
    beats = [_window(bar, value.start + bar.skipped) for value in values]
    width = _WIDE.get((bar.numerator, bar.denominator))
    wide = [(value.start + bar.skipped) // width if width else -1 for value in values]
    places = range(len(values))
    plain = {
        window
        for window, members in groupby(places, key=wide.__getitem__)
        if width and _are_eighths([values[place] for place in members])
    }
    chosen = [("wide", one) if one in plain else ("beat", beat) for one, beat in zip(wide, beats, strict=True)]
    for (_, is_short), members in groupby(places, key=lambda place: (chosen[place], lines[place] > 0)):
        group = list(members)
        if is_short and len(group) > 1:
            yield group


def _window(bar: Bar, at: int) -> int:
    """Number the beat that a step of a bar lies in; what is left of 5/8 or 7/8 belongs to the last whole beat."""
    length = 36 if has_dotted_beats(bar.numerator, bar.denominator) else QUARTER
    last = max((bar.steps + bar.skipped) // length - 1, 0)
    return min(at // length, last)


def _are_eighths(values: Sequence[Value]) -> bool:
    return all(value.length == QUARTER // 2 and value.pitches and not value.tuplet for value in values)


def _beam(values: Sequence[Value], lines: Sequence[int], group: Sequence[int], place: int, line: int) -> str:
    is_from = place != group[0] and lines[place - 1] >= line
    is_on = place != group[-1] and lines[place + 1] >= line
    if is_from or is_on:
        return "continue" if is_from and is_on else "begin" if is_on else "end"
    points_on = place == group[0] or (place != group[-1] and values[place].start % 12 == 0)
    return "forward hook" if points_on else "backward hook"
