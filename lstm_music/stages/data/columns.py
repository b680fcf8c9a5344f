"""The events of a dataset as columns of integer codes: a few bytes per event, with one row group in memory."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from lstm_music.encoding.chords import PIANO_HIGHEST, PIANO_LOWEST, content
from lstm_music.encoding.controls import Played, control_tokens
from lstm_music.encoding.grid import Grid
from lstm_music.encoding.guesses import guess_columns
from lstm_music.encoding.knowledge import Knowledge
from lstm_music.encoding.places import PLACES, place_tokens
from lstm_music.encoding.streams import PART, VELOCITY, heard
from lstm_music.encoding.velocities import level_texts
from lstm_music.encoding.vocabulary import Vocabulary
from lstm_music.encoding.windows import PieceSpan, WindowSpec
from lstm_music.parquet import iterate_groups
from lstm_music.store import ArtifactRef, Store

EVENTS_AT_ONCE = 1 << 13


@dataclass(frozen=True)
class Column:
    """A text column as codes into its distinct values."""

    values: tuple[str, ...]
    codes: np.ndarray


@dataclass(frozen=True)
class EventColumns:
    """The events of some whole pieces in sequence: a column per stream, and the column of piece ids."""

    columns: Mapping[str, Column]
    bar: np.ndarray  # int32 [events], from 1 on; a pickup is 0
    position_in_bar: np.ndarray  # float64 [events], quarter lengths
    start: int  # the number of events before these in the table

    def rows_of(self, piece_ids: set[str]) -> np.ndarray:
        """Return a mask of the events of these pieces, bool [events]."""
        column = self.columns["piece_id"]
        wanted: np.ndarray = np.array([value in piece_ids for value in column.values], np.bool_)
        found: np.ndarray = wanted[column.codes]
        return found

    def counts(self, stream: str, rows: np.ndarray) -> dict[str, int]:
        """Count each value in these events; values that do not occur are left out."""
        column = self.columns[stream]
        numbers = np.bincount(column.codes[rows], minlength=len(column.values)).tolist()
        return Counter({value: number for value, number in zip(column.values, numbers, strict=True) if number})

    def notes_of_parts(self, rows: np.ndarray) -> Iterator[tuple[str, list[str]]]:
        """Yield each part that plays in these events, and its notes."""
        part, note = self.columns[PART], self.columns["note"]
        pairs = np.unique(part.codes[rows].astype(np.int64) * len(note.values) + note.codes[rows])
        parts, notes = np.divmod(pairs, len(note.values))
        for code in np.unique(parts).tolist():
            yield part.values[code], [note.values[other] for other in notes[parts == code].tolist()]

    def tokens(self, vocabularies: Mapping[str, Vocabulary], grid: Grid, knowledge: Knowledge) -> np.ndarray:
        """Return the tokens of every event, uint32 [events, columns]: streams, places, and what is known beside them."""
        return np.concatenate([*self.token_parts(vocabularies, grid, knowledge)])

    def token_parts(
        self, vocabularies: Mapping[str, Vocabulary], grid: Grid, knowledge: Knowledge
    ) -> Iterator[np.ndarray]:
        """Yield `tokens` a few pieces at a time: with all that is known, a row group of them would fill memory."""
        places, echoes = len(vocabularies), len(vocabularies) + len(PLACES)
        streams, codes = self.stream_tokens(vocabularies), self.columns["piece_id"].codes
        placed = place_tokens(np.rint(self.position_in_bar * grid.steps_per_quarter), grid)
        known = [*knowledge.sizes({stream: vocabulary.size for stream, vocabulary in vocabularies.items()})]
        width = echoes + len(known)
        controls = width - len(knowledge.controls)
        guesses = controls - (0 if knowledge.table is None else len(guess_columns(vocabularies)))
        played = self._played(grid) if knowledge.controls else None
        for pieces in self._parts():
            first, last = pieces[0][1], pieces[-1][2]
            part = slice(first, last)
            tokens = np.empty((last - first, width), np.uint32)
            tokens[:, :places], tokens[:, places:echoes] = streams[part], placed[part]
            sounding = streams[part, : len(heard([*vocabularies]))].astype(np.int64)
            tokens[:, echoes:guesses] = knowledge.echo_tokens(sounding, vocabularies, grid, codes[part])
            if knowledge.table is not None:
                for piece_id, start, stop in pieces:
                    here, is_counted = slice(start - first, stop - first), piece_id in knowledge.counted
                    guessed = knowledge.guess_tokens(sounding[here], vocabularies, is_counted=is_counted)
                    tokens[here, guesses:controls] = guessed
            if played is not None:
                tokens[:, controls:] = control_tokens(played.part(part), grid.steps_per_quarter, knowledge.controls)
            yield tokens

    def _played(self, grid: Grid) -> Played:
        """Return the events as they are played, in steps of the grid."""
        note, codes = self.columns["note"], self.columns["piece_id"].codes.astype(np.int64)
        offset, duration = (
            np.array([grid.steps(value) for value in column.values], np.int64)[column.codes]
            for column in (self.columns["offset"], self.columns["duration"])
        )
        pitches = np.array([min(content(value)[0], default=-1) for value in note.values], np.int64)
        onset, first = np.cumsum(offset), np.flatnonzero(np.diff(codes, prepend=-1))
        onset -= np.repeat(onset[first] - offset[first], np.diff([*first, len(onset)]))
        position = np.rint(self.position_in_bar * grid.steps_per_quarter).astype(np.int64)
        return Played(codes, onset, duration, pitches[note.codes], self.bar.astype(np.int64), position)

    def stream_tokens(self, vocabularies: Mapping[str, Vocabulary]) -> np.ndarray:
        """Return the tokens of the streams of every event, uint32 [events, streams]."""
        tokens = np.empty((len(self.position_in_bar), len(vocabularies)), np.uint32)
        for index, (stream, vocabulary) in enumerate(vocabularies.items()):
            column = self.columns[stream]
            tokens[:, index] = vocabulary.encode(column.values)[column.codes]
        return tokens

    def pieces(self) -> Iterator[tuple[str, int, int]]:
        """Yield the id of each piece, its first event and the end (exclusive), in these events."""
        piece = self.columns["piece_id"]
        for start, stop in self._borders():
            yield piece.values[piece.codes[start]], start, stop

    def _parts(self) -> Iterator[list[tuple[str, int, int]]]:
        """Yield what `pieces` yields, some at a time: for a single short piece, the overhead would dominate."""
        held: list[tuple[str, int, int]] = []
        for piece in self.pieces():
            held.append(piece)
            if piece[2] - held[0][1] >= EVENTS_AT_ONCE:
                yield held
                held = []
        if held:
            yield held

    def _borders(self) -> Iterator[tuple[int, int]]:
        """Yield the start and the end (exclusive) of each piece."""
        codes = self.columns["piece_id"].codes
        return pairwise([*np.flatnonzero(np.diff(codes, prepend=-1)).tolist(), len(codes)])

    def spans(self, window: WindowSpec) -> Iterator[PieceSpan]:
        """Yield the position of each piece in the whole table, and its possible transpositions within the piano's range."""
        piece, note = self.columns["piece_id"], self.columns["note"]
        lowest, highest = _ranges(note.values)
        for start, stop in self._borders():
            codes = note.codes[start:stop]
            low, high = int(lowest[codes].min()), int(highest[codes].max())
            beyond = low < PIANO_LOWEST or high > PIANO_HIGHEST  # such a piece is never transposed
            yield PieceSpan(
                piece_id=piece.values[piece.codes[start]],
                start=self.start + start,
                stop=self.start + stop,
                lowest_shift=0 if beyond else max(window.transpose_from, PIANO_LOWEST - low),
                highest_shift=0 if beyond else min(window.transpose_to, PIANO_HIGHEST - high),
            )


