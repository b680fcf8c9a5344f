"""The flow `generate`: the models in use → music, and a page to listen to it."""

from dataclasses import replace

from prefect import flow

from flows.parameters import (
    ComposerName,
    EventCount,
    OutputCount,
    PromptMidi,
    RandomSeed,
    RecipeName,
    StorageText,
    TemperatureText,
)
from lstm_music.stages.current import find_recipe, require_promoted
from lstm_music.stages.music.generation import Plan
from lstm_music.stages.music.overrides import overridden
from lstm_music.stages.music.prompts import read_prompt_midi
from lstm_music.stages.music.settings import GenerationSettings
from lstm_music.store import ArtifactRef, Store
from tasks.failing import advise
from tasks.generating import make_music, measure_reference, present


@flow(name="generate", persist_result=False, on_failure=[advise], on_crashed=[advise])
def generate(
    recipe: RecipeName = "default",
    storage: StorageText = "storage",
    num_outputs: OutputCount = None,
    prompt_midi: PromptMidi = None,
    random_seed: RandomSeed = None,
    num_events: EventCount = None,
    temperature: TemperatureText = None,
    composer: ComposerName = None,
) -> ArtifactRef:
    """Make music with the models in use for a recipe, and a page to listen to it."""
    store = Store(storage)
    chosen = find_recipe(store, recipe)
    asked = {"num_outputs": num_outputs, "num_events": num_events, "temperature": temperature, "composer": composer}
    spec, rendering = overridden(chosen, asked, {})
    settings = replace(
        GenerationSettings.of(chosen, recipe),
        spec=spec,
        rendering=rendering,
        random_seed=chosen.random_seed if random_seed is None else random_seed,
        prompt_midi=read_prompt_midi(prompt_midi) if prompt_midi else None,
        prompt_midi_path=prompt_midi,
    )
    with store.session():
        current = require_promoted(store, chosen.name)
        plan = Plan(settings, current.dataset, current.models)
        make_music(storage, plan)
        measure_reference(storage, plan)
        return present(storage, plan)
