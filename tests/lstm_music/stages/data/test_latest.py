"""`storage/latest/…`: what was prepared last, for pandas and pyarrow, also where a table has several shards."""

from fractions import Fraction

import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from small_music import tiny_recipe

from lstm_music import parquet
from lstm_music.encoding.event_spec import EVENTS_SCHEMA
from lstm_music.parquet import read_table, write_table
from lstm_music.stages.data.dataset import build_dataset
from lstm_music.stages.data.events import encode_events, events_stage
from lstm_music.stages.data.latest import link_tables
from lstm_music.stages.data.prepare import prepare
from lstm_music.store import Store

TABLES = ("events", "inputs", "notes", "pieces", "splits")
TWINS = {"offset": "offset_quarters", "duration": "duration_quarters"}


def test_the_tables_that_were_prepared_last_have_names_that_pandas_reads(made):
    folder = made.store.root / "latest"
    assert sorted(path.name for path in folder.glob("*")) == sorted(
        ["events.parquet", ".links-lock", *(f"{t}.parquet" for t in TABLES[1:])]
    )
    events = pd.read_parquet(folder / "events.parquet")
    assert len(events) == made.store.open(made.prepared.events).counts["events"]
    assert list(events.columns) == EVENTS_SCHEMA.names
    for text, number in TWINS.items():
        assert events[number].dtype == "float64"
        assert events[number].tolist() == [float(Fraction(value)) for value in events[text]]
    pieces = pd.read_parquet(folder / "pieces.parquet")
    assert (
        set(events["piece_id"])
        == set(pieces["piece_id"])
        == set(pd.read_parquet(folder / "splits.parquet")["piece_id"])
    )


def test_they_follow_what_is_prepared_also_where_it_is_there_already(made, tmp_path):
    copy = made.copy(tmp_path / "storage")
    path = copy.store.root / "latest" / "events.parquet"
    before = path.readlink()
    prepare(copy.store, tiny_recipe(name="other", events={"chords": "pitch_set"}), made.prepared.inputs)
    assert path.readlink() != before
    assert prepare(copy.store, copy.recipe, made.prepared.inputs) == made.prepared
    assert path.readlink() == before


def test_a_table_of_several_shards_is_a_folder_that_reads_as_one_table(made, tmp_path, monkeypatch):
    copy = made.copy(tmp_path / "storage")
    other = copy.recipe.events.model_copy(update={"chords": "pitch_set"})
    monkeypatch.setattr(parquet, "ROWS_PER_GROUP", 100)
    monkeypatch.setattr(parquet, "GROUPS_PER_SHARD", 1)
    events = encode_events(copy.store, made.prepared.notes, other)
    shards = copy.store.open(events).files("events")
    assert len(shards) > 2
    link_tables(copy.store, made.prepared.notes, events, made.prepared.dataset)
    path = copy.store.root / "latest" / "events.parquet"
    whole = [row for shard in shards for row in read_table(shard).to_pylist()]
    assert pd.read_parquet(path).to_dict("records") == whole
    assert pq.read_table(path).to_pylist() == whole
    assert ds.dataset(path).to_table().to_pylist() == whole
    assert [shard.name for shard in sorted(path.glob("*.parquet"))] == [shard.name for shard in shards]
    assert copy.store.verify().bad == []
    link_tables(copy.store, made.prepared.notes, made.prepared.events, made.prepared.dataset)
    assert path.is_file()


def test_an_older_table_without_the_numbers_gives_the_same_dataset(made, tmp_path):
    """The key of the events did not change with the columns: an older storage is found, and nothing is made again."""
    store = Store(tmp_path / "storage")
    old = made.copy(store.root)
    events = made.store.open(made.prepared.events)
    for ref in (made.prepared.events, made.prepared.dataset):
        for path in (*(store.root / ref.kind / ref.key).iterdir(), store.root / ref.kind / ref.key):
            path.rmdir() if path.is_dir() else path.unlink()
    table = read_table(events.file("events-0000")).drop_columns(list(TWINS.values()))
    with store.write(events_stage(made.prepared.notes, made.recipe.events)) as writer:
        write_table(writer.file("events-0000", "parquet"), table)
        writer.counts.update(events.counts)
    dataset = build_dataset(store, old.recipe, made.prepared.notes, made.prepared.events)
    assert dataset == made.prepared.dataset
    assert store.open(dataset).manifest["files"] == made.dataset.artifact.manifest["files"]
    prepare(store, old.recipe, made.prepared.inputs)
    assert "offset_quarters" not in pd.read_parquet(store.root / "latest" / "events.parquet")


def test_in_a_bucket_there_are_no_such_names(s3, machine, made):
    store = Store(s3.new_bucket())
    link_tables(store, made.prepared.notes, made.prepared.events, made.prepared.dataset)
    assert not any("latest" in key for key in s3.contents(store.where))


@pytest.mark.parametrize("table", TABLES)
def test_an_artifact_has_the_table(made, table):
    assert (made.store.root / "latest" / f"{table}.parquet").resolve().is_relative_to(made.store.root.resolve())
