"""What `generate`, `accompany` and `rewrite` do, and the last step of `run`: music with the promoted models."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from flows.cli import report
from flows.cli.display import Display
from flows.cli.models import Models, OpenModels, opened
from flows.cli.output_dir import copy_to, free_folder, none_left_empty, require_output_dir, require_room
from flows.cli.words import counted
from lstm_music.recipe import Recipe
from lstm_music.stages.current import require_promoted
from lstm_music.stages.music import generation
from lstm_music.stages.music import index as generations
from lstm_music.stages.music.likeness import asked_settings
from lstm_music.stages.music.overrides import Options
from lstm_music.stages.music.settings import GenerationSettings, length_in_words
from lstm_music.stages.training.changes import changes_since_training, changes_text
from lstm_music.store import Store


def generate(
    display: Display,
    models: Models,
    options: Options,
    output_dir: Path | None,
    melody: Path | None = None,
    part: str | None = None,
    rewrite_bars: str | None = None,
) -> None:
    """Make music with the promoted models, around a part of the file `melody` if there is one, or in bars of it.

    With models of a bundle, nothing but `output_dir` is written to, which is a new folder here by default.
    """
    with opened(display, models, options) as there:
        store, recipe = there.store, there.recipe
        settings = asked_settings(
            store, recipe, there.name, options, melody=melody, part=part, rewrite_bars=rewrite_bars
        )
        if there.bundle is not None:
            settings = replace(settings, bundle=there.bundle, output_dir=output_dir)
            output_dir = output_dir or free_folder(there.name)
        _say_what_changed(display, there)  # before a mistyped --storage is made
        with none_left_empty(output_dir), store.session():
            require_output_dir(output_dir, store)
            display.result(make_music(display, store, recipe, settings, output_dir))


def _say_what_changed(display: Display, models: OpenModels) -> None:
    """Say what of a recipe is no longer as its models were trained. Raises MissingArtifactError if there are none."""
    recipe = models.recipe
    if changes := changes_since_training(models.store, recipe, require_promoted(models.store, recipe.name)):
        display.log(
            f"Recipe {recipe.name} changed since its models were trained: {changes_text(changes)}. "
            f"The music comes from the models as trained; train again with `lstm-music train --recipe {models.name}`"
        )


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
