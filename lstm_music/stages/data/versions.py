"""Note table → versions: which pieces are other versions of each other, so that a split can keep them together."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from lstm_music.encoding import versions
from lstm_music.encoding.contours import Intervals, contours
from lstm_music.encoding.versions import Contours, Link, families, find_links
from lstm_music.parquet import read_table, write_table
from lstm_music.stages.data.notes import borders_of, iterate_note_groups
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "versions"
VERSIONS_VERSION = 1

VERSIONS_SCHEMA = pa.schema(
    [
        ("piece_id", pa.string()),
        ("family", pa.string()),  # the lowest id of its pieces
        ("closest", pa.string()),  # the version that it shares most with, of those that it was compared with
        ("share", pa.float32()),  # of the shorter one's runs
    ],
)


_SHAPE = ("onset_ticks", "duration_ticks", "pitch")
"""The columns of the notes that a contour is made of."""


def rule() -> dict[str, Any]:
    """Return what decides which pieces are versions: part of the key of this stage, and of the datasets that use it."""
    return {
        "version": VERSIONS_VERSION,
        "run": versions.RUN,
        "least_share": versions.LEAST_SHARE,
        "share_per_doubling": versions.SHARE_PER_DOUBLING,
        "least_runs": versions.LEAST_RUNS,
        "indexed_run": versions.INDEXED_RUN,
        "most_indexed": versions.MOST_INDEXED,
    }


def versions_stage(notes_ref: ArtifactRef) -> Stage:
    """Describe the stage that finds the versions among the pieces of a note table."""
    return Stage(KIND, VERSIONS_VERSION, rule(), (notes_ref,), ("pyarrow", "numpy"))


def find_versions(store: Store, notes_ref: ArtifactRef) -> ArtifactRef:
    """Find the versions among all pieces: `versions.parquet`, one row per piece that has another version.

    Memory holds one row group of notes, and the ids of the pieces. Temporary files take up to 8 KB per piece, and 8 bytes for
    each distinct run.
    """
    stage = versions_stage(notes_ref)
    if not store.has(stage.ref):
        with tempfile.TemporaryDirectory(prefix="lstm-music-") as scratch, store.write(stage) as writer:
            ids: list[str] = []
            shapes = Contours.write(Path(scratch) / "contours", _contours(store, notes_ref, ids))
            found = list(find_links(shapes, Path(scratch)))
            table = _table(ids, found)
            write_table(writer.file("versions", "parquet"), table)
            writer.counts.update(
                compared=len(ids), pieces=table.num_rows, families=len(set(table.column("family").to_pylist()))
            )
    return stage.ref


def families_of(store: Store, notes_ref: ArtifactRef) -> dict[str, str]:
    """Return the family of each piece that has another version, by id; empty if versions were not looked for."""
    ref = versions_stage(notes_ref).ref
    if not store.has(ref):
        return {}
    table = read_table(store.open(ref).file("versions"), ("piece_id", "family"))
    return dict(zip(table.column("piece_id").to_pylist(), table.column("family").to_pylist(), strict=True))


def _contours(store: Store, notes_ref: ArtifactRef, ids: list[str]) -> Iterator[Intervals]:
    """Yield the contour of each piece in the order of ids, which are added to `ids`."""
    for table in iterate_note_groups(store, notes_ref, columns=("piece_id", "is_drum", *_SHAPE)):
        found, borders = borders_of(table)
        ids += found
        is_pitched = ~table.column("is_drum").to_numpy()
        pitched_before = np.concatenate([[0], np.cumsum(is_pitched)])
        onset, duration, pitch = (table.column(name).to_numpy()[is_pitched].astype(np.int64) for name in _SHAPE)
        yield from contours(onset, duration, pitch, pitched_before[borders])


def _table(ids: list[str], links: Iterable[Link]) -> pa.Table:
    """Return a row for each piece with a link: its family, and its strongest link."""
    found = list(links)
    family = families(len(ids), found)
    closest: dict[int, tuple[float, int]] = {}
    for link in found:
        for piece, other in ((link.first, link.second), (link.second, link.first)):
            closest[piece] = max(closest.get(piece, (0.0, 0)), (link.share, other))
    rows = [(ids[piece], ids[family[piece]], ids[other], share) for piece, (share, other) in sorted(closest.items())]
    columns = zip(*rows, strict=True) if rows else ([] for _ in VERSIONS_SCHEMA)
    return pa.table([list(column) for column in columns], schema=VERSIONS_SCHEMA)
