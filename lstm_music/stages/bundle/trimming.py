"""A storage with trained models → a small one with what generation needs of it: the storage that is in a bundle."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from lstm_music.encoding.splits import SPLITS, TRAIN, VALIDATION
from lstm_music.encoding.streams import PART
from lstm_music.midi.titles import title_of_file
from lstm_music.models.weights import SAFETENSORS, read_weights, write_safetensors
from lstm_music.npy import save_array
from lstm_music.parquet import write_table
from lstm_music.recipe import Recipe
from lstm_music.stages.bundle.excerpts import Excerpt
from lstm_music.stages.current import Promoted, kept_form
from lstm_music.stages.data.bundled import BUNDLE, TRAINING
from lstm_music.stages.data.columns import iterate_columns
from lstm_music.stages.data.dataset import DATASET_VERSION, SPLITS_SCHEMA, Dataset, load_dataset
from lstm_music.stages.data.dataset import KIND as DATASET
from lstm_music.stages.data.events import encode_events
from lstm_music.stages.data.ingest import ACCEPTED, Input, write_inputs
from lstm_music.stages.data.notes import collect_notes
from lstm_music.stages.data.parse import parse_batch
from lstm_music.stages.data.prepare import batches_to_parse
from lstm_music.stages.music.control_ranges import RANGES, control_ranges
from lstm_music.stages.music.copies import BUNDLED, TITLES, copies_stage
from lstm_music.stages.music.lengths import DENSITY, usual_density
from lstm_music.stages.music.page import QUIZ_CLIPS
from lstm_music.stages.music.reference import LENGTHS, bundled_name, read_reference
from lstm_music.stages.music.segments import piece_rows
from lstm_music.store import ArtifactRef, ArtifactWriter, Stage, Store


@dataclass(frozen=True)
class Whole:
    """What is to be given away: promoted models of a recipe in a storage, prompts, and references of some lengths.

    `training` lists the pieces that the models learnt from.
    """

    store: Store
    recipe: Recipe
    promoted: Promoted
    excerpts: Sequence[Excerpt]
    references: Sequence[ArtifactRef]
    training: Sequence[dict[str, Any]]
    has_copy_index: bool


def trim(whole: Whole, small: Store) -> Promoted:
    """Write the artifacts of a bundle into a storage of their own; the same ones for the same models and choices."""
    dataset = _dataset(whole, small)
    models = {name: _model(whole, small, dataset, ref) for name, ref in whole.promoted.models.items()}
    return Promoted(dataset, models, _scorecard(whole, small, dataset, models))


def _dataset(whole: Whole, small: Store) -> ArtifactRef:
    old = load_dataset(whole.store, whole.promoted.dataset)
    rows = [
        Input(
            one.name,
            ACCEPTED,
            "",
            small.put_blob(one.midi),
            "midi",
            len(one.midi),
            one.composer,
            one.source,
            one.licence,
        )
        for one in whole.excerpts
    ]
    inputs = write_inputs(small, rows, whole.recipe.input_reading)
    for batch in batches_to_parse(small, inputs):
        parse_batch(small, batch)
    notes = collect_notes(small, inputs)
    events = encode_events(small, notes, old.events)
    cut_out = {
        "of": old.ref.key,
        "references": [ref.key for ref in whole.references],
        "copies": copies_stage(old.ref).ref.key if whole.has_copy_index else None,
    }
    stage = Stage(DATASET, DATASET_VERSION, {**old.artifact.manifest["spec"], BUNDLE: cut_out}, (events, notes))
    with small.write(stage) as writer:
        _write_dataset(whole, small, old, events, writer)
        writer.provenance.update(recipe=kept_form(whole.recipe))
    return stage.ref


def _write_dataset(whole: Whole, small: Store, old: Dataset, events: ArtifactRef, writer: ArtifactWriter) -> None:
    spans: list[dict[str, Any]] = []
    tokens: list[np.ndarray] = []
    for columns in iterate_columns(small, events, old.streams):
        found = columns.spans(whole.recipe.windows)
        spans += [{name: getattr(span, name, VALIDATION) for name in SPLITS_SCHEMA.names} for span in found]
        tokens += columns.token_parts(old.vocabularies, old.events.grid, old.knowledge)
    save_array(writer.file("tokens", "npy"), np.concatenate(tokens).astype(old.tokens.dtype))
    write_table(writer.file("splits", "parquet"), pa.Table.from_pylist(spans, schema=SPLITS_SCHEMA))
    kept = ["vocabularies", *(["notes_of_parts"] if PART in old.streams else [])]
    ngrams = [entry["name"] for entry in old.artifact.manifest["files"].values() if entry["name"].startswith("ngram_")]
    for name in (*kept, *ngrams):
        shutil.copyfile(old.artifact.file(name), writer.file(name, "npy" if name in ngrams else "json"))
    _write_json(writer, TRAINING, list(whole.training))
    lengths = [_write_reference(whole.store, ref, writer) for ref in whole.references]
    if whole.has_copy_index:
        _write_copy_index(whole.store, old, writer)
    writer.counts.update(
        events=sum(map(len, tokens)),
        **{split: len(spans) if split == VALIDATION else 0 for split in SPLITS},
        **{name: count for name, count in old.artifact.counts.items() if name.endswith("_classes")},
    )
    writer.facts.update(
        {
            "warnings": [],
            "leaky": old.is_leaky,
            DENSITY: usual_density(old),
            RANGES: control_ranges(old),
            LENGTHS: lengths,
        }
    )


def _write_reference(store: Store, ref: ArtifactRef, writer: ArtifactWriter) -> int:
    """Copy the measures of held-out music, and as many of its excerpts as a page takes. Returns their length in events."""
    artifact, events = store.open(ref), read_reference(store, ref).events
    names = [f"held_out_{number:03d}" for number in range(1, min(QUIZ_CLIPS, artifact.counts["held_out"]) + 1)]
    for name, extension in (("reference", "json"), *((name, "mid") for name in names)):
        shutil.copyfile(artifact.file(name), writer.file(bundled_name(events) + name, extension))
    return events


def _write_copy_index(store: Store, old: Dataset, writer: ArtifactWriter) -> None:
    artifact = store.open(copies_stage(old.ref).ref)
    for entry in artifact.manifest["files"].values():
        shutil.copyfile(artifact.file(entry["name"]), writer.file(BUNDLED + entry["name"], "npy"))
    rows = piece_rows(store, old)
    titles = [title_of_file(str(rows[span.piece_id]["name"])) for span in old.spans[TRAIN]]
    _write_json(writer, BUNDLED + TITLES, titles)


def _model(whole: Whole, small: Store, dataset: ArtifactRef, ref: ArtifactRef) -> ArtifactRef:
    old = whole.store.open(ref)
    spec = {**old.manifest["spec"], BUNDLE: {"of": ref.key}}
    stage = Stage(ref.kind, old.manifest["format_version"], spec, (dataset,))
    with small.write(stage) as writer:
        write_safetensors(writer.file("model", SAFETENSORS), read_weights(old.file("model")))
        shutil.copyfile(old.file("history"), writer.file("history", "json"))
        writer.counts.update(old.counts)
        writer.facts.update(old.facts)
    return stage.ref


def _scorecard(whole: Whole, small: Store, dataset: ArtifactRef, models: dict[str, ArtifactRef]) -> ArtifactRef:
    old = whole.store.open(whole.promoted.scorecard)
    names: list[str] = old.manifest["spec"]["models"]
    spec = {**old.manifest["spec"], BUNDLE: {"of": old.ref.key}}
    stage = Stage(old.ref.kind, old.manifest["format_version"], spec, (dataset, *(models[name] for name in names)))
    with small.write(stage) as writer:
        for extension in ("json", "parquet"):
            shutil.copyfile(old.file(f"card.{extension}"), writer.file("card", extension))
        writer.facts.update(old.facts)
        writer.counts.update(old.counts)
        writer.provenance.update(recipe=kept_form(whole.recipe))
    return stage.ref


def reached(small: Store, promoted: Promoted) -> list[ArtifactRef]:
    """List the artifacts that promoted models in a small storage need."""
    todo, found = [promoted.scorecard], dict[ArtifactRef, None]()
    while todo:
        ref = todo.pop()
        if ref not in found:
            found[ref] = None
            todo += small.open(ref).inputs
    return sorted(chain(found))


def _write_json(writer: ArtifactWriter, name: str, value: Any) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    writer.file(name, "json").write_text(text + "\n", encoding="utf-8")
