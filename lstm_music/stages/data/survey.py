"""A first pass over the events of a dataset: which values occur, how often, and where each piece lies."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa

from lstm_music.encoding.streams import PART
from lstm_music.encoding.vocabulary import Vocabulary, fit, grown
from lstm_music.recipe import Recipe
from lstm_music.stages.data.columns import EventColumns

SPANS_SCHEMA = pa.schema(
    [
        ("piece_id", pa.string()),
        ("start", pa.int64()),  # events, inclusive
        ("stop", pa.int64()),  # events, exclusive
        ("lowest_shift", pa.int8()),  # semitones, inclusive
        ("highest_shift", pa.int8()),  # semitones, inclusive
    ],
)


@dataclass(frozen=True)
class Survey:
    """The result of a first pass over the events: tokens can be written only after the vocabularies are fitted."""

    counts: Mapping[str, Mapping[str, int]]  # by stream, of the training pieces
    values: Mapping[str, Collection[str]]  # by stream, of all pieces
    spans: pa.Table  # of the pieces that have events, in their order
    notes_of_parts: Mapping[str, Collection[str]]  # of the training pieces

    def vocabularies(
        self, recipe: Recipe, earlier: Mapping[str, Vocabulary] = MappingProxyType({})
    ) -> dict[str, Vocabulary]:
        """Fit the vocabularies; those of an `earlier` dataset grow, and keep their ids."""
        return {stream: self._vocabulary(recipe, stream, earlier.get(stream)) for stream in recipe.model.streams}

    def _vocabulary(self, recipe: Recipe, stream: str, earlier: Vocabulary | None) -> Vocabulary:
        counts = Counter(self.counts[stream])
        if earlier is not None:
            known = zip(earlier.values, earlier.counts, strict=True)
            counts.update({value: count for value, count in known if count})
        grid, encoding, shifts = recipe.events.grid, recipe.events.encoding, recipe.windows.shifts
        fitted = fit(stream, counts, encoding, grid, shifts, recipe.events.part_alphabet)
        return fitted if earlier is None else grown(earlier, fitted)


def survey(parts: Iterator[EventColumns], recipe: Recipe, train: set[str]) -> Survey:
    """Go through the events once; `train` are the ids of the training pieces."""
    counts: dict[str, Counter[str]] = {stream: Counter() for stream in recipe.model.streams}
    values: dict[str, set[str]] = {stream: set() for stream in recipe.model.streams}
    spans = [SPANS_SCHEMA.empty_table()]
    notes_of_parts: dict[str, set[str]] = {}
    for columns in parts:
        on_train = columns.rows_of(train)
        for part, notes in columns.notes_of_parts(on_train) if PART in recipe.model.streams else ():
            notes_of_parts.setdefault(part, set()).update(notes)
        for stream in recipe.model.streams:
            counts[stream].update(columns.counts(stream, on_train))
            values[stream].update(columns.columns[stream].values)
        found = [{name: getattr(span, name) for name in SPANS_SCHEMA.names} for span in columns.spans(recipe.windows)]
        spans.append(pa.Table.from_pylist(found, schema=SPANS_SCHEMA))
    return Survey(counts, values, pa.concat_tables(spans), notes_of_parts)
