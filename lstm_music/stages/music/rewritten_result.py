"""What the loop made in a gap → the candidates that suit what follows, and files in which all the rest stays as it was."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.chords import content, drum_key
from lstm_music.encoding.parts import LEFT_OUT
from lstm_music.encoding.streams import PART, STREAMS, VELOCITY
from lstm_music.encoding.velocities import velocities
from lstm_music.generation.ending import held_in_notes
from lstm_music.generation.loop import Made
from lstm_music.midi.notes import NOTE_DTYPE, PieceNotes, chosen_notes, joined_notes, sorted_notes
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.prompt_files import of_known_parts
from lstm_music.stages.music.rewriting import BEHIND, Rewritten

_OFFSET, _NOTE, _DURATION = range(len(STREAMS))


@dataclass(frozen=True, eq=False)
class NewBars:
    """New bars: `made` are all events in the gap, `is_new` bool [events] says which of them are new.

    `onsets` int64 [events] is where they begin, in steps of the file.
    `given_nats` is what the models think of all that stays from the gap on, `nats_behind` float [events] of each event behind it.
    `facts` are for the user.
    """

    read: Rewritten
    made: Made
    is_new: npt.NDArray[np.bool_]
    onsets: npt.NDArray[np.int64]
    given_nats: float
    nats_behind: npt.NDArray[np.float64]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[tuple[int, int], ...]:
        """When all events in the gap begin, and their notes, to compare."""
        return tuple(zip(self.onsets.tolist(), self.made.tokens[:, _NOTE].tolist(), strict=True))

    def rows(self, dataset: Dataset) -> npt.NDArray[np.int64]:
        """Give all events in the gap as int64 [events, (onset, part, note, duration, velocity)]; -1 where there is no stream."""
        tokens, none = self.made.tokens, np.full(len(self.onsets), -1)
        part, velocity = (
            tokens[:, dataset.streams.index(stream)] if stream in dataset.streams else none
            for stream in (PART, VELOCITY)
        )
        columns = (self.onsets, part, tokens[:, _NOTE], tokens[:, _DURATION], velocity)
        return np.stack(columns, 1).astype(np.int64)


def read_bars_made(dataset: Dataset, read: Rewritten, one: Made) -> NewBars | None:
    """Take the events in the gap from an output, and judge it; None where it did not find its way through what is given."""
    onsets = read.gap.begin + np.cumsum(dataset.offset_steps[one.tokens[:, _OFFSET]], dtype=np.int64)
    parts = one.tokens[:, len(STREAMS)] if PART in dataset.vocabularies else np.full(len(onsets), -1)
    kept = read.given
    known = {*zip(kept.events.onset_steps.tolist(), kept.parts.tolist(), kept.notes.tolist(), strict=True)}
    keys = zip(onsets.tolist(), parts.tolist(), one.tokens[:, _NOTE].tolist(), strict=True)
    is_given = np.array([key in known for key in keys], np.bool_)
    if is_given.sum() != len(kept) or not len(one.tokens):
        return None
    inside = onsets < read.gap.stop
    judges = np.count_nonzero(kept.events.onset_steps < read.gap.stop) + BEHIND
    nats = float(one.nats[is_given][:judges].sum(dtype=np.float64))
    if not read.has_more:
        nats += float(one.end_nats[-1])
    count = int(inside.sum())
    made = replace(one, tokens=one.tokens[:count], nats=one.nats[:count], end_nats=one.end_nats[:count])
    return NewBars(read, made, ~is_given[:count], onsets[:count], nats, one.nats[~inside])


def with_new_bars(dataset: Dataset, bars: NewBars) -> PieceNotes:
    """Put new notes in the place of those that were replaced; no other note changes, nor anything else of the file.

    A new note has the track, the channel and the program of the note of its part that is nearest in pitch, around the gap.
    """
    whole = bars.read.whole
    stays = chosen_notes(whole.notes, ~bars.read.replaced)
    new = _cut_short(_new_notes(dataset, bars.read, bars), stays)
    if not bars.read.has_more:
        new = _held(new, bars.read, dataset)
    return replace(whole, notes=sorted_notes(joined_notes([stays, new])))


def facts_of(bars: NewBars, was: NewBars | None, candidates: int) -> dict[str, Any]:
    """Say what was rewritten, and how likely what follows is after it and after what was there."""

    def mean(nats: npt.NDArray[np.float64]) -> float | None:
        return round(float(nats.mean()), 4) if len(nats) else None

    read = bars.read
    return {
        "file": read.melody.file.name,
        "title": read.title,
        "bars": read.melody.bars,
        "part": read.melody.part,
        "notes": int(bars.is_new.sum()),
        "replaced_notes": int(read.replaced.sum()),
        "candidates": candidates,
        "events_behind": len(bars.nats_behind),
        "nats_per_event_behind": mean(bars.nats_behind),
        "nats_per_event_behind_before": None if was is None else mean(was.nats_behind),
    }


def _new_notes(dataset: Dataset, read: Rewritten, bars: NewBars) -> np.ndarray:
    tokens, grid, ticks = bars.made.tokens[bars.is_new], dataset.events.grid, read.whole.ticks_per_quarter
    values = {
        stream: [vocabulary.value(token) for token in tokens[:, column].tolist()]
        for column, (stream, vocabulary) in enumerate(dataset.vocabularies.items())
    }
    onsets = bars.onsets[bars.is_new]
    ends = np.minimum(onsets + [grid.steps(value) for value in values["duration"]], read.gap.until)
    in_ticks = [np.rint(steps * ticks / grid.steps_per_quarter).astype(np.int64) for steps in (onsets, ends)]
    notes = np.zeros(len(tokens), NOTE_DTYPE)
    notes["pitch"] = [drum if (drum := drum_key(text)) is not None else content(text)[0][0] for text in values["note"]]
    notes["onset_ticks"] = in_ticks[0]
    notes["duration_ticks"] = np.maximum(in_ticks[1] - in_ticks[0], 1)
    for index, like in enumerate(_models_of(dataset, read, notes, values.get(PART))):
        for name in ("track", "channel", "program", "is_drum"):
            notes[name][index] = like[name][0]
        notes["velocity"][index] = round(float(like["velocity"].mean()))
    if VELOCITY in values:
        notes["velocity"] = velocities(values[VELOCITY])
    return notes


def _models_of(
    dataset: Dataset, read: Rewritten, notes: np.ndarray, parts: Sequence[str] | None
) -> Iterator[np.ndarray]:
    """Yield for each new note the notes that it is played like: those of one track near the gap, the nearest in pitch first."""
    whole = read.whole
    known = of_known_parts(dataset)
    reader = known.part_reader
    of_note = np.where(whole.notes["is_drum"], LEFT_OUT, 0) if reader is None else reader.read(whole)
    for index, note in enumerate(notes):
        part = 0 if parts is None else known.part_alphabet.index(parts[index])
        own = whole.notes[(of_note == part) & read.is_chosen]
        near = own[np.argsort(_distance(own, note, whole.ticks_per_quarter), kind="stable")]
        same = np.ones(len(near), np.bool_)
        for name in ("track", "channel", "program"):
            same &= near[name] == near[name][0]
        yield near[same][:_AROUND]


_AROUND = 8
"""So many notes say how loud a new one is."""

LONGEST = 8
"""The longest last note, in quarters, that is held until the end of a piece."""


def _distance(own: np.ndarray, note: np.void, ticks_per_quarter: int) -> npt.NDArray[np.float64]:
    """Say how far notes lie from a new one, in semitones; a quarter of distance in time counts as two of them."""
    quarters = np.abs(own["onset_ticks"] - note["onset_ticks"]) / ticks_per_quarter
    return np.asarray(np.abs(own["pitch"].astype(np.int64) - int(note["pitch"])) + 2 * quarters, np.float64)


def _held(new: np.ndarray, read: Rewritten, dataset: Dataset) -> np.ndarray:
    """Hold the last notes until the barline at which the piece ends."""
    ticks, steps = read.whole.ticks_per_quarter, dataset.events.grid.steps_per_quarter
    return held_in_notes(new, int(new["onset_ticks"].min()), round(read.gap.stop * ticks / steps), LONGEST * ticks)


def _cut_short(new: np.ndarray, stays: np.ndarray) -> np.ndarray:
    """Let new notes end where their pitch is struck again in their channel."""
    cut = new.copy()
    others = joined_notes([stays, new])
    for note in cut:
        same = others[(others["channel"] == note["channel"]) & (others["pitch"] == note["pitch"])]
        later = same["onset_ticks"][same["onset_ticks"] > note["onset_ticks"]]
        if len(later):
            note["duration_ticks"] = min(note["duration_ticks"], later.min() - note["onset_ticks"])
    return cut
