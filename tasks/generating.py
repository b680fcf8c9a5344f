"""The tasks that make music and present it."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from lstm_music.stages.music import candidates as music
from lstm_music.stages.music import copies, generation, reference
from lstm_music.stages.music import index as generations
from lstm_music.store import ArtifactRef, Store
from tasks.reporting import publish_generation, rendering_report


@task(name="make music", task_run_name="make music", cache_policy=NO_CACHE, persist_result=False)
def make_music(storage: str, plan: generation.Plan) -> ArtifactRef:
    """Make all candidates with the promoted models."""
    settings = plan.settings
    given = settings.given
    return music.make_music(Store(storage), plan.dataset, plan.models, settings.spec, settings.random_seed, *given)


@task(
    name="measure held-out music", task_run_name="measure held-out music", cache_policy=NO_CACHE, persist_result=False
)
def measure_reference(storage: str, plan: generation.Plan) -> ArtifactRef:
    """Index the training pieces for the copy check, and measure the held-out music that results are compared with."""
    store = Store(storage)
    indexed = copies.index_copies(store, plan.dataset)
    return reference.measure_reference(store, plan.dataset, indexed, plan.reference_events(store))


@task(name="present music", task_run_name="present music", cache_policy=NO_CACHE, persist_result=False)
def present(storage: str, plan: generation.Plan) -> ArtifactRef:
    """Choose the best candidates, render them, and write the listening page and the index of all of them."""
    store = Store(storage)
    with rendering_report() as on_progress:
        ref = generation.generate(store, plan, on_progress)
    generations.write_index(store)
    publish_generation(generation.describe_generation(store, ref))
    return ref
