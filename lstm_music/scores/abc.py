"""An ABC tune → `Score`, read as the standard 2.1 (December 2011) says.

- **Accidentals** hold to the bar line in their own octave, and over a tie (4.2, 11.3).
- **Repeats**: "once" reads each measure once, and of the endings of a passage the last; "as_played" follows repeat signs,
  endings, da capo and dal segno, and the parts of the header's field P: (3.1.9, 4.8 to 4.10). No tie leads from one ending
  to the next, or back.
- **Chords**: each note has its own length; the first says when the music goes on (4.17).
- **Voices** go on where they stopped (7). Measures with equal numbers begin together in all voices.
- **Grace notes, chord symbols and decorations** add nothing.
- **Velocity** is 80. Programs, drum channels and transpositions come from `%%MIDI` (not in the standard, but common).

What cannot be read is left out and named in `Score.warnings`. Numbers in parentheses are sections of the standard.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate

from lstm_music.errors import RejectedInputError
from lstm_music.scores.abc_fields import default_unit, read_sound
from lstm_music.scores.abc_lines import DIRECTIVE, MUSIC, Line, TuneLines, read_lines
from lstm_music.scores.abc_macros import Macros
from lstm_music.scores.abc_measures import MOST_NOTES, Marks, Size, WrittenMeasure
from lstm_music.scores.abc_order import play, play_once
from lstm_music.scores.abc_settings import Problems, Settings
from lstm_music.scores.abc_voice import Voice
from lstm_music.scores.score import Measure, Score, ScoreNote
from lstm_music.scores.spec import Repeats

VELOCITY = 80
_VOICE = re.compile(r"\[V:([^\[\]]*)\]")
_MOST_VOICES = 200
_FIRST = "1"


def read(text: str, repeats: Repeats = "once") -> Score:
    """Read one tune. Raises RejectedInputError for a book of several, and for a tune that is too long."""
    tune = _Tune(read_lines(text))
    voices = [voice for voice in tune.voices.values() if voice.measures]
    warnings = [*tune.warnings, *tune.problems.warnings()]
    if not voices:
        return Score((), warnings=tuple(warnings))
    are_aligned = len({len(voice.measures) for voice in voices}) == 1
    if not are_aligned:
        numbers = ", ".join(f"{len(voice.measures):,}" for voice in voices[:10])
        warnings.append(f"has voices with different numbers of bars ({numbers}), so their bars may not begin together")
    parts = tune.parts if repeats == "as_played" else None
    marks = [_common_marks(voices)] * len(voices) if are_aligned else [_marks(voice.measures) for voice in voices]
    orders = _orders(marks, parts, are_aligned=are_aligned)
    if (
        sum(len(voice.measures[place].notes) for voice, order in zip(voices, orders, strict=True) for place in order)
        > MOST_NOTES
    ):
        raise RejectedInputError(f"too many notes: expected at most {MOST_NOTES:,}")
    lengths = [[voice.measures[place].length for place in order] for voice, order in zip(voices, orders, strict=True)]
    if are_aligned:
        lengths = [[max(together) for together in zip(*lengths, strict=True)]] * len(voices)
    starts = [list(accumulate(one, initial=Fraction(0))) for one in lengths]
    longest = max(range(len(voices)), key=lambda place: (starts[place][-1], -place))
    played = [
        _Played([voice.measures[place] for place in order], start, _joins(own, order))
        for voice, order, start, own in zip(voices, orders, starts, marks, strict=True)
    ]
    return Score(
        notes=tuple(note for track, voice in enumerate(played) for note in voice.notes(track)),
        measures=tuple(played[longest].bars()),
        tempos=tuple(
            next((found for voice in played if len(found := list(voice.tempos())) > 1), list(played[0].tempos()))
        ),
        time_signatures=tuple(played[longest].time_signatures()),
        key_signatures=tuple(played[0].key_signatures()),
        part_names=tuple(voice.settings.name for voice in voices),
        warnings=tuple(warnings),
    )


class _Tune:
    """A tune whose lines have been read into its voices."""

    def __init__(self, lines: TuneLines) -> None:
        self.warnings = lines.warnings
        self.problems = Problems()
        self.voices: dict[str, Voice] = {}
        self.parts = ""
        self._size = Size()
        self._macros = Macros()
        self._properties: dict[str, str] = {}  # of voices that have no music yet
        self._settings = self._read_header(lines.header)
        self._current: Voice | None = None
        for line in lines.body:
            self._read_line(line)
        for voice in self.voices.values():
            voice.finish()

    def _read_header(self, header: Sequence[Line]) -> Settings:
        last = {line.kind: line.text for line in header}
        settings = Settings().with_field("M", last.get("M", ""), self.problems)
        settings = replace(settings, unit=default_unit(settings.meter))
        for kind in "LQK":  # a tempo may count units
            if kind in last:
                settings = settings.with_field(kind, last[kind], self.problems)
        self.parts = last.get("P", "")
        for line in header:
            if line.kind in (DIRECTIVE, "I"):
                settings = settings.with_directive(line.text)
            elif line.kind == "m":
                self._macros.define(line.text)
            elif line.kind == "V":
                name, properties = _name_and_properties(line.text)
                self._properties[name] = f"{self._properties.get(name, '')} {properties}"
        return settings

    def _read_line(self, line: Line) -> None:
        if line.kind == "V":
            self._switch(line.text)
        elif line.kind == "m":
            self._macros.define(line.text)
        elif line.kind == MUSIC:
            for place, part in enumerate(_VOICE.split(self._macros.expand(line.text))):
                if place % 2:
                    self._switch(part)
                elif part.strip():
                    self._voice().read(part)
        elif not self.voices and line.kind != "P":
            self._settings = self._settings.with_field(line.kind, line.text, self.problems)
        else:
            self._voice().change(line.kind, line.text)

    def _voice(self) -> Voice:
        """Return the present voice: where no field V: names one, the first."""
        if self._current is None:
            self._switch(next(iter(self._properties), _FIRST))
        assert self._current is not None
        return self._current

    def _switch(self, text: str) -> None:
        name, properties = _name_and_properties(text)
        if name not in self.voices:
            if len(self.voices) == _MOST_VOICES:
                raise RejectedInputError(f"too many voices: expected at most {_MOST_VOICES}")
            sound = read_sound(self._properties.get(name, ""))
            self.voices[name] = Voice(self._settings.with_sound(sound), self.problems, self._size)
        self._current = self.voices[name]
        if properties:
            self._current.settings = self._current.settings.with_sound(read_sound(properties))


def _name_and_properties(text: str) -> tuple[str, str]:
    """Divide a field V: at its first white space, a space or a tab."""
    name, properties, *_ = [*text.split(maxsplit=1), "", ""]
    return name, properties


def _marks(measures: Sequence[WrittenMeasure]) -> list[Marks]:
    return [measure.marks for measure in measures]


def _common_marks(voices: Sequence[Voice]) -> list[Marks]:
    """Join the signs of all voices: many write them in one voice only."""
    return [
        Marks(
            repeats_from_here=max(mark.repeats_from_here for mark in together),
            repeats_to_here=max(mark.repeats_to_here for mark in together),
            ending=next((mark.ending for mark in together if mark.ending), frozenset()),
            ends_section=any(mark.ends_section for mark in together),
            part=next((mark.part for mark in together if mark.part), ""),
            has_segno=any(mark.has_segno for mark in together),
            has_coda=any(mark.has_coda for mark in together),
            has_fine=any(mark.has_fine for mark in together),
            jump=next((mark.jump for mark in together if mark.jump), ""),
            until=next((mark.until for mark in together if mark.until), ""),
        )
        for together in zip(*(_marks(voice.measures) for voice in voices), strict=True)
    ]


def _orders(marks: Sequence[Sequence[Marks]], parts: str | None, *, are_aligned: bool) -> list[list[int]]:
    """Return the order of the measures of each voice. Raises RejectedInputError if they are too many in all voices."""
    orders: list[list[int]] = []
    size = Size()
    for own in marks:
        if not orders or not are_aligned:
            orders.append(play_once(own) if parts is None else play(own, parts))
        else:
            orders.append(orders[0])
        size.add_measures(len(orders[-1]))
    return orders


def _joins(marks: Sequence[Marks], order: Sequence[int]) -> list[bool]:
    """Say of each measure whether a tie may lead into it.

    Not where the music goes back: the note there is struck again, as abc2midi does. Nor from an ending that leads back to
    the ending written behind it, which is never played next.
    """
    return [
        number > before and (number != before + 1 or not (marks[before].repeats_to_here and marks[number].ending))
        for before, number in zip([-1, *order], order, strict=False)
    ]


@dataclass(frozen=True, slots=True)
class _Played:
    """The measures of one voice in the order in which they are read, and where each starts."""

    measures: Sequence[WrittenMeasure]
    starts: Sequence[Fraction]  # and where the last one ends
    joins: Sequence[bool]

    def notes(self, track: int) -> list[ScoreNote]:
        """Return the notes in the order of their onsets, tied ones joined."""
        joined: list[ScoreNote] = []
        waiting: dict[tuple[int, Fraction], int] = {}  # (pitch, end) of a note with an open tie → its place in `joined`
        for measure, start, may_join in zip(self.measures, self.starts, self.joins, strict=False):
            if not may_join:
                waiting.clear()
            for note in sorted(measure.notes, key=lambda note: note.start):
                onset, end = start + note.start, start + note.start + note.length
                place = waiting.pop((note.pitch, onset), None)
                if place is None:
                    place = len(joined)
                    joined.append(ScoreNote(track, note.program, note.is_drum, note.pitch, VELOCITY, onset, end, ""))
                else:
                    joined[place] = replace(joined[place], end=end)
                if note.is_tied:
                    waiting[note.pitch, end] = place
        return sorted(joined, key=lambda note: note.onset)

    def bars(self) -> Iterator[Measure]:
        """Yield the bars."""
        for place, measure in enumerate(self.measures):
            length = self.starts[place + 1] - self.starts[place]
            yield Measure(
                self.starts[place], length, max(measure.nominal, length) if not measure.meter[0] else measure.nominal
            )

    def time_signatures(self) -> Iterator[tuple[Fraction, int, int]]:
        """Yield each change of the meter."""
        last = (0, 0)
        for measure, start in zip(self.measures, self.starts, strict=False):
            if measure.meter != last and measure.meter[0]:
                yield start, *measure.meter
            last = measure.meter

    def key_signatures(self) -> Iterator[tuple[Fraction, int, bool]]:
        """Yield each change of the signature."""
        last = None
        for measure, start in zip(self.measures, self.starts, strict=False):
            for place, key in [(Fraction(0), measure.key), *measure.keys]:
                if key.signature is not None and key.signature != last:
                    yield start + place, *key.signature
                    last = key.signature

    def tempos(self) -> Iterator[tuple[Fraction, int]]:
        """Yield each change of the tempo."""
        last = None
        for measure, start in zip(self.measures, self.starts, strict=False):
            for place, tempo in [(Fraction(0), measure.tempo), *measure.tempos]:
                if tempo is not None and tempo != last:
                    yield start + place, tempo
                    last = tempo
