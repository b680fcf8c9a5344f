"""What was prepared last, under names for people: `storage/latest/events.parquet`, `notes.parquet` and others.

Each is a link to the one file of the table, or to a folder of links to its shards, which pandas, pyarrow and DuckDB read as one
table. A storage without links, as in a bucket, has no such names.
"""

from lstm_music.store import ArtifactRef, Store
from lstm_music.store.stage import LATEST


def link_tables(store: Store, notes: ArtifactRef, events: ArtifactRef, dataset: ArtifactRef) -> None:
    """Let the names in `latest/` lead to the tables of these artifacts."""

    def targets() -> dict[str, list[str]]:
        tables = {"events": events, "notes": notes, "pieces": notes, "inputs": notes, "splits": dataset}
        return {f"{name}.parquet": store.open(ref).file_keys(name) for name, ref in tables.items()}

    store.link(LATEST, targets)


def unlink_lost_tables(store: Store) -> None:
    """Take the names in `latest/` away whose tables are no longer there."""
    store.link(LATEST, dict)
