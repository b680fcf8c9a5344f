"""The notes and rests of a measure as elements of MusicXML, in the order that its schema asks for."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

from lstm_music.rendering.ensemble_score import ScorePart
from lstm_music.rendering.notation import Bar, Value
from lstm_music.rendering.percussion import NORMAL, Drum, drum_of
from lstm_music.rendering.signs import sign_of
from lstm_music.rendering.spelling import Spelled

_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_STEPS = "CDEFGAB"


class Head(NamedTuple):
    """What is said of each note of a value: its part, voice and staff (0 in a part of one), if rests are printed, its beams."""

    part: ScorePart
    part_id: str
    voice: int
    staff: int
    is_printed: bool
    beams: tuple[str, ...]


def child(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    """Add an element to another, with a text or none."""
    element = ET.SubElement(parent, tag, attributes)
    if text:
        element.text = text
    return element


def add_value(measure: ET.Element, bar: Bar, value: Value, head: Head, pitches: Sequence[tuple[Spelled, bool]]) -> None:
    """Add a rest, a note or a chord of a bar to its measure.

    `pitches` are those of a pitched value as they are written, each with whether its accidental is shown.
    """
    if not value.pitches:
        _add_rest(measure, bar, value, head)
    elif head.part.part.is_drum:
        _add_drums(measure, value, head)
    else:
        _add_pitches(measure, value, head, pitches)


def _add_rest(measure: ET.Element, bar: Bar, value: Value, head: Head) -> None:
    is_whole_bar = value.length == bar.steps
    note = child(measure, "note", **({} if head.is_printed else {"print-object": "no"}))
    child(note, "rest", **({"measure": "yes"} if is_whole_bar else {}))
    _add_length(note, value, head, has_sign=not is_whole_bar)
    _add_look(note, value, head, is_first=True)


def _add_drums(measure: ET.Element, value: Value, head: Head) -> None:
    for place, key in enumerate(sorted(value.pitches, key=lambda key: _height(drum_of(key)))):
        drum = drum_of(key)
        note = _begun(measure, place)
        unpitched = child(note, "unpitched")
        child(unpitched, "display-step", drum.place[0])
        child(unpitched, "display-octave", drum.place[1:])
        _add_length(note, value, head, instrument=f"{head.part_id}-I{key}")
        child(note, "stem", "down" if drum.is_foot else "up")
        if drum.head != NORMAL:
            child(note, "notehead", drum.head)
        _add_look(note, value, head, is_first=place == 0)


def _add_pitches(measure: ET.Element, value: Value, head: Head, pitches: Sequence[tuple[Spelled, bool]]) -> None:
    for place, ((step, alteration, octave), is_shown) in enumerate(pitches):
        note = _begun(measure, place)
        pitch = child(note, "pitch")
        child(pitch, "step", step)
        if alteration:
            child(pitch, "alter", str(alteration))
        child(pitch, "octave", str(octave))
        _add_length(note, value, head, accidental=_ACCIDENTALS[alteration] if is_shown else "")
        _add_look(note, value, head, is_first=place == 0)


def _height(drum: Drum) -> int:
    return int(drum.place[1:]) * len(_STEPS) + _STEPS.index(drum.place[0])


def _begun(measure: ET.Element, place: int) -> ET.Element:
    """Begin a note; those after the first one of a chord say that they belong to it."""
    note = child(measure, "note")
    if place:
        child(note, "chord")
    return note


def _add_length(
    note: ET.Element, value: Value, head: Head, *, has_sign: bool = True, instrument: str = "", accidental: str = ""
) -> None:
    """Add how long a note lasts, whom it belongs to, and its sign; the sign of a rest of a whole bar fits any bar."""
    child(note, "duration", str(value.length))
    for kind in _ties(value):
        child(note, "tie", type=kind)
    if instrument:
        child(note, "instrument", id=instrument)
    child(note, "voice", str(head.voice))
    if has_sign:
        kind, dots = sign_of(value)
        child(note, "type", kind)
        for _ in range(dots):
            child(note, "dot")
    if accidental:
        child(note, "accidental", accidental)
    if value.tuplet:
        ratio = child(note, "time-modification")
        child(ratio, "actual-notes", "3")
        child(ratio, "normal-notes", "2")


def _add_look(note: ET.Element, value: Value, head: Head, *, is_first: bool) -> None:
    """Add the staff; the beams and tuplets, which the first note of a chord has; and the ties, which each has."""
    if head.staff:
        child(note, "staff", str(head.staff))
    for line, beam in enumerate(head.beams if is_first else (), start=1):
        child(note, "beam", beam, number=str(line))
    is_edge = value.tuplet in {"start", "stop"} and is_first
    ties = list(_ties(value))
    if ties or is_edge:
        notations = child(note, "notations")
        for kind in ties:
            child(notations, "tied", type=kind)
        if is_edge:
            child(notations, "tuplet", type=value.tuplet)


def _ties(value: Value) -> Iterator[str]:
    if value.is_tied_from:
        yield "stop"
    if value.is_tied_on:
        yield "start"
