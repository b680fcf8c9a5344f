"""MusicXML (score-partwise, score-timewise) → `Score`, by the rules of the MusicXML 4.0 specification.

How a score is read; where the specification leaves a choice, the line says why:

- **Measures** stand together in all parts by their order. A measure is as long in every part: as long as the part that has
  most in it. A rest of a whole measure and a `forward` fill at most a whole bar. A measure that is empty in all parts is a
  whole bar. So a pickup, a short bar before a repeat sign and the rest of that bar keep their length, and parts stay together.
- **Time signatures** are sums where the file has several pairs (3/8 + 2/4 = 7/8). Where parts have different ones, that counts
  which is as long as the measure. Without one, or under *senza misura*, a measure is a bar as long as it is.
- **Durations** are those of `duration`. A note that the file's divisions can only round has the exact length of its type.
  Each note of a chord has its own length, unless it has the type of the first one.
- **Ties** are the `tie` elements ("sound"); `tied` ("notation") counts in a note that has none. They join notes of a voice, else
  of a part, else of the parts that a brace joins (two staves of one keyboard). Slurs, fermatas, ornaments, arpeggios and swing
  change nothing: a score is read as it is written.
- **Left out** are grace notes, which have no time of their own, cue notes, which are silent by the specification, and chord
  symbols.
- **Pitch** is the written one plus `transpose`. An octave-shift line and the octave of a clef are in the written one already.
  `double` adds no notes.
- **Programs** are those of `midi-instrument`, with the changes of `sound` and the instruments that notes name. Where the file
  gives no number, the instrument's name counts.
- **Drums** are unpitched notes, notes on channel 10, and notes under a percussion clef without a channel. Their pitch is
  `midi-unpitched` (from 1), or else that of the drum's name, or else the place in the staff.
- **Velocity** is `dynamics` of the note, or else the last one of a `sound` of its part, both percentages of 90; else 80. Signs
  such as *p* have no number by the specification, so they change nothing.
- **Tempo** is that of `sound`; a metronome mark with a number counts where no sound stands at the same place. Words such as
  *Allegro* have no number, so they change nothing.
- **Tracks** are the staves of the parts, in the order of the score: a piano has one track per hand.
- **Key signatures** are those of the first part that has any, as it sounds.
- **Repeats**: see `lstm_music.scores.playing_order`.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TypeVar

from lstm_music.errors import RejectedInputError
from lstm_music.midi.smf import ReadLimits
from lstm_music.scores.musicxml_clock import bounded
from lstm_music.scores.musicxml_measures import ScoreMeasure, score_measures
from lstm_music.scores.musicxml_part import WrittenPart, faults_of, read_part
from lstm_music.scores.musicxml_tree import check_measures, parts_of
from lstm_music.scores.playing_order import playing_order
from lstm_music.scores.score import Measure, Score, ScoreNote
from lstm_music.scores.spec import Repeats
from lstm_music.scores.ties import TiedNote, join_tied

_LIMITS = ReadLimits()
MOST_NOTES = 200_000  # a symphony has 50,000; they take some 10 seconds
Sign = TypeVar("Sign")


def read(text: str, repeats: Repeats = "once") -> Score:
    """Read the text of a MusicXML file. Raises RejectedInputError, with the reason, for one that is no score or too large."""
    parts = [read_part(tree) for tree in parts_of(text)]
    measures = score_measures(parts)
    played = [measures[place] for place in playing_order([measure.signs for measure in measures], repeats)]
    _check_size(parts, played)
    timed = list(zip(_starts(measure.length for measure in played), played, strict=False))
    notes = join_tied(_notes(parts, timed))
    timed = [(start, measure) for start, measure in timed if start <= _LIMITS.max_quarters]  # what follows is silence
    return Score(
        notes=tuple(sorted(notes, key=lambda note: (note.track, note.onset))),
        measures=tuple(Measure(start, one.length, one.nominal, one.is_implicit) for start, one in timed),
        tempos=tuple(_changes((start, one.tempo, one.tempos) for start, one in timed)),
        time_signatures=tuple(
            (place, *sign.fraction)
            for place, sign in _changes((start, one.time, one.times) for start, one in timed)
            if sign.fraction is not None
        ),
        key_signatures=tuple(
            (place, sign.sharps, sign.is_minor)
            for place, sign in _changes((start, one.key, one.keys) for start, one in timed)
        ),
        part_names=tuple(part.name for part in parts for _ in part.staves),
        warnings=tuple(faults_of(parts)),
    )


def _check_size(parts: Sequence[WrittenPart], played: Sequence[ScoreMeasure]) -> None:
    """Raise RejectedInputError for a score that would take minutes, as repeats can make of a small one."""
    check_measures(len(parts), len(played))
    notes = sum(len(part.notes) for measure in played for part in measure.parts)
    if notes > MOST_NOTES:
        raise RejectedInputError(f"has too many notes: expected at most {MOST_NOTES:,}, got {notes:,}")


def _starts(lengths: Iterable[Fraction]) -> Iterator[Fraction]:
    """Yield where measures start."""
    start = Fraction(0)
    for length in lengths:
        yield start
        start = bounded(start + length)


def _notes(parts: Sequence[WrittenPart], timed: Sequence[tuple[Fraction, ScoreMeasure]]) -> Iterator[TiedNote]:
    """Yield the notes of all parts where they are played."""
    first_track = 0
    for index, part in enumerate(parts):
        track_of = {staff: first_track + place for place, staff in enumerate(part.staves)}
        first_track += len(part.staves)
        family = part.family or -1 - index
        for start, measure in timed:
            for note in measure.parts[index].notes:
                sounding = ScoreNote(
                    track=track_of[note.staff],
                    program=note.program,
                    is_drum=note.is_drum,
                    pitch=note.pitch,
                    velocity=note.velocity,
                    onset=start + note.onset,
                    end=start + note.end,
                    tie=note.tie,
                )
                # In a part that leaves a measure short, a tie from its end leads to the next measure all the same.
                is_last = note.end == measure.parts[index].filled < measure.length
                goes_on = start + measure.length if is_last else sounding.end
                yield TiedNote(sounding, goes_on, family, index, note.voice)


def _changes(
    measures: Iterable[tuple[Fraction, Sign | None, Sequence[tuple[Fraction, Sign]]]],
) -> Iterator[tuple[Fraction, Sign]]:
    """Yield (position, sign) where a sign changes, from (start, sign at the start, changes within) of each measure.

    After a jump, what holds at the start of a measure comes again.
    """
    holds: Sign | None = None
    for start, at_start, within in measures:
        changes = [] if at_start is None else [(start, at_start)]
        for place, sign in [*changes, *((start + place, sign) for place, sign in within)]:
            if sign != holds and place <= _LIMITS.max_quarters:
                yield place, sign
                holds = sign
