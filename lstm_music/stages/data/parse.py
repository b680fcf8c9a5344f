"""Raw content → parsed batches: an internal cache, so each content is parsed once, whatever collections it is in.

A batch is an artifact that any worker can make. The set of batches depends on the history of a storage, so only the stage
`notes` reads them: it merges them into one order.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import itemgetter

import pyarrow as pa

from lstm_music.encoding.splits import music_hash
from lstm_music.errors import ReadLimitError, RejectedInputError
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.reader import read_midi
from lstm_music.midi.table import NOTES_SCHEMA, PIECE_FIELDS, piece_row, rows_to_arrow, to_arrow
from lstm_music.midi.text import printable
from lstm_music.midi.usable import require_notes
from lstm_music.parquet import write_table, write_tables
from lstm_music.scores.reading import read_scores
from lstm_music.scores.spec import ReadingSpec, Repeats
from lstm_music.stages.data.ingest import ACCEPTED, Input
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "parsed"
READER_VERSION = 2  # increases when a reader returns other notes for the same bytes
# A task costs about 0.25 seconds, a process that reads scores about 0.5. So a batch should take 5 seconds or more.
MIDI_BYTES_PER_BATCH = 16 << 20
MIDI_FILES_PER_BATCH = 1 << 12
SCORES_PER_BATCH = 60
PIECES_AT_ONCE = 1 << 8  # limits memory: pedals and tempos are large as Python objects
NOTES_PER_GROUP = 1 << 15  # merging batches keeps one row group of each open batch in memory

PARSED_SCHEMA = pa.schema(
    [
        ("piece_id", pa.string()),
        ("reason", pa.string()),
        ("met_limit", pa.bool_()),  # the reason may not hold another time
        ("music_hash", pa.string()),
        *PIECE_FIELDS,
    ]
)

Content = tuple[str, str]  # (piece id, format)


@dataclass(frozen=True)
class ParseBatch:
    """Contents to parse together: (piece id, format), in the order of ids, and how often to read repeated bars of scores.

    No id is in it twice: the same bytes in another format are in another batch, because notes have no format beside their id.
    `attempt` is above 0 for contents that met a limit of time or memory so often before.
    """

    contents: tuple[Content, ...]
    repeats: Repeats = "once"
    attempt: int = 0

    @property
    def is_midi(self) -> bool:
        """Whether it holds MIDI files only, which have no signs of repetition."""
        return all(form == "midi" for _, form in self.contents)

    @cached_property
    def ref(self) -> ArtifactRef:
        """The reference of what was parsed: the digest of some thousand contents, so it is computed once."""
        return self.stage.ref

    @property
    def stage(self) -> Stage:
        """The stage that parses them."""
        spec = {
            "contents": [list(content) for content in self.contents],
            **ReadingSpec(repeats=self.repeats).changed(),
            **({"attempt": self.attempt} if self.attempt else {}),
        }
        return Stage(KIND, READER_VERSION, spec, (), ("pyarrow", "numpy"))


def parsed_batches(store: Store, repeats: Repeats = "once") -> Iterator[ParseBatch]:
    """Yield the stored batches that the current readers and libraries made, MIDI files and what was read with these `repeats`.

    Raises CorruptArtifactError for a damaged one.
    """
    for ref in store.refs(KIND):
        spec = store.open(ref).manifest["spec"]
        contents = tuple((piece_id, form) for piece_id, form in spec["contents"])
        batch = ParseBatch(contents, spec.get("repeats", "once"), spec.get("attempt", 0))
        if batch.ref == ref and (batch.repeats == repeats or batch.is_midi):
            yield batch


def plan_batches(store: Store, inputs: Sequence[Input], repeats: Repeats = "once") -> list[ParseBatch]:
    """Return the batches that remain to be parsed for all accepted inputs."""
    done = {content for batch in parsed_batches(store, repeats) for content in batch.contents}
    size_of = {(row.piece_id, row.format): row.bytes for row in inputs if row.status == ACCEPTED}
    todo = sorted(size_of.keys() - done)
    midi = [content for content in todo if content[1] == "midi"]
    scores: dict[int, list[Content]] = {}  # by how many formats of the same bytes come before
    for _, formats in groupby((content for content in todo if content[1] != "midi"), key=itemgetter(0)):
        for turn, content in enumerate(formats):
            scores.setdefault(turn, []).append(content)
    return [
        *map(ParseBatch, _chunks(midi, size_of, MIDI_FILES_PER_BATCH, MIDI_BYTES_PER_BATCH)),
        *(
            ParseBatch(chunk, repeats)
            for contents in scores.values()
            for chunk in _chunks(contents, size_of, SCORES_PER_BATCH, sys.maxsize)
        ),
    ]


def parse_batch(store: Store, batch: ParseBatch) -> ArtifactRef:
    """Parse the contents of a batch; record the reason for each content without notes."""
    if store.has(batch.ref):
        return batch.ref
    with store.write(batch.stage) as writer:
        rows = _Rows([], [])
        notes = write_tables(writer.file("notes", "parquet"), NOTES_SCHEMA, _note_tables(_accepted(store, batch, rows)))
        pieces = rows.table()
        write_table(writer.file("pieces", "parquet"), pieces)
        rejected = sum(map(bool, pieces.column("reason").to_pylist()))
        writer.counts.update(accepted=pieces.num_rows - rejected, rejected=rejected, notes=notes)
    return batch.ref


@dataclass(frozen=True)
class _Rows:
    """Rows of `PARSED_SCHEMA`, most of them as Arrow tables, where pedals take a tenth of the memory of Python objects."""

    tables: list[pa.Table]
    latest: list[dict[str, object]]

    def add(self, row: dict[str, object]) -> None:
        self.latest.append(row)
        if len(self.latest) == PIECES_AT_ONCE:
            self.tables.append(rows_to_arrow(self.latest, PARSED_SCHEMA))
            self.latest.clear()

    def table(self) -> pa.Table:
        return pa.concat_tables([*self.tables, rows_to_arrow(self.latest, PARSED_SCHEMA)])


def _note_tables(pieces: Iterable[tuple[str, PieceNotes]]) -> Iterator[pa.Table]:
    """Yield the notes of the pieces, some whole pieces at a time: `NOTES_PER_GROUP` notes and the rest of a piece."""
    ids: list[str] = []
    held: list[PieceNotes] = []
    count = 0
    for piece_id, piece in pieces:
        ids.append(piece_id)
        held.append(piece)
        count += len(piece.notes)
        if count >= NOTES_PER_GROUP:
            yield to_arrow(ids, held)
            ids, held, count = [], [], 0
    if held:
        yield to_arrow(ids, held)


def _accepted(store: Store, batch: ParseBatch, rows: _Rows) -> Iterator[tuple[str, PieceNotes]]:
    """Yield the pieces with notes in the order of the batch, and add a row for every content."""
    for piece_id, outcome in _outcomes(store, batch):
        try:
            piece = _usable(outcome)
        except RejectedInputError as error:
            met_limit = isinstance(error, ReadLimitError)
            rows.add({"piece_id": piece_id, "reason": printable(str(error)), "met_limit": met_limit, "music_hash": ""})
        else:
            rows.add(
                {
                    "piece_id": piece_id,
                    "reason": "",
                    "met_limit": False,
                    "music_hash": music_hash(piece),
                    **piece_row(piece),
                }
            )
            yield piece_id, piece


def _usable(outcome: PieceNotes | RejectedInputError) -> PieceNotes:
    """Return a piece with notes, or raise RejectedInputError with the reason; only drums are music to some recipes."""
    if isinstance(outcome, RejectedInputError):
        raise outcome
    require_notes(outcome)
    return outcome


def _outcomes(store: Store, batch: ParseBatch) -> Iterator[tuple[str, PieceNotes | RejectedInputError]]:
    if batch.is_midi:
        for piece_id, _ in batch.contents:
            try:
                yield piece_id, read_midi(store.get_blob(piece_id))
            except RejectedInputError as error:
                yield piece_id, error
    else:
        scores = [(piece_id, form, store.get_blob(piece_id)) for piece_id, form in batch.contents]
        yield from read_scores(scores, repeats=batch.repeats)


def _chunks(
    contents: Sequence[Content], size_of: Mapping[Content, int], files: int, most_bytes: int
) -> Iterator[tuple[Content, ...]]:
    """Yield chunks of at most `files` files and `most_bytes` bytes; a larger single file is a chunk of its own."""
    chunk: list[Content] = []
    held = 0
    for content in contents:
        if chunk and (len(chunk) == files or held + size_of[content] > most_bytes):
            yield tuple(chunk)
            chunk, held = [], 0
        chunk.append(content)
        held += size_of[content]
    if chunk:
        yield tuple(chunk)
