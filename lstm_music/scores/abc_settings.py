"""What is in force in a voice of an ABC tune: fields, properties and directives; and what of a tune cannot be read."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction

from lstm_music.scores.abc_fields import Key, Sound, read_key, read_meter, read_sound, read_tempo, read_unit

_DRUM_CHANNEL = 10
_MIDI = re.compile(r"MIDI[=\s]+(\w+)\s*(.*)", re.IGNORECASE)
_PROPAGATE = re.compile(r"propagate-accidentals[=\s]+(not|octave|pitch)")


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in force in a voice: fields, and what the properties of K: and V: change."""

    meter: tuple[int, int] = (0, 0)
    unit: Fraction = Fraction(1, 2)
    key: Key = field(default_factory=Key)
    tempo: int | None = None
    clef: int = 0  # semitones, as the next two
    octave: int = 0
    transpose: int = 0
    midi_transpose: int = 0
    is_drum: bool = False
    is_drum_channel: bool = False
    program: int = 0
    propagates: str = "pitch"  # what an accidental holds for until the bar line: "pitch", "octave" (every one) or "not"
    name: str = ""

    def with_field(self, kind: str, value: str, problems: "Problems") -> "Settings":
        """Return the settings after a field of the tune; one that cannot be read changes nothing and is counted."""
        match kind:
            case "M":
                meter = read_meter(value)
                if meter is None:
                    problems.add("meter", repr(value[:20]))
                return self if meter is None else replace(self, meter=meter)
            case "L":
                unit = read_unit(value)
                if not unit:
                    problems.add("note length", repr(value[:20]))
                return replace(self, unit=unit or self.unit)
            case "K":
                return replace(self, key=read_key(value) or self.key).with_sound(read_sound(value))
            case "Q":
                return replace(self, tempo=read_tempo(value, self.unit) or self.tempo)
            case "I" | "%%":
                return self.with_directive(value)
            case _:
                return self

    def with_sound(self, sound: Sound) -> "Settings":
        """Return the settings after the properties of a K: or V:."""
        given = {name: getattr(sound, name) for name in ("clef", "octave", "transpose", "is_drum", "name")}
        return replace(self, **{name: value for name, value in given.items() if value is not None})

    def with_directive(self, text: str) -> "Settings":
        """Return the settings after a directive; those that do not change notes are passed over."""
        if match := _PROPAGATE.match(text):
            return replace(self, propagates=match[1])
        match = _MIDI.match(text)
        numbers = [int(number) for number in re.findall(r"-?\d{1,3}\b", match[2][:100])] if match else []
        if match is None or not numbers:
            return self
        match match[1].lower():
            case "program" if 0 <= numbers[-1] <= 127:
                return replace(self, program=numbers[-1])
            case "channel":
                return replace(self, is_drum_channel=numbers[0] == _DRUM_CHANNEL)
            case "transpose":
                return replace(self, midi_transpose=numbers[0])
            case _:
                return self


@dataclass
class Problems:
    """What of a tune cannot be read, by kind: how many, and the first."""

    numbers: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, example: str) -> None:
        """Count one of a kind."""
        self.numbers[kind] += 1
        self.first.setdefault(kind, example)

    def warnings(self) -> list[str]:
        """Return a clause for each kind."""
        return [
            f"has a {kind} that cannot be read and is left out ({self.first[kind]})"
            if number == 1
            else f"has {number:,} {kind}s that cannot be read and are left out (first: {self.first[kind]})"
            for kind, number in self.numbers.items()
        ]
