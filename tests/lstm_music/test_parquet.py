"""Parquet files: what was written comes back, in shards and groups, or is refused."""

from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lstm_music import parquet
from lstm_music.errors import CorruptArtifactError
from lstm_music.parquet import gathered, iterate_groups, read_table, write_shards, write_table, write_tables

SCHEMA = pa.schema([("number", pa.int32()), ("piece_id", pa.string())])


def table(*numbers: int) -> pa.Table:
    return pa.table([pa.array(numbers, pa.int32()), pa.array([str(n) for n in numbers], pa.string())], schema=SCHEMA)


def test_tables_come_back_a_row_group_each(tmp_path):
    path = tmp_path / "t.parquet"
    assert write_tables(path, SCHEMA, [table(1, 2), table(3)]) == 3
    assert [group.column("number").to_pylist() for group in iterate_groups(path)] == [[1, 2], [3]]
    assert read_table(path) == table(1, 2, 3)
    assert read_table(path, ["piece_id"]).column_names == ["piece_id"]


@pytest.mark.parametrize("columns", [None, ["piece_id"]])
def test_an_empty_table_keeps_its_columns(tmp_path, columns):
    path = tmp_path / "t.parquet"
    assert write_tables(path, SCHEMA, []) == 0
    assert read_table(path, columns).schema.names == (columns or SCHEMA.names)
    assert write_table(path, table()) == 0
    assert read_table(path, columns).num_rows == 0


@pytest.mark.parametrize("cuts", [[], [6], [2, 2, 7], [0, 2, 6, 7, 8]])
def test_pieces_are_gathered_until_they_have_enough_rows_and_never_cut(cuts):
    rows = pa.table([range(9), list("aabbbbcde")], schema=SCHEMA)
    borders = [0, *cuts, 9]
    tables = [rows.slice(start, stop - start) for start, stop in pairwise(borders)]
    groups = list(gathered(tables, rows=3))
    assert [group.column("piece_id").to_pylist() for group in groups] == [list("aabbbb"), list("cde")]
    assert pa.concat_tables(groups).equals(rows)
    assert all(column.num_chunks == 1 for group in groups for column in group.columns)


def test_of_no_tables_nothing_is_gathered():
    assert list(gathered([SCHEMA.empty_table()], rows=3)) == []


@pytest.mark.parametrize(("groups", "shards"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_a_shard_has_so_many_groups_and_the_last_the_rest(tmp_path, monkeypatch, groups, shards):
    monkeypatch.setattr(parquet, "GROUPS_PER_SHARD", 2)
    monkeypatch.setattr(parquet, "ROWS_PER_GROUP", 2)
    tables = [table(number, number + 100) for number in range(groups)]
    assert write_shards(lambda number: tmp_path / f"{number}.parquet", SCHEMA, tables) == 2 * groups
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == shards
    assert [pq.ParquetFile(path).num_row_groups for path in paths[:-1]] == [2] * (shards - 1)
    assert pa.concat_tables(map(read_table, paths)).equals(pa.concat_tables([SCHEMA.empty_table(), *tables]))


def test_a_flipped_bit_in_a_page_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    write_table(path, table(*range(1000)))
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    data = path.read_bytes()
    end = column.dictionary_page_offset + column.total_compressed_size
    for place in range(end - 200, end, 11):  # the body of the column's last page
        broken = bytearray(data)
        broken[place] ^= 16
        path.write_bytes(broken)
        with pytest.raises(CorruptArtifactError, match="damaged Parquet file"):
            read_table(path)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all"])
def test_what_is_no_parquet_file_is_refused(tmp_path, content):
    path = tmp_path / "t.parquet"
    path.write_bytes(content)
    with pytest.raises(CorruptArtifactError):
        read_table(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CorruptArtifactError):
        read_table(tmp_path / "t.parquet")


def test_row_groups_that_hold_none_of_some_pieces_are_not_read(tmp_path):
    path = tmp_path / "t.parquet"
    groups = [pa.table({"piece_id": ids, "pitch": range(len(ids))}) for ids in (["a", "c"], ["e", "g"], ["i"])]
    write_tables(path, groups[0].schema, groups)

    def found(*piece_ids):
        return [group.column("piece_id").to_pylist() for group in iterate_groups(path, piece_ids={*piece_ids})]

    assert found("c", "i") == [["a", "c"], ["i"]]
    assert found("b") == [["a", "c"]]  # it might be there, for all that the statistics say
    assert found("d", "h", "z") == []
    assert [group.num_columns for group in iterate_groups(path, ["pitch"], {"e"})] == [1]
