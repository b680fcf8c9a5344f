"""Scores → note rows, by music21, in a child process that can hang, grow or die: see `lstm_music.scores.reading`.

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

import faulthandler
import importlib
import math
import time
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import NOTE_DTYPE
from lstm_music.midi.smf import ReadLimits
from lstm_music.scores.text import score_text

MAX_TICKS_PER_QUARTER = 32_767  # the largest number that a MIDI file can hold
ROUNDED_TICKS_PER_QUARTER = 30_240  # 2^5 · 3^3 · 5 · 7, used if the exact number is larger than that
DEFAULT_VELOCITY = 80
DRUM_CHANNEL = 9
_STDERR = 2
_LIMITS = ReadLimits()
_LONGEST_QUARTER = 0xFFFFFF  # microseconds, the largest tempo value that a MIDI file can hold
_CHANNELS = [channel for channel in range(16) if channel != DRUM_CHANNEL]


@dataclass(frozen=True, slots=True)
class ScoreNote:
    """A note of a score, in quarter lengths from its start."""

    track: int
    program: int
    is_drum: bool
    pitch: int
    velocity: int
    onset: Fraction
    end: Fraction
    tie: str  # "start", "continue", "stop" or ""


def read_batch(request: dict[str, Any], send: Callable[[dict[str, Any]], None]) -> None:
    """Read `request["scores"]` (a list of {"format", "data"}, the bytes in base64), each in at most `request["timeout_seconds"]`.

    Before each score it sends {"started": i, "at_seconds": monotonic time}, then {"index": i, "piece": {...}} or
    {"index": i, "reason": "..."}. A score that takes longer ends the process. The watchdog is a thread in C, so code that
    never returns cannot block it.
    """
    importlib.import_module("music21")  # takes seconds; they must not count as time of the first score
    for index, score in enumerate(request["scores"]):
        send({"started": index, "at_seconds": time.monotonic()})  # this clock is the same in the parent
        faulthandler.dump_traceback_later(request["timeout_seconds"], exit=True, file=_STDERR)
        result = _read(b64decode(score["data"]), score["format"])
        faulthandler.cancel_dump_traceback_later()
        send({"index": index, **result})


def _read(data: bytes, score_format: str) -> dict[str, Any]:
    try:
        return {"piece": piece_of(parse(score_text(data, score_format), score_format))}
    except RejectedInputError as error:
        return {"reason": str(error)}
    except MemoryError:
        return {"reason": "needs more memory in music21 than the limit for one score"}
    except Exception as error:  # noqa: BLE001 (music21's parsers raise errors of any kind; the reason is kept)
        message = " ".join(str(error).split())[:200]
        return {"reason": f"music21 cannot read the score as {score_format} ({type(error).__name__}: {message})"}


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


def piece_of(score: Any) -> dict[str, Any]:
    """Convert a music21 `Score` to JSON with the fields of `PieceNotes`; the notes are one list per column.

    Raises RejectedInputError if the score is too long or has too many parts.
    """
    score.toSoundingPitch(inPlace=True)
    parts = [part.flatten() for part in score.parts] or [score.flatten()]
    if len(parts) > _LIMITS.max_tracks:
        raise RejectedInputError(f"too many parts: expected at most {_LIMITS.max_tracks:,}, got {len(parts):,}")
    notes = [note for track, part in enumerate(parts) for note in join_ties(_notes(part, track))]
    _check_extent(notes)
    tempos, times, keys = list(_tempos(score)), list(_time_signatures(parts[0])), list(_key_signatures(parts[0]))
    places = {place for note in notes for place in (note.onset, note.end)}
    places.update(place for changes in (tempos, times, keys) for place, *_ in changes)
    ticks_per_quarter = common_ticks(places)

    def tick(place: Fraction) -> int:
        return round(place * ticks_per_quarter)

    return {
        "ticks_per_quarter": ticks_per_quarter,
        "notes": _columns(notes, tick),
        "tempos": [(tick(place), *change) for place, *change in tempos],
        "time_signatures": [(tick(place), *change) for place, *change in times],
        "key_signatures": [(tick(place), *change) for place, *change in keys],
        "track_names": [part.partName or "" for part in score.parts],
    }


def join_ties(notes: Iterable[ScoreNote]) -> list[ScoreNote]:
    """Join each tied note of one part with the note of the same pitch that starts where it ends, also inside chords.

    The notes are sorted by onset. A tie without a partner changes nothing.
    """
    joined: list[ScoreNote] = []
    waiting: dict[tuple[int, Fraction], int] = {}  # (pitch, end) of a note with an open tie → index in `joined`
    for note in notes:
        place = waiting.pop((note.pitch, note.onset), None) if note.tie in ("stop", "continue") else None
        if place is None:
            place = len(joined)
            joined.append(note)
        else:
            joined[place] = replace(joined[place], end=note.end)
        if note.tie in ("start", "continue"):
            waiting[note.pitch, note.end] = place
    return joined


def common_ticks(places: Iterable[Fraction]) -> int:
    """Return the ticks per quarter that put every position on a whole tick; 30,240 if MIDI cannot hold that number."""
    exact_ticks = math.lcm(*{place.denominator for place in places})
    return exact_ticks if exact_ticks <= MAX_TICKS_PER_QUARTER else ROUNDED_TICKS_PER_QUARTER


def exact(quarters: float | Fraction) -> Fraction:
    """Return music21's offset (a float if that is exact, else a Fraction) as a fraction."""
    return Fraction(quarters).limit_denominator(65_535)


def _check_extent(notes: Iterable[ScoreNote]) -> None:
    quarters = max((note.end for note in notes), default=Fraction(0))
    if quarters > _LIMITS.max_quarters:
        raise RejectedInputError(
            f"too long: expected at most {_LIMITS.max_quarters:,} quarter notes, got {int(quarters):,}"
        )
    if any(note.onset < 0 for note in notes):
        raise RejectedInputError("has a note before the start of the score")


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


def _columns(notes: list[ScoreNote], tick: Callable[[Fraction], int]) -> dict[str, list[int]]:
    """Return one list per column of `NOTE_DTYPE`; a note lasts at least one tick."""
    programs = sorted({note.program for note in notes if not note.is_drum})
    channels = {program: _CHANNELS[place % len(_CHANNELS)] for place, program in enumerate(programs)}
    rows = [
        (
            note.track,
            DRUM_CHANNEL if note.is_drum else channels[note.program],
            note.program,
            int(note.is_drum),
            note.pitch,
            note.velocity,
            tick(note.onset),
            max(tick(note.end) - tick(note.onset), 1),
        )
        for note in notes
    ]
    return {name: [row[place] for row in rows] for place, name in enumerate(NOTE_DTYPE.names or ())}
