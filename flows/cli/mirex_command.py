"""The sub-command mirex, which answers a prompt of the MIREX task of piano continuation."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.bundling import BundleOption
from flows.cli.display import Display
from flows.cli.generate_options import takes_options_of
from flows.cli.help import App
from flows.cli.options import DEFAULT_STORAGE, JsonOption, RecipeOption, StorageOption
from flows.cli.output_dir import local_folder
from lstm_music.options import OUTPUT

if TYPE_CHECKING:
    from flows.cli.models import Models

PromptArgument = Annotated[Path, typer.Argument(metavar="PROMPT", help="JSON file with 4 bars of 4/4 in sixteenths.")]
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


@takes_options_of("mirex", before="recipe")
def mirex(
    prompt: PromptArgument,
    recipe: RecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    model: BundleOption = None,
    output_dir: SamplesOption = None,
    json: JsonOption = False,
    **options: Any,
) -> None:
    """Continue a prompt of the MIREX task: read 4 bars as JSON, write 12 as JSON.

    The samples with the lowest penalty come first. New notes begin and end on sixteenths and end with bar 16.
    """
    display = Display(json)
    with display.loading():
        from flows.cli.models import Models
    answer(display, Models(recipe, storage, model), prompt, options, output_dir)


def answer(display: Display, models: "Models", prompt: Path, options: dict[str, Any], output_dir: Path | None) -> None:
    """Make the samples with the promoted models, and write them; nothing else is kept of those that a bundle makes."""
    from flows.cli.models import opened
    from flows.cli.output_dir import none_left_empty, require_output_dir
    from flows.cli.words import counted
    from lstm_music.stages.current import require_promoted
    from lstm_music.stages.music import generation, index
    from lstm_music.stages.music.mirex import answers, mirex_settings, write_answers

    with opened(display, models, options) as there:
        store = there.store
        settings = mirex_settings(there.recipe, there.name, prompt, options)
        if there.bundle is not None:
            settings = replace(settings, bundle=there.bundle, output_dir=output_dir)
        current = require_promoted(store, there.recipe.name)
        folder = output_dir or Path(f"{prompt.stem}_samples")
        plan = generation.Plan(settings, current.dataset, current.models)
        made = counted(settings.spec.candidates, "candidate")
        with none_left_empty(folder), store.session():
            require_output_dir(folder, store)
            with display.generating(f"Continuing {prompt.name} by 12 bars, {made}") as (on_stage, on_file):
                ref = generation.generate(store, plan, on_file, on_stage)
            index.write_index(store)
            described = generation.describe_generation(store, ref)
            found = answers(store, ref)
    paths = write_answers(folder, [data for _, data in found])
    outputs = [
        {"sample": str(path), **described["outputs"][number - 1]}
        for path, (number, _) in zip(paths, found, strict=True)
    ]
    _show_samples(display, outputs)
    for warning in described["warnings"]:
        display.log(f"Warning: {warning}")
    display.log(f"Made {counted(len(paths), 'sample')} in {folder}: bars 5 to 16 as JSON")
    if models.bundle is None:
        display.log(
            f"Look: {described['page']} (the task names no tempo; the MIDI files have 120 quarter notes per minute)"
        )
    else:  # its storage is gone, and with it all but the samples
        folder_of_storage = described["directory"]
        described = _without_files(described, folder_of_storage)
        outputs = [_without_files(one, folder_of_storage) for one in outputs]
    display.result({**described, "outputs": outputs, "samples": [str(path) for path in paths]})


def _show_samples(display: Display, outputs: list[dict[str, Any]]) -> None:
    from flows.cli import report

    columns = ["sample", "made from", "events", "longest copy, events", "penalty"]
    rows = [
        [
            Path(one["sample"]).name,
            Path(one["midi"]).name,
            str(one["events"]),
            report.copy_in_words(one["longest_copy"]),
            f"{one['penalty']:.2f}",
        ]
        for one in outputs
    ]
    display.table("Samples", columns, rows, texts=2)


def _without_files(described: dict[str, Any], folder: str) -> dict[str, Any]:
    """Leave out the paths of files in a folder."""
    return {name: value for name, value in described.items() if not str(value).startswith(folder)}


def register(app: App, group: str) -> None:
    """Add this sub-command to a group of the program."""
    app.command(rich_help_panel=group)(mirex)
