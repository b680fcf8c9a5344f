"""Prompts: the music that generation continues, cut at the same moment in every stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.bars import signature_at
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.events import PieceEvents, decode
from lstm_music.encoding.grid import Grid
from lstm_music.encoding.knowledge import Knowledge
from lstm_music.encoding.places import bar_steps, place_tokens
from lstm_music.encoding.streams import PART, VELOCITY, heard
from lstm_music.encoding.velocities import level_texts, velocities
from lstm_music.encoding.vocabulary import START, UNKNOWN, Vocabulary
from lstm_music.errors import NotEnoughMusicError
from lstm_music.midi.notes import KeySignature, PieceNotes, Tempo, TimeSignature
from lstm_music.midi.titles import piece_title

MEZZO_FORTE = 80  # as a velocity


@dataclass(frozen=True, eq=False)
class Prompt:
    """Some events of a piece, or none, from event `first` of it on; `name` is the path of the piece, `title` its title.

    `tokens` int32 [events, columns] are the events, with echoes of the segment alone, `before` [columns] the event before them.
    `replaced` counts the values that the vocabularies do not know: the nearest known values stand for them. `bars` are the first
    and the last bar, from 1; a pickup is bar 0. `onset_steps` is where the first event begins in the piece, `last_onset_steps`
    where the last one does, both by the tokens. The signatures and the length of a bar are those at the end of the segment (see
    `signature_after`); a piece without a key signature has None.
    `drums_left_out` counts the drum events of this place that the models do not know. `rest_steps` are the bars of the segment in
    which no event begins any more, after the bar of its last one.
    """

    name: str
    title: str
    first: int
    tokens: npt.NDArray[np.int32]
    before: npt.NDArray[np.int32]
    replaced: int
    bars: tuple[int, int]
    onset_steps: int
    last_onset_steps: int
    position_in_bar_steps: int
    last_position_in_bar_steps: int
    bar_steps: int
    time_signature: TimeSignature
    key_signature: KeySignature | None
    velocity: int
    microseconds_per_quarter: int
    drums_left_out: int = 0
    rest_steps: int = 0


def average_tempo(piece: PieceNotes) -> int:
    """Return microseconds per quarter over the whole piece, so that rubato within the segment does not rule the result."""
    end = _end_tick(piece)
    changes = [Tempo(0, 500_000), *piece.tempos]  # the first is what a MIDI file means that names no tempo
    lengths = np.diff([*(min(change.tick, end) for change in changes), end])
    if not lengths.any():
        return changes[-1].microseconds_per_quarter
    return round(float(np.average([change.microseconds_per_quarter for change in changes], weights=lengths)))


def signature_after(piece: PieceNotes, tick: int, grid: Grid) -> tuple[int, int]:
    """Return the (numerator, denominator) in which music goes on after a tick.

    It is the time signature at the tick, unless that lasts for one bar only: the shortened last bar of a piece with a pickup, or
    one irregular bar, is no measure for what follows. Then it is the signature before.
    """
    spans = _signature_spans(piece.time_signatures, piece.ticks_per_quarter, _end_tick(piece), grid)
    begun = [index for index, span in enumerate(spans) if span.start <= tick] or [0]
    latest = begun[-1]
    return spans[latest - 1].signature if spans[latest].is_one_bar and latest else spans[latest].signature


def meters_of(
    signatures: Sequence[TimeSignature], ticks_per_quarter: int, end_tick: int, grid: Grid
) -> set[tuple[int, int]]:
    """Return the time signatures of a piece that ends at a tick, but those that last for one bar only; all if all do."""
    spans = _signature_spans(signatures, ticks_per_quarter, end_tick, grid)
    return {span.signature for span in spans if not span.is_one_bar} or {span.signature for span in spans}


@dataclass(frozen=True)
class _Span:
    """Where a time signature holds, from tick `start` on."""

    start: int
    signature: tuple[int, int]
    is_one_bar: bool


def _signature_spans(
    signatures: Sequence[TimeSignature], ticks_per_quarter: int, end_tick: int, grid: Grid
) -> list[_Span]:
    """List the stretches of one time signature; neighbours differ."""
    starts = sorted({0, *(change.tick for change in signatures if change.tick < end_tick)})
    found: list[tuple[int, tuple[int, int]]] = []
    for start in starts:
        signature = signature_at(signatures, start, ticks_per_quarter, grid)
        if not found or found[-1][1] != signature:
            found.append((start, signature))
    ends = [*(start for start, _ in found[1:]), end_tick]
    return [
        _Span(start, (numerator, denominator), (until - start) * denominator <= 4 * numerator * ticks_per_quarter)
        for (start, (numerator, denominator)), until in zip(found, ends, strict=True)
    ]


def _key_at(piece: PieceNotes, tick: int) -> KeySignature | None:
    """Return the key signature at a tick, as one that holds from the start; the first one before any."""
    begun = [key for key in piece.key_signatures if key.tick <= tick] or list(piece.key_signatures[:1])
    return replace(begun[-1], tick=0) if begun else None


def _end_tick(piece: PieceNotes) -> int:
    return int((piece.notes["onset_ticks"] + piece.notes["duration_ticks"]).max())


def cut_segment(
    piece: PieceNotes,
    events: PieceEvents,
    spec: EventSpec,
    vocabularies: Mapping[str, Vocabulary],
    *,
    name: str,
    first: int,
    length: int,
    knowledge: Knowledge | None = None,
) -> Prompt:
    """Cut `length` events out of a piece, from event `first` on; `name` is the path of the piece.

    Each event has what is known beside streams and places: by default the best echo of each kind.
    """
    columns = {
        "note": events.note,
        "offset": [spec.grid.text(step) for step in events.offset_steps.tolist()],
        "duration": [spec.grid.text(step) for step in events.duration_steps.tolist()],
        PART: events.part or [],
        VELOCITY: level_texts(events.velocity),
    }
    streams = tuple(vocabularies)
    start = max(first - 1, 0)
    known = [vocabularies[stream].encode(columns[stream][start : first + length]) for stream in streams]
    places = place_tokens(events.position_in_bar_steps[start : first + length], spec.grid)
    tokens = np.concatenate([np.stack(known, axis=1), places], axis=1).astype(np.int32)
    unknown = np.argwhere(tokens[:, : len(streams)] == UNKNOWN)
    for row, column in unknown.tolist():
        stream = streams[column]
        tokens[row, column] = vocabularies[stream].nearest(columns[stream][start + row])
    has_before = first > 0
    segment = tokens[1:] if has_before else tokens
    sounding = segment[:, : len(heard(streams))].astype(np.int64)
    known_of = (knowledge or Knowledge()).tokens(sounding, vocabularies, spec.grid)
    before = tokens[0] if has_before else np.full(tokens.shape[1], START, np.int32)
    onsets = events.onset_steps[first : first + length]
    offsets = [spec.grid.steps(vocabularies["offset"].value(token)) for token in segment[1:, 0].tolist()]
    last_onset = int(onsets[0]) + sum(offsets)  # another than the event's own where an offset was replaced
    last_tick = int(onsets[-1]) * piece.ticks_per_quarter // spec.grid.steps_per_quarter
    numerator, denominator = signature_after(piece, last_tick, spec.grid)
    bar = bar_steps(numerator, denominator, spec.grid)
    last_position = int(events.position_in_bar_steps[first + length - 1])
    return Prompt(
        name=name,
        title=piece_title(name, piece),
        first=first,
        tokens=np.concatenate([segment, known_of.astype(np.int32)], axis=1),
        before=np.concatenate([before, np.full(known_of.shape[1], START, np.int32)]),
        replaced=int((unknown[:, 0] >= has_before).sum()),
        bars=(int(events.bar[first]), int(events.bar[first + length - 1])),
        onset_steps=int(onsets[0]),
        last_onset_steps=last_onset,
        position_in_bar_steps=int(events.position_in_bar_steps[first]),
        last_position_in_bar_steps=(last_position + last_onset - int(onsets[-1])) % bar,
        bar_steps=bar,
        time_signature=TimeSignature(0, numerator, denominator),
        key_signature=_key_at(piece, last_tick),
        velocity=round(float(np.mean(events.velocity[first : first + length]))),
        microseconds_per_quarter=average_tempo(piece),
    )


def nothing_before(columns: int, grid: Grid) -> Prompt:
    """Return the prompt of no events: music begins at the start of a piece, in 4/4, at 120 quarter notes per minute."""
    return Prompt(
        name="",
        title="",
        first=0,
        tokens=np.zeros((0, columns), np.int32),
        before=np.full(columns, START, np.int32),
        replaced=0,
        bars=(1, 1),
        onset_steps=0,
        last_onset_steps=0,
        position_in_bar_steps=0,
        last_position_in_bar_steps=0,
        bar_steps=bar_steps(4, 4, grid),
        time_signature=TimeSignature(0, 4, 4),
        key_signature=None,
        velocity=MEZZO_FORTE,
        microseconds_per_quarter=500_000,
    )


def choose_places(events: Sequence[int], length: int, count: int, random_seed: int) -> list[tuple[int, int]]:
    """Choose `count` segments at random from pieces of so many events: (index of the piece, its first event).

    Every place is equally likely, and none is taken twice before all were. Raises NotEnoughMusicError if no piece is long enough.
    """
    places = [max(total - length + 1, 0) for total in events]
    borders = np.cumsum([0, *places])
    if borders[-1] == 0:
        raise NotEnoughMusicError(
            f"no held-out piece has the {length} events of a prompt: the longest has {max(events, default=0)}; "
            "give --prompt-midi FILE, or a smaller --prompt-events",
        )
    rng = np.random.default_rng([random_seed, 3])
    rounds = -(-count // int(borders[-1]))
    drawn = np.concatenate([rng.permutation(borders[-1]) for _ in range(rounds)])[:count]
    pieces = np.searchsorted(borders, drawn, side="right") - 1
    return [(int(piece), int(place - borders[piece])) for piece, place in zip(pieces, drawn, strict=True)]


def start_in_bar(onset_steps: int, position_in_bar_steps: int, grid: Grid) -> int:
    """Return where music that began at an onset of a piece begins in a file of its own: as far into its bar as it did.

    If that moved it to another phase of the quarter (after bars that are no whole quarters), and so maybe off the grid, it
    begins as far into its quarter instead.
    """
    is_in_phase = (onset_steps - position_in_bar_steps) % grid.steps_per_quarter == 0
    return position_in_bar_steps if is_in_phase else onset_steps % grid.steps_per_quarter


def to_notes(
    tokens: npt.NDArray[np.int32],
    spec: EventSpec,
    vocabularies: Mapping[str, Vocabulary],
    *,
    first_onset_steps: int,
    segment: Prompt,
    rest_before: int = 0,
) -> PieceNotes:
    """Make notes of tokens, the first of them at `first_onset_steps`, with the tempo and the time signature of a prompt.

    The velocity is the prompt's, too, if it is no stream. Its silent bars lie before event `rest_before`, if that is not 0.
    """
    values = {
        stream: [vocabulary.value(token) for token in tokens[:, column].tolist()]
        for column, (stream, vocabulary) in enumerate(vocabularies.items())
    }
    offsets = [spec.grid.steps(value) for value in values["offset"]]
    if rest_before:
        offsets[rest_before] += segment.rest_steps
    return decode(
        values["note"],
        [first_onset_steps, *offsets[1:]],
        [spec.grid.steps(value) for value in values["duration"]],
        velocities(values[VELOCITY]) if VELOCITY in values else segment.velocity,
        spec,
        tempos=[Tempo(0, segment.microseconds_per_quarter)],
        time_signatures=[segment.time_signature],
        part=values.get(PART),
    )
