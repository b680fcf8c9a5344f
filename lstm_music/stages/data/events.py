"""Note table → events: every piece in the encoding of the recipe, as a readable table."""

from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from lstm_music.encoding import music21_5
from lstm_music.encoding.events import EVENTS_SCHEMA, EventSpec, PieceEvents, encode, to_arrow
from lstm_music.errors import RecipeError
from lstm_music.midi.notes import PieceNotes
from lstm_music.midi.table import from_arrow
from lstm_music.parquet import iterate_groups, write_shards
from lstm_music.stages.data.notes import iterate_notes, iterate_pieces
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
        counts: Counter[str] = Counter(merged=0, drums=0)
        with store.write(stage) as writer:
            events = write_shards(
                lambda number: writer.file(f"events-{number:04d}", "parquet"),
                EVENTS_SCHEMA,
                _encoded(store, notes_ref, spec, counts),
            )
            writer.counts.update(events=events, **counts)
    return stage.ref


def _encoded(store: Store, notes_ref: ArtifactRef, spec: EventSpec, counts: Counter[str]) -> Iterator[pa.Table]:
    pieces = iterate_pieces(store, notes_ref, ("name", "format", "ticks_per_quarter", "time_signatures", "bars"))
    for row, (piece_id, table) in zip(pieces, iterate_notes(store, notes_ref), strict=True):  # both in the order of ids
        raw = partial(store.get_blob, piece_id)
        events = read_piece(from_arrow(table, row), spec, name=row["name"], form=row["format"], raw=raw)
        counts["merged"] += events.merged
        counts["drums"] += events.drums
        yield to_arrow(piece_id, events, spec)


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
