"""Raw → parsed batches: an internal cache, so that a content is parsed once however often and with what else it comes.

A batch is an artifact of its own that any worker can make; which batches there are depends on the history of a storage, so
nothing but `notes`, which puts them into one order, ever reads them.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from lstm_music.encoding.splits import music_hash
from lstm_music.errors import RejectedInputError
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.score import read_scores
from lstm_music.midi.table import NOTES_SCHEMA, PIECE_FIELDS, piece_row, to_arrow
from lstm_music.midi.text import printable
from lstm_music.midi.usable import require_music
from lstm_music.parquet import gathered, write_table, write_tables
from lstm_music.stages.data.ingest import ACCEPTED, Input
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "parsed"
READER_VERSION = 1  # goes up when a reader gives other notes for the same bytes
# A task costs about a quarter of a second, a music21 process two: a batch is worth five seconds or more.
MIDI_BYTES_A_BATCH = 16 << 20
MIDI_FILES_A_BATCH = 1 << 12
SCORES_A_BATCH = 60
PIECES_AT_ONCE = 1 << 8  # what stands beside their notes is large in Python: pedals and tempos
NOTES_A_GROUP = 1 << 15  # a merge of batches holds one row group of each that is open

PARSED_SCHEMA = pa.schema(
    [("piece_id", pa.string()), ("reason", pa.string()), ("music_hash", pa.string()), *PIECE_FIELDS]
)

Content = tuple[str, str]  # (piece id, format)


@dataclass(frozen=True)
class ParseBatch:
    """Contents to be parsed together: (piece id, format), in the order of ids."""

    contents: tuple[Content, ...]

    @property
    def stage(self) -> Stage:
        """The artifact that parsing them makes."""
        is_score = any(form != "midi" for _, form in self.contents)
        libraries = ("pyarrow", "numpy", "music21") if is_score else ("pyarrow", "numpy")
        return Stage(KIND, READER_VERSION, {"contents": [list(content) for content in self.contents]}, (), libraries)


def parsed_batches(store: Store) -> Iterator[ParseBatch]:
    """List the batches in the store that today's readers and libraries made; CorruptArtifactError where one is damaged."""
    for ref in store.refs(KIND):
        spec = store.open(ref).manifest["spec"]
        batch = ParseBatch(tuple((piece_id, form) for piece_id, form in spec["contents"]))
        if batch.stage.ref == ref:
            yield batch


def plan_batches(store: Store, inputs: Sequence[Input]) -> list[ParseBatch]:
    """Give the batches that are missing before every accepted input is parsed."""
    done = {content for batch in parsed_batches(store) for content in batch.contents}
    size_of = {(row.piece_id, row.format): row.bytes for row in inputs if row.status == ACCEPTED}
    todo = sorted(size_of.keys() - done)
    midi = [content for content in todo if content[1] == "midi"]
    scores = [content for content in todo if content[1] != "midi"]
    return [
        *_chunks(midi, size_of, MIDI_FILES_A_BATCH, MIDI_BYTES_A_BATCH),
        *_chunks(scores, size_of, SCORES_A_BATCH, sys.maxsize),
    ]


def parse_batch(store: Store, batch: ParseBatch) -> ArtifactRef:
    """Parse the contents of a batch; one that holds no music is noted with its reason."""
    stage = batch.stage
    if store.has(stage.ref):
        return stage.ref
    with store.write(stage) as writer:
        rows = _Rows([], [])
        notes = write_tables(
            writer.file("notes", "parquet"),
            NOTES_SCHEMA,
            gathered((to_arrow(piece_id, piece) for piece_id, piece in _accepted(store, batch, rows)), NOTES_A_GROUP),
        )
        pieces = rows.table()
        write_table(writer.file("pieces", "parquet"), pieces)
        rejected = sum(map(bool, pieces.column("reason").to_pylist()))
        writer.counts.update(accepted=pieces.num_rows - rejected, rejected=rejected, notes=notes)
    return stage.ref


@dataclass(frozen=True)
class _Rows:
    """Rows of `PARSED_SCHEMA`, most of them as Arrow, which holds a pedal in a tenth of what Python does."""

    tables: list[pa.Table]
    latest: list[dict[str, object]]

    def add(self, row: dict[str, object]) -> None:
        self.latest.append(row)
        if len(self.latest) == PIECES_AT_ONCE:
            self.tables.append(pa.Table.from_pylist(self.latest, schema=PARSED_SCHEMA))
            self.latest.clear()

    def table(self) -> pa.Table:
        return pa.concat_tables([*self.tables, pa.Table.from_pylist(self.latest, schema=PARSED_SCHEMA)])


def _accepted(store: Store, batch: ParseBatch, rows: _Rows) -> Iterator[tuple[str, PieceNotes]]:
    """Yield the pieces that hold music, in the order of the batch, and add a row for each content."""
    for piece_id, outcome in _outcomes(store, batch):
        try:
            piece = _usable(outcome)
        except RejectedInputError as error:
            rows.add({"piece_id": piece_id, "reason": printable(str(error)), "music_hash": ""})
        else:
            rows.add({"piece_id": piece_id, "reason": "", "music_hash": music_hash(piece), **piece_row(piece)})
            yield piece_id, piece


def _usable(outcome: PieceNotes | RejectedInputError) -> PieceNotes:
    """Give a piece that holds music, or raise why there is none."""
    if isinstance(outcome, RejectedInputError):
        raise outcome
    require_music(outcome)
    return outcome


def _outcomes(store: Store, batch: ParseBatch) -> Iterator[tuple[str, PieceNotes | RejectedInputError]]:
    if all(form == "midi" for _, form in batch.contents):
        for piece_id, _ in batch.contents:
            try:
                yield piece_id, read_midi(store.get_blob(piece_id))
            except RejectedInputError as error:
                yield piece_id, error
    else:
        yield from read_scores([(piece_id, form, store.get_blob(piece_id)) for piece_id, form in batch.contents])


def _chunks(
    contents: Sequence[Content], size_of: Mapping[Content, int], files: int, most_bytes: int
) -> Iterator[ParseBatch]:
    """Give batches of at most so many files, and of so many bytes where it is more than one file."""
    chunk: list[Content] = []
    held = 0
    for content in contents:
        if chunk and (len(chunk) == files or held + size_of[content] > most_bytes):
            yield ParseBatch(tuple(chunk))
            chunk, held = [], 0
        chunk.append(content)
        held += size_of[content]
    if chunk:
        yield ParseBatch(tuple(chunk))
