"""`**kern` (Humdrum) → `Score`.

This is a reader of our own, chosen by measurement on KernScores' 103 sonata movements by Beethoven and 52 mazurkas by Chopin
(`benchmarks/read_kern.py`): music21 loses up to a third of a movement without a word, and verovio, which reads them in full,
takes seconds for a movement because it engraves it. The format is a table of tokens that is quickly read.

How a score is read:

- **Time.** A line of the table is one moment. Where spines disagree about it, the most of them decide, and the score has a
  warning; so a slip in one voice does not shift the voices against each other.
- **Notes** are taken as they are written: ornaments add nothing; grace notes and groupetti (q, Q) are left out;
  appoggiaturas (P, p) have the time that is written. Pitches are at concert pitch in `**kern`, whatever `*ITr` or `*8va`
  say. Tied notes become one note: see `kern_ties`.
- **Tracks** are the spines, from the top of the score to its bottom: from right to left. The instrument is that of `*I`.
- **Repeats**: "once" follows the list without repeats (`*>norep[A,A2]`), which leaves first endings out. Without such a list,
  it follows the expansion list (`*>[A,A1,A,A2]`) with each section once and the last of several endings, or else the written
  order. "as_played" follows the expansion list or else repeat signs.
- **Alternatives**: of the strophes of a passage the first sounds; an ossia does not.
- Every other spine and every comment is passed over, whatever it holds.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from lstm_music.errors import RejectedInputError
from lstm_music.midi.smf import ReadLimits
from lstm_music.scores import kern_signs as signs
from lstm_music.scores.kern_order import (
    MOST_BARS,
    MOST_CHANGES,
    MOST_NOTES,
    Barline,
    expansion_list,
    expansion_without_repeats,
    played_spans,
    read_barline,
    section_label,
    spans_of,
    unrolled,
    without_repeats,
)
from lstm_music.scores.kern_spines import Spine, Table
from lstm_music.scores.kern_ties import join_ties
from lstm_music.scores.kern_tokens import read_chord
from lstm_music.scores.score import Measure, Score, ScoreNote
from lstm_music.scores.spec import Repeats

VELOCITY = 80  # mezzo-forte: **kern gives none
_LARGEST_DENOMINATOR = 10**9  # of a moment; beyond it, which no music reaches, sums would grow without end
_ROUNDED_DENOMINATOR = 30_240
_NULL = "."
_LONGEST_BARLINE = 1_000  # characters, of all that stand together
_LIMITS = ReadLimits()
_EKERN_SEPARATORS = str.maketrans("", "", "@·")


def read(text: str, repeats: Repeats = "once") -> Score:
    """Read the text of one score; `repeats` is "once" or "as_played".

    Raises RejectedInputError if it has no `**kern` spine, or is too large.
    """
    written, reading = _written(text)
    if repeats == "as_played":
        spans = played_spans(reading.sections, reading.expansion, reading.barlines, reading.end)
    else:
        once = reading.without_repeats or without_repeats(reading.expansion or [])
        spans = spans_of(reading.sections, once, reading.end)
    ordered = unrolled(written, spans) if spans else written
    return replace(ordered, notes=tuple(join_ties(ordered.notes)))


def read_as_written(text: str) -> Score:
    """Read the text of one score with all its endings one after another, as no player plays it. Raises what `read` raises."""
    written, _ = _written(text)
    return replace(written, notes=tuple(join_ties(written.notes)))


def _written(text: str) -> tuple[Score, "_Reading"]:
    """Read a score in the order in which it is written, its ties not joined yet."""
    if "**ekern" in text or "**bekern" in text:  # **kern with separators between the parts of a token
        text = text.translate(_EKERN_SEPARATORS)
    table = Table(text)
    reading = _Reading()
    for tokens, spines in table.lines():
        reading.read_line(tokens, spines)
    if not table.part_order:
        raise RejectedInputError("has no **kern spine; expected a line such as **kern<tab>**kern before the notes")
    return reading.finish(text, table), reading


_UNKNOWN = signs.Instrument("")


@dataclass(slots=True)
class _Part:
    instrument: signs.Instrument = _UNKNOWN
    name: str = ""
    first_reading: str = ""  # the strophe that sounds, while there are strophes


@dataclass(slots=True)
class _Reading:
    """What was read so far. Lines that take no time wait in `pending` for the moment of the next note."""

    now: Fraction = Fraction(0)
    end: Fraction = Fraction(0)
    is_begun: bool = False
    notes: list[ScoreNote] = field(default_factory=list)
    parts: dict[int, _Part] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)  # kind of sign → its token
    pending_barline: str = ""
    barlines: list[Barline] = field(default_factory=list)
    sections: list[tuple[Fraction, str]] = field(default_factory=list)
    expansion: list[str] | None = None
    without_repeats: list[str] | None = None
    metres: list[tuple[Fraction, int, int]] = field(default_factory=list)
    keys: list[tuple[Fraction, int, bool]] = field(default_factory=list)
    has_signature: bool = False
    tempos: list[tuple[Fraction, int]] = field(default_factory=list)
    uneven_bars: set[int] = field(default_factory=set)
    left_out: int = 0

    def read_line(self, tokens: list[str], spines: list[Spine]) -> None:
        """Read one line of the table."""
        kern = [(token, spine) for token, spine in zip(tokens, spines, strict=True) if spine.is_kern]
        if not kern:
            return
        if tokens[0].startswith("*"):
            for token, spine in reversed(kern):
                self._interpret(token, spine)
            for token, _ in kern:  # the rightmost spine, the top of the score, decides
                self._remember(token)
        elif kern[0][0].startswith("="):
            self._close_bar(kern[0][0])
        else:
            self._sound([(token, spine) for token, spine in kern if token != _NULL])

    def _sound(self, tokens: list[tuple[str, Spine]]) -> None:
        """Place the notes of a line at its moment, and move their spines on."""
        _check("notes", max((token.count(" ") for token, _ in tokens), default=0), MOST_NOTES)
        chords = [(read_chord(token), spine) for token, spine in tokens]
        self.left_out += sum(chord.left_out for chord, _ in chords)
        timed = [(chord, spine) for chord, spine in chords if chord.quarters]
        if not timed:
            _check("notes", self.left_out, MOST_NOTES)
            return
        self._reach(self._moment([spine for _, spine in timed]))
        for chord, spine in timed:
            assert chord.quarters is not None
            part = self.parts.setdefault(spine.part, _Part())
            spine.end = _bounded(self.now + chord.quarters)
            spine.is_sure = True
            self.end = max(self.end, spine.end)
            if not spine.is_ossia and spine.reading in ("", part.first_reading):
                self.notes += [
                    ScoreNote(
                        track=spine.part,
                        program=part.instrument.program,
                        is_drum=part.instrument.drum_pitch is not None,
                        pitch=note.pitch if part.instrument.drum_pitch is None else part.instrument.drum_pitch,
                        velocity=VELOCITY,
                        onset=self.now,
                        end=_bounded(self.now + note.quarters),
                        tie=note.tie,
                    )
                    for note in chord.notes
                ]
            self._check_extent()

    def _check_extent(self) -> None:
        """Stop early in a text that goes on beyond what a piece may be."""
        if self.end > _LIMITS.max_quarters:
            raise RejectedInputError(f"too long: expected at most {_LIMITS.max_quarters:,} quarter notes, got more")
        _check("notes", len(self.notes) + self.left_out, MOST_NOTES)

    def _moment(self, spines: list[Spine]) -> Fraction:
        """Return when a line sounds: where the notes before it end, by the most of its spines; of as many, the latest."""
        sure = [spine.end for spine in spines if spine.is_sure] or [spine.end for spine in spines]
        votes = Counter(end for end in sure if end > self.now or not self.is_begun)
        if len(votes) != 1 or len(set(sure)) != 1:
            self.uneven_bars.add(len(self.barlines))
        if not votes:
            return self.now
        return max(votes, key=lambda end: (votes[end], end))

    def _reach(self, moment: Fraction) -> None:
        self.now = moment
        self.is_begun = True
        self._place_pending(moment)

    def _place_pending(self, moment: Fraction) -> None:
        if self.pending_barline:
            self.barlines.append(read_barline(self.pending_barline, moment))
            self.pending_barline = ""
            _check("bars", len(self.barlines), MOST_BARS)
        if not self.pending:
            return
        pending, self.pending = self.pending, {}
        if metre := signs.metre(pending.get("metre", "")):
            self.metres.append((moment, *metre))
        if tempo := signs.tempo(pending.get("tempo", "")):
            self.tempos.append((moment, tempo))
        if label := section_label(pending.get("section", "")):
            self.sections.append((moment, label))
        self._place_key(moment, signs.sharps(pending.get("signature", "")), signs.key(pending.get("key", "")))
        changes = max(len(self.metres), len(self.tempos), len(self.sections), len(self.keys))
        _check("tempos, signatures or sections", changes, MOST_CHANGES)

    def _place_key(self, moment: Fraction, sharps: int | None, key: tuple[int, bool] | None) -> None:
        """Place a key signature. A key without a signature counts only if none is written, or it is of the one in force."""
        if sharps is None and key and (not self.has_signature or (self.keys and self.keys[-1][1] == key[0])):
            sharps = key[0]
        elif sharps is not None:
            self.has_signature = True
        if sharps is not None and abs(sharps) <= 7:
            change = (moment, sharps, bool(key and key[1]))
            if not self.keys or self.keys[-1][1:] != change[1:]:
                self.keys.append(change)

    def _close_bar(self, token: str) -> None:
        self.pending_barline = (self.pending_barline + token)[:_LONGEST_BARLINE]

    def _interpret(self, token: str, spine: Spine) -> None:
        """Read an interpretation that holds for a spine or its part."""
        part = self.parts.setdefault(spine.part, _Part())
        if token.startswith("*S/"):
            spine.reading = token
            part.first_reading = token
        elif token in ("*S-", "*Xstrophe", "*S"):
            spine.reading = part.first_reading = ""
        elif token in ("*ossia", "*Xossia"):
            spine.is_ossia = not token.startswith("*X")
        elif token.startswith('*I"'):
            part.name = token.removeprefix('*I"')
        elif token.startswith("*I"):
            part.instrument = signs.instrument(token) or part.instrument

    def _remember(self, token: str) -> None:
        """Keep a sign that holds for the whole score until its moment is known."""
        if (expansion := expansion_list(token)) is not None:
            self.expansion = self.expansion or expansion
            return
        if (expansion := expansion_without_repeats(token)) is not None:
            self.without_repeats = self.without_repeats or expansion
            return
        for kind, starts in _SIGNS.items():
            if token.startswith(starts):
                self.pending[kind] = token
                return
        if signs.key(token):
            self.pending["key"] = token

    def finish(self, text: str, table: Table) -> Score:
        """Return the score in its written order, its ties not joined."""
        self._place_pending(self.end)
        tracks = {part: track for track, part in enumerate(reversed(table.part_order))}
        printed = signs.printed_tempo(text) if not self.tempos else None
        parts = [self.parts.get(part, _Part()) for part in reversed(table.part_order)]
        return Score(
            notes=tuple(replace(note, track=tracks[note.track]) for note in self.notes),
            measures=tuple(self._measures()),
            tempos=((Fraction(0), printed),) if printed else tuple(self.tempos),
            time_signatures=tuple(self.metres),
            key_signatures=tuple(self.keys),
            part_names=tuple(part.name or part.instrument.name for part in parts),
            warnings=tuple(self._warnings(table)),
        )

    def _measures(self) -> Iterable[Measure]:
        """Yield the bars between the bar lines."""
        numbered = {barline.time for barline in self.barlines if barline.is_numbered}
        starts = sorted({Fraction(0), *(barline.time for barline in self.barlines)} - {self.end})
        if not self.end or (len(starts) == 1 and not numbered):
            return  # a score without notes, or without bar lines
        metres = [
            (Fraction(-1), Fraction(0)),
            *((time, Fraction(4 * beats, unit)) for time, beats, unit in self.metres),
        ]
        at = 0
        for start, end in zip(starts, [*starts[1:], self.end], strict=True):
            while at + 1 < len(metres) and metres[at + 1][0] <= start:
                at += 1
            length = end - start
            yield Measure(start, length, metres[at][1] or length, is_implicit=bool(numbered) and start not in numbered)

    def _warnings(self, table: Table) -> Iterable[str]:
        if table.uneven_lines:
            yield f"has {_count(table.uneven_lines, 'line')} with more or fewer columns than spines"
        if self.uneven_bars:
            yield f"has {_count(len(self.uneven_bars), 'bar')} in which the voices do not agree on the time"
        if self.left_out:
            yield f"has {_count(self.left_out, 'note')} without a duration or a MIDI pitch, which are left out"


_SIGNS = {"tempo": "*MM", "metre": "*M", "signature": "*k[", "section": "*>"}  # kind → how its token starts


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _check(what: str, number: int, most: int) -> None:
    """Stop early in a text that goes on beyond what a piece may have."""
    if number > most:
        raise RejectedInputError(f"has too many {what}: expected at most {most:,}, got more")


def _bounded(moment: Fraction) -> Fraction:
    return moment if moment.denominator <= _LARGEST_DENOMINATOR else moment.limit_denominator(_ROUNDED_DENOMINATOR)
