"""Sheet music: a piece as MusicXML, written by music21.

The text depends on neither the day nor chance: the same piece gives the same bytes.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from lstm_music.errors import RejectedInputError
from lstm_music.midi.key import estimate_key
from lstm_music.midi.notes import KeySignature, PieceNotes
from lstm_music.midi.text import printable
from lstm_music.rendering.notation import Bar, Value, write_bars
from lstm_music.rendering.spelling import Spelled, shown_accidentals, spelled
from lstm_music.rendering.tempo import average_tempo
from lstm_music.rendering.voices import QUARTER

TITLE_LIMIT = 120
CLEF_PITCH = 60  # a hand whose notes lie higher on average is written in the treble clef


def musicxml(piece: PieceNotes, title: str, composer: str = "") -> str:
    """Write a piece as MusicXML: one part, a piano, on two staves for the right and the left hand.

    Onsets and durations are moved to thirty-seconds, triplets or sextuplets (see `notation`); every bar is filled. The tempo is
    the average one. The key signature is the first one of the piece, or that of the estimated key where it has none. Raises
    RejectedInputError for a piece without pitched notes.
    """
    from music21.layout import StaffGroup
    from music21.metadata import Metadata
    from music21.musicxml.m21ToXml import GeneralObjectExporter
    from music21.stream import Score

    if piece.notes["is_drum"].all():
        raise RejectedInputError("holds no pitched notes to write as a score")
    bars, key = write_bars(piece), piece.key_signatures[0] if piece.key_signatures else estimate_key(piece)
    score = Score(id="score")
    score.metadata = Metadata(title=shown_title(title))
    if composer:
        score.metadata.composer = shown_title(composer)
    staves = [_staff(bars, hand, key, average_tempo(piece)) for hand in (0, 1)]
    for staff in staves:
        score.insert(0, staff)
    score.insert(0, StaffGroup(staves, name="Piano", symbol="brace", barTogether=True))
    exporter = GeneralObjectExporter(score)
    exporter.makeNotation = False
    text: str = exporter.parse().decode("utf-8")
    return _fixed(text)


def _staff(bars: Sequence[Bar], hand: int, key: KeySignature, quarters_per_minute: int) -> Any:
    """Make the staff of a hand, 0 the right one, of a list of bars."""
    from music21 import bar as barline
    from music21 import meter, stream

    staff = stream.PartStaff(id=f"P1-Staff{hand + 1}")
    staff.partName = "Piano"
    staff.insert(0, _piano())
    signature = None
    at = Fraction(0)
    for number, bar in enumerate(bars, start=0 if bars[0].skipped else 1):
        measure = stream.Measure(number=number)
        if bar.skipped:
            measure.paddingLeft = Fraction(bar.skipped, QUARTER)
            measure.showNumber = stream.enums.ShowNumber.NEVER  # written as implicit="yes": the bar is not counted
        if bar is bars[0]:
            for element in _beginning(bars, hand, key, quarters_per_minute):
                measure.insert(0, element)
        if (bar.numerator, bar.denominator) != signature:
            signature = (bar.numerator, bar.denominator)
            time = meter.TimeSignature(f"{bar.numerator}/{bar.denominator}")
            measure.insert(0, time)
        _insert_voices(measure, bar, hand, time, key)
        if bar is bars[-1]:
            measure.rightBarline = barline.Barline("final")
        staff.insert(at, measure)
        at += Fraction(bar.steps, QUARTER)
    return staff


def _piano() -> Any:
    """Make the instrument, with all that MuseScore looks for: names, and a MIDI channel and program."""
    from music21 import instrument

    piano = instrument.Piano()
    piano.partId, piano.partName = "P1", "Piano"
    piano.instrumentId = "P1-I1"
    piano.instrumentAbbreviation = piano.partAbbreviation = "Pno."
    piano.midiChannel = 0
    return piano


def _beginning(bars: Sequence[Bar], hand: int, key: KeySignature, quarters_per_minute: int) -> list[Any]:
    """Make what stands at the beginning of a staff: its clef and key signature, and the tempo above the upper one."""
    from music21 import clef, tempo
    from music21 import key as keys

    pitches = [pitch for bar in bars for voice in bar.staves[hand] for value in voice for pitch in value.pitches]
    is_high = float(np.mean(pitches)) >= CLEF_PITCH if pitches else hand == 0
    elements: list[Any] = [
        clef.TrebleClef() if is_high else clef.BassClef(),
        keys.KeySignature(key.sharps).asKey("minor" if key.is_minor else "major"),
    ]
    if hand == 0:
        elements.append(tempo.MetronomeMark(number=quarters_per_minute))
        elements[-1].placement = "above"
    return elements


def _insert_voices(measure: Any, bar: Bar, hand: int, time: Any, key: KeySignature) -> None:
    """Insert the voices of one hand into a measure; only the rests of the first voice that has notes are printed."""
    from music21 import stream

    voices = bar.staves[hand]
    printed = next((number for number, values in enumerate(voices) if any(value.pitches for value in values)), 0)
    begun: list[tuple[Value, Any]] = []
    for number, values in enumerate(voices):
        elements = [_element(value, key, is_printed=number == printed) for value in values]
        begun += zip(values, elements, strict=True)
        beams = time.getBeams(elements, measureStartOffset=Fraction(bar.skipped, QUARTER))
        for element, of_element in zip(elements, beams, strict=True):
            if of_element is not None and not element.isRest:
                element.beams = of_element
        into = measure if len(voices) == 1 else stream.Voice(id=str(number + 1))
        for value, element in zip(values, elements, strict=True):
            into.insert(Fraction(value.start, QUARTER), element)
        if into is not measure:
            measure.insert(0, into)
    _show_accidentals(sorted(begun, key=lambda pair: pair[0].start), key.sharps)


def _show_accidentals(begun: Sequence[tuple[Value, Any]], sharps: int) -> None:
    """Show an accidental where neither the key signature nor one before it in the bar says the same; none after a tie."""
    pitches = [(pitch, value.is_tied_from) for value, element in begun for pitch in element.pitches]
    written = [(Spelled(pitch.step, int(pitch.alter), pitch.octave), is_tied) for pitch, is_tied in pitches]
    for (pitch, _), is_shown in zip(pitches, shown_accidentals(written, sharps), strict=True):
        if is_shown and not pitch.alter:
            pitch.accidental = "natural"
        if pitch.accidental is not None:
            pitch.accidental.displayStatus = is_shown


def _element(value: Value, key: KeySignature, *, is_printed: bool) -> Any:
    """Make the note, chord or rest of a value."""
    from music21 import chord, note, tie
    from music21.duration import Duration

    duration = Duration(Fraction(value.length, QUARTER))
    if value.tuplet in {"start", "stop"}:
        duration.tuplets[0].type = value.tuplet
    if not value.pitches:
        rest = note.Rest(duration=duration)
        rest.style.hideObjectOnPrint = not is_printed
        return rest
    notes = [note.Note(_pitch(pitch, key), duration=duration) for pitch in value.pitches]
    if value.is_tied_from or value.is_tied_on:
        kind = "start" if not value.is_tied_from else "continue" if value.is_tied_on else "stop"
        for one in notes:
            one.tie = tie.Tie(kind)
    return notes[0] if len(notes) == 1 else chord.Chord(notes, duration=duration)


def _pitch(number: int, key: KeySignature) -> Any:
    from music21.pitch import Pitch

    step, alteration, octave = spelled(number, key)
    pitch = Pitch(step, octave=octave)
    if alteration:
        pitch.accidental = alteration
    return pitch


def shown_title(text: str) -> str:
    """Give the title or composer that stands above the music: printable, on one line, of at most `TITLE_LIMIT` characters."""
    shown = printable(text)
    return shown if len(shown) <= TITLE_LIMIT else shown[: TITLE_LIMIT - 1] + "…"


def _fixed(text: str) -> str:
    """Take out when it was encoded, and call the part P1."""
    text = re.sub(r"\s*<encoding-date>[^<]*</encoding-date>", "", text)
    return re.sub(r'(<(?:score-)?part id=")[^"]*"', r'\1P1"', text)
