"""Sheet music: a piece as MusicXML (music21), MusicXML as pictures (verovio), pictures as a PDF (`pdf`).

Nothing here depends on the day or on chance: the same piece gives the same bytes.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.text import printable
from lstm_music.rendering.audio import seconds_at
from lstm_music.rendering.notation import QUARTER, Bar, Value, write_bars

TITLE_LIMIT = 120
CLEF_PITCH = 60  # a hand whose notes lie higher on average is written in the treble clef

_NAMES = "FCGDAEB"  # the line of fifths
_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_METRONOME = re.compile(r"<metronome.*?<per-minute>(\d+)</per-minute>.*?</metronome>", re.DOTALL)
_DRAWN = {
    "footer": "none",
    "breaks": "auto",
    "svgViewBox": True,
    "svgFormatRaw": True,
    "svgRemoveXlink": True,
    "smuflTextFont": "none",
    "xmlIdSeed": 1,
}
_AS_PAGES = {"pageWidth": 2100, "pageHeight": 2970}  # A4 in tenths of a millimetre
_AS_EXCERPT = {"pageWidth": 2400, "pageHeight": 60_000, "adjustPageHeight": True, "header": "none"}


def musicxml(piece: PieceNotes, title: str, composer: str | None = None) -> str:
    """Write a piece as MusicXML on two staves, for the right and the left hand.

    Onsets and durations are moved to thirty-seconds, triplets or sextuplets (see `notation`); every bar is filled. The tempo is
    the average one; a key signature, where the piece has none, is the one that needs the fewest accidentals. Raises
    RejectedInputError for a piece without pitched notes.
    """
    from music21.layout import StaffGroup
    from music21.metadata import Metadata
    from music21.musicxml.m21ToXml import GeneralObjectExporter
    from music21.stream import Score

    if piece.notes["is_drum"].all():
        raise RejectedInputError("holds no pitched notes to write as a score")
    bars, sharps = write_bars(piece), _sharps(piece)
    score = Score(id="score")
    score.metadata = Metadata(title=_shown(title), composer=_shown(composer or ""))
    staves = [_staff(bars, hand, sharps, _tempo(piece)) for hand in (0, 1)]
    for staff in staves:
        score.insert(0, staff)
    score.insert(0, StaffGroup(staves, name="Piano", symbol="brace", barTogether=True))
    exporter = GeneralObjectExporter(score)
    exporter.makeNotation = False
    text: str = exporter.parse().decode("utf-8")
    return _fixed(text)


def score_svg(musicxml: str, *, bars: tuple[int, int] | None = None, prefix: str = "score") -> list[str]:
    """Draw MusicXML as SVG: A4 pages, or `bars` (from 1 on, both inclusive) as one picture that is as high as they need.

    Every id begins with `prefix`; give different ones to pictures that stand in one page of HTML. They take the width that
    they are given and the colour of the text around them. Raises RejectedInputError for what is no MusicXML, and for bars
    that are not there.
    """
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions(_DRAWN | (_AS_PAGES if bars is None else _AS_EXCERPT))
    if not toolkit.loadData(_METRONOME.sub(r"<words>quarter note = \1</words>", musicxml)):
        raise RejectedInputError("the score cannot be drawn: it is no MusicXML")
    if bars is not None:
        first, last = bars[0], min(bars[1], musicxml.count("<measure "))
        if not 1 <= first <= last:
            raise RejectedInputError(f"the score has no bars {bars[0]} to {bars[1]}")
        toolkit.select({"measureRange": f"{first}-{last}"})
        toolkit.redoLayout()
    pages = range(1, toolkit.getPageCount() + 1)
    return [_inlined(toolkit.renderToSVG(page), f"{prefix}-{page}") for page in pages]


def _staff(bars: Sequence[Bar], hand: int, sharps: int, quarters_per_minute: int) -> Any:
    """Make the staff of a hand, 0 the right one, of a list of bars."""
    from music21 import clef, key, meter, stream, tempo

    staff = stream.PartStaff(id=f"P1-Staff{hand + 1}")
    staff.partName = "Piano"
    pitches = [pitch for bar in bars for voice in bar.hands[hand] for value in voice for pitch in value.pitches]
    is_high = float(np.mean(pitches)) >= CLEF_PITCH if pitches else hand == 0
    signature = None
    at = Fraction(0)
    for number, bar in enumerate(bars, start=1):
        measure = stream.Measure(number=number)
        if number == 1:
            measure.insert(0, clef.TrebleClef() if is_high else clef.BassClef())
            measure.insert(0, key.KeySignature(sharps))
            if hand == 0:
                measure.insert(0, tempo.MetronomeMark(number=quarters_per_minute))
        if (bar.numerator, bar.denominator) != signature:
            signature = (bar.numerator, bar.denominator)
            time = meter.TimeSignature(f"{bar.numerator}/{bar.denominator}")
            measure.insert(0, time)
        _insert_voices(measure, bar.hands[hand], time, sharps)
        staff.insert(at, measure)
        at += Fraction(bar.steps, QUARTER)
    return staff


def _insert_voices(measure: Any, voices: Sequence[Sequence[Value]], time: Any, sharps: int) -> None:
    """Insert the voices of one hand into a measure; rests of the second are there and not printed."""
    from music21 import stream

    begun: list[tuple[Value, Any]] = []
    for number, values in enumerate(voices, start=1):
        elements = [_element(value, sharps, is_printed=number == 1) for value in values]
        begun += zip(values, elements, strict=True)
        for element, beams in zip(elements, time.getBeams(elements, 0.0), strict=True):
            if beams is not None and not element.isRest:
                element.beams = beams
        into = measure if len(voices) == 1 else stream.Voice(id=str(number))
        for value, element in zip(values, elements, strict=True):
            into.insert(Fraction(value.start, QUARTER), element)
        if into is not measure:
            measure.insert(0, into)
    _show_accidentals(sorted(begun, key=lambda pair: pair[0].start), sharps)


def _show_accidentals(begun: Sequence[tuple[Value, Any]], sharps: int) -> None:
    """Show an accidental where neither the key signature nor one before it in the bar says the same; none after a tie."""
    signature = dict.fromkeys(_NAMES[: max(sharps, 0)], 1) | dict.fromkeys(_NAMES[7 + min(sharps, 0) :], -1)
    said: dict[tuple[str, int], int] = {}
    for value, element in begun:
        for pitch in element.pitches:
            place, alteration = (pitch.step, pitch.octave), int(pitch.alter)
            is_shown = not value.is_tied_from and alteration != said.get(place, signature.get(pitch.step, 0))
            if not value.is_tied_from:
                said[place] = alteration
            if is_shown and not alteration:
                pitch.accidental = "natural"
            if pitch.accidental is not None:
                pitch.accidental.displayStatus = is_shown


def _element(value: Value, sharps: int, *, is_printed: bool) -> Any:
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
    notes = [note.Note(_pitch(pitch, sharps), duration=duration) for pitch in value.pitches]
    if value.is_tied_from or value.is_tied_on:
        kind = "start" if not value.is_tied_from else "continue" if value.is_tied_on else "stop"
        for one in notes:
            one.tie = tie.Tie(kind)
    return notes[0] if len(notes) == 1 else chord.Chord(notes, duration=duration)


def _pitch(number: int, sharps: int) -> Any:
    """Spell a MIDI pitch by the harmonic chromatic scale of a key: in C major C, C#, D, E-, E, F, F#, G, G#, A, B-, B."""
    from music21.pitch import Pitch

    lowest = sharps - 3  # on the line of fifths, where C is 0
    fifths = (number * 7 - lowest) % 12 + lowest
    alteration, name = divmod(fifths + 1, 7)
    octave = (number - alteration) // 12 - 1  # that of the natural note: C-flat 4 sounds as B3
    pitch = Pitch(_NAMES[name], octave=octave)
    if alteration:
        pitch.accidental = alteration
    return pitch