def iterate_columns(store: Store, events_ref: ArtifactRef, streams: Sequence[str]) -> Iterator[EventColumns]:
    """Read these streams of the events table, one row group at a time. No row group cuts a piece in two."""
    names = ("piece_id", *streams)
    coded = [name for name in names if name != VELOCITY]  # the only stream that is not text
    start = 0
    for shard in store.open(events_ref).files("events"):
        for table in iterate_groups(shard, (*names, "bar", "position_in_bar"), coded=coded):
            if table.num_rows:
                columns = {name: _coded(table.column(name)) for name in names}
                bar, position = (table.column(name).to_numpy() for name in ("bar", "position_in_bar"))
                yield EventColumns(columns, bar, position, start)
                start += table.num_rows


def _coded(column: pa.ChunkedArray) -> Column:
    if pa.types.is_integer(column.type):
        distinct, place = np.unique(column.to_numpy(), return_inverse=True)
        levels, of_distinct = np.unique(level_texts(distinct), return_inverse=True)
        return Column(tuple(levels.tolist()), of_distinct[place])
    found = column.unify_dictionaries().combine_chunks()
    return Column(tuple(found.dictionary.to_pylist()), found.indices.to_numpy())


def _ranges(texts: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest pitch of each value. Pitch classes have no range; they move freely."""
    pitches = [content(text)[0] for text in texts]
    middle = (PIANO_LOWEST + PIANO_HIGHEST) // 2
    return (
        np.array([min(group, default=middle) for group in pitches]),
        np.array([max(group, default=middle) for group in pitches]),
    )
