"""Notes ⇄ events: the sequence that the models learn, and where each event stands in the music.

An event is one note, or several notes that start together, written in the recipe's chord encoding. Its offset is the
time since the previous event. The table of events holds the report's three columns and the event's position as text and
numbers that you can read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lstm_music.encoding.bars import places_of_all
from lstm_music.encoding.chords import DRUM_NAMES, PITCH_NAMES, ChordEncoding
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.grid import Grid, Steps
from lstm_music.encoding.parts import LEFT_OUT, player_of
from lstm_music.midi.notes import (
    NOTE_DTYPE,
    PieceNotes,
    Tempo,
    TimeSignature,
    chosen_notes,
    joined_notes,
    sorted_notes,
)
from lstm_music.midi.parts import in_parts

_MOST_TEXTS = 4096  # steps whose texts are kept


@dataclass(frozen=True, eq=False, slots=True)
class PieceEvents:
    """The events of one piece by (onset, lowest pitch), or of several, one piece after another.

    Parallel columns, one entry per event. Steps are grid steps.
    """

    note: list[str]
    onset_steps: Steps
    offset_steps: Steps  # since the previous event; for the first event, since the start of the piece
    duration_steps: Steps
    bar: npt.NDArray[np.int32]  # from 1 on; a pickup is 0
    position_in_bar_steps: Steps
    velocity: npt.NDArray[np.uint8]  # of the loudest note
    track: npt.NDArray[np.int16]  # of the lowest note
    merged: int  # notes without an event, because a longer note has the same onset and pitch
    drums: int  # drum notes that are left out
    part: list[str] | None = None  # where the recipe has parts
    left_out: int = 0  # notes of parts that the recipe leaves out

    def __len__(self) -> int:
        return len(self.note)


def encode(piece: PieceNotes, spec: EventSpec) -> PieceEvents:
    """Quantise the pitched notes of a piece to the grid and group them into events.

    If notes share onset and pitch on the grid, only the longest stays (of equally long ones, the loudest). Every note of
    the piece is in an event, or counted in `merged`, `drums` or `left_out`.
    """
    return encode_all([piece], spec)[0]


def encode_all(pieces: Sequence[PieceNotes], spec: EventSpec) -> tuple[PieceEvents, npt.NDArray[np.int64]]:
    """Do what `encode` does for several pieces (at least one), in less time.

    Returns their events, one piece after another, and the number of events of each piece, int64 [pieces].
    """
    grid = spec.grid
    notes = joined_notes([piece.notes for piece in pieces])
    piece = np.repeat(np.arange(len(pieces)), [len(one.notes) for one in pieces])
    part = _parts(pieces, spec, notes)
    is_used = part != LEFT_OUT
    drums = int(np.count_nonzero(notes["is_drum"] & ~is_used))
    left_out = int(np.count_nonzero(~is_used)) - drums
    if not is_used.all():
        notes, piece, part = chosen_notes(notes, is_used), piece[is_used], part[is_used]
    ticks_per_quarter = np.array([one.ticks_per_quarter for one in pieces], np.int64)[piece]
    onset = grid.onsets(notes["onset_ticks"], ticks_per_quarter)
    duration = grid.durations(notes["duration_ticks"], ticks_per_quarter)
    if spec.parts != "none" and spec.drum_durations == "shortest":
        duration = np.where(notes["is_drum"], grid.shortest, duration)
    pitch = notes["pitch"].astype(np.int64)
    moment = piece * (onset.max(initial=0) + 1) + onset  # sorts by piece, then by onset, then by part
    moment = moment * max(len(spec.part_alphabet), 1) + part
    kept = _longest_of_each(moment, pitch, duration, notes["velocity"])
    group = spec.encoding.groups(moment[kept], duration[kept], pitch[kept])
    by_event = np.argsort(group, kind="stable")  # stable: the notes of an event stay in ascending order
    rows = kept[by_event]
    first = np.flatnonzero(np.diff(group[by_event], prepend=-1))
    firsts = rows[first]
    onset_steps, of_piece = onset[firsts], piece[firsts]
    bar, position = places_of_all(pieces, of_piece, onset_steps, grid)
    events = PieceEvents(
        note=_texts(pitch[rows], first, spec.encoding) if spec.parts == "none" else _names(notes[rows]),
        onset_steps=onset_steps,
        offset_steps=np.where(np.diff(of_piece, prepend=-1), onset_steps, np.diff(onset_steps, prepend=0)),
        duration_steps=duration[firsts],
        bar=bar.astype(np.int32),
        position_in_bar_steps=position,
        velocity=np.maximum.reduceat(notes["velocity"][rows], first),
        track=notes["track"][firsts],
        merged=len(notes) - len(kept),
        drums=drums,
        part=None if spec.parts == "none" else [spec.part_alphabet[index] for index in part[firsts].tolist()],
        left_out=left_out,
    )
    return events, np.bincount(of_piece, minlength=len(pieces))


def _parts(pieces: Sequence[PieceNotes], spec: EventSpec, notes: np.ndarray) -> npt.NDArray[np.int64]:
    """Return the index of each note's part, int64 [notes], or `LEFT_OUT`; without parts all but drums have one."""
    if spec.part_reader is None:
        return np.where(notes["is_drum"], LEFT_OUT, 0)
    return np.concatenate([spec.part_reader.read(piece) for piece in pieces])


def _names(notes: np.ndarray) -> list[str]:
    """Return the value of each note of a recipe with parts."""
    pairs = zip(notes["pitch"].tolist(), notes["is_drum"].tolist(), strict=True)
    return [DRUM_NAMES[pitch] if is_drum else PITCH_NAMES[pitch] for pitch, is_drum in pairs]


