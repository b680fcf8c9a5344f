"""The measures of a piece of music, generated or not: statistics, repeats, and copies of training pieces."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lstm_music.encoding.events import decode
from lstm_music.encoding.streams import PART, heard
from lstm_music.evaluation.copies import CopyIndex, EventReader
from lstm_music.evaluation.loops import place, repeats
from lstm_music.evaluation.part_statistics import part_statistics
from lstm_music.evaluation.statistics import piece_histograms, piece_statistics
from lstm_music.generation.prompt import MEZZO_FORTE, Prompt
from lstm_music.midi.notes import PieceNotes
from lstm_music.stages.data.dataset import Dataset
from lstm_music.stages.music.part_measures import has_parts, part_counts, training_ranges


@dataclass(frozen=True)
class Excerpt:
    """Some events in a row that stand for themselves: tokens [events, columns], where in its bar the first begins, the bar."""

    tokens: np.ndarray
    first_position_steps: int
    bar_steps: int

    @classmethod
    def of(cls, segment: Prompt) -> "Excerpt":
        """Take the events of a segment of a piece."""
        return cls(segment.tokens, segment.position_in_bar_steps, segment.bar_steps)

    def until(self, events: int) -> "Excerpt":
        """Leave out all but the first events."""
        return Excerpt(self.tokens[:events], self.first_position_steps, self.bar_steps)


@dataclass(frozen=True)
class Measured:
    """What was measured of an excerpt.

    `statistics` are the metrics and histograms by name, `repeats` how often patterns come in a row, `longest_copy` how many
    events in a row some training piece holds too, up to transposition (None where nobody could search), and `copied_from`
    (piece, event) which.
    """

    statistics: dict[str, float]
    repeats: dict[str, int]
    longest_copy: int | None
    copied_from: tuple[int, int] | None

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON, which has no NaN: a statistic without an answer is None."""
        known = {name: value if math.isfinite(value) else None for name, value in self.statistics.items()}
        return {**asdict(self), "statistics": known}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Measured":
        """Read what `to_json` gave."""
        statistics = {name: math.nan if value is None else value for name, value in said["statistics"].items()}
        return cls(**{**said, "statistics": statistics})


def measure(
    dataset: Dataset,
    index: CopyIndex | None,
    reader: EventReader,
    excerpt: Excerpt,
    statistics_of_events: int | None = None,
) -> Measured:
    """Measure an excerpt; the statistics, which depend on the length, of its first `statistics_of_events` alone."""
    events = reader.read(excerpt.tokens)
    offsets, durations = events[:, 0].astype(np.int64), events[:, 2]
    onsets = np.cumsum(np.concatenate([[0], offsets[1:]]))
    bar, position = place(onsets, excerpt.bar_steps, excerpt.first_position_steps)
    shared = index.longest(events) if index else None
    return Measured(
        statistics=statistics_of(
            dataset,
            notes_of(dataset, excerpt.until(statistics_of_events or len(events))),
            excerpt.bar_steps / dataset.events.grid.steps_per_quarter,
        ),
        repeats=asdict(repeats(bar, position, excerpt.tokens[:, 1], durations, excerpt.bar_steps)),
        longest_copy=None if index is None else shared.length_events if shared else 0,
        copied_from=(shared.piece, shared.start_in_piece) if shared else None,
    )


def statistics_of(dataset: Dataset, notes: PieceNotes, bar_quarters: float) -> dict[str, float]:
    """Give all metrics and histograms by name, with those of parts where there are parts."""
    found = piece_statistics(notes, bar_quarters=bar_quarters) | piece_histograms(notes)
    if has_parts(dataset):
        found |= part_statistics(part_counts(dataset, notes), training_ranges(dataset))
    return found


def notes_of(dataset: Dataset, excerpt: Excerpt) -> PieceNotes:
    """Turn an excerpt into notes, all equally loud."""
    values = {
        stream: [dataset.vocabularies[stream].value(token) for token in excerpt.tokens[:, column].tolist()]
        for column, stream in enumerate(heard(dataset.streams))
    }
    grid = dataset.events.grid
    offsets = [grid.steps(value) for value in values["offset"]]
    return decode(
        values["note"],
        [excerpt.first_position_steps, *offsets[1:]],
        [grid.steps(value) for value in values["duration"]],
        MEZZO_FORTE,
        dataset.events,
        part=values.get(PART),
    )
