"""Events → dataset: the split, the vocabularies, and one memory-mapped array of tokens."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lstm_music.encoding.controls import CONTROLS, CONTROLS_VERSION
from lstm_music.encoding.echoes import LENGTHS, RANKS, echo_columns
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.guesses import GUESS_COLUMNS
from lstm_music.encoding.knowledge import Knowledge, known_columns
from lstm_music.encoding.own_echoes import OWN_ECHOES
from lstm_music.encoding.places import PLACES, place_sizes
from lstm_music.encoding.splits import SPLITS, TRAIN, PieceIdentity, Splits, assign, draw_splits
from lstm_music.encoding.streams import PART, VELOCITY
from lstm_music.encoding.velocities import LEVELS
from lstm_music.encoding.vocabulary import SPECIAL_IDS, Vocabulary, steps_of, transposition_table
from lstm_music.encoding.windows import PieceSpan, Targets, Tokens, WindowSpec
from lstm_music.npy import save_array, save_parts
from lstm_music.parquet import read_table, write_table
from lstm_music.recipe import Recipe
from lstm_music.stages.current import kept_form
from lstm_music.stages.data.bundled import is_bundled, learnt_pieces
from lstm_music.stages.data.columns import iterate_columns
from lstm_music.stages.data.ngrams import counted_pieces, ngram_rule, open_table, write_table_of_ngrams
from lstm_music.stages.data.notes import read_pieces
from lstm_music.stages.data.survey import SPANS_SCHEMA, survey
from lstm_music.stages.data.versions import families_of, find_versions, rule
from lstm_music.store import Artifact, ArtifactRef, Stage, Store

KIND = "dataset"
DATASET_VERSION = 2

SPLITS_SCHEMA = pa.schema([("side", pa.string()), *SPANS_SCHEMA])


@dataclass(frozen=True)
class Dataset:
    """The input of the models: `tokens`, [events, columns], and the position of each split's pieces in them (`spans`).

    The columns are streams, places and echoes. A piece that is in two splits is in two of the `spans`.
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
        """All tokens, memory-mapped, never loaded as a whole."""
        array: Tokens = np.load(self.artifact.file("tokens"), mmap_mode="r", allow_pickle=False)
        return array

    @cached_property
    def _drawn(self) -> np.ndarray | None:
        """The split of each event, uint8 [events], an index into `SPLITS`; None if whole pieces are split."""
        if not self.is_split_by_event:
            return None
        array: np.ndarray = np.load(self.artifact.file("sides"), mmap_mode="r", allow_pickle=False)
        return array

    @property
    def is_split_by_event(self) -> bool:
        """Whether each event has its own split, independent of its piece."""
        return bool(self.artifact.manifest["spec"]["split"]["by"] == "random_windows")

    def targets(self, split: str, first: int = 0) -> Targets:
        """Return the events of a split to predict: those from position `first` of their piece on."""
        chosen = None if self._drawn is None else self._drawn == SPLITS.index(split)
        return Targets.of(self.spans[split], first, chosen)

    @property
    def offset_quarters(self) -> np.ndarray:
        """The length of each offset id in quarters, float32 [ids]; 0 for special ids."""
        offsets, grid = self.vocabularies["offset"], self.events.grid
        quarters = [grid.steps(value) / grid.steps_per_quarter for value in offsets.values]
        return np.array([0.0] * SPECIAL_IDS + quarters, np.float32)

    @cached_property
    def offset_steps(self) -> np.ndarray:
        """How many steps of the grid each offset id stands for, int32 [ids]; 0 for special ids."""
        return steps_of(self.vocabularies["offset"], self.events.grid)

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams, in the order in which the models predict them; also the first columns of the tokens."""
        return tuple(self.vocabularies)

    @cached_property
    def knowledge(self) -> Knowledge:
        """What the tokens say beside streams and places; the table of n-grams is memory-mapped."""
        columns = self.artifact.manifest["spec"]["columns"]
        ranks = RANKS if echo_columns(self.streams, RANKS)[-1] in columns else 1
        controls = tuple(name for name in CONTROLS if name in columns)
        known = Knowledge(ranks, OWN_ECHOES[0] in columns, controls=controls)
        if GUESS_COLUMNS[0] not in columns:
            return known
        counted = frozenset(counted_pieces(self.spans[TRAIN]))
        return replace(known, table=open_table(self.artifact), counted=counted)

    @cached_property
    def notes_of_parts(self) -> dict[str, frozenset[str]]:
        """The notes of each part in the training pieces, without transpositions."""
        if self.events.parts == "none":
            return {}
        found = json.loads(self.artifact.file("notes_of_parts").read_text(encoding="utf-8"))
        return {part: frozenset(notes) for part, notes in found.items()}

    @property
    def sizes(self) -> dict[str, int]:
        """The number of ids of each token column."""
        streams = {stream: vocabulary.size for stream, vocabulary in self.vocabularies.items()}
        return {**streams, **place_sizes(self.events.grid), **self.knowledge.sizes(streams)}

    @property
    def log_unknown(self) -> dict[str, float]:
        """The cost of an unknown value of each stream, in nats, in addition to -ln p(unknown)."""
        return {stream: vocabulary.log_unknown for stream, vocabulary in self.vocabularies.items()}

    @property
    def is_split_by_folder(self) -> bool:
        """Whether the folders of the source decide the split."""
        return bool(self.artifact.manifest["spec"]["split"]["by"] == "folder")

    @property
    def is_bundled(self) -> bool:
        """Whether it came in a bundle: it has excerpts of held-out pieces, and none of the training pieces."""
        return is_bundled(self.artifact)

    @property
    def keeps_versions_together(self) -> bool:
        """Whether all versions of a piece are in one split."""
        return "versions" in self.artifact.manifest["spec"]

    @property
    def warnings(self) -> list[str]:
        """Sentences for the user about the split."""
        return list(self.artifact.facts["warnings"])

    @property
    def is_leaky(self) -> bool:
        """Whether the same music is in two splits; every score must then be called leaky."""
        return bool(self.artifact.facts["leaky"])

    def transposition(self, window: WindowSpec) -> np.ndarray:
        """Return the transposed id of each note id at each shift of the windows, int64 [shifts, ids]."""
        return transposition_table(self.vocabularies["note"], self.events.encoding, window.shifts)


def dataset_stage(recipe: Recipe, notes_ref: ArtifactRef, events_ref: ArtifactRef) -> Stage:
    """Describe the stage that makes a recipe's dataset from events."""
    spec: dict[str, Any] = {
        "split": recipe.split.model_dump(mode="json", exclude={"group_versions"}),
        "events": recipe.events.model_dump(mode="json"),
        "shifts": [recipe.windows.transpose_from, recipe.windows.transpose_to],
        "columns": [*recipe.model.streams, *PLACES, *_known_columns(recipe)],
        "echo_lengths": list(LENGTHS),
    }
    if recipe.split.keeps_versions_together:
        spec["versions"] = rule()
    if VELOCITY in recipe.model.streams:
        spec["velocity_levels"] = LEVELS
    if recipe.model.controls:
        spec["controls"] = CONTROLS_VERSION
    if "ngrams" in recipe.model.experts:
        spec["ngrams"] = ngram_rule(recipe.model.streams)
    if recipe.split.by == "random_windows":
        spec["random_seed"] = recipe.random_seed
    if recipe.start is not None:
        spec["start"] = "vocabularies" if recipe.start.models else "split"
    return Stage(KIND, DATASET_VERSION, spec, (events_ref, notes_ref, *_earlier_ref(recipe)), ("pyarrow", "numpy"))


