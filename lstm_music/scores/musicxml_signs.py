"""The signs of a MusicXML measure in numbers: signatures, tempos, transpositions, repeats."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from xml.etree.ElementTree import Element

from lstm_music.scores.musicxml_tree import first_number, number_of, whole_number
from lstm_music.scores.playing_order import MOST_PASSES, MeasureSigns

NOTE_TYPES = {
    "maxima": Fraction(32),
    "long": Fraction(16),
    "breve": Fraction(8),
    "whole": Fraction(4),
    "half": Fraction(2),
    "quarter": Fraction(1),
    "eighth": Fraction(1, 2),
    "16th": Fraction(1, 4),
    "32nd": Fraction(1, 8),
    "64th": Fraction(1, 16),
    "128th": Fraction(1, 32),
    "256th": Fraction(1, 64),
    "512th": Fraction(1, 128),
    "1024th": Fraction(1, 256),
}
_LONGEST_QUARTER = 0xFFFFFF  # microseconds, the largest tempo value that a MIDI file can hold
_MOST_DOTS = 8
_ENDING_NUMBERS = re.compile(r"(\d{1,2})(?:\s*-\s*(\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class TimeSign:
    """A time signature: the quarters of a bar (None without metre), and the fraction that a MIDI file can hold, if any."""

    quarters: Fraction | None
    fraction: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class KeySign:
    """A key signature, as written."""

    sharps: int
    is_minor: bool


def time_sign(element: Element) -> TimeSign | None:
    """Read a `time` element; None if its numbers mean nothing. Its sums (3+2/8, 3/4+2/8) become one fraction."""
    if element.find("senza-misura") is not None:
        return TimeSign(None, None)
    pairs: list[tuple[int, int]] = []
    beats = 0
    for child in element:
        if child.tag == "beats":
            numbers = [whole_number(part, 1, 255) for part in re.split(r"[+\s]+", (child.text or "").strip()[:99])]
            beats = sum(number or 0 for number in numbers)
        elif child.tag == "beat-type":
            unit = whole_number(child.text, 1, 1024)
            if beats and unit:
                pairs.append((beats, unit))
            beats = 0
    if not pairs:
        return None
    finest = max(unit for _, unit in pairs)
    quarters = sum((Fraction(4 * count, unit) for count, unit in pairs), Fraction(0))
    numerator = quarters * finest / 4
    is_midi = numerator.denominator == 1 and numerator <= 255 and finest in (1, 2, 4, 8, 16, 32, 64, 128)
    return TimeSign(quarters, (int(numerator), finest) if is_midi else None)


def key_sign(element: Element) -> KeySign | None:
    """Read a `key` element; None for one of single accidentals, which has no number of sharps."""
    sharps = whole_number(element.findtext("fifths"), -7, 7)
    return None if sharps is None else KeySign(sharps, (element.findtext("mode") or "").strip() == "minor")


def sounding_key(key: KeySign, semitones: int) -> KeySign:
    """Return the key of a transposing instrument as it sounds, with at most six accidentals where it changes."""
    if semitones % 12 == 0:
        return key
    return KeySign((key.sharps + 7 * semitones + 5) % 12 - 5, key.is_minor)


def transposition(element: Element) -> int:
    """Return the semitones from the written to the sounding pitch of a `transpose` element."""
    chromatic = number_of(element.findtext("chromatic")) or Fraction(0)
    octaves = whole_number(element.findtext("octave-change"), -9, 9) or 0
    return min(max(round(chromatic), -127), 127) + 12 * octaves


def sound_tempo(sound: Element | None) -> int | None:
    """Return the microseconds per quarter of a `sound` element with a tempo, in quarters per minute."""
    return _microseconds(number_of(sound.get("tempo"))) if sound is not None else None


def metronome_tempo(metronome: Element) -> int | None:
    """Return the microseconds per quarter of a metronome mark with a number, else None (such as one note = another)."""
    unit: Fraction | None = None
    dots = 0
    for child in metronome:
        if child.tag == "beat-unit":
            unit, dots = NOTE_TYPES.get((child.text or "").strip()), 0
        elif child.tag == "beat-unit-dot":
            dots += 1
    per_minute = first_number(metronome.findtext("per-minute"))
    if unit is None or per_minute is None:
        return None
    return _microseconds(per_minute * dotted(unit, dots))


def dotted(length: Fraction, dots: int) -> Fraction:
    """Return the length of a note with dots."""
    return length * (2 - Fraction(1, 2 ** min(dots, _MOST_DOTS)))


def add_barline(signs: MeasureSigns, barline: Element) -> MeasureSigns:
    """Add the repeat sign of a `barline`. Its endings run over several measures: see `ending_of`."""
    repeat = barline.find("repeat")
    if repeat is None:
        return signs
    if repeat.get("direction") == "forward":
        return replace(signs, starts_repeat=True)
    passes = whole_number(repeat.get("times"), 1, MOST_PASSES) or 2
    return replace(signs, passes=max(signs.passes, passes), repeats_after_jump=repeat.get("after-jump") == "yes")


def ending_of(barline: Element) -> tuple[str, frozenset[int]]:
    """Return the type of a barline's `ending` (start, stop, discontinue; "" without one) and the passes that it is for."""
    ending = barline.find("ending")
    if ending is None:
        return "", frozenset()
    passes: set[int] = set()
    for first, last in _ENDING_NUMBERS.findall(ending.get("number", "")[:99]):
        passes.update(range(int(first), min(int(last or first), MOST_PASSES) + 1))
    return ending.get("type", ""), frozenset(passes - {0})


def add_sound(signs: MeasureSigns, sound: Element) -> MeasureSigns:
    """Add the jumps of a `sound` element and the places to which they lead."""
    return replace(
        signs,
        starts_repeat=signs.starts_repeat or sound.get("forward-repeat") == "yes",
        da_capo=signs.da_capo or sound.get("dacapo") == "yes",
        dal_segno=signs.dal_segno or sound.get("dalsegno", ""),
        segno=signs.segno or sound.get("segno", ""),
        to_coda=signs.to_coda or sound.get("tocoda", ""),
        coda=signs.coda or sound.get("coda", ""),
        fine=signs.fine or sound.get("fine", "no") not in ("no", ""),
    )


def merged_signs(measures: Iterable[MeasureSigns]) -> MeasureSigns:
    """Return the signs of one measure of all parts: some programs write them in one part only."""
    merged = MeasureSigns()
    for signs in measures:
        merged = MeasureSigns(
            starts_repeat=merged.starts_repeat or signs.starts_repeat,
            passes=max(merged.passes, signs.passes),
            repeats_after_jump=merged.repeats_after_jump or signs.repeats_after_jump,
            ending=merged.ending or signs.ending,
            starts_ending=merged.starts_ending or signs.starts_ending,
            da_capo=merged.da_capo or signs.da_capo,
            dal_segno=merged.dal_segno or signs.dal_segno,
            segno=merged.segno or signs.segno,
            to_coda=merged.to_coda or signs.to_coda,
            coda=merged.coda or signs.coda,
            fine=merged.fine or signs.fine,
        )
    return merged


def _microseconds(quarters_per_minute: Fraction | None) -> int | None:
    if not quarters_per_minute or quarters_per_minute < 0:
        return None
    return min(max(round(60_000_000 / quarters_per_minute), 1), _LONGEST_QUARTER)
