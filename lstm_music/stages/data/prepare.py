"""The stages from a table of inputs to a dataset, one after another in this process; and what to tell of them."""

from dataclasses import dataclass
from typing import Any

from lstm_music.encoding.splits import SPLITS
from lstm_music.encoding.windows import window_count
from lstm_music.errors import MissingArtifactError
from lstm_music.recipe import Recipe
from lstm_music.stages.current import keep, kept_form
from lstm_music.stages.data.dataset import Dataset, build_dataset, dataset_stage, load_dataset
from lstm_music.stages.data.events import encode_events, events_stage
from lstm_music.stages.data.ingest import read_inputs
from lstm_music.stages.data.notes import collect_notes, notes_stage
from lstm_music.stages.data.parse import ParseBatch, parse_batch, plan_batches
from lstm_music.store import ArtifactRef, Store

# Up to so many contents are read by one process in seconds; beyond that Prefect's own start is worth its time.
MIDI_FILES_BY_ONE_PROCESS = 1_000
SCORES_BY_ONE_PROCESS = 20


@dataclass(frozen=True)
class Prepared:
    """The references from a table of inputs to a dataset: what they are is known before they are made."""

    inputs: ArtifactRef
    notes: ArtifactRef
    events: ArtifactRef
    dataset: ArtifactRef


def plan(recipe: Recipe, inputs: ArtifactRef) -> Prepared:
    """Say what the dataset of a table of inputs will be called."""
    notes = notes_stage(inputs).ref
    events = events_stage(notes, recipe.events).ref
    return Prepared(inputs, notes, events, dataset_stage(recipe, notes, events).ref)


def finish(store: Store, recipe: Recipe, inputs: ArtifactRef) -> Prepared:
    """Make everything that comes after parsing, and remember it as what the recipe has prepared."""
    notes = collect_notes(store, inputs)
    events = encode_events(store, notes, recipe.events)
    dataset = build_dataset(store, recipe, notes, events)
    return remember_prepared(store, recipe, Prepared(inputs, notes, events, dataset))


def remember_prepared(store: Store, recipe: Recipe, prepared: Prepared) -> Prepared:
    """Make a dataset the one that a recipe trains on, and keep the recipe, so that its name is enough from now on."""
    refs = {"inputs": prepared.inputs, "notes": prepared.notes, "events": prepared.events, "dataset": prepared.dataset}
    facts = {"prepared": {kind: ref.key for kind, ref in refs.items()}, "recipe": kept_form(recipe)}
    keep(store, recipe.name, facts)
    return prepared


def prepare(store: Store, recipe: Recipe, inputs: ArtifactRef) -> Prepared:
    """Do all that comes after `ingest` in this process."""
    for batch in batches_to_parse(store, inputs):
        parse_batch(store, batch)
    return finish(store, recipe, inputs)


def batches_to_parse(store: Store, inputs: ArtifactRef) -> list[ParseBatch]:
    """Give the batches that have to be parsed before the note table can be made; none where it is there."""
    return [] if store.has(notes_stage(inputs).ref) else plan_batches(store, read_inputs(store, inputs))


def is_small(batches: list[ParseBatch]) -> bool:
    """Say whether one process reads these batches in seconds."""
    scores = sum(form != "midi" for batch in batches for _, form in batch.contents)
    files = sum(len(batch.contents) for batch in batches)
    return scores <= SCORES_BY_ONE_PROCESS and files <= MIDI_FILES_BY_ONE_PROCESS


def has_prepared(store: Store, recipe: str) -> bool:
    """Say whether anything was prepared for a recipe, by its name."""
    return "prepared" in (store.current(recipe) or {})


def last_prepared(store: Store, recipe: str) -> Prepared:
    """Give what was prepared last for a recipe, by its name; MissingArtifactError where nothing was."""
    kept = (store.current(recipe) or {}).get("prepared")
    if kept is None:
        raise MissingArtifactError(
            f"{store.where}: nothing was prepared for recipe {recipe!r} yet; begin with "
            f"`lstm-music prepare --recipe {recipe} --source FOLDER_OR_ZIP`"
        )
    return Prepared(**{kind: ArtifactRef(kind, key) for kind, key in kept.items()})


def describe(store: Store, recipe: Recipe, prepared: Prepared) -> dict[str, Any]:
    """Say what was prepared, for `--json`."""
    dataset = load_dataset(store, prepared.dataset)
    notes, events = store.open(prepared.notes), store.open(prepared.events)
    tables = [str(path) for path in events.files("events")]
    return {
        "pieces": notes.counts["pieces"],
        "rejected": notes.counts["rejected"],
        "duplicates": notes.counts["duplicates"],
        "notes": notes.counts["notes"],
        "events": events.counts["events"],
        "windows": window_counts(dataset, recipe),
        "classes": {stream: dataset.artifact.counts[f"{stream}_classes"] for stream in dataset.streams},
        "events_parquet": tables[0] if len(tables) == 1 else tables,
    }


def window_counts(dataset: Dataset, recipe: Recipe) -> dict[str, int]:
    """Count the windows of each split: from the first event of each piece on, or one before each event that has a full one."""
    if recipe.model.is_windowed:
        return {split: dataset.targets(split, recipe.first_target).events for split in SPLITS}
    return {
        split: window_count([span.events for span in dataset.spans[split]], recipe.windows.length) for split in SPLITS
    }