def _earlier_ref(recipe: Recipe) -> tuple[ArtifactRef, ...]:
    return () if recipe.start is None else (ArtifactRef(KIND, recipe.start.dataset),)


def _known_columns(recipe: Recipe) -> list[str]:
    return known_columns(recipe.model.experts, recipe.model.streams, recipe.model.controls)


def build_dataset(store: Store, recipe: Recipe, notes_ref: ArtifactRef, events_ref: ArtifactRef) -> ArtifactRef:
    """Split the pieces, fit the vocabularies on the training pieces, and write the tokens.

    Raises RecipeError if the split is by folder and a piece is in no such folder.
    """
    stage = dataset_stage(recipe, notes_ref, events_ref)
    if not store.has(stage.ref):
        with store.write(stage) as writer:
            _write(store, recipe, notes_ref, events_ref, writer)
            writer.provenance.update(recipe=kept_form(recipe))  # for `repair`
    return stage.ref


def load_dataset(store: Store, ref: ArtifactRef) -> Dataset:
    """Open a dataset and check its files."""
    artifact = store.open(ref)
    vocabularies = json.loads(artifact.file("vocabularies").read_text(encoding="utf-8"))
    events_ref, notes_ref = artifact.inputs[:2]
    return Dataset(
        ref=ref,
        artifact=artifact,
        events_ref=events_ref,
        notes_ref=notes_ref,
        events=EventSpec.model_validate(artifact.manifest["spec"]["events"]),
        spans=_spans(read_table(artifact.file("splits"))),
        vocabularies={entry["stream"]: Vocabulary.from_json(entry) for entry in vocabularies},
    )


def _spans(splits: pa.Table) -> dict[str, tuple[PieceSpan, ...]]:
    """Return the spans of each split. Arrow's filters are avoided here because they would import pandas."""
    rows = list(zip(*(splits.column(name).to_pylist() for name in SPLITS_SCHEMA.names), strict=True))
    return {split: tuple(PieceSpan(*span) for on, *span in rows if on == split) for split in SPLITS}


def learnt_music(store: Store, ref: ArtifactRef) -> frozenset[str]:
    """Give what tells the training pieces of a dataset, and of those that it goes on from: the hashes of bytes and of music."""
    dataset, learnt = load_dataset(store, ref), set[str]()
    if dataset.is_bundled:
        rows = [piece for piece in learnt_pieces(dataset.artifact) if piece["split"] == TRAIN]
        learnt.update(piece[name] for piece in rows for name in ("sha256", "music_hash") if piece.get(name))
    else:
        ids = {span.piece_id for span in dataset.spans[TRAIN]}
        rows = read_pieces(store, dataset.notes_ref, ("piece_id", "music_hash"))
        learnt.update(piece[name] for piece in rows for name in piece if piece["piece_id"] in ids)
    return frozenset(learnt).union(*(learnt_music(store, earlier) for earlier in dataset.artifact.inputs[2:]))


