"""The sub-command mirex, which answers a prompt of the MIREX task of piano continuation."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.display import Display
from flows.cli.generate_options import (
    BestOfOption,
    MaxRepeatsOption,
    MinPOption,
    RandomSeedOption,
    TemperatureOption,
    TopKOption,
    TopPOption,
)
from flows.cli.help import App
from flows.cli.options import DEFAULT_STORAGE, MUSIC, OUTPUT, JsonOption, RecipeOption, StorageOption
from flows.cli.output_dir import local_folder

PromptArgument = Annotated[Path, typer.Argument(metavar="PROMPT", help="JSON file with 4 bars of 4/4 in sixteenths.")]
NumSamplesOption = Annotated[
    int | None,
    typer.Option(
        "--num-outputs",
        metavar="N",
        min=1,
        max=99,
        help="Number of samples.",
        show_default="8",
        rich_help_panel=MUSIC,
    ),
]
SamplesOption = Annotated[
    Path | None,
    typer.Option(
        "--output-dir",
        "--output",
        metavar="FOLDER",
        help="Write sample_01.json, the best one, and the others to this folder.",
        show_default="PROMPT's name with _samples, here",
        parser=local_folder,
        rich_help_panel=OUTPUT,
    ),
]


def mirex(
    prompt: PromptArgument,
    num_outputs: NumSamplesOption = None,
    best_of: BestOfOption = None,
    random_seed: RandomSeedOption = None,
    temperature: TemperatureOption = None,
    top_k: TopKOption = None,
    top_p: TopPOption = None,
    min_p: MinPOption = None,
    max_repeats: MaxRepeatsOption = None,
    recipe: RecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    output_dir: SamplesOption = None,
    json: JsonOption = False,
) -> None:
    """Continue a prompt of the MIREX task: read 4 bars as JSON, write 12 as JSON.

    The samples with the lowest penalty come first. New notes begin and end on sixteenths and end with bar 16.
    """
    overrides: dict[str, Any] = {
        "num_outputs": num_outputs,
        "best_of": best_of,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "max_repeats": max_repeats,
    }
    answer(Display(json), recipe, storage, prompt, overrides, random_seed, output_dir)


def answer(
    display: Display,
    recipe_name: str | None,
    storage: str,
    prompt: Path,
    overrides: dict[str, Any],
    random_seed: int | None,
    output_dir: Path | None,
) -> None:
    """Make the samples with the promoted models, and write them."""
    from flows.cli.choosing import choose_recipe
    from flows.cli.output_dir import require_output_dir
    from flows.cli.words import counted
    from lstm_music.stages.current import name_in, require_promoted
    from lstm_music.stages.music import generation, index
    from lstm_music.stages.music.mirex import answers, mirex_settings, write_answers
    from lstm_music.store import Store

    store = Store(storage)
    recipe = choose_recipe(display, store, recipe_name, "promoted")
    name = name_in(store, recipe, recipe_name or recipe.name)
    settings = mirex_settings(recipe, name, prompt, overrides, random_seed)
    current = require_promoted(store, recipe.name)
    folder = output_dir or Path(f"{prompt.stem}_samples")
    require_output_dir(folder, store)
    plan = generation.Plan(settings, current.dataset, current.models)
    with store.session():
        with display.generating(
            f"Continuing {prompt.name} by 12 bars, {counted(settings.spec.candidates, 'candidate')}"
        ) as (on_stage, on_file):
            ref = generation.generate(store, plan, on_file, on_stage)
        index.write_index(store)
        described = generation.describe_generation(store, ref)
        found = answers(store, ref)
    paths = write_answers(folder, [data for _, data in found])
    outputs = [
        {"sample": str(path), **described["outputs"][number - 1]}
        for path, (number, _) in zip(paths, found, strict=True)
    ]
    columns = ["sample", "made from", "events", "longest copy, events", "penalty"]
    rows = [
        [
            Path(one["sample"]).name,
            Path(one["midi"]).name,
            str(one["events"]),
            str(one["longest_copy"]),
            f"{one['penalty']:.2f}",
        ]
        for one in outputs
    ]
    display.table("Samples", columns, rows, texts=2)
    for warning in described["warnings"]:
        display.log(f"Warning: {warning}")
    display.log(f"Made {counted(len(paths), 'sample')} in {folder}: bars 5 to 16 as JSON")
    display.log(
        f"Look: {described['page']} (the task names no tempo; the MIDI files have 120 quarter notes per minute)"
    )
    display.result({**described, "outputs": outputs, "samples": [str(path) for path in paths]})


def register(app: App, group: str) -> None:
    """Add this sub-command to a group of the program."""
    app.command(rich_help_panel=group)(mirex)
