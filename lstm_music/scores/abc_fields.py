"""The fields of ABC that decide how notes sound: meter, unit length, tempo, key and clef (ABC 2.1, sections 3.1 and 4.6)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

LONGEST = 500  # characters of a field that are read
WHOLE = 4  # quarters
_LONGEST_QUARTER = 0xFFFFFF  # microseconds, the largest tempo value that a MIDI file can hold
_DIGITS = 6  # longer numbers are mistakes, or worse
_METER = re.compile(r"\(?\s*(\d+(?:\s*\+\s*\d+)*)\s*\)?\s*/\s*(\d+)")
_RATIO = re.compile(r"(\d+)(?:/(\d+))?")
_BEATS = re.compile(r"(\d+/\d+(?:\s+\d+/\d+)*)\s*=\s*(\d+(?:\.\d+)?)")
_UNITS = re.compile(r"(?:C(\d*)(?:/(\d+))?\s*=\s*)?(\d+(?:\.\d+)?)\s*$")
_QUOTED = re.compile(r'"[^"]*"?')
_TONIC = re.compile(r"([A-G])([#b]?)\s*([A-Za-z]*)")
_ACCIDENTAL = re.compile(r"(\^\^|\^|__|_|=)([A-Ga-g])")
_NAMED_CLEF = re.compile(r"(?:treble|bass|alto|tenor|baritone|soprano|mezzosoprano|perc|none)[1-5]?([+-](?:8|15))?\Z")
_CLEF = re.compile(_NAMED_CLEF.pattern.replace("none)", "none|[GFCP])"))  # `K:G` is a key, `clef=G` a clef
_PROPERTY = re.compile(r"([A-Za-z]+)=(\"[^\"]*\"|\S+)")

ALTERATIONS = {"^^": 2, "^": 1, "": 0, "=": 0, "_": -1, "__": -2}
_SHARPS = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F": -1}
_MODES = {
    "": 0,
    "maj": 0,
    "ion": 0,
    "m": -3,
    "min": -3,
    "aeo": -3,
    "mix": -1,
    "dor": -2,
    "phr": -4,
    "lyd": 1,
    "loc": -5,
}


@dataclass(frozen=True, slots=True)
class Key:
    """A key: the alteration of each letter, and its signature (sharps, is minor), None if it has none that MIDI can hold."""

    alterations: Mapping[str, int] = field(default_factory=dict)
    signature: tuple[int, bool] | None = (0, False)


@dataclass(frozen=True, slots=True)
class Sound:
    """What the properties of K: and V: change: None leaves it as it is. Semitones add up; a percussion clef means drums."""

    clef: int | None = None
    octave: int | None = None
    transpose: int | None = None
    is_drum: bool | None = None
    name: str | None = None


def read_meter(text: str) -> tuple[int, int] | None:
    """Read M: as (numerator, denominator); (0, 0) is free meter, None a value that cannot be read."""
    value = text[:LONGEST].strip()
    if value.lower() in ("", "none"):
        return 0, 0
    if value.startswith("C"):
        return (2, 2) if value.startswith("C|") else (4, 4)
    match = _METER.match(value)
    if match is None or len(match[0]) > 10 * _DIGITS:
        return None
    numerator, denominator = sum(map(int, match[1].split("+"))), int(match[2])
    fits = 1 <= numerator <= 255 and denominator in (1, 2, 4, 8, 16, 32, 64, 128)
    return (numerator, denominator) if fits else None


def read_unit(text: str) -> Fraction | None:
    """Read L: in quarters; None for a value that cannot be read."""
    match = _RATIO.match(text.strip())
    ratio = _ratio(match[1], match[2]) if match else None
    return ratio * WHOLE if ratio else None


def default_unit(meter: tuple[int, int]) -> Fraction:
    """Give the unit length without L: (3.1.7): a sixteenth in a meter below 3/4, else an eighth."""
    numerator, denominator = meter
    is_short = bool(numerator) and Fraction(numerator, denominator) < Fraction(3, 4)
    return Fraction(WHOLE, 16 if is_short else 8)


def read_tempo(text: str, unit: Fraction) -> int | None:
    """Read Q: as microseconds per quarter; None if it names no number. A number alone counts units (10.1)."""
    value = _QUOTED.sub("", text[:LONGEST]).strip()
    if match := _BEATS.match(value):
        parts = [_ratio(*beat.split("/")) for beat in match[1].split()]
        beat = sum((part for part in parts if part), Fraction(0)) * WHOLE
        number = match[2]
    elif match := _UNITS.match(value):
        beat, number = unit * (_ratio(match[1] or "1", match[2]) or 0), match[3]
    else:
        return None
    if len(number) > _DIGITS or not float(number) or not beat:
        return None
    return min(max(round(60_000_000 / (Fraction(number) * beat)), 1), _LONGEST_QUARTER)


def read_key(text: str) -> Key | None:
    """Read the key of K:; None if it names none, such as a clef alone."""
    plain = _PROPERTY.sub(" ", text[:LONGEST]).strip()
    if plain[:2] in ("HP", "Hp"):
        return _with(plain[2:], {"f": 1, "c": 1}, (2, False))
    match = _TONIC.match(plain)
    if match is None or (match[3][:3].lower() not in _MODES and match[3][:4].lower() != "exp"):
        return _without_tonic(plain)
    mode = match[3][:3].lower()
    if mode == "exp":
        return _with(plain[match.end() :], {}, None)
    sharps = _SHARPS[match[1]] + {"#": 7, "b": -7, "": 0}[match[2]] + _MODES[mode]
    altered = dict.fromkeys("fcgdaeb"[: max(sharps, 0)], 1) | dict.fromkeys("beadgcf"[: max(-sharps, 0)], -1)
    signature = (sharps, _MODES[mode] == -3) if abs(sharps) <= 7 else None
    return _with(plain[match.end() :], altered, signature)


def _without_tonic(plain: str) -> Key | None:
    word = plain.split(" ", 1)[0].lower()
    if word in ("", "none"):
        return Key() if word else None
    if _ACCIDENTAL.match(plain):
        return _with(plain, {}, None)
    match = _TONIC.match(plain)
    return read_key(match[1] + match[2]) if match else None  # behind it stands no mode, but a clef or a mistake


def _with(text: str, altered: Mapping[str, int], signature: tuple[int, bool] | None) -> Key:
    """Add the accidentals that a key names itself (`K:D =c`)."""
    named = {letter.lower(): ALTERATIONS[sign] for sign, letter in _ACCIDENTAL.findall(text)}
    return Key({**altered, **named}, signature)


def read_sound(text: str) -> Sound:
    """Read the properties of K: or V:. A clef sounds an octave away only if it says +8 or -8 (4.6)."""
    text = text[:LONGEST]
    properties = {name.lower(): value.strip('"') for name, value in _PROPERTY.findall(text)}
    if "clef" in properties:
        clefs = [match] if (match := _CLEF.match(properties["clef"])) else []
    else:
        clefs = [match for word in _PROPERTY.sub(" ", text).split() if (match := _NAMED_CLEF.match(word))]
    shift = next((match[1] for match in clefs), None)
    clef = (12 if shift[0] == "+" else -12) * (2 if shift[1:] == "15" else 1) if shift else 0
    octave = _integer(properties.get("octave"))
    name = properties.get("name", properties.get("nm"))
    return Sound(
        clef=clef if clefs else None,
        octave=None if octave is None else 12 * octave,
        transpose=_integer(properties.get("transpose", properties.get("t"))),
        is_drum=any(match[0].startswith(("perc", "P")) for match in clefs) if clefs else None,
        name=name.replace("\\n", " ") if name is not None else None,
    )


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[+-]?\d{1,3}", text) else None


def _ratio(numerator: str, denominator: str | None) -> Fraction | None:
    denominator = denominator or "1"
    if max(len(numerator), len(denominator)) > _DIGITS or not int(denominator):
        return None
    return Fraction(int(numerator), int(denominator))
