"""The instruments of a MusicXML part: which program or drum sounds a note.

`midi-program`, `midi-unpitched` and `midi-channel` count from 1. What the file gives in numbers holds; a name only says what
no number says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from lstm_music.scores.instruments import named_drum, named_program
from lstm_music.scores.musicxml_tree import plain_text, whole_number

_DRUM_CHANNEL = 10
_MOST_INSTRUMENTS = 512  # that a part gets on the way; a drum set has 50


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a file says of the sound of an instrument; None where it says nothing."""

    program: int | None = None
    drum: int | None = None
    is_on_drum_channel: bool | None = None


@dataclass(frozen=True, slots=True)
class Ensemble:
    """The instruments of a part, by id, and which of them plays the notes that name none."""

    instruments: Mapping[str, Instrument]
    playing: str

    def instrument(self, name: str | None) -> Instrument:
        """Return the instrument of a note that names one or none; one that is not listed has no sound of its own."""
        return self.instruments.get(self.playing if name is None else name, Instrument())

    def after(self, sound: Element) -> "Ensemble":
        """Return the ensemble after a `sound` element, which can change an instrument, or which of them plays."""
        changed = self
        for element in sound:
            name = element.get("id", "")
            if element.tag not in ("instrument-change", "midi-instrument") or not name:
                continue
            if name not in changed.instruments and len(changed.instruments) >= _MOST_INSTRUMENTS:
                continue
            now = changed.instruments.get(name, Instrument())
            if element.tag == "instrument-change":
                program = named_program(plain_text(element, "instrument-sound"))
                now = now if program is None else replace(now, program=program)
            else:
                now = _with_numbers(now, element)
            if changed.instruments.get(name) != now:
                changed = Ensemble({**changed.instruments, name: now}, name)
            elif changed.playing != name:
                changed = Ensemble(changed.instruments, name)
        return changed


def ensemble_of(listed: Element) -> Ensemble:
    """Return the instruments of a part from its entry in the list of parts."""
    part_name = plain_text(listed, "part-name")
    instruments: dict[str, Instrument] = {}
    for element in listed.iterfind("score-instrument"):
        sound, name = plain_text(element, "instrument-sound"), plain_text(element, "instrument-name")
        instruments[element.get("id", "")] = Instrument(named_program(sound, name, part_name), named_drum(sound, name))
    for element in listed.iterfind("midi-instrument"):
        name = element.get("id", "")
        instruments[name] = _with_numbers(instruments.get(name, Instrument()), element)
    if not instruments:
        instruments[""] = Instrument(named_program(part_name), named_drum(part_name))
    return Ensemble(instruments, next(iter(instruments)))


def _with_numbers(instrument: Instrument, element: Element) -> Instrument:
    """Return the instrument with what a `midi-instrument` says of it."""
    channel = whole_number(element.findtext("midi-channel"), 1, 16)
    program = whole_number(element.findtext("midi-program"), 1, 128)
    drum = whole_number(element.findtext("midi-unpitched"), 1, 128)
    return Instrument(
        program=instrument.program if program is None else program - 1,
        drum=instrument.drum if drum is None else drum - 1,
        is_on_drum_channel=instrument.is_on_drum_channel if channel is None else channel == _DRUM_CHANNEL,
    )
