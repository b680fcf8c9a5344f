"""The flow `prepare`: a source → note table → events → vocabularies and tokens."""

from prefect import flow

from flows.engine.made import require_made
from flows.engine.naming import named_after
from flows.engine.runners import runner as task_runner
from flows.parameters import DaskScheduler, InputsKey, RecipeName, RunnerName, SourceText, StorageText, WorkerCount
from lstm_music.recipe import Recipe
from lstm_music.sources.choice import chosen_source
from lstm_music.stages.current import find_recipe
from lstm_music.stages.data.ingest import KIND
from lstm_music.stages.data.prepare import Prepared, batches_to_parse
from lstm_music.store import ArtifactRef, Store
from tasks.failing import advise, say_ended
from tasks.preparing import (
    build_dataset,
    collect_notes,
    encode_events,
    find_versions,
    ingest_source,
    parse_batch,
    remember_prepared,
)


@flow(name="parse", flow_run_name="parse", persist_result=False, validate_parameters=False)
def parse(storage: str, inputs: ArtifactRef) -> None:
    """Parse the missing batches in parallel; the flow plans them itself, because a server refuses parameters of a megabyte."""
    batches = batches_to_parse(Store(storage), inputs)
    futures = [
        parse_batch.submit(storage, batch, number, len(batches)) for number, batch in enumerate(batches, start=1)
    ]
    for future, batch in zip(futures, batches, strict=True):
        require_made(future, batch.ref)


@flow(
    name="prepare",
    flow_run_name=named_after("prepare"),
    persist_result=False,
    on_completion=[say_ended],
    on_failure=[advise],
    on_crashed=[advise],
)
def prepare(
    recipe: RecipeName = "default",
    source: SourceText = None,
    storage: StorageText = "storage",
    runner: RunnerName = None,
    workers: WorkerCount = None,
    dask_scheduler: DaskScheduler = None,
    inputs: InputsKey = None,
) -> Prepared:
    """Make a dataset of the music of a source; without one, of the recipe's own, or of `inputs` that were ingested before."""
    chosen = find_recipe(Store(storage), recipe).run_by(runner, workers, dask_scheduler)
    with Store(storage).session():
        inputs_ref = ingest_inputs(chosen, source, storage, inputs)
        return prepare_inputs(chosen, inputs_ref, storage)


def ingest_inputs(recipe: Recipe, source: str | None, storage: str, inputs: str | None) -> ArtifactRef:
    """Ingest a source, or give the inputs that were ingested before."""
    return (
        ArtifactRef(KIND, inputs)
        if inputs
        else ingest_source(storage, recipe, chosen_source(source or None, recipe.source))
    )


def prepare_inputs(recipe: Recipe, inputs: ArtifactRef, storage: str) -> Prepared:
    """Run the tasks after `ingest`, in any flow, and record the dataset as the one that the recipe trains on."""
    return remember_prepared(storage, recipe, make_dataset(recipe, inputs, storage))


def make_dataset(recipe: Recipe, inputs: ArtifactRef, storage: str) -> Prepared:
    """Run the tasks from a table of inputs to a dataset."""
    store = Store(storage)
    if batches_to_parse(store, inputs):
        parse.with_options(task_runner=task_runner(recipe.runner))(store.address, inputs)
    notes = collect_notes(storage, inputs)
    find_versions(storage, notes)
    events = encode_events(storage, recipe, notes)
    dataset = build_dataset(storage, recipe, notes, events)
    return Prepared(inputs, notes, events, dataset)
