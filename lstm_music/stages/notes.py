"""Parsed batches → the note table: every piece in the order of its id, whatever batches it was parsed in."""

import heapq
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from typing import Any

import pyarrow as pa

from lstm_music.errors import NotEnoughMusicError, StorageError
from lstm_music.midi.table import NOTES_SCHEMA, PIECE_FIELDS
from lstm_music.parquet import iterate_groups, read_table, write_shards, write_table
from lstm_music.stages.ingest import ACCEPTED, DUPLICATE, INPUTS_SCHEMA, REJECTED, Input, read_inputs
from lstm_music.stages.parse import READER_VERSION, Content, ParseBatch, parsed_batches
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "notes"

PIECES_SCHEMA = pa.schema(
    [
        ("piece_id", pa.string()),
        ("name", pa.string()),
        ("names", pa.list_(pa.string())),  # every name that the content was found under
        ("composer", pa.string()),
        ("source", pa.string()),
        ("licence", pa.string()),
        ("format", pa.string()),
        ("music_hash", pa.string()),
        *PIECE_FIELDS,
    ],
)


def notes_stage(inputs: ArtifactRef) -> Stage:
    """The note table of a table of inputs."""
    spec = {"reader_version": READER_VERSION}
    return Stage(KIND, 1, spec, (inputs,), ("pyarrow", "numpy", "music21"))


def collect_notes(store: Store, inputs_ref: ArtifactRef) -> ArtifactRef:
    """Make the note table, the table of pieces and the final table of inputs out of the parsed batches.

    Raises NotEnoughMusicError where no input holds music, StorageError where a content was not parsed.
    """
    stage = notes_stage(inputs_ref)
    if store.has(stage.ref):
        return stage.ref
    inputs = read_inputs(store, inputs_ref)
    wanted = {(row.piece_id, row.format) for row in inputs if row.status == ACCEPTED}
    batches = [batch for batch in parsed_batches(store) if wanted & set(batch.contents)]
    parsed = _parsed_rows(store, batches, wanted)
    final = [_final(row, parsed) for row in inputs]
    pieces = _pieces(final, parsed)
    if not pieces:
        reasons = "; ".join(f"{row.name}: {row.reason}" for row in final[:3])
        raise NotEnoughMusicError(f"none of the {len(final)} inputs holds music that can be read ({reasons})")
    with store.write(stage) as writer:
        accepted = {(row["piece_id"], row["format"]) for row in pieces}
        notes = write_shards(
            lambda number: writer.file(f"notes-{number:04d}", "parquet"),
            NOTES_SCHEMA,
            _merged(store, batches, accepted),
        )
        write_table(writer.file("pieces", "parquet"), pa.Table.from_pylist(pieces, schema=PIECES_SCHEMA))
        rows = [{name: getattr(row, name) for name in INPUTS_SCHEMA.names} for row in final]
        write_table(writer.file("inputs", "parquet"), pa.Table.from_pylist(rows, schema=INPUTS_SCHEMA))
        statuses = [row.status for row in final]
        writer.counts.update(
            pieces=len(pieces),
            rejected=statuses.count(REJECTED),
            duplicates=statuses.count(DUPLICATE),
            notes=notes,
            drum_notes=sum(row["drum_notes"] for row in pieces),
        )
    return stage.ref


def read_pieces(store: Store, notes_ref: ArtifactRef) -> list[dict[str, Any]]:
    """Read the table of pieces, in the order of their ids: a mapping of `PIECES_SCHEMA` each."""
    rows: list[dict[str, Any]] = read_table(store.open(notes_ref).file("pieces")).to_pylist()
    return rows


def iterate_notes(store: Store, notes_ref: ArtifactRef) -> Iterator[tuple[str, pa.Table]]:
    """Yield (piece id, its notes) in the order of ids, with one row group in memory at a time."""
    for shard in store.open(notes_ref).files("notes"):
        for table in iterate_groups(shard):
            yield from _by_piece(table)


def _by_piece(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Cut a table into its pieces."""
    ids = table.column("piece_id").combine_chunks().dictionary_encode()
    names, codes = ids.dictionary.to_pylist(), ids.indices.to_numpy()
    start = 0
    for code, rows in groupby(codes.tolist()):
        count = sum(1 for _ in rows)
        yield names[code], table.slice(start, count)
        start += count


def _parsed_rows(
    store: Store, batches: Sequence[ParseBatch], wanted: AbstractSet[Content]
) -> dict[str, dict[str, Any]]:
    """Give what each batch says of the contents that are wanted: the same bytes may have been read in another format."""
    rows: dict[str, dict[str, Any]] = {}
    for batch in batches:
        ids = {piece_id for piece_id, _ in wanted & set(batch.contents)}
        for row in read_table(store.open(batch.stage.ref).file("pieces")).to_pylist():
            if row["piece_id"] in ids:
                rows[row["piece_id"]] = row
    if missing := {piece_id for piece_id, _ in wanted} - rows.keys():
        raise StorageError(f"{len(missing)} of {len(wanted)} pieces were not parsed yet; parse their batches first")
    return rows


def _final(row: Input, parsed: dict[str, dict[str, Any]]) -> Input:
    """Reject an accepted input whose content holds no music."""
    reason = parsed[row.piece_id]["reason"] if row.status == ACCEPTED else ""
    if not reason:
        return row
    return Input(row.name, REJECTED, reason, row.piece_id, row.format, row.bytes, row.composer, row.source, row.licence)


def _pieces(final: Sequence[Input], parsed: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    names: dict[str, list[str]] = {}
    for row in final:
        names.setdefault(row.piece_id, []).append(row.name)
    return sorted(
        (
            {
                **parsed[row.piece_id],
                "name": row.name,
                "names": names[row.piece_id],
                "composer": row.composer,
                "source": row.source,
                "licence": row.licence,
                "format": row.format,
            }
            for row in final
            if row.status == ACCEPTED
        ),
        key=lambda piece: str(piece["piece_id"]),
    )


def _merged(store: Store, batches: Sequence[ParseBatch], accepted: AbstractSet[Content]) -> Iterator[pa.Table]:
    """Merge the batches, each of which is in the order of ids, a piece at a time."""

    def pieces(batch: ParseBatch) -> Iterator[tuple[str, pa.Table]]:
        ids = {piece_id for piece_id, _ in accepted & set(batch.contents)}
        for group in iterate_groups(store.open(batch.stage.ref).file("notes")):
            yield from (piece for piece in _by_piece(group) if piece[0] in ids)

    last = ""
    for piece_id, table in heapq.merge(*map(pieces, batches), key=lambda piece: piece[0]):
        if piece_id != last:  # a content may lie in two batches that raced
            last = piece_id
            yield table
