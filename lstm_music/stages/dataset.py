"""Events → what models read: the sides of the split, the vocabularies, and one memory-mapped array of tokens."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from lstm_music.encoding.echoes import ECHOES, echo_sizes
from lstm_music.encoding.events import EventSpec
from lstm_music.encoding.places import PLACES, place_sizes
from lstm_music.encoding.splits import SIDES, PieceIdentity, assign, draw_sides
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS, Vocabulary, fit, transposition_table
from lstm_music.encoding.windows import PieceSpan, Targets, Tokens, WindowSpec
from lstm_music.parquet import read_table, write_table
from lstm_music.recipe import Recipe
from lstm_music.stages.columns import EventColumns
from lstm_music.stages.notes import read_pieces
from lstm_music.store import Artifact, ArtifactRef, Stage, Store

KIND = "dataset"
DATASET_VERSION = 2

SPLITS_SCHEMA = pa.schema(
    [
        ("side", pa.string()),
        ("piece_id", pa.string()),
        ("start", pa.int64()),  # events, inclusive
        ("stop", pa.int64()),  # events, exclusive
        ("lowest_shift", pa.int8()),  # semitones, inclusive
        ("highest_shift", pa.int8()),  # semitones, inclusive
    ],
)


@dataclass(frozen=True)
class Dataset:
    """What models read: `tokens`, [events, streams, places and echoes], and where the pieces of each side lie in them.

    A piece that lies on two sides is in two of `spans`.
    """

    ref: ArtifactRef
    artifact: Artifact
    events_ref: ArtifactRef
    notes_ref: ArtifactRef
    events: EventSpec
    spans: Mapping[str, tuple[PieceSpan, ...]]
    vocabularies: Mapping[str, Vocabulary]

    @cached_property
    def tokens(self) -> Tokens:
        """All tokens, never loaded as a whole."""
        array: Tokens = np.load(self.artifact.file("tokens"), mmap_mode="r", allow_pickle=False)
        return array

    @cached_property
    def _sides(self) -> np.ndarray | None:
        """The side of each event, uint8 [events], an index into `SIDES`; None where pieces are split as wholes."""
        if not self.is_split_by_event:
            return None
        array: np.ndarray = np.load(self.artifact.file("sides"), mmap_mode="r", allow_pickle=False)
        return array

    @property
    def is_split_by_event(self) -> bool:
        """Whether events are on sides of their own, and not those of their pieces."""
        return bool(self.artifact.manifest["spec"]["split"]["by"] == "random_windows")

    def targets(self, side: str, first: int = 0) -> Targets:
        """The events of a side that are predicted: those from position `first` of their piece on."""
        chosen = None if self._sides is None else self._sides == SIDES.index(side)
        return Targets.of(self.spans[side], first, chosen)

    @property
    def offset_quarters(self) -> np.ndarray:
        """How many quarters each offset id stands for, float32 [ids]; 0 for special ids."""
        offsets, grid = self.vocabularies["offset"], self.events.grid
        quarters = [grid.steps(value) / grid.steps_per_quarter for value in offsets.values]
        return np.array([0.0] * SPECIAL_IDS + quarters, np.float32)

    @property
    def sizes(self) -> dict[str, int]:
        """The number of ids of each column of the tokens."""
        streams = {stream: vocabulary.size for stream, vocabulary in self.vocabularies.items()}
        return {**streams, **place_sizes(self.events.grid), **echo_sizes(streams)}

    @property
    def log_unknown(self) -> dict[str, float]:
        """What an unknown value of each stream costs beside its -ln p(unknown), in nats."""
        return {stream: vocabulary.log_unknown for stream, vocabulary in self.vocabularies.items()}

    @property
    def warnings(self) -> list[str]:
        """Sentences for the user about the split."""
        return list(self.artifact.facts["warnings"])

    @property
    def is_leaky(self) -> bool:
        """Whether the same music lies on two sides, so that every score has to be called leaky."""
        return bool(self.artifact.facts["leaky"])

    def transposition(self, window: WindowSpec) -> np.ndarray:
        """The id that each note id moves to at each shift of the windows, int64 [shifts, ids]."""
        return transposition_table(self.vocabularies["note"], self.events.encoding, window.shifts)


def dataset_stage(recipe: Recipe, notes_ref: ArtifactRef, events_ref: ArtifactRef) -> Stage:
    """The dataset that a recipe makes of events."""
    spec: dict[str, Any] = {
        "split": recipe.split.model_dump(mode="json"),
        "events": recipe.events.model_dump(mode="json"),
        "shifts": [recipe.windows.transpose_from, recipe.windows.transpose_to],
        "columns": [*STREAMS, *PLACES, *ECHOES],
    }
    if recipe.split.by == "random_windows":
        spec["random_seed"] = recipe.random_seed
    return Stage(KIND, DATASET_VERSION, spec, (events_ref, notes_ref), ("pyarrow", "numpy"))


def build_dataset(store: Store, recipe: Recipe, notes_ref: ArtifactRef, events_ref: ArtifactRef) -> ArtifactRef:
    """Split the pieces, fit the vocabularies on those of the training side, and write the tokens.

    Raises RecipeError for a split by folder of pieces that lie in none.
    """
    stage = dataset_stage(recipe, notes_ref, events_ref)
    if not store.has(stage.ref):
        with store.write(stage) as writer:
            _write(store, recipe, notes_ref, events_ref, writer)
    return stage.ref


def load_dataset(store: Store, ref: ArtifactRef) -> Dataset:
    """Open a dataset, its files checked."""
    artifact = store.open(ref)
    rows = read_table(artifact.file("splits")).to_pylist()
    spans = {side: tuple(PieceSpan(**row) for row in _without_side(rows, side)) for side in SIDES}
    vocabularies = json.loads(artifact.file("vocabularies").read_text(encoding="utf-8"))
    events_ref, notes_ref = artifact.inputs
    return Dataset(
        ref=ref,
        artifact=artifact,
        events_ref=events_ref,
        notes_ref=notes_ref,
        events=EventSpec.model_validate(artifact.manifest["spec"]["events"]),
        spans=spans,
        vocabularies={entry["stream"]: Vocabulary.from_json(entry) for entry in vocabularies},
    )


def _without_side(rows: list[dict[str, Any]], side: str) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "side"} for row in rows if row["side"] == side]


def _write(store: Store, recipe: Recipe, notes_ref: ArtifactRef, events_ref: ArtifactRef, writer: Any) -> None:
    pieces = read_pieces(store, notes_ref)
    splits = assign(
        [PieceIdentity(row["piece_id"], row["music_hash"], tuple(row["names"])) for row in pieces], recipe.split
    )
    columns = EventColumns.read(store, events_ref)
    on_train = columns.rows_of(set(splits.train))
    grid, encoding, shifts = recipe.events.grid, recipe.events.encoding, recipe.windows.shifts
    vocabularies = {stream: fit(stream, columns.counts(stream, on_train), encoding, grid, shifts) for stream in STREAMS}
    dtype = np.uint16 if max(vocabulary.size for vocabulary in vocabularies.values()) <= 1 << 16 else np.uint32
    tokens = columns.tokens(vocabularies, grid).astype(dtype)
    np.save(writer.file("tokens", "npy"), tokens, allow_pickle=False)
    if recipe.split.by == "random_windows":
        sides = draw_sides(len(tokens), recipe.split, recipe.random_seed)
        np.save(writer.file("sides", "npy"), sides, allow_pickle=False)
    spans = {span.piece_id: span for span in columns.spans(recipe.windows)}  # a piece may have lost all its events
    rows = [
        _split_row(side, spans[piece_id]) for side in SIDES for piece_id in getattr(splits, side) if piece_id in spans
    ]
    write_table(writer.file("splits", "parquet"), pa.Table.from_pylist(rows, schema=SPLITS_SCHEMA))
    text = json.dumps([vocabularies[stream].to_json() for stream in STREAMS], indent=1)
    writer.file("vocabularies", "json").write_text(text + "\n", encoding="utf-8")
    writer.counts.update(
        events=len(tokens), **{side: len(getattr(splits, side)) for side in SIDES}, **columns.class_counts()
    )
    writer.facts.update(warnings=[*splits.moved, *splits.leaks], leaky=bool(splits.leaks))


def _split_row(side: str, span: PieceSpan) -> dict[str, Any]:
    return {
        "side": side,
        "piece_id": span.piece_id,
        "start": span.start,
        "stop": span.stop,
        "lowest_shift": span.lowest_shift,
        "highest_shift": span.highest_shift,
    }
