"""The task that makes music."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from lstm_music.generation.spec import GenerationSpec
from lstm_music.stages import generation, promotion
from lstm_music.store import ArtifactRef, Store
from tasks.reporting import publish_generation


@task(name="generate", cache_policy=NO_CACHE, persist_result=False)
def generate(
    storage: Path,
    current: promotion.Current,
    spec: GenerationSpec,
    random_seed: int,
    seed_midi: generation.SeedMidi | None = None,
) -> ArtifactRef:
    """Make music with the models in use."""
    store = Store(storage)
    ref = generation.generate(store, current.dataset, current.models, spec, random_seed, seed_midi)
    publish_generation(generation.describe_generation(store, ref))
    return ref
