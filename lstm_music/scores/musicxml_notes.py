"""One `note` of MusicXML → how long it lasts and how it sounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from xml.etree.ElementTree import Element

from lstm_music.scores.musicxml_clock import Timeline
from lstm_music.scores.musicxml_instruments import Ensemble, Instrument
from lstm_music.scores.musicxml_signs import NOTE_TYPES, dotted
from lstm_music.scores.musicxml_tree import number_of, whole_number

MOST_STAVES = 32  # of a part
DEFAULT_VELOCITY = 80  # mezzo-forte
_FORTE = Fraction(90, 100)  # loudness is a percentage of the velocity 90
_MIDDLE_LINE = ("B", 4)  # of the staff where percussion is written, in the treble clef
_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_TIES = {(True, True): "continue", (True, False): "start", (False, True): "stop", (False, False): ""}


@dataclass(frozen=True, slots=True)
class WrittenNote:
    """A note of a part, in quarters from the start of its measure. `staff` counts from 1, `tie` is as in `ScoreNote`."""

    onset: Fraction
    end: Fraction
    pitch: int
    program: int
    is_drum: bool
    velocity: int
    staff: int
    voice: str
    tie: str


@dataclass(slots=True)
class Surroundings:
    """What decides how a note sounds besides itself, and changes in a measure. Staff 0 stands for all that have no own value."""

    ensemble: Timeline[Ensemble]
    transposition: Timeline[Mapping[int, int]] = field(default_factory=lambda: Timeline({}))
    percussion_clef: Timeline[Mapping[int, bool]] = field(default_factory=lambda: Timeline({}))
    velocity: Timeline[int] = field(default_factory=lambda: Timeline(DEFAULT_VELOCITY))

    def next_measure(self) -> None:
        """Begin the next measure with what held at the end of this one."""
        for timeline in (self.ensemble, self.transposition, self.percussion_clef, self.velocity):
            timeline.next_measure()


def lengths_of(note: Element, divisions: Fraction) -> tuple[Fraction, Fraction] | None:
    """Return the length of a note in quarters as counted in divisions, and what it means; None if it has none.

    They differ where the length of its type lies less than one division beside the counted one.
    """
    kind = (note.findtext("type") or "").strip()
    if kind == "whole" and note.find("rest") is not None:
        kind = ""  # the sign of a whole rest fits any bar
    ratio = note.find("time-modification")
    actual, normal = ("1", "1") if ratio is None else (ratio.findtext("actual-notes"), ratio.findtext("normal-notes"))
    return _lengths(note.findtext("duration"), divisions, kind, len(note.findall("dot")), actual, normal)


def looks_like(note: Element, other: Element) -> bool:
    """Return whether two notes have the same type and dots."""
    kind = note.findtext("type")
    return kind is not None and (kind, len(note.findall("dot"))) == (other.findtext("type"), len(other.findall("dot")))


@lru_cache(1 << 10)  # a score has few of them
def _lengths(
    duration: str | None, divisions: Fraction, kind: str, dots: int, actual: str | None, normal: str | None
) -> tuple[Fraction, Fraction] | None:
    number = number_of(duration)
    if number is None or number < 0:
        return None
    counted = number / divisions
    tuplet = whole_number(actual, 1, 9999), whole_number(normal, 1, 9999)
    if kind not in NOTE_TYPES or tuplet[0] is None or tuplet[1] is None:
        return counted, counted
    written = dotted(NOTE_TYPES[kind], dots) * tuplet[1] / tuplet[0]
    return counted, written if abs(written - counted) * divisions < 1 else counted


def sounding_note(note: Element, onset: Fraction, end: Fraction, around: Surroundings) -> WrittenNote | None:
    """Return a note with its sound; None if its pitch is missing or beyond those of MIDI."""
    staff = whole_number(note.findtext("staff"), 1, MOST_STAVES) or 1
    ensemble = around.ensemble.at(onset)
    named = note.find("instrument")
    instrument = ensemble.instrument(None if named is None else named.get("id"))
    unpitched = note.find("unpitched")
    clefs = around.percussion_clef.at(onset)
    is_drum = unpitched is not None or _is_drum(instrument, clefs.get(staff, clefs.get(0, False)))
    if is_drum and instrument.drum is not None:
        pitch: int | None = instrument.drum
    elif unpitched is not None:
        pitch = _display_pitch(unpitched)
    else:
        semitones = around.transposition.at(onset)
        pitch = _pitch(note, semitones.get(staff, semitones.get(0, 0)))
    if pitch is None or not 0 <= pitch <= 127:
        return None
    return WrittenNote(
        onset=onset,
        end=end,
        pitch=pitch,
        program=instrument.program or 0,
        is_drum=is_drum,
        velocity=velocity_of(note.get("dynamics")) or around.velocity.at(onset),
        staff=staff,
        voice=note.findtext("voice") or "",
        tie=_tie(note),
    )


def velocity_of(loudness: str | None) -> int | None:
    """Return the velocity of a `dynamics` attribute, which is a percentage of forte; None if there is none."""
    percent = number_of(loudness)
    return None if percent is None or percent < 0 else min(max(round(percent * _FORTE), 1), 127)


def _is_drum(instrument: Instrument, has_percussion_clef: bool) -> bool:
    """Return whether a pitched note sounds as a drum: on channel 10, or under a percussion clef without a channel."""
    return has_percussion_clef if instrument.is_on_drum_channel is None else instrument.is_on_drum_channel


def _pitch(note: Element, semitones: int) -> int | None:
    pitch = note.find("pitch")
    if pitch is None:
        return None
    written = _key(pitch.findtext("step"), pitch.findtext("octave"))
    if written is None:
        return None
    alter = number_of(pitch.findtext("alter"))
    return written + semitones if alter is None else round(written + alter + semitones)


def _display_pitch(unpitched: Element) -> int | None:
    step, octave = unpitched.findtext("display-step"), unpitched.findtext("display-octave")
    return _key(*_MIDDLE_LINE) if step is None or octave is None else _key(step, octave)


def _key(step: str | None, octave: str | int | None) -> int | None:
    number = whole_number(str(octave), -1, 10)
    pitch_class = _PITCH_CLASSES.get((step or "").strip())
    return None if number is None or pitch_class is None else 12 * (number + 1) + pitch_class


def _tie(note: Element) -> str:
    """Return the tie of a note: its `tie` elements are the sound, `tied` is the picture and counts where they are missing."""
    ties = note.findall("tie") or [
        tied for notations in note.findall("notations") for tied in notations.findall("tied")
    ]
    types = {tie.get("type") for tie in ties}
    return _TIES["start" in types, "stop" in types]
