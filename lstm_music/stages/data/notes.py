"""Parsed batches → the note table: all pieces in the order of their ids, independent of the batches."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lstm_music.errors import NotEnoughMusicError, StorageError
from lstm_music.midi.damage import is_notice
from lstm_music.midi.table import NOTES_SCHEMA, PIECE_FIELDS
from lstm_music.midi.usable import left_out
from lstm_music.parquet import gathered, iterate_groups, read_table, write_shards, write_table, write_tables
from lstm_music.scores.spec import InputReading
from lstm_music.stages.data.ingest import (
    ACCEPTED,
    DUPLICATE,
    FINAL_SCHEMA,
    REJECTED,
    Input,
    read_inputs,
    read_later,
    reading_of,
    same_content,
    table_of_inputs,
)
from lstm_music.stages.data.merging import Pieces, in_order
from lstm_music.stages.data.parse import READER_VERSION, Content, ParseBatch, parsed_batches
from lstm_music.store import Artifact, ArtifactRef, Stage, Store

KIND = "notes"
PIECES_PER_GROUP = 1 << 10  # a piece can have thousands of pedal events

PIECES_SCHEMA = pa.schema(
    [
        ("piece_id", pa.string()),
        ("name", pa.string()),
        ("names", pa.list_(pa.string())),  # the names of all files with this content
        ("composer", pa.string()),
        ("source", pa.string()),
        ("licence", pa.string()),
        ("format", pa.string()),
        ("music_hash", pa.string()),
        *PIECE_FIELDS,
    ],
)

_INPUT_FIELDS = ("composer", "source", "licence", "format")


def notes_stage(inputs: ArtifactRef) -> Stage:
    """Describe the stage that makes the note table of a table of inputs."""
    spec = {"reader_version": READER_VERSION}
    return Stage(KIND, 1, spec, (inputs,), ("pyarrow", "numpy"))


def collect_notes(store: Store, inputs_ref: ArtifactRef) -> ArtifactRef:
    """Make the note table, the table of pieces and the final table of inputs from the parsed batches.

    Memory holds the table of inputs and one row group of notes. Raises NotEnoughMusicError if no input holds music, and
    StorageError if a content was not parsed.
    """
    stage = notes_stage(inputs_ref)
    if store.has(stage.ref):
        return stage.ref
    inputs = read_inputs(store, inputs_ref)
    wanted = {(row.piece_id, row.format) for row in inputs if row.status == ACCEPTED}
    reading = reading_of(store, inputs_ref)
    batches = [batch for batch in parsed_batches(store, reading.repeats) if wanted & set(batch.contents)]
    parsed = {batch.ref: store.open(batch.ref) for batch in batches}  # opened once: a manifest lists all contents
    outcomes = _outcomes(parsed, batches, wanted, read_later(store, inputs_ref), reading)
    final = list(_finals(inputs, outcomes, is_strict=reading.strict))
    accepted = {(row.piece_id, row.format) for row in final if row.status == ACCEPTED}
    if not accepted:
        first = "; ".join(f"{row.name}: {row.reason}" for row in final[:10])
        none = f"none of the {len(final):,} inputs holds" if len(final) > 1 else "the only input holds no"
        raise NotEnoughMusicError(f"{none} music that can be read ({first})")
    with store.write(stage) as writer:
        notes = write_shards(
            lambda number: writer.file(f"notes-{number:04d}", "parquet"),
            NOTES_SCHEMA,
            (table for _, table in in_order(batches, accepted, lambda batch: _notes_of(parsed[batch.ref]))),
        )
        pieces = writer.file("pieces", "parquet")
        found = in_order(batches, accepted, lambda batch: _rows_of(parsed[batch.ref]))
        write_tables(pieces, PIECES_SCHEMA, _named(found, final))
        write_table(writer.file("inputs", "parquet"), table_of_inputs(final, FINAL_SCHEMA))
        statuses = [row.status for row in final]
        writer.counts.update(
            pieces=len(accepted),
            met_limit=sum(outcome.met_limit for outcome in outcomes.values()),
            warned=sum(bool(row.warnings) for row in final),
            rejected=statuses.count(REJECTED),
            duplicates=statuses.count(DUPLICATE),
            notes=notes,
            drum_notes=sum(read_table(pieces, ("drum_notes",)).column("drum_notes").to_pylist()),
        )
    return stage.ref


def read_pieces(store: Store, notes_ref: ArtifactRef, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Read the table of pieces in the order of ids: one mapping per piece, with all of `PIECES_SCHEMA` or some columns."""
    return list(iterate_pieces(store, notes_ref, columns))


