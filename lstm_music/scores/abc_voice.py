"""One voice of an ABC tune: symbols → written measures."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, ClassVar

from lstm_music.errors import RejectedInputError
from lstm_music.scores import abc_symbols as abc
from lstm_music.scores.abc_fields import ALTERATIONS
from lstm_music.scores.abc_measures import MOST_QUARTERS, Marks, Size, WrittenMeasure, WrittenNote
from lstm_music.scores.abc_settings import Problems, Settings

_STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_TUPLET_TIMES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_JUMPS = {
    "d.c.": ("capo", ""),
    "dacapo": ("capo", ""),
    "d.c.alfine": ("capo", "fine"),
    "d.c.alcoda": ("capo", "coda"),
    "d.s.": ("segno", ""),
    "d.s.alfine": ("segno", "fine"),
    "d.s.alcoda": ("segno", "coda"),
}

_MOST_TUPLETS = 10  # within each other
_FINEST = 10**9  # a denominator above it comes of lengths that no music mixes

Place = tuple[str, int]  # letter, octave


class Voice:
    """Collects the measures of a voice; it goes on where it stopped when it is taken up again."""

    def __init__(self, settings: Settings, problems: Problems, size: Size) -> None:
        self.settings = settings
        self.measures: list[WrittenMeasure] = []
        self._problems = problems
        self._ties: dict[Place, tuple[Fraction, str]] = {}  # written pitch → (end in the voice, the accidental it has)
        self._ties_before_ending: dict[Place, tuple[Fraction, str]] = {}
        self._past = Fraction(0)  # quarters in finished measures
        self._size = size
        self._begin(Marks())

    def _begin(self, marks: Marks) -> None:
        settings = self.settings
        self._measure = WrittenMeasure(settings.meter, settings.key, settings.tempo, marks=marks)
        self._time = Fraction(0)
        self._accidentals: dict[Place, str] = {}
        self._last: tuple[Fraction, Fraction, list[WrittenNote]] | None = None  # start, length, notes
        self._last_written: list[tuple[WrittenNote, Place, str]] = []
        self._next_factor = Fraction(1)  # what `>` or `<` makes of the next note
        self._tuplets: list[tuple[Fraction, int]] = []

    @property
    def _is_begun(self) -> bool:
        """Whether the present measure has any time yet."""
        return bool(self._time or self._measure.length)

    def label(self, part: str) -> None:
        """Begin a part here (P: in the tune)."""
        self._measure.marks.part = part

    def read(self, line: str) -> None:
        """Read a line of music without changes of voice. Raises RejectedInputError for more than a piece may have."""
        for symbol in abc.symbols(line):
            self._ADD[type(symbol)](self, symbol)

    def finish(self) -> None:
        """End the last measure, which may have no bar line."""
        self._end_measure(abc.BarLine(0, 0, is_double=False))

    def change(self, kind: str, value: str) -> None:
        """Read a field of the tune, on its own line or in brackets, that changes this voice."""
        if kind == "P":
            self.label(value)
        else:
            self.take_up(self.settings.with_field(kind, value, self._problems))

    def take_up(self, settings: Settings) -> None:
        """Go on with other settings: a meter holds from the next measure on, unless this one has not begun."""
        before, self.settings = self.settings, settings
        if not self._is_begun:
            self._measure.meter = settings.meter
        if settings.key is not before.key:
            self._accidentals = {}
            if self._is_begun:
                self._measure.keys.append((self._time, settings.key))
            else:
                self._measure.key = settings.key
        if settings.tempo is not None and settings.tempo != before.tempo:
            if self._is_begun:
                self._measure.tempos.append((self._time, settings.tempo))
            else:
                self._measure.tempo = settings.tempo

    def _add_notes(self, symbol: abc.Notes) -> None:
        factor = self.settings.unit * self._next_factor * self._tuplet_factor()
        start, length = self._time, symbol.units * factor
        self._next_factor = Fraction(1)
        self._last_written = []
        for pitch, units, is_tied in symbol.notes:
            place = (pitch.letter, pitch.octave)
            accidental = self._accidental(pitch, place)
            note = self._sounding(start, units * factor, place, accidental)
            if note is None:
                self._problems.add("note beyond the range of MIDI", f"{pitch.letter} in octave {pitch.octave}")
                continue
            self._last_written.append((note, place, accidental))
            self._size.add_note()
            self._measure.notes.append(note)
            if is_tied:
                self._tie_one(note, place, accidental)
        self._last = (start, length, [note for note, _, _ in self._last_written])
        self._advance(start + length)

    def _sounding(self, start: Fraction, length: Fraction, place: Place, accidental: str) -> WrittenNote | None:
        """Return the note as it sounds; None if MIDI has no such pitch."""
        letter, octave = place
        settings = self.settings
        is_drum = settings.is_drum or settings.is_drum_channel
        shift = settings.clef + settings.octave + settings.transpose + settings.midi_transpose
        alteration = ALTERATIONS[accidental] if accidental else settings.key.alterations.get(letter, 0)
        pitch = 12 * (octave + 1) + _STEPS[letter] + alteration + (0 if is_drum else shift)
        return WrittenNote(start, length, pitch, settings.program, is_drum) if 0 <= pitch <= 127 else None

    def _accidental(self, pitch: abc.Pitch, place: Place) -> str:
        """Find the accidental of a note: its own, or one before it in the bar, or that of a note tied to it (4.2, 4.11)."""
        if pitch.accidental:
            if self.settings.propagates != "not":
                self._accidentals[place if self.settings.propagates == "pitch" else (pitch.letter, 0)] = (
                    pitch.accidental
                )
            return pitch.accidental
        end, tied = self._ties.pop(place, (None, ""))
        if end == self._past + self._time and tied:
            return tied
        return self._accidentals.get(place, self._accidentals.get((pitch.letter, 0), ""))

    def _tie(self, _: abc.Tie) -> None:
        for written in self._last_written:
            self._tie_one(*written)

    def _tie_one(self, note: WrittenNote, place: Place, accidental: str) -> None:
        note.is_tied = True
        self._ties[place] = (self._past + note.start + note.length, accidental)

    def _break(self, symbol: abc.Broken) -> None:
        """Lengthen one of the two notes around `>` or `<` by what the other loses (4.4)."""
        if self._last is None:
            return
        short = Fraction(1, 2 ** abs(symbol.dots))
        factor, self._next_factor = (2 - short, short) if symbol.dots > 0 else (short, 2 - short)
        start, length, notes = self._last
        for note in notes:
            note.length *= factor
        self._last = None
        for note, place, accidental in self._last_written:
            if note.is_tied:
                self._tie_one(note, place, accidental)
        self._time = start + length * factor

    def _begin_tuplet(self, symbol: abc.Tuplet) -> None:
        numerator, denominator = self.settings.meter
        is_compound = denominator == 8 and numerator in (6, 9, 12)
        time = symbol.time or _TUPLET_TIMES.get(symbol.count, 3 if is_compound else 2)
        if len(self._tuplets) == _MOST_TUPLETS:
            self._problems.add("tuplet in ten others", str(symbol.count))
        elif symbol.count and symbol.notes:
            self._tuplets.append((Fraction(time, symbol.count), symbol.notes))

    def _tuplet_factor(self) -> Fraction:
        factor, left = Fraction(1), []
        for one, notes in self._tuplets:
            factor *= one
            if notes > 1:
                left.append((one, notes - 1))
        self._tuplets = left
        return factor

    def _rest_bars(self, symbol: abc.BarRest) -> None:
        numerator, denominator = self.settings.meter
        quarters = Fraction(4 * numerator, denominator) if numerator else Fraction(4)
        bars = symbol.bars
        if self._past + bars * quarters > MOST_QUARTERS:
            raise RejectedInputError(f"too long: has a rest of {bars:,} bars")
        for place in range(bars):
            if place:
                self._end_measure(abc.BarLine(0, 0, is_double=False))
            self._advance(self._time + quarters)

    def _advance(self, time: Fraction) -> None:
        """Go on to a place in the measure. Raises RejectedInputError for one that no piece has."""
        reached = self._past + time
        if reached > MOST_QUARTERS:
            raise RejectedInputError(
                f"too long: expected at most {MOST_QUARTERS:,} quarter notes, got {int(reached):,}"
            )
        if reached.denominator > _FINEST:
            raise RejectedInputError("mixes note lengths that no common grid holds")
        self._time = time

    def _overlay(self, _: abc.Overlay) -> None:
        """Go back to the start of the measure (7.4); an overlay has accidentals of its own."""
        self._measure.length = max(self._measure.length, self._time)
        self._time, self._accidentals, self._last = Fraction(0), {}, None

    def _begin_ending(self, symbol: abc.Ending) -> None:
        if self._is_begun:  # an ending within a bar: `[1` without a bar line
            self._end_measure(abc.BarLine(0, 0, is_double=False))
        if 1 in symbol.times:
            self._ties_before_ending = dict(self._ties)
        else:
            self._ties = {place: (self._past, tied) for place, (_, tied) in self._ties_before_ending.items()}
        self._measure.marks.ending = symbol.times

    def _mark(self, sign: abc.Sign) -> None:
        name, marks = sign.name.lower(), self._measure.marks
        if name in _JUMPS:
            marks.jump, marks.until = _JUMPS[name]
        elif name == "segno":
            marks.has_segno = True
        elif name == "fine":
            marks.has_fine = True
        elif name in ("coda", "dacoda"):
            marks.has_coda = True

    def _end_measure(self, line: abc.BarLine) -> None:
        """End the measure at a bar line. One without time is no measure: its signs go to the measures around it."""
        measure, marks = self._measure, self._measure.marks
        measure.length = max(measure.length, self._time)
        if measure.length:
            self._size.add_measures()
            self.measures.append(measure)
            self._past += measure.length
            measure.marks.repeats_to_here = line.repeats_to_here
            measure.marks.ends_section = line.is_double
            marks = Marks()
        elif self.measures:
            before = self.measures[-1].marks
            before.repeats_to_here = max(before.repeats_to_here, line.repeats_to_here)
            before.ends_section = before.ends_section or line.is_double
        marks.repeats_from_here = max(marks.repeats_from_here, line.repeats_from_here)
        self._begin(marks)

    _ADD: ClassVar[Mapping[type, Callable[["Voice", Any], None]]] = {
        abc.Notes: _add_notes,
        abc.BarLine: _end_measure,
        abc.Tie: _tie,
        abc.Broken: _break,
        abc.Tuplet: _begin_tuplet,
        abc.BarRest: _rest_bars,
        abc.Ending: _begin_ending,
        abc.Overlay: _overlay,
        abc.Sign: _mark,
        abc.Field: lambda self, symbol: self.change(symbol.kind, symbol.value),
        abc.Unknown: lambda self, symbol: self._problems.add("character", repr(symbol.text[:10])),
    }
