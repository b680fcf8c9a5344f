"""The flow `generate`: the models in use → music."""

from pathlib import Path

from prefect import flow

from lstm_music.recipe import load_recipe
from lstm_music.stages.generation import read_seed_midi
from lstm_music.stages.promotion import require_current
from lstm_music.store import ArtifactRef, Store
from tasks.generating import generate as generate_music


@flow(name="generate", persist_result=False)
def generate(
    recipe: str = "default",
    storage: Path = Path("storage"),
    num_outputs: int | None = None,
    seed_midi: Path | None = None,
    random_seed: int | None = None,
) -> ArtifactRef:
    """Make music with the models in use for a recipe."""
    chosen, store = load_recipe(recipe), Store(storage)
    spec = (
        chosen.generation if num_outputs is None else chosen.generation.model_copy(update={"num_outputs": num_outputs})
    )
    seed = chosen.random_seed if random_seed is None else random_seed
    with store.session():
        current = require_current(store, chosen.name)
        return generate_music(storage, current, spec, seed, read_seed_midi(seed_midi) if seed_midi else None)