def iterate_pieces(
    store: Store, notes_ref: ArtifactRef, columns: Sequence[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Read the table of pieces as `read_pieces` does, with one row group in memory at a time."""
    for table in iterate_groups(store.open(notes_ref).file("pieces"), columns):
        yield from table.to_pylist()


def read_some_pieces(store: Store, notes_ref: ArtifactRef, piece_ids: AbstractSet[str]) -> dict[str, dict[str, Any]]:
    """Read the rows of some pieces, by id."""
    found: dict[str, dict[str, Any]] = {}
    for table in iterate_groups(store.open(notes_ref).file("pieces"), piece_ids=piece_ids):
        for place, piece_id in enumerate(table.column("piece_id").to_pylist()):
            if piece_id in piece_ids:  # Arrow's filter would import pandas
                found |= {piece_id: table.slice(place, 1).to_pylist()[0]}
    return found


def iterate_notes(store: Store, notes_ref: ArtifactRef, piece_ids: AbstractSet[str] | None = None) -> Pieces:
    """Yield (piece id, its notes) of all or some pieces, in the order of ids, with one row group in memory at a time."""
    for table in iterate_note_groups(store, notes_ref, piece_ids):
        yield from (piece for piece in _by_piece(table) if piece_ids is None or piece[0] in piece_ids)


def iterate_note_groups(
    store: Store,
    notes_ref: ArtifactRef,
    piece_ids: AbstractSet[str] | None = None,
    columns: Sequence[str] | None = None,
) -> Iterator[pa.Table]:
    """Yield the notes in the order of piece ids, one row group at a time: all, or the groups that may hold some pieces.

    With `columns`, only these are read.
    """
    for shard in store.open(notes_ref).files("notes"):
        yield from iterate_groups(shard, columns, piece_ids, coded=["piece_id"])


def borders_of(table: pa.Table) -> tuple[list[str], list[int]]:
    """Return the ids of the pieces in a table, in its order, and the row at which each begins, the end of the table last."""
    column = table.column("piece_id")
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    ids = coded.unify_dictionaries().combine_chunks()
    codes = ids.indices.to_numpy()
    borders = np.flatnonzero(np.diff(codes, prepend=-1))
    return ids.dictionary.take(pa.array(codes[borders])).to_pylist(), [*borders.tolist(), len(codes)]


def _by_piece(table: pa.Table) -> Pieces:
    """Split a table into its pieces."""
    ids, borders = borders_of(table)
    for piece_id, (start, stop) in zip(ids, pairwise(borders), strict=True):
        yield piece_id, table.slice(start, stop - start)


def _notes_of(parsed: Artifact) -> Pieces:
    for group in iterate_groups(parsed.file("notes"), coded=["piece_id"]):
        yield from _by_piece(group)


def _rows_of(parsed: Artifact) -> Pieces:
    for group in iterate_groups(parsed.file("pieces")):
        yield from _by_piece(group.filter(pc.equal(group.column("reason"), "")))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Why a content was rejected ("" if it was not), and what could not be read of it."""

    reason: str
    met_limit: bool
    warnings: tuple[str, ...]


def _outcomes(
    parsed: Mapping[ArtifactRef, Artifact],
    batches: Sequence[ParseBatch],
    wanted: AbstractSet[Content],
    later: AbstractSet[str],
    reading: InputReading,
) -> dict[Content, _Outcome]:
    """Return what came of each wanted content in the first attempt; of those in `later`, when it was read.

    Drums alone are no music, but where the `reading` takes them.

    A batch counts only for contents in its own format: another batch can hold the same bytes in another format.
    """
    outcomes: dict[Content, _Outcome] = {}
    for batch in batches:
        form_of = dict(wanted & set(batch.contents))
        columns = ("piece_id", "reason", "met_limit", "warnings", "notes", "drum_notes")
        for row in read_table(parsed[batch.ref].file("pieces"), columns).to_pylist():
            piece_id, reason = row["piece_id"], row["reason"]
            if not reason and row["notes"] == row["drum_notes"] and not reading.drums_alone:
                reason = left_out(row["notes"])
            if piece_id not in form_of or (batch.attempt and piece_id not in later):
                continue
            content = piece_id, form_of[piece_id]
            if content not in outcomes or not reason:
                outcomes[content] = _Outcome(reason, row["met_limit"], tuple(row["warnings"] or ()))
    if missing := wanted - outcomes.keys():
        raise StorageError(f"{len(missing)} of {len(wanted)} pieces are not parsed yet; parse their batches first")
    return outcomes


def _finals(inputs: Sequence[Input], outcomes: Mapping[Content, _Outcome], *, is_strict: bool) -> Iterator[Input]:
    """Yield each input as it is after reading; bytes that can be read in two formats are one piece, in the first of them."""
    first_name: dict[str, str] = {}
    for row in inputs:
        final = _final(row, outcomes, is_strict=is_strict)
        if final.status == ACCEPTED and first_name.setdefault(row.piece_id, row.name) != row.name:
            final = replace(row, status=DUPLICATE, reason=same_content(first_name[row.piece_id]))
        yield final


def _final(row: Input, outcomes: Mapping[Content, _Outcome], *, is_strict: bool) -> Input:
    """Reject an accepted input whose content holds no music, or of which a strict recipe misses something."""
    if row.status != ACCEPTED:
        return row
    outcome = outcomes[row.piece_id, row.format]
    if outcome.reason:
        return replace(row, status=REJECTED, reason=outcome.reason)
    damage = [warning for warning in outcome.warnings if not is_notice(warning)]
    if damage and is_strict:
        return replace(row, status=REJECTED, reason=f"{damage[0]} (the recipe reads only whole files)")
    return replace(row, warnings=outcome.warnings)


def _named(found: Pieces, final: Sequence[Input]) -> Iterator[pa.Table]:
    """Add the fields of the inputs to the parsed pieces: yield tables with `PIECES_SCHEMA`, a row group each."""
    names: dict[str, list[str]] = {}
    for row in final:
        names.setdefault(row.piece_id, []).append(row.name)
    input_of = {row.piece_id: row for row in final if row.status == ACCEPTED}
    for parsed in gathered((table for _, table in found), PIECES_PER_GROUP):
        ids = parsed.column("piece_id").to_pylist()
        fields = {name: [getattr(input_of[one], name) for one in ids] for name in ("name", *_INPUT_FIELDS)}
        fields["names"] = [names[one] for one in ids]
        columns = {name: pa.array(values, PIECES_SCHEMA.field(name).type) for name, values in fields.items()}
        columns |= {name: parsed.column(name) for name in parsed.column_names if name in PIECES_SCHEMA.names}
        yield pa.table([columns[name] for name in PIECES_SCHEMA.names], schema=PIECES_SCHEMA)
