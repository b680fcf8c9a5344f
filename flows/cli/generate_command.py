"""What `generate`, `accompany` and `rewrite` do, and the last step of `run`: music with the promoted models."""

from pathlib import Path
from typing import Any

from flows.cli import report
from flows.cli.choosing import choose_recipe
from flows.cli.display import Display
from flows.cli.output_dir import copy_to, require_output_dir, require_room
from flows.cli.sparing import spare_pandas
from flows.cli.words import counted
from lstm_music.recipe import Recipe
from lstm_music.stages.current import name_in, require_promoted
from lstm_music.stages.music import generation
from lstm_music.stages.music import index as generations
from lstm_music.stages.music.likeness import asked_settings, recipe_of
from lstm_music.stages.music.overrides import Options
from lstm_music.stages.music.settings import GenerationSettings, length_in_words
from lstm_music.stages.training.changes import changes_since_training, changes_text
from lstm_music.store import Store


def generate(
    display: Display,
    recipe_name: str | None,
    storage: str,
    options: Options,
    output_dir: Path | None,
    melody: Path | None = None,
    part: str | None = None,
    rewrite_bars: str | None = None,
) -> None:
    """Make music with the promoted models, around a part of the file `melody` if there is one, or in bars of it."""
    spare_pandas()
    store = Store(storage)
    if (like := options.get("like")) and recipe_name is None:
        recipe_name = recipe_of(store, like)
        display.log(f"Recipe {recipe_name}: that of {like}")
    recipe = choose_recipe(display, store, recipe_name, "promoted")
    name = name_in(store, recipe, recipe_name or recipe.name)
    settings = asked_settings(store, recipe, name, options, melody=melody, part=part, rewrite_bars=rewrite_bars)
    current = require_promoted(store, recipe.name)  # before a mistyped --storage is made
    require_output_dir(output_dir, store)
    if changes := changes_since_training(store, recipe, current):
        display.log(
            f"Recipe {recipe.name} changed since its models were trained: {changes_text(changes)}. "
            f"The music comes from the models as trained; train again with `lstm-music train --recipe {settings.recipe}`"
        )
    with store.session():
        display.result(make_music(display, store, recipe, settings, output_dir))


def make_music(
    display: Display, store: Store, recipe: Recipe, settings: GenerationSettings, output_dir: Path | None
) -> dict[str, Any]:
    """Make music by its settings, or find it, and report it; give the report for `--json`."""
    current = require_promoted(store, recipe.name)
    plan = generation.Plan(settings, current.dataset, current.models)
    if output_dir is not None:
        require_room(output_dir, store, plan.stage.ref)
    pieces, length = counted(settings.spec.num_outputs, "piece"), f" of {length_in_words(settings.spec)}"
    if settings.melody:
        length = f" {settings.melody.length}"
    if settings.spec.candidates > settings.spec.num_outputs:
        pieces = f"{counted(settings.spec.candidates, 'candidate')} for {pieces}"
    if store.has(plan.stage.ref):
        other = settings.random_seed + 1
        display.log(
            f"These settings made this music before; for other music give another --random-seed, such as {other}"
        )
    with display.generating(f"Generating {pieces}{length}") as (on_stage, on_file):
        ref = generation.generate(store, plan, on_file, on_stage)
    generations.write_index(store)
    if output_dir is not None:
        copy_to(output_dir, store, ref)
    return report.generated(display, generation.describe_generation(store, ref, output_dir))
