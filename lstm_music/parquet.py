"""Parquet files with page checksums, which every read verifies.

Without them 241 to 289 of 300 single flipped bits were read as music; with them none were. They do not cover the footer:
the store keeps a SHA-256 of the whole file.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lstm_music.errors import CorruptArtifactError

ROWS_PER_GROUP = 1 << 18
GROUPS_PER_SHARD = 32


def write_tables(path: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write `tables` to `path`, one row group each. Returns the number of rows."""
    rows = 0
    with pq.ParquetWriter(path, schema, compression="zstd", write_page_checksum=True) as writer:
        for table in tables:
            writer.write_table(table.cast(schema), row_group_size=max(table.num_rows, 1))
            rows += table.num_rows
    _give_back()
    return rows


def write_table(path: Path, table: pa.Table) -> int:
    """Write one table to `path`. Returns the number of rows."""
    return write_tables(path, table.schema, [table])


def write_shards(file: Callable[[int], Path], schema: pa.Schema, tables: Iterable[pa.Table]) -> int:
    """Write tables of pieces as shards of some million rows: `file(0)`, `file(1)`, … Returns the number of rows.

    A row group holds whole pieces, and memory holds one row group. There is at least one shard.
    """
    groups = gathered(tables, ROWS_PER_GROUP)
    rows, shard = 0, 0
    first = next(groups, schema.empty_table())
    while True:
        rows += write_tables(file(shard), schema, _after(first, islice(groups, GROUPS_PER_SHARD - 1)))
        following = next(groups, None)
        if following is None:
            return rows
        first, shard = following, shard + 1


def gathered(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Join and cut tables of whole pieces, sorted by `piece_id`, into others.

    Each ends with the piece that gives it at least `rows` rows, however many pieces the given tables hold.
    A column has one chunk: Parquet is written several times as fast from that as from a chunk for each piece.
    """
    held: list[pa.Table] = []
    count = 0
    for given in tables:
        table = given
        while count + table.num_rows >= rows:
            stop = _end_of_piece(table.column("piece_id"), rows - count - 1)
            yield pa.concat_tables([*held, table.slice(0, stop)]).combine_chunks()
            held, count, table = [], 0, table.slice(stop)
        if table.num_rows:
            held.append(table)
            count += table.num_rows
    if held:
        yield pa.concat_tables(held).combine_chunks()


def _end_of_piece(ids: pa.ChunkedArray, row: int) -> int:
    """Return the row behind the piece of a row."""
    return bisect_right(range(len(ids)), ids[row].as_py(), key=lambda place: ids[place].as_py())


def _after(first: pa.Table, rest: Iterable[pa.Table]) -> Iterator[pa.Table]:
    yield first
    yield from rest


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table, or some of its columns.

    Raises CorruptArtifactError for a damaged page.
    """
    return pa.concat_tables(iterate_groups(path, columns))


def iterate_groups(
    path: Path,
    columns: Sequence[str] | None = None,
    piece_ids: AbstractSet[str] | None = None,
    coded: Sequence[str] = (),
) -> Iterator[pa.Table]:
    """Read a table one row group at a time, with one of them in memory; an empty file gives one empty table.

    With `piece_ids`, row groups are skipped if their statistics exclude all of these pieces. The text columns `coded` are read
    as the dictionaries that the file holds: the texts of each row are not made.
    """
    wanted = None if piece_ids is None else sorted(piece_ids)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True, read_dictionary=list(coded)) as file:
            if file.num_row_groups == 0:
                yield file.schema_arrow.empty_table().select(columns or file.schema_arrow.names)
            for group in range(file.num_row_groups):
                if wanted is None or _may_hold(file.metadata.row_group(group), wanted):
                    yield file.read_row_group(group, columns=columns)
        _give_back()
    except (OSError, pa.ArrowException) as error:
        raise CorruptArtifactError(
            f"{path}: damaged Parquet file ({error}); delete the folder of its artifact and run again"
        ) from error


def _may_hold(group: pq.RowGroupMetaData, wanted: Sequence[str]) -> bool:
    """Whether a row group may hold one of some pieces, by its lowest and highest id."""
    found = (group.column(number) for number in range(group.num_columns))
    statistics = next(column for column in found if column.path_in_schema == "piece_id").statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return bisect_left(wanted, statistics.min) < bisect_right(wanted, statistics.max)


def _give_back() -> None:
    """Give free memory back to the system: Arrow would keep all that its largest row group took."""
    pa.default_memory_pool().release_unused()