def _write(store: Store, recipe: Recipe, notes_ref: ArtifactRef, events_ref: ArtifactRef, writer: Any) -> None:
    earlier = [load_dataset(store, ref) for ref in _earlier_ref(recipe) if recipe.start and recipe.start.models]
    learnt = frozenset[str]().union(*(learnt_music(store, ref) for ref in _earlier_ref(recipe)))
    identities = _identities(store, recipe, notes_ref, learnt)
    splits = assign(identities, recipe.split)
    streams = recipe.model.streams
    found_values = survey(iterate_columns(store, events_ref, streams), recipe, set(splits.train))
    vocabularies = found_values.vocabularies(recipe, earlier[0].vocabularies if earlier else {})
    dtype = np.uint16 if max(vocabulary.size for vocabulary in vocabularies.values()) <= 1 << 16 else np.uint32
    events = store.open(events_ref).counts["events"]
    knowledge = Knowledge.of(recipe.model.experts, streams, recipe.model.controls)
    if "ngrams" in recipe.model.experts:
        counted = frozenset(counted_pieces(_spans(_split_rows(found_values.spans, splits))[TRAIN]))
        before = earlier[0].knowledge.table if earlier else None
        new = counted - {one.piece_id for one in identities if one.is_learnt and before is not None}
        table = write_table_of_ngrams(writer, iterate_columns(store, events_ref, streams), vocabularies, new, before)
        knowledge = replace(knowledge, table=table, counted=counted)
    shape = (events, len(streams) + len(PLACES) + len(_known_columns(recipe)))
    found = (
        part
        for columns in iterate_columns(store, events_ref, streams)
        for part in columns.token_parts(vocabularies, recipe.events.grid, knowledge)
    )
    save_parts(writer.file("tokens", "npy"), shape, np.dtype(dtype), found)
    if recipe.split.by == "random_windows":
        drawn = draw_splits(events, recipe.split, recipe.random_seed)
        save_array(writer.file("sides", "npy"), drawn)
    write_table(writer.file("splits", "parquet"), _split_rows(found_values.spans, splits))
    text = json.dumps([vocabulary.to_json() for vocabulary in vocabularies.values()], indent=1)
    writer.file("vocabularies", "json").write_text(text + "\n", encoding="utf-8")
    if PART in streams:
        notes_of_parts = _united(found_values.notes_of_parts, *(one.notes_of_parts for one in earlier))
        text = json.dumps({part: sorted(notes) for part, notes in sorted(notes_of_parts.items())}, indent=1)
        writer.file("notes_of_parts", "json").write_text(text + "\n", encoding="utf-8")
    writer.counts.update(
        events=events,
        **{split: len(getattr(splits, split)) for split in SPLITS},
        **{f"{stream}_classes": len(found_values.values[stream]) for stream in streams},
    )
    unheard = [name for name in recipe.events.part_names if name not in found_values.counts[PART]]
    missing = [f"No training piece has the part {name!r} of events.part_names" for name in unheard]
    writer.facts.update(warnings=[*splits.moved, *splits.leaks, *missing], leaky=bool(splits.leaks))


def _united(*notes_of_parts: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    parts = {part for one in notes_of_parts for part in one}
    return {part: {note for one in notes_of_parts for note in one.get(part, ())} for part in parts}


def _identities(
    store: Store, recipe: Recipe, notes_ref: ArtifactRef, learnt: frozenset[str] = frozenset()
) -> list[PieceIdentity]:
    families: Mapping[str, str] = {}
    if recipe.split.keeps_versions_together:
        find_versions(store, notes_ref)
        families = families_of(store, notes_ref)
    rows = read_pieces(store, notes_ref, ("piece_id", "music_hash", "names"))
    return [
        PieceIdentity(
            row["piece_id"],
            row["music_hash"],
            tuple(row["names"]),
            families.get(row["piece_id"], ""),
            is_learnt=not learnt.isdisjoint((row["piece_id"], row["music_hash"])),
        )
        for row in rows
    ]


def _split_rows(spans: pa.Table, splits: Splits) -> pa.Table:
    """Return a row for each piece of each split; a piece without events has no row."""
    tables = []
    for split in SPLITS:
        rows = spans.filter(pc.is_in(spans.column("piece_id"), pa.array(getattr(splits, split), pa.string())))
        tables.append(rows.add_column(0, "side", pa.repeat(split, rows.num_rows)))
    return pa.concat_tables(tables).cast(SPLITS_SCHEMA)


def inputs_of(store: Store, dataset: ArtifactRef) -> ArtifactRef:
    """Return the table of inputs from which a dataset was made."""
    return store.open(load_dataset(store, dataset).notes_ref).inputs[0]
