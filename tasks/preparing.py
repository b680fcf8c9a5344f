"""Tasks from a source to a dataset."""

import platform

from prefect import task
from prefect.cache_policies import NO_CACHE

from lstm_music.errors import StorageError
from lstm_music.recipe import Recipe
from lstm_music.stages.data import dataset, events, ingest, notes, parse, prepare, versions
from lstm_music.stages.data.attempts import try_again
from lstm_music.store import ArtifactRef, Store
from tasks.reporting import download_report
from tasks.retrying import may_pass


@task(
    name="ingest",
    task_run_name="ingest",
    retries=2,
    retry_delay_seconds=5,
    retry_condition_fn=may_pass,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def ingest_source(storage: str, recipe: Recipe, source: str) -> ArtifactRef:
    """Ingest what a source holds, and read once more what met a limit the last time."""
    with download_report() as report:
        store = Store(storage)
        return try_again(store, ingest.ingest(store, recipe, source, report=report))


@task(
    name="parse",
    task_run_name="parse batch {number} of {count}",
    retries=1,
    retry_condition_fn=may_pass,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def parse_batch(storage: str, batch: parse.ParseBatch, number: int, count: int) -> ArtifactRef:
    """Parse one batch of contents; `number` and `count` name the task run.

    Raises StorageError on a worker that cannot see the storage, because it would start another one there.
    """
    del number, count
    store = Store(storage)
    if not store.exists():
        raise StorageError(
            f"{storage}: the worker on {platform.node()} cannot see this storage; mount the same folder there, or use a bucket"
        )
    return parse.parse_batch(store, batch)


@task(name="collect notes", task_run_name="collect notes", cache_policy=NO_CACHE, persist_result=False)
def collect_notes(storage: str, inputs: ArtifactRef) -> ArtifactRef:
    """Merge all parsed pieces into one note table."""
    return notes.collect_notes(Store(storage), inputs)


@task(name="find versions", task_run_name="find versions", cache_policy=NO_CACHE, persist_result=False)
def find_versions(storage: str, notes_ref: ArtifactRef) -> ArtifactRef:
    """Find pieces that are other versions of each other, by their melodies."""
    return versions.find_versions(Store(storage), notes_ref)


@task(name="encode events", task_run_name="encode events", cache_policy=NO_CACHE, persist_result=False)
def encode_events(storage: str, recipe: Recipe, notes_ref: ArtifactRef) -> ArtifactRef:
    """Encode the note table by the recipe's [events]."""
    return events.encode_events(Store(storage), notes_ref, recipe.events)


@task(name="build dataset", task_run_name="build dataset", cache_policy=NO_CACHE, persist_result=False)
def build_dataset(storage: str, recipe: Recipe, notes_ref: ArtifactRef, events_ref: ArtifactRef) -> ArtifactRef:
    """Split, fit the vocabularies, write the tokens."""
    return dataset.build_dataset(Store(storage), recipe, notes_ref, events_ref)


@task(name="record the dataset", task_run_name="record the dataset", cache_policy=NO_CACHE, persist_result=False)
def remember_prepared(storage: str, recipe: Recipe, prepared: prepare.Prepared) -> prepare.Prepared:
    """Record the dataset as the one that the recipe trains on."""
    return prepare.remember_prepared(Store(storage), recipe, prepared)
