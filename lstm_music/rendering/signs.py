"""The sign of a value: its kind as MusicXML calls it, and its dots. Lengths are in steps of 1/24 of a quarter."""

from typing import NamedTuple

from lstm_music.rendering.notation import Value

_KINDS = {96: "whole", 48: "half", 24: "quarter", 12: "eighth", 6: "16th", 3: "32nd"}


class Sign(NamedTuple):
    """A kind of note, such as "eighth", and how many dots it has."""

    kind: str
    dots: int


def sign_of(value: Value) -> Sign:
    """Return the sign of a value; one in a tuplet, three in the time of two, lasts two thirds of its sign."""
    length = value.length * 3 // 2 if value.tuplet else value.length
    if length in _KINDS:
        return Sign(_KINDS[length], 0)
    return Sign(_KINDS[length * 2 // 3], 1)
