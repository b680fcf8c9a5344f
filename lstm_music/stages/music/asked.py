"""What was asked of a result beside what it is, as measured in its MIDI file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lstm_music.encoding.chords import PITCH_NAMES
from lstm_music.encoding.parts import spelled
from lstm_music.generation.spec import GenerationSpec
from lstm_music.generation.steering import read_key, read_meter, read_register
from lstm_music.midi.general_midi import DRUMS
from lstm_music.midi.key import estimate_key, key_name
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.reader import read_midi
from lstm_music.stages.music.asked_bars import compared_bars
from lstm_music.stages.music.candidates import Candidate, new_notes
from lstm_music.stages.music.steering import MINUTE

NEAR_SECONDS = 0.1
SHOWN = 3  # values that were found instead of what was asked for
"""As near to the asked length: there is not a duration for every end."""

NEAR_TEMPO = 0.01  # quarter notes per minute: MIDI writes whole microseconds


@dataclass(frozen=True)
class Asked:
    """A setting, what was asked, what was measured, and whether that is the same."""

    name: str
    asked: str
    found: str
    is_kept: bool


def compare(spec: GenerationSpec, made: Candidate) -> list[Asked]:
    """Compare a result with what was asked; nothing if nothing was. A pitch range in a user's file is of new notes alone."""
    if {"given", "rewritten"} & made.facts.keys():
        spec = spec.model_copy(update={"pitch_range": ""})
    piece = read_midi(made.midi)
    notes = new_notes(made)
    return [*compared(spec, piece, notes, made.facts["prompt"]), *_parts(spec, made.facts.get("new_parts", ()))]


def as_json(asked: Sequence[Asked]) -> list[dict[str, Any]]:
    """Give it as JSON."""
    return [asdict(one) for one in asked]


