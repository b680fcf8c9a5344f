"""Runs the stages from a table of inputs to a dataset in this process, and reports the result."""

from dataclasses import dataclass
from typing import Any

from lstm_music.encoding.splits import SPLITS, TRAIN
from lstm_music.encoding.windows import window_count
from lstm_music.errors import MissingArtifactError
from lstm_music.midi.fresh_loops import loops
from lstm_music.recipe import Recipe
from lstm_music.stages.current import keep, kept_form
from lstm_music.stages.data.dataset import Dataset, build_dataset, dataset_stage, load_dataset
from lstm_music.stages.data.events import encode_events, events_stage
from lstm_music.stages.data.ingest import read_inputs, reading_of
from lstm_music.stages.data.latest import link_tables
from lstm_music.stages.data.notes import collect_notes, notes_stage
from lstm_music.stages.data.parse import ParseBatch, parse_batch, plan_batches
from lstm_music.stages.data.versions import families_of, find_versions
from lstm_music.store import ArtifactRef, Store

# One process reads this many contents in seconds. For more, starting Prefect is worth its 7 CPU seconds.
MIDI_FILES_BY_ONE_PROCESS = 10_000 if loops.DIGEST else 2_000  # interpreted, the loops take five times as long
SCORES_BY_ONE_PROCESS = 20


@dataclass(frozen=True)
class Prepared:
    """The references of all artifacts from inputs to dataset. They are known before the artifacts are made."""

    inputs: ArtifactRef
    notes: ArtifactRef
    events: ArtifactRef
    dataset: ArtifactRef


def plan(recipe: Recipe, inputs: ArtifactRef) -> Prepared:
    """Compute the references of all artifacts that a recipe makes from a table of inputs."""
    notes = notes_stage(inputs).ref
    events = events_stage(notes, recipe.events).ref
    return Prepared(inputs, notes, events, dataset_stage(recipe, notes, events).ref)


def finish(store: Store, recipe: Recipe, inputs: ArtifactRef) -> Prepared:
    """Make everything after parsing, and record it as the recipe's prepared data."""
    notes = collect_notes(store, inputs)
    find_versions(store, notes)
    events = encode_events(store, notes, recipe.events)
    dataset = build_dataset(store, recipe, notes, events)
    return remember_prepared(store, recipe, Prepared(inputs, notes, events, dataset))


def remember_prepared(store: Store, recipe: Recipe, prepared: Prepared) -> Prepared:
    """Record the dataset that a recipe trains on, and the recipe itself; link the tables below `latest`."""
    refs = {"inputs": prepared.inputs, "notes": prepared.notes, "events": prepared.events, "dataset": prepared.dataset}
    facts = {"prepared": {kind: ref.key for kind, ref in refs.items()}, "recipe": kept_form(recipe)}
    keep(store, recipe.name, facts)
    link_tables(store, prepared.notes, prepared.events, prepared.dataset)
    return prepared


def prepare(store: Store, recipe: Recipe, inputs: ArtifactRef) -> Prepared:
    """Run all stages after `ingest` in this process."""
    for batch in batches_to_parse(store, inputs):
        parse_batch(store, batch)
    return finish(store, recipe, inputs)


def batches_to_parse(store: Store, inputs: ArtifactRef) -> list[ParseBatch]:
    """Return the batches to parse before the note table can be made; none if the note table exists."""
    if store.has(notes_stage(inputs).ref):
        return []
    return plan_batches(store, read_inputs(store, inputs), reading_of(store, inputs).repeats)


def is_small(batches: list[ParseBatch]) -> bool:
    """Return whether one process can read these batches in seconds."""
    scores = sum(form != "midi" for batch in batches for _, form in batch.contents)
    files = sum(len(batch.contents) for batch in batches)
    return scores <= SCORES_BY_ONE_PROCESS and files <= MIDI_FILES_BY_ONE_PROCESS


def has_prepared(store: Store, recipe: str) -> bool:
    """Return whether a recipe, given by name, has prepared data."""
    return "prepared" in (store.current(recipe) or {})


def last_prepared(store: Store, recipe: str) -> Prepared:
    """Return the latest prepared data of a recipe, given by name. Raises MissingArtifactError if there is none."""
    kept = (store.current(recipe) or {}).get("prepared")
    if kept is None:
        raise MissingArtifactError(
            f"{store.where}: nothing was prepared for recipe {recipe!r} yet; begin with "
            f"`lstm-music prepare --recipe {recipe} --source FOLDER_OR_ZIP`"
        )
    return Prepared(**{kind: ArtifactRef(kind, key) for kind, key in kept.items()})


def describe(store: Store, recipe: Recipe, prepared: Prepared) -> dict[str, Any]:
    """Return the counts and files of prepared data, for `--json`."""
    dataset = load_dataset(store, prepared.dataset)
    notes, events = store.open(prepared.notes), store.open(prepared.events)
    tables = [str(path) for path in events.files("events")]
    return {
        "pieces": notes.counts["pieces"],
        "with_warnings": notes.counts.get("warned", 0),
        "rejected": notes.counts["rejected"],
        "duplicates": notes.counts["duplicates"],
        "notes": notes.counts["notes"],
        "events": events.counts["events"],
        "windows": window_counts(dataset, recipe),
        "classes": {stream: dataset.artifact.counts[f"{stream}_classes"] for stream in dataset.streams},
        "events_parquet": tables[0] if len(tables) == 1 else tables,
    }


def about_split(store: Store, dataset: Dataset) -> list[str]:
    """Return what a user should know about a split: its warnings, and how many pieces are versions of others."""
    families = {} if dataset.is_split_by_event else families_of(store, dataset.notes_ref)
    sentences = dataset.warnings
    if not families:
        return sentences
    if dataset.keeps_versions_together:
        count = len(set(families.values()))
        others = len(families) - count
        is_one = "piece is another version" if others == 1 else "pieces are other versions"
        sentences.append(f"{others:,} {is_one} of {count:,} others; all versions of a piece are in one split")
        return sentences
    learnt = {families.get(span.piece_id) for span in dataset.spans[TRAIN]} - {None}
    held_out = [span.piece_id for split in SPLITS if split != TRAIN for span in dataset.spans[split]]
    known = sum(families.get(piece_id) in learnt for piece_id in held_out)
    if known:
        is_one = "piece is another version" if known == 1 else "pieces are other versions"
        why = (
            "the split is that of the folders"
            if dataset.is_split_by_folder
            else "set split.group_versions = true in the recipe to keep them in one split"
        )
        sentences.append(f"{known:,} of {len(held_out):,} held-out {is_one} of training pieces; {why}")
    return sentences


def window_counts(dataset: Dataset, recipe: Recipe) -> dict[str, int]:
    """Count the windows of each split; for a windowed architecture, one per event that follows a full window."""
    if recipe.model.is_windowed:
        return {split: dataset.targets(split, recipe.first_target).events for split in SPLITS}
    return {
        split: window_count([span.events for span in dataset.spans[split]], recipe.windows.length) for split in SPLITS
    }
