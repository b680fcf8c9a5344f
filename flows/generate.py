"""The flow `generate`: the models in use → music, and a page to listen to it."""

from dataclasses import replace

from prefect import flow

from flows.parameters import (
    ComposerName,
    EventCount,
    OutputCount,
    RandomSeed,
    RecipeName,
    SeedMidi,
    StorageText,
    TemperatureText,
)
from lstm_music.recipe import load_recipe
from lstm_music.stages.current import require_current
from lstm_music.stages.music.generation import Plan
from lstm_music.stages.music.overrides import wished
from lstm_music.stages.music.prompts import read_seed_midi
from lstm_music.stages.music.settings import Wish
from lstm_music.store import ArtifactRef, Store
from tasks.failing import say_what_to_do
from tasks.generating import make_music, measure_reference, present


@flow(name="generate", persist_result=False, on_failure=[say_what_to_do], on_crashed=[say_what_to_do])
def generate(
    recipe: RecipeName = "default",
    storage: StorageText = "storage",
    num_outputs: OutputCount = None,
    seed_midi: SeedMidi = None,
    random_seed: RandomSeed = None,
    num_events: EventCount = None,
    temperature: TemperatureText = None,
    composer: ComposerName = None,
) -> ArtifactRef:
    """Make music with the models in use for a recipe, and a page to listen to it."""
    chosen, store = load_recipe(recipe), Store(storage)
    asked = {"num_outputs": num_outputs, "num_events": num_events, "temperature": temperature, "composer": composer}
    spec, rendering = wished(chosen, asked, {})
    wish = replace(
        Wish.of(chosen, recipe),
        spec=spec,
        rendering=rendering,
        random_seed=chosen.random_seed if random_seed is None else random_seed,
        seed_midi=read_seed_midi(seed_midi) if seed_midi else None,
        seed_midi_path=seed_midi,
    )
    with store.session():
        current = require_current(store, chosen.name)
        plan = Plan(wish, current.dataset, current.models)
        make_music(storage, plan)
        measure_reference(storage, plan)
        return present(storage, plan)
