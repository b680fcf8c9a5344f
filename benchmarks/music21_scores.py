"""What music21 reads of a score, as a `Score`: the reader of scores until version 0.1, for comparisons.

How a score is read:

- **Rows** come from the parsed score, at sounding pitch. Tied notes become one note; each note of a chord is tied on its
  own. Repeats are played once. Ornaments, fermatas and chord symbols add nothing.
- **Time.** `ticks_per_quarter` is the smallest number that puts every onset and end on a whole tick.
- **Grace notes** are left out. A score gives them no time of their own, and with zero length they would sound as a chord
  with the note that they lead to.
- **Tracks** are the parts, in the order of the score. Each program has its own channel. Unpitched percussion is on the
  tenth channel, at the General MIDI pitch of its instrument, or else at its position in the staff.
- **Velocity** is the note's own, or 80 (*mezzo-forte*) if the score gives none.

music21 is imported inside the functions. It gets text, never a path: beside a path it looks for a pickle and executes it.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from lstm_music.errors import RejectedInputError
from lstm_music.scores.kern_ties import join_ties
from lstm_music.scores.score import Score, ScoreNote

DEFAULT_VELOCITY = 80
_LONGEST_QUARTER = 0xFFFFFF  # microseconds, the largest tempo value that a MIDI file can hold


def read(text: str, score_format: str) -> Score:
    """Read the text of one score. Raises RejectedInputError for a book of several pieces, and any error of music21."""
    return score_of(parse(text, score_format))


def parse(text: str, score_format: str) -> Any:
    """Parse the text of one score; return music21's `Score`.

    Raises RejectedInputError for a book of several pieces, and any error of music21.
    """
    from music21 import stream
    from music21.converter import subConverters

    parsers = {
        "musicxml": subConverters.ConverterMusicXML,
        "abc": subConverters.ConverterABC,
        "kern": subConverters.ConverterHumdrum,
    }
    parser = parsers[score_format]()
    parser.parseData(text)
    if isinstance(parser.stream, stream.Opus):
        raise RejectedInputError("is a book of several pieces; save each piece in its own file")
    return parser.stream


def score_of(score: Any) -> Score:
    """Take what we keep out of a music21 `Score`."""
    score.toSoundingPitch(inPlace=True)
    parts = [part.flatten() for part in score.parts] or [score.flatten()]
    return Score(
        notes=tuple(note for track, part in enumerate(parts) for note in join_ties(list(_notes(part, track)))),
        tempos=tuple(_tempos(score)),
        time_signatures=tuple(_time_signatures(parts[0])),
        key_signatures=tuple(_key_signatures(parts[0])),
        part_names=tuple(part.partName or "" for part in score.parts),
    )


def exact(quarters: float | Fraction) -> Fraction:
    """Return music21's offset (a float if that is exact, else a Fraction) as a fraction."""
    return Fraction(quarters).limit_denominator(65_535)


def _notes(part: Any, track: int) -> Iterator[ScoreNote]:
    """Yield the notes of a flat part that have a duration, sorted by onset."""
    from music21 import harmony, instrument

    programs = [(player.offset, _midi(player.midiProgram)) for player in part.getElementsByClass(instrument.Instrument)]
    for element in part.notes:
        if element.quarterLength == 0 or isinstance(element, harmony.Harmony):
            continue
        onset = exact(element.offset)
        chosen = [program for offset, program in programs if offset <= element.offset]
        for note in getattr(element, "notes", (element,)):
            yield ScoreNote(
                track=track,
                program=chosen[-1] if chosen else 0,
                is_drum=not note.isNote,
                pitch=note.pitch.midi if note.isNote else _drum_pitch(note),
                velocity=_midi(note.volume.velocity) or DEFAULT_VELOCITY,
                onset=onset,
                end=onset + exact(element.quarterLength),
                tie=note.tie.type if note.tie else "",
            )


def _midi(number: float | None) -> int:
    """Return a program or velocity as a MIDI number; 0 if it is missing or out of range."""
    return int(number) if number is not None and 0 <= number <= 127 else 0


def _drum_pitch(note: Any) -> int:
    return _midi(getattr(note.storedInstrument, "percMapPitch", None)) or note.displayPitch().midi


def _tempos(score: Any) -> Iterator[tuple[Fraction, int]]:
    """Yield (position, microseconds per quarter) of each tempo in the score, given as a number or a word (allegro)."""
    from music21 import tempo

    if not score.recurse().getElementsByClass(tempo.TempoIndication):
        return  # music21 would give 120
    for start, _, mark in score.metronomeMarkBoundaries():
        quarters_per_minute = mark.getQuarterBPM()
        if quarters_per_minute:
            yield exact(start), min(max(round(60_000_000 / quarters_per_minute), 1), _LONGEST_QUARTER)


def _time_signatures(part: Any) -> Iterator[tuple[Fraction, int, int]]:
    """Yield (position, numerator, denominator) of each signature that a MIDI file can hold."""
    from music21 import meter

    for mark in part.getElementsByClass(meter.TimeSignature):
        if 1 <= mark.numerator <= 255 and 1 <= mark.denominator <= 128:
            yield exact(mark.offset), mark.numerator, mark.denominator


def _key_signatures(part: Any) -> Iterator[tuple[Fraction, int, bool]]:
    """Yield (position, sharps, is minor); skip signatures of single accidentals (Bartók), which have no such number."""
    from music21 import key

    for mark in part.getElementsByClass(key.KeySignature):
        if mark.sharps is not None and abs(mark.sharps) <= 7:
            yield exact(mark.offset), mark.sharps, getattr(mark, "mode", None) == "minor"