def _sharps(piece: PieceNotes) -> int:
    """Give the sharps of the first key signature, else those whose major scale has the most notes; of equals the fewest."""
    if piece.key_signatures:
        return max(-7, min(7, piece.key_signatures[0].sharps))
    counts = np.bincount(piece.notes["pitch"][~piece.notes["is_drum"]] % 12, minlength=12)
    inside = {sharps: sum(int(counts[(step + 7 * sharps) % 12]) for step in _MAJOR) for sharps in range(-5, 7)}
    return max(inside, key=lambda sharps: (inside[sharps], -abs(sharps), sharps))


def _tempo(piece: PieceNotes) -> int:
    """Quarters a minute, on average over the piece."""
    end = int((piece.notes["onset_ticks"] + piece.notes["duration_ticks"]).max())
    seconds = float(seconds_at(piece, end))
    return max(1, round(60 * end / piece.ticks_per_quarter / seconds)) if seconds else 120


def _shown(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= TITLE_LIMIT else shown[: TITLE_LIMIT - 1] + "…"


def _fixed(text: str) -> str:
    """Take out when it was encoded, and call the part P1."""
    text = re.sub(r"\s*<encoding-date>[^<]*</encoding-date>", "", text)
    return re.sub(r'(<(?:score-)?part id=")[^"]*"', r'\1P1"', text)


def _inlined(svg: str, name: str) -> str:
    """Make verovio's picture one that can stand in a page: ids of its own and no others, no tooltips, the page's colour."""
    root = re.search(r'<svg [^>]*\bid="([^"]+)"', svg)
    assert root is not None
    own = re.escape(root[1])
    svg = re.sub(rf' id="(?![^"]*{own}")[^"]*"', "", svg)
    svg = re.sub(rf'(id="|href="#)(\w+)-{own}"', rf'\1{name}-\2"', svg)
    svg = svg.replace(root[1], name).replace(' color="black"', "")
    svg = re.sub(r'<g class="[^"]*placeholder[^"]*"><ellipse [^>]*/></g>', "", svg)  # hidden, where styles are read
    svg = re.sub(r"<desc>.*?</desc>|<title[ >].*?</title>", "", svg, flags=re.DOTALL)
    return svg.replace("<svg ", '<svg role="img" aria-label="score" fill="currentColor" ', 1)
