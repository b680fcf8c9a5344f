"""A small store, and what it holds."""

import pytest

from lstm_music.store import Stage, Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "storage")


@pytest.fixture
def stage():
    return Stage("notes", 1, {"divisors": (8, 6)}, libraries=("numpy",))


@pytest.fixture
def artifact(store, stage):
    """Two shards and a table of one finished artifact."""
    with store.write(stage) as writer:
        writer.file("notes-00001", "parquet").write_bytes(b"second shard")
        writer.file("notes-00000", "parquet").write_bytes(b"first shard")
        writer.file("pieces", "parquet").write_bytes(b"pieces")
        writer.counts["notes"] = 7
        writer.facts["warnings"] = ["none"]
    return store.open(stage.ref)