def _longest_of_each(
    moment: Steps,
    pitch: npt.NDArray[np.int64],
    duration: Steps,
    velocity: npt.NDArray[np.uint8],
) -> npt.NDArray[np.int64]:
    """Return the indices of the notes that stay, one per (moment, pitch), in that order."""
    place = moment << 7 | pitch  # a pitch is below 128
    order = np.argsort(place, kind="stable")
    is_last = _differ_from_next(place[order])
    if not is_last.all():
        in_group = ~is_last | np.append(False, ~is_last[:-1])
        rows = order[in_group]
        order[in_group] = rows[np.lexsort((velocity[rows], duration[rows], place[rows]))]
    kept: npt.NDArray[np.int64] = order[is_last]
    return kept


def _differ_from_next(values: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    differ = np.ones(len(values), dtype=np.bool_)
    differ[:-1] = values[1:] != values[:-1]
    return differ


def _texts(pitch: npt.NDArray[np.int64], first: npt.NDArray[np.int64], encoding: ChordEncoding) -> list[str]:
    if len(first) == len(pitch):  # single notes only, as with `per_note`: much faster than the loop below
        names = np.array([encoding.text((one,)) for one in range(128)], object)
        found: list[str] = names.take(pitch).tolist()
        return found
    pitches = pitch.tolist()
    borders = [*first.tolist(), len(pitches)]
    text_of: dict[tuple[int, ...], str] = {}
    texts = []
    for start, end in pairwise(borders):
        group = tuple(pitches[start:end])
        if group not in text_of:
            text_of[group] = encoding.text(group)
        texts.append(text_of[group])
    return texts


def to_arrow(piece_ids: Sequence[str], counts: Sequence[int] | Steps, events: PieceEvents, spec: EventSpec) -> pa.Table:
    """Write the events of some pieces as a table of `spec.events_schema`; `counts` [pieces] is how many events each has."""
    grid = spec.grid
    piece = np.repeat(np.arange(len(piece_ids)), counts)
    before = np.cumsum(counts) - counts
    return pa.table(
        [
            pa.array(piece_ids, pa.string()).take(pa.array(piece)),
            (np.arange(len(events)) - before[piece]).astype(np.int32),
            pa.array(events.note, pa.string()),
            _fractions(events.offset_steps, grid),
            _fractions(events.duration_steps, grid),
            events.offset_steps / grid.steps_per_quarter,
            events.duration_steps / grid.steps_per_quarter,
            events.onset_steps / grid.steps_per_quarter,
            events.bar,
            events.position_in_bar_steps / grid.steps_per_quarter,
            events.velocity,
            events.track,
            *([] if events.part is None else [pa.array(events.part, pa.string())]),
        ],
        schema=spec.events_schema,
    )


def _fractions(steps: Steps, grid: Grid) -> pa.Array:
    if steps.max(initial=0) < _MOST_TEXTS:
        return _short_texts(grid).take(pa.array(steps))
    distinct, place = np.unique(steps, return_inverse=True)
    return pa.array([grid.text(step) for step in distinct.tolist()], pa.string()).take(pa.array(place))


@cache
def _short_texts(grid: Grid) -> pa.Array:
    """Return the texts of all times from 0 to `_MOST_TEXTS` steps: nearly all pieces have no longer one between events."""
    return pa.array([grid.text(step) for step in range(_MOST_TEXTS)], pa.string())


def decode(
    note: Sequence[str],
    offset_steps: npt.ArrayLike,
    duration_steps: npt.ArrayLike,
    velocity: npt.ArrayLike,
    spec: EventSpec,
    *,
    tempos: Sequence[Tempo] = (),
    time_signatures: Sequence[TimeSignature] = (),
    part: Sequence[str] | None = None,
) -> PieceNotes:
    """Turn events into notes: the inverse of `encode`. Each part has a track of its own; without parts there is one.

    The piece has `spec.grid.ticks_per_quarter` ticks per quarter; give `tempos` and `time_signatures` in these ticks.
    `velocity` is one number, or one per event. An event of 0 steps, which the reading `music21-5` can produce, gets the
    shortest duration of the grid. Raises MismatchError for a note that the encoding does not write.
    """
    grid = spec.grid
    ticks_per_step = grid.ticks_per_quarter // grid.steps_per_quarter
    pitches = [spec.encoding.pitches(text) for text in note]
    sizes = np.array([len(group) for group in pitches], dtype=np.int64)
    onset = np.cumsum(np.asarray(offset_steps, dtype=np.int64))
    notes = np.zeros(int(sizes.sum()), dtype=NOTE_DTYPE)
    notes["pitch"] = [pitch for group in pitches for pitch in group]
    notes["velocity"] = np.repeat(np.broadcast_to(np.asarray(velocity), sizes.shape), sizes)
    notes["onset_ticks"] = np.repeat(onset, sizes) * ticks_per_step
    steps = np.asarray(duration_steps, dtype=np.int64)
    notes["duration_ticks"] = np.repeat(np.where(steps > 0, steps, grid.shortest), sizes) * ticks_per_step
    piece = PieceNotes(
        ticks_per_quarter=grid.ticks_per_quarter,
        notes=notes,
        tempos=tuple(tempos),
        time_signatures=tuple(time_signatures),
    )
    if part is None:
        return replace(piece, notes=sorted_notes(notes))
    values = [value for value in spec.part_alphabet if value in set(part)]
    of_event = np.array([values.index(value) for value in part], np.int64)
    return in_parts(piece, [player_of(spec.parts, value) for value in values], np.repeat(of_event, sizes))
