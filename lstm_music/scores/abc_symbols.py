"""A line of ABC music → its symbols: notes, chords, rests, bar lines, tuplets and fields in brackets (ABC 2.1, section 4)."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from lstm_music.errors import RejectedInputError

_MOST_SLASHES = 10  # 1024 parts
_MOST_DIGITS = 9

_LENGTH = r"(?:\d+(?:/+\d*)?|/+\d*)?"
_ACCIDENTAL = r"(?:\^{1,2}|_{1,2}|=)?"
_PITCH = rf"{_ACCIDENTAL}[A-Ga-g][,']*"
# No alternative may look further than to the next token of its kind, or a hostile line takes quadratic time.
_TOKENS = re.compile(
    rf"""
    (?P<note>{_PITCH})(?P<note_length>{_LENGTH})
    | (?P<rest>[zx])(?P<rest_length>{_LENGTH})
    | (?P<bars>[ZX])(?P<bars_number>\d*)
    | (?P<space>y{_LENGTH} | [\s`]+)
    | (?P<text>"[^"]*")
    | \[(?P<field>[A-Za-z]):(?P<value>[^\[\]]*)\]
    | (?P<bar>\.?(?: :+(?=[|:\[]) | \[(?=\|) | \|)(?:[|:\]]|\[(?=\|))*+)
    | (?P<bracket>\[?)(?P<ending>\d+(?:[,-]\d+)*)
    | \[(?P<chord>[^\]\[|]*)\](?P<chord_length>{_LENGTH})
    | \+(?!f+\+)(?P<old_chord>(?:{_PITCH}{_LENGTH}){{2,}})\+(?P<old_length>{_LENGTH})
    | !(?P<sign>[^!|\s\[\]]+)! | \+(?P<old_sign>[A-Za-z0-9.<>()]+)\+
    | \{{(?P<grace>[^{{}}]*)\}}
    | \((?P<tuplet>\d+(?::\d*)?(?::\d*)?)
    | (?P<broken>>+|<+)
    | (?P<overlay>&+)
    | (?P<tie>\.?-)
    | (?P<slur>\.?\(|\)) | (?P<mark>[.~H-Wh-w!$*;\\@?\#])
    """,
    re.VERBOSE,
)
_IN_CHORD = re.compile(rf"""({_PITCH})({_LENGTH})(-?)|"[^"]*"|![^!]*!|([\s.~H-Wh-w()-])|(.)""")
_ENDING = re.compile(r"(\d+)(?:-(\d+))?")
_NUMBERS = range(1, 1000)


@dataclass(frozen=True, slots=True)
class Pitch:
    """A written pitch: `accidental` is "" if none is written; octave 4 has middle C."""

    accidental: str
    letter: str  # lower case
    octave: int


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes that begin together, each with its length in units; none of them for a rest. The first length is the time taken."""

    notes: tuple[tuple[Pitch, Fraction, bool], ...]  # pitch, units, has a tie
    units: Fraction


@dataclass(frozen=True, slots=True)
class BarRest:
    """A rest of whole bars."""

    bars: int


@dataclass(frozen=True, slots=True)
class BarLine:
    """A bar line. `repeats_to_here` and `repeats_from_here` count colons: 1 plays twice, 2 three times."""

    repeats_to_here: int
    repeats_from_here: int
    is_double: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """The start of an ending, for these times."""

    times: frozenset[int]


@dataclass(frozen=True, slots=True)
class Tuplet:
    """The next `notes` take `time` of the time of `count`; `time` is 0 where the meter decides."""

    count: int
    time: int
    notes: int


@dataclass(frozen=True, slots=True)
class Broken:
    """`>` (positive) or `<` (negative), as often as written."""

    dots: int


@dataclass(frozen=True, slots=True)
class Field:
    """A field in brackets."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A decoration with a name, such as `!segno!`."""

    name: str


@dataclass(frozen=True, slots=True)
class Tie:
    """The note or chord before is tied to the next one of its pitch."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """Back to the start of the bar."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A character that means nothing here."""

    text: str


Symbol = Notes | BarRest | BarLine | Ending | Tuplet | Broken | Field | Sign | Tie | Overlay | Unknown


def symbols(line: str) -> Iterator[Symbol]:
    """Yield the symbols of a line of music; signs without a meaning for the notes are passed over.

    Raises RejectedInputError for a number that no music has.
    """
    position, is_behind_bar = 0, False
    while position < len(line):
        match = _TOKENS.match(line, position)
        if match is None:
            yield Unknown(line[position])
            if line[position] == '"':
                return  # the rest of the line is text whose end is missing
            position += 1
            continue
        position = match.end()
        if match["ending"] and not match["bracket"] and not is_behind_bar:
            yield Unknown(match["ending"])
        elif not match["space"]:
            yield from _symbols(match)
            is_behind_bar = match["bar"] is not None


def _symbols(match: re.Match[str]) -> Iterator[Symbol]:
    """Yield what a token means: nothing for text, grace notes, slurs and marks."""
    kind = match.lastgroup or ""
    make = _SYMBOLS.get(kind)
    if make is not None:
        yield from make(match)


def _note(match: re.Match[str]) -> Iterator[Symbol]:
    units = _units(match["note_length"])
    yield Notes(((_pitch(match["note"]), units, False),), units)


def _broken(match: re.Match[str]) -> Iterator[Symbol]:
    dots = min(len(match["broken"]), _MOST_SLASHES)
    yield Broken(dots if match["broken"][0] == ">" else -dots)


def _chord(inside: str, length: str) -> Iterator[Symbol]:
    """Yield a chord; the lengths in it and behind it multiply, and its first note says how long it lasts (4.17)."""
    outer = _units(length)
    notes = []
    for pitch, inner, tie, _, unknown in _IN_CHORD.findall(inside):
        if pitch:
            notes.append((_pitch(pitch), _units(inner) * outer, bool(tie)))
        elif unknown:
            yield Unknown(unknown)
    if notes:
        yield Notes(tuple(notes), notes[0][1])


def _bar_line(text: str) -> BarLine:
    text = text.lstrip(".")
    before, after = len(text) - len(text.lstrip(":")), len(text) - len(text.rstrip(":"))
    if set(text) == {":"}:  # `::` ends one repeat and starts another
        before = after = max(len(text) // 2, 1)
    signs = text.strip(":")
    return BarLine(before, after, is_double=len(signs) > 1 or bool(before or after))


def _ending(text: str) -> Ending:
    times: set[int] = set()
    for first, last in _ENDING.findall(text[:200]):
        lowest = _number(first)
        times.update(range(lowest, min(_number(last or first), lowest + len(_NUMBERS)) + 1))
    return Ending(frozenset(time for time in times if time in _NUMBERS))


def _tuplet(text: str) -> Tuplet:
    count, time, notes = [_number(part) if part else 0 for part in [*text.split(":"), "", ""][:3]]
    return Tuplet(count, time, notes or count)


def _pitch(text: str) -> Pitch:
    name = text.lstrip("^_=")
    octave = 4 + name[0].islower() + name.count("'") - name.count(",")
    return Pitch(text[: len(text) - len(name)], name[0].lower(), octave)


def _units(text: str) -> Fraction:
    """Read a length: `3/2`, `3/`, `/`, `//`, `/4`; each slash without a number halves (4.3)."""
    if not text:
        return Fraction(1)
    numerator = text.split("/", 1)[0]
    denominator = text.rsplit("/", 1)[1] if "/" in text else ""
    slashes = min(text.count("/"), _MOST_SLASHES)
    parts = 2 ** (slashes - 1) * _number(denominator) if denominator else 2**slashes
    return Fraction(_number(numerator or "1"), parts or 1)


def _number(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise RejectedInputError(f"has a number of {len(text):,} digits, expected at most {_MOST_DIGITS}")
    return int(text)


# By the last named group of a token.
_SYMBOLS: Mapping[str, Callable[[re.Match[str]], Iterable[Symbol]]] = {
    "note_length": _note,
    "rest_length": lambda match: [Notes((), _units(match["rest_length"]))],
    "bars_number": lambda match: [BarRest(_number(match["bars_number"] or "1"))],
    "value": lambda match: [Field(match["field"], match["value"].strip())],
    "bar": lambda match: [_bar_line(match["bar"])],
    "ending": lambda match: [_ending(match["ending"])],
    "chord_length": lambda match: _chord(match["chord"], match["chord_length"]),
    "old_length": lambda match: _chord(match["old_chord"], match["old_length"]),
    "sign": lambda match: [Sign(match["sign"])],
    "old_sign": lambda match: [Sign(match["old_sign"])],
    "tuplet": lambda match: [_tuplet(match["tuplet"])],
    "broken": _broken,
    "overlay": lambda _: [Overlay()],
    "tie": lambda _: [Tie()],
}
