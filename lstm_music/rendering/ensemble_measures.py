"""The measures of one part of an ensemble's score as elements of MusicXML."""

from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from lstm_music.rendering.beams import beams_of
from lstm_music.rendering.ensemble_notes import Head, add_value, child
from lstm_music.rendering.ensemble_score import EnsembleScore, ScorePart
from lstm_music.rendering.instrument_styles import ALTO, BASS_CLEF, PERCUSSION_CLEF, TENOR, TREBLE, TREBLE_8
from lstm_music.rendering.notation import Bar, Value
from lstm_music.rendering.spelling import Spelled, shown_accidentals, spelled
from lstm_music.rendering.voices import MAX_VOICES, QUARTER

_CLEFS = {  # sign, line, octaves between what is written there and what sounds
    TREBLE: ("G", 2, 0),
    TREBLE_8: ("G", 2, -1),
    ALTO: ("C", 3, 0),
    TENOR: ("C", 4, 0),
    BASS_CLEF: ("F", 4, 0),
    PERCUSSION_CLEF: ("percussion", 0, 0),
}


def add_measures(
    element: ET.Element, score: EnsembleScore, part: ScorePart, part_id: str, *, is_first: bool, is_single: bool
) -> None:
    """Add the measures of a part to its element; the first part has the tempo, and a single one joins its bars of rest."""
    own = [bar.staves[part.first_staff : part.first_staff + len(part.clefs)] for bar in score.bars]
    rests = _long_rests(score.bars, own) if is_single and len(part.clefs) == 1 else {}
    signature = None
    for place, (bar, staves) in enumerate(zip(score.bars, own, strict=True)):
        number = place + (0 if score.bars[0].skipped else 1)
        measure = child(element, "measure", number=str(number), **({"implicit": "yes"} if bar.skipped else {}))
        changed = (bar.numerator, bar.denominator) != signature
        signature = (bar.numerator, bar.denominator)
        _add_attributes(measure, part, signature if changed else None, is_first_bar=place == 0)
        if place == 0 and is_first:
            _add_tempo(measure, score.tempo)
        if place in rests:  # verovio draws no tempo that stands in a measure after this, and a clef beside it twice
            style = child(child(measure, "attributes"), "measure-style")
            child(style, "multiple-rest", str(rests[place]))
        _add_staves(measure, bar, staves, part, part_id)
        if place == len(own) - 1:
            child(child(measure, "barline", location="right"), "bar-style", "light-heavy")


def _long_rests(bars: Sequence[Bar], own: Sequence[tuple[tuple[tuple[Value, ...], ...], ...]]) -> dict[int, int]:
    """Return the first bar of each rest of several bars, and how many it lasts; it ends where the time signature changes.

    A part on two staves has none, as verovio draws it on the upper staff alone. A rest after a silent pickup leaves a bar
    between, or else its number would stand in the tempo above the pickup.
    """

    def kind(place: int) -> tuple[bool, int, int, int]:
        is_rest = not any(value.pitches for voices in own[place] for values in voices for value in values)
        return is_rest, bars[place].numerator, bars[place].denominator, bars[place].skipped

    found = {}
    for (is_rest, *_), members in groupby(range(len(bars)), key=kind):
        places = [place for place in members if place != 1 or not bars[0].skipped]
        if is_rest and len(places) > 1:
            found[places[0]] = len(places)
    return found


def _add_attributes(
    measure: ET.Element, part: ScorePart, signature: tuple[int, int] | None, *, is_first_bar: bool
) -> None:
    if not (is_first_bar or signature):
        return
    attributes = child(measure, "attributes")
    if is_first_bar:
        child(attributes, "divisions", str(QUARTER))
        if not part.part.is_drum:
            key = child(attributes, "key")
            child(key, "fifths", str(part.key.sharps))
            child(key, "mode", "minor" if part.key.is_minor else "major")
    if signature:
        time = child(attributes, "time")
        child(time, "beats", str(signature[0]))
        child(time, "beat-type", str(signature[1]))
    if is_first_bar:
        if len(part.clefs) > 1:
            child(attributes, "staves", str(len(part.clefs)))
        for number, clef in enumerate(part.clefs, start=1):
            _add_clef(attributes, clef, {"number": str(number)} if len(part.clefs) > 1 else {})
        _add_transposition(attributes, part)


def _add_clef(attributes: ET.Element, name: str, number: dict[str, str]) -> None:
    sign, line, octaves = _CLEFS[name]
    clef = child(attributes, "clef", **number)
    child(clef, "sign", sign)
    if line:
        child(clef, "line", str(line))
    if octaves:
        child(clef, "clef-octave-change", str(octaves))


def _add_transposition(attributes: ET.Element, part: ScorePart) -> None:
    how = part.transposition
    if how.total:
        transpose = child(attributes, "transpose")
        child(transpose, "diatonic", str(how.steps))
        child(transpose, "chromatic", str(how.semitones))
        if how.octaves:
            child(transpose, "octave-change", str(how.octaves))


def _add_tempo(measure: ET.Element, tempo: int) -> None:
    direction = child(measure, "direction", placement="above")
    metronome = child(child(direction, "direction-type"), "metronome")
    child(metronome, "beat-unit", "quarter")
    child(metronome, "per-minute", str(tempo))
    child(direction, "sound", tempo=str(tempo))


def _add_staves(
    measure: ET.Element, bar: Bar, staves: Sequence[tuple[tuple[Value, ...], ...]], part: ScorePart, part_id: str
) -> None:
    """Add the voices of all staves, one after another; of a staff, only the rests of its first voice with notes are printed."""
    is_begun = False
    for staff, voices in enumerate(staves):
        printed = next((number for number, values in enumerate(voices) if any(value.pitches for value in values)), 0)
        accidentals = _accidentals(voices, part)
        for number, values in enumerate(voices):
            if is_begun:
                child(child(measure, "backup"), "duration", str(bar.steps))
            is_begun = True
            beams = beams_of(bar, values)
            for place, (value, own) in enumerate(zip(values, beams, strict=True)):
                head = Head(
                    part,
                    part_id,
                    voice=staff * MAX_VOICES + number + 1,
                    staff=staff + 1 if len(staves) > 1 else 0,
                    is_printed=number == printed,
                    beams=own,
                )
                add_value(measure, bar, value, head, accidentals.get((number, place), ()))


def _accidentals(
    voices: Sequence[tuple[Value, ...]], part: ScorePart
) -> dict[tuple[int, int], list[tuple[Spelled, bool]]]:
    """Spell the pitches of a staff's bar, by voice and place in it, each with whether its accidental is shown."""
    if part.part.is_drum:
        return {}
    begun = sorted(
        (value.start, number, place)
        for number, values in enumerate(voices)
        for place, value in enumerate(values)
        if value.pitches
    )
    written = [
        (number, place, spelled(pitch - part.transposition.total, part.key), voices[number][place].is_tied_from)
        for _, number, place in begun
        for pitch in voices[number][place].pitches
    ]
    shown = shown_accidentals(((pitch, is_tied) for *_, pitch, is_tied in written), part.key.sharps)
    found: dict[tuple[int, int], list[tuple[Spelled, bool]]] = {}
    for (number, place, pitch, _), is_shown in zip(written, shown, strict=True):
        found.setdefault((number, place), []).append((pitch, is_shown))
    return found
