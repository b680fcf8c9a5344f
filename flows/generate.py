"""The flow `generate`: the promoted models → music, and a page to listen to it."""

import logging

from prefect import flow

from flows.engine.naming import named_after
from flows.parameters import (
    EventCount,
    Limits,
    LimitsGroup,
    Music,
    MusicGroup,
    Output,
    OutputCount,
    OutputGroup,
    Prompt,
    PromptGroup,
    RandomSeed,
    Sampling,
    SamplingGroup,
    StorageText,
    TrainedRecipe,
)
from lstm_music.stages.current import default_recipe, find_recipe, name_in, require_promoted
from lstm_music.stages.music.generation import Plan
from lstm_music.stages.music.likeness import asked_settings, recipe_of
from lstm_music.store import ArtifactRef, Store
from tasks.failing import advise, say_ended
from tasks.generating import make_music, measure_reference, present

_LOG = logging.getLogger("lstm_music.flows")


@flow(
    name="generate",
    flow_run_name=named_after("generate"),
    persist_result=False,
    on_completion=[say_ended],
    on_failure=[advise],
    on_crashed=[advise],
)
def generate(
    recipe: TrainedRecipe = None,
    storage: StorageText = "storage",
    num_outputs: OutputCount = None,
    num_events: EventCount = None,
    random_seed: RandomSeed = None,
    music: MusicGroup = Music(),
    sampling: SamplingGroup = Sampling(),
    prompt: PromptGroup = Prompt(),
    limits: LimitsGroup = Limits(),
    output: OutputGroup = Output(),
) -> ArtifactRef:
    """Make music with the promoted models of a recipe, and a page to listen to it."""
    store = Store(storage)
    if prompt.like and not recipe:
        recipe = recipe_of(store, prompt.like, str)
    if recipe:
        chosen = find_recipe(store, recipe)
    else:
        choice = default_recipe(store, "promoted")
        chosen = choice.recipe
        _LOG.info(choice.reason)
    options = {"num_outputs": num_outputs, "num_events": num_events, "random_seed": random_seed}
    for group in (music, sampling, prompt, limits, output):
        options |= group.model_dump()
    settings = asked_settings(store, chosen, name_in(store, chosen, recipe or chosen.name), options, spell=str)
    with store.session():
        current = require_promoted(store, chosen.name)
        plan = Plan(settings, current.dataset, current.models)
        make_music(storage, plan)
        measure_reference(storage, plan)
        return present(storage, plan)