def kept(outputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say of each setting in how many results it was kept, and some of what was found instead where it was not.

    For example `bars 8 in 4 of 4 pieces`, `key A minor in 1 of 2 pieces, else C major`. Each of the `outputs` has as `asked` what
    `as_json` gave.
    """
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for output in outputs:
        for one in output.get("asked", ()):
            rows.setdefault((one["name"], one["asked"]), []).append(one)
    said = []
    for (name, asked), all_of in rows.items():
        others = [*dict.fromkeys(one["found"] for one in all_of if not one["is_kept"])]
        instead = f", else {', '.join(others[:SHOWN])}{' …' if len(others) > SHOWN else ''}" if others else ""
        often = f"{sum(one['is_kept'] for one in all_of)} of {len(all_of)} {'piece' if len(all_of) == 1 else 'pieces'}"
        said.append(f"{name} {asked} in {often}{instead}")
    return said


def compared(spec: GenerationSpec, piece: PieceNotes, notes: np.ndarray, prompt: Mapping[str, Any]) -> Iterator[Asked]:
    """Compare a piece with what was asked; `notes` are the new ones, `prompt` the facts about what they go on from.

    Bars are kept where the last note ends with the barline, to the tick.
    """
    tempo = piece.tempos[0].microseconds_per_quarter
    meter = piece.time_signatures[0]
    bar = 4 * piece.ticks_per_quarter * meter.numerator // meter.denominator
    begins = int(notes["onset_ticks"].min()) // bar * bar  # with the bar of the first note
    ends = int((notes["onset_ticks"] + notes["duration_ticks"]).max())
    if spec.bars:
        bars, more = divmod(ends - begins, bar)
        short = f", {(bar - more) / piece.ticks_per_quarter:g} quarters before the barline" if more else ""
        is_at_barline = not more or bool(notes["is_drum"].all())  # drums have no length
        is_kept = is_at_barline and bars + bool(more) == spec.bars
        yield Asked("bars", str(spec.bars), f"{bars + bool(more)}{short}", is_kept)
    if spec.seconds:
        seconds = (ends - begins) / piece.ticks_per_quarter * tempo / 1e6
        is_near = abs(seconds - spec.seconds) <= NEAR_SECONDS
        yield Asked("seconds", f"{spec.seconds:g}", f"{seconds:.2f}", is_near)
    if spec.tempo:
        found = MINUTE / tempo
        yield Asked("tempo", f"{spec.tempo:g}", f"{found:.2f}".rstrip("0").rstrip("."), _near(found, spec.tempo))
    if spec.meter:
        written = f"{meter.numerator}/{meter.denominator}"
        is_in_meter = read_meter(spec.meter) == (meter.numerator, meter.denominator)
        yield Asked("meter", spec.meter, written, is_in_meter)
    if spec.key:
        yield from _keys(spec.key, piece, notes)
    pitches = notes["pitch"][~notes["is_drum"]]
    if spec.pitch_range and len(pitches):
        (low, high), lowest, highest = read_register(spec.pitch_range), int(pitches.min()), int(pitches.max())
        span = f"{PITCH_NAMES[lowest]} to {PITCH_NAMES[highest]}"
        yield Asked("pitch range", spec.pitch_range, span, low <= lowest <= highest <= high)
    if spec.velocity:
        heard = sorted({*notes["velocity"].tolist()})
        yield Asked(
            "velocity", str(spec.velocity), " to ".join(map(str, {heard[0]: 0, heard[-1]: 0})), heard == [spec.velocity]
        )
    for one in compared_bars(spec, notes, piece.ticks_per_quarter, bar):
        yield Asked(*one)
    yield from _drums(spec, notes, bar)
    if spec.prompt_bars and not spec.in_sixteenths:  # a task has bars of its own
        first, last = prompt["bars"]
        taken = str(first) if first == last else f"{first}-{last}"
        yield Asked("prompt bars", spec.prompt_bars, taken, taken == spec.prompt_bars)


def _parts(spec: GenerationSpec, playing: Sequence[str]) -> Iterator[Asked]:
    """Compare the parts that have new notes with those that may; drums that are added may, too."""
    if not spec.instruments or not playing:
        return
    wanted = {word for name in spec.instruments.split(",") for word in (name.strip().casefold(), spelled(name))}
    may_play = {part for part in playing if {part, part.rstrip(" 0123456789")} & wanted}
    if spec.add_drums:
        may_play.add(DRUMS)
    yield Asked("instruments", spec.instruments, ", ".join(playing), may_play >= {*playing})


def _drums(spec: GenerationSpec, notes: np.ndarray, bar: int) -> Iterator[Asked]:
    """Count the whole bars with a new drum: a bar that the prompt begins may have its drums, and the last may be cut short."""
    if not spec.add_drums:
        return
    onsets, last = notes["onset_ticks"], int(notes["onset_ticks"].max()) // bar
    begins = -(-int(onsets.min()) // bar)
    bars = range(begins, last + (1 if spec.has_length else 0)) or range(begins, last + 1)
    with_drums = {*(onsets[notes["is_drum"]] // bar).tolist()}
    count = sum(number in with_drums for number in bars)
    yield Asked("drums", "in every bar", f"in {count} of {len(bars)} whole bars", count == len(bars))


def _keys(asked: str, piece: PieceNotes, notes: np.ndarray) -> Iterator[Asked]:
    wanted, written = read_key(asked), piece.key_signatures[0]
    heard = estimate_key(PieceNotes(piece.ticks_per_quarter, notes))
    name = key_name(written.sharps, is_minor=written.is_minor)
    is_written = (written.sharps, written.is_minor) == (wanted.sharps, wanted.is_minor)
    yield Asked("key signature", asked, name, is_written)
    is_heard = ((heard.sharps - wanted.sharps) % 12, heard.is_minor) == (0, wanted.is_minor)
    yield Asked("key, as estimated", asked, key_name(heard.sharps, is_minor=heard.is_minor), is_heard)


def _near(found: float, asked: float) -> bool:
    return abs(found - asked) <= max(NEAR_TEMPO, asked * asked / MINUTE)
