"""What a person can ask of new music: its length, tempo, meter, key, register and loudness, and how each is written.

Every setting says nothing by default; then prompt and models decide, and the settings of a generation are written as before
there was steering.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from lstm_music.encoding.harmony import LETTERS, ROOTS, SIGNS
from lstm_music.midi.key import key_name

SLOWEST, FASTEST = 10, 500
"""Quarter notes a minute."""

_FIFTHS = {letter: place for place, letter in enumerate("FCGDAEB", start=-1)}  # sharps of the major key of each letter
_SHARPS_IN_A_SEMITONE = 7
_MINOR = -3  # sharps of a minor key, against the major key on the same tonic
_MOST_SHARPS = 7
_KEY = re.compile(r"([A-G])([#♯b♭]?)(?:[\s-]*(major|minor)|(?-i:m))", re.IGNORECASE)
_PITCH = r"[A-Ga-g][#♯b♭]?-?\d|\d{1,3}"
_TO = r"[-\u2013]"  # a hyphen or a dash
_REGISTER = re.compile(rf"\s*({_PITCH})\s*{_TO}\s*({_PITCH})\s*")
_METER = re.compile(r"(\d{1,2})/(\d{1,2})")
_BARS = re.compile(rf"(\d{{1,5}})(?:{_TO}(\d{{1,5}}))?")
_HIGHEST = 127
MOST_BARS = 1000


@dataclass(frozen=True)
class Key:
    """A key by the sharps (negative: flats) of its signature, and whether it is minor."""

    sharps: int
    is_minor: bool


def read_key(text: str) -> Key:
    """Read `A minor`, `Am`, `F# major` or `Bb major`. Raises ValueError for anything else, or over seven signs."""
    found = _KEY.fullmatch(text.strip())
    if found is None:
        raise ValueError("expected a key such as 'A minor', 'Bb major' or 'F# minor'")
    letter, sign = found[1].upper(), SIGNS[found[2].lower()]
    is_minor = (found[3] or "minor").lower() == "minor"
    sharps = _FIFTHS[letter] + _SHARPS_IN_A_SEMITONE * sign + _MINOR * is_minor
    if abs(sharps) > _MOST_SHARPS:
        same = key_name(sharps - 12 if sharps > 0 else sharps + 12, is_minor=is_minor)
        raise ValueError(
            f"expected a key of at most {_MOST_SHARPS} sharps or flats, such as {same!r}, which sounds the same"
        )
    return Key(sharps, is_minor)


def read_register(text: str) -> tuple[int, int]:
    """Read `C3-C6` or `48-84` as two MIDI numbers, both inclusive. C4 is middle C. Raises ValueError for anything else."""
    found = _REGISTER.fullmatch(text)
    if found is None:
        raise ValueError("expected the lowest and the highest note, such as C3-C6, Bb2-F#5 or 48-84")
    low, high = (_midi_number(name) for name in found.groups())
    if not 0 <= low <= high <= _HIGHEST:
        raise ValueError("expected the lowest note first, and both from 0 (C-1) to 127 (G9)")
    return low, high


def read_note(text: str) -> int:
    """Read `C4` or `60` as a MIDI number; C4 is middle C. Raises ValueError for anything else."""
    if not re.fullmatch(_PITCH, text.strip()) or not 0 <= _midi_number(text.strip()) <= _HIGHEST:
        raise ValueError("expected a note from C-1 to G9, such as C4, Bb2 or 60")
    return _midi_number(text.strip())


def _midi_number(name: str) -> int:
    if name.isdecimal():
        return int(name)
    sign = name[1] if name[1] in SIGNS else ""
    return LETTERS[name[0].upper()] + SIGNS[sign] + 12 * (int(name[1 + len(sign) :]) + 1)


def note_name(number: int) -> str:
    """Name a MIDI number as `read_register` reads it: `Bb2`."""
    return f"{ROOTS[number % 12]}{number // 12 - 1}"


def read_meter(text: str) -> tuple[int, int]:
    """Read `3/4` as (numerator, denominator). Raises ValueError for anything else."""
    found = _METER.fullmatch(text.strip())
    numerator, denominator = (int(found[1]), int(found[2])) if found else (0, 0)
    if not numerator or denominator not in {1, 2, 4, 8, 16, 32}:
        raise ValueError("expected a time signature such as 3/4 or 6/8")
    return numerator, denominator


def read_bars(text: str) -> tuple[int, int]:
    """Read `1-8` or `5` as the first and the last bar; a pickup is bar 0. Raises ValueError for anything else."""
    found = _BARS.fullmatch(text.strip())
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if first > last:
        raise ValueError("expected the first and the last bar, such as 1-8; a pickup is bar 0")
    return first, last


def _fit(tempo: float) -> float:
    if tempo and not SLOWEST <= tempo <= FASTEST:
        raise ValueError(f"expected {SLOWEST} to {FASTEST} quarter notes a minute")
    return tempo


def read_by(write: Callable[[str], str]) -> AfterValidator:
    """Check a text, if there is one, and write it the one way, so that what means the same has one key."""
    return AfterValidator(lambda text: write(text) if text.strip() else "")


def key_text(text: str) -> str:
    """Write a key the one way: `A minor`. Raises ValueError for what is none."""
    key = read_key(text)
    return key_name(key.sharps, is_minor=key.is_minor)


def _register(text: str) -> str:
    return "-".join(map(note_name, read_register(text)))


def _meter(text: str) -> str:
    return "/".join(map(str, read_meter(text)))


def _bars(text: str) -> str:
    return "-".join(map(str, dict.fromkeys(read_bars(text))))


class Steering(BaseModel):
    """What is asked of the music itself. 0 and "" ask nothing.

    New music ends after `bars` bars, the first of which is the one that it begins in, or after `seconds`, counted from the
    same barline. `tempo` is in quarter notes a minute, `meter` a time signature, `key` the key that prompts are moved to,
    `pitch_range` the lowest and highest new note, `velocity` how loud all notes are, 1 to 127. `prompt_bars` are the bars of a
    file of one's own that are the prompt.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bars: int = Field(default=0, ge=0, le=MOST_BARS)
    seconds: float = Field(default=0, ge=0, le=3600, allow_inf_nan=False)
    tempo: Annotated[float, AfterValidator(_fit)] = Field(default=0, allow_inf_nan=False)
    meter: Annotated[str, read_by(_meter)] = ""
    key: Annotated[str, read_by(key_text)] = ""
    pitch_range: Annotated[str, read_by(_register)] = ""
    velocity: int = Field(default=0, ge=0, le=127)
    prompt_bars: Annotated[str, read_by(_bars)] = ""

    @property
    def has_length(self) -> bool:
        """Whether the music has to end at a certain time."""
        return bool(self.bars or self.seconds)


STEERING = tuple(Steering.model_fields)
