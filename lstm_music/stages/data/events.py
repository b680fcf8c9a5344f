"""Note table → events: every piece in the encoding of the recipe, as a readable table."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from itertools import islice, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lstm_music.encoding import music21_5
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.events import PieceEvents, encode, encode_all, to_arrow
from lstm_music.errors import RecipeError
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.table import notes_of, piece_of
from lstm_music.parquet import iterate_groups, write_shards
from lstm_music.stages.data.notes import borders_of, iterate_note_groups, iterate_pieces
from lstm_music.store import ArtifactRef, Stage, Store

KIND = "events"
EVENTS_VERSION = 1


def events_stage(notes_ref: ArtifactRef, spec: EventSpec) -> Stage:
    """The stage of the events of a note table.

    Tables of earlier releases have the same key and lack the columns `offset_quarters` and `duration_quarters`.
    """
    return Stage(KIND, EVENTS_VERSION, spec.model_dump(mode="json"), (notes_ref,), ("pyarrow", "numpy"))


def encode_events(store: Store, notes_ref: ArtifactRef, spec: EventSpec) -> ArtifactRef:
    """Encode every piece, sorted by id."""
    stage = events_stage(notes_ref, spec)
    if not store.has(stage.ref):
        counts: Counter[str] = Counter(merged=0, drums=0, **({} if spec.parts == "none" else {"left_out": 0}))
        with store.write(stage) as writer:
            events = write_shards(
                lambda number: writer.file(f"events-{number:04d}", "parquet"),
                spec.events_schema,
                _encoded(store, notes_ref, spec, counts),
            )
            writer.counts.update(events=events, **counts)
    return stage.ref


def _encoded(store: Store, notes_ref: ArtifactRef, spec: EventSpec, counts: Counter[str]) -> Iterator[pa.Table]:
    columns = ("piece_id", "name", "format", "ticks_per_quarter", "time_signatures", "bars", "track_names")
    pieces = iterate_pieces(store, notes_ref, columns)  # in the order of ids, as the notes are
    for table in iterate_note_groups(store, notes_ref):
        ids, borders = borders_of(table)
        rows = list(islice(pieces, len(ids)))
        assert [row["piece_id"] for row in rows] == ids
        notes = notes_of(table)
        found = [piece_of(notes[start:stop], row) for row, (start, stop) in zip(rows, pairwise(borders), strict=True)]
        for events, sizes in _events_of(store, found, rows, spec):
            counts["merged"] += events.merged
            counts["drums"] += events.drums
            if spec.parts != "none":
                counts["left_out"] += events.left_out
            yield to_arrow(ids[: len(sizes)], sizes, events, spec)
            del ids[: len(sizes)]


def _events_of(
    store: Store, pieces: Sequence[PieceNotes], rows: Sequence[Mapping[str, Any]], spec: EventSpec
) -> Iterator[tuple[PieceEvents, npt.NDArray[np.int64]]]:
    """Yield the events of all pieces, some whole pieces at a time, and the number of events of each of these."""
    if spec.reading == "exact":
        yield encode_all(pieces, spec)
        return
    for piece, row in zip(pieces, rows, strict=True):
        raw = partial(store.get_blob, row["piece_id"])
        events = read_piece(piece, spec, name=row["name"], form=row["format"], raw=raw)
        yield events, np.array([len(events)])


def read_piece(piece: PieceNotes, spec: EventSpec, *, name: str, form: str, raw: Callable[[], bytes]) -> PieceEvents:
    """Give the events of a piece by the `reading` of a recipe: from its notes, or from its `raw` bytes of format `form`.

    Raises RecipeError if the reading needs a MIDI file and this is another format.
    """
    if spec.reading == "exact":
        return encode(piece, spec)
    if form != "midi":
        raise RecipeError(
            f"events.reading = {spec.reading!r}: expected MIDI files, got {name!r} ({form}); exclude it with `exclude`, or set "
            "events.reading = 'exact'"
        )
    return music21_5.read_events(raw(), spec, piece.time_signatures)


def bar_of_event(
    store: Store, events_ref: ArtifactRef, wanted: AbstractSet[tuple[str, int]]
) -> dict[tuple[str, int], int]:
    """Give the bars, from 1 on (a pickup is 0), of some events (piece id, index)."""
    ids = pa.array({piece_id for piece_id, _ in wanted}, pa.string())
    indexes = pa.array({index for _, index in wanted}, pa.int32())
    found = {}
    for shard in store.open(events_ref).files("events"):
        for table in iterate_groups(shard, ("piece_id", "index", "bar"), {piece_id for piece_id, _ in wanted}):
            chosen = table.filter(pc.and_(pc.is_in(table["piece_id"], ids), pc.is_in(table["index"], indexes)))
            for row in chosen.to_pylist():
                found[row["piece_id"], row["index"]] = row["bar"]
    return {place: found[place] for place in wanted}
