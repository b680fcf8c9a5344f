"""The flow `generate`: the models in use → music, and a page to listen to it."""

from dataclasses import replace
from pathlib import Path

from prefect import flow

from lstm_music.recipe import load_recipe
from lstm_music.stages.generation import Plan
from lstm_music.stages.promotion import require_current
from lstm_music.stages.seed_segments import read_seed_midi
from lstm_music.stages.wish import Wish
from lstm_music.store import ArtifactRef, Store
from tasks.generating import make_music, measure_reference, present


@flow(name="generate", persist_result=False)
def generate(
    recipe: str = "default",
    storage: str = "storage",
    num_outputs: int | None = None,
    seed_midi: Path | None = None,
    random_seed: int | None = None,
) -> ArtifactRef:
    """Make music with the models in use for a recipe."""
    chosen, store = load_recipe(recipe), Store(storage)
    usual = Wish.of(chosen, recipe)
    wish = replace(
        usual,
        spec=usual.spec if num_outputs is None else usual.spec.model_copy(update={"num_outputs": num_outputs}),
        random_seed=usual.random_seed if random_seed is None else random_seed,
        seed_midi=read_seed_midi(seed_midi) if seed_midi else None,
    )
    with store.session():
        current = require_current(store, chosen.name)
        plan = Plan(wish, current.dataset, current.models)
        make_music(storage, plan)
        measure_reference(storage, plan)
        return present(storage, plan)
