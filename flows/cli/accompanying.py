"""The sub-command accompany, which makes music around music of your own."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.bundling import BundleOption
from flows.cli.display import Display
from flows.cli.generate_options import takes_options_of
from flows.cli.help import App
from flows.cli.options import DEFAULT_STORAGE, JsonOption, OutputOption, RecipeOption, StorageOption
from lstm_music.options import MUSIC

MelodyArgument = Annotated[Path, typer.Argument(metavar="MELODY", help="MIDI or score file to accompany.")]
PartOption = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="PART",
        help="Which part of the file is given: its name, the number of its track, or of a piano piece right or left.",
        show_default="the first part, the right hand of two, or all notes",
        rich_help_panel=MUSIC,
    ),
]


@takes_options_of("accompany", before="recipe")
def accompany(
    melody: MelodyArgument,
    part: PartOption = None,
    recipe: RecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    model: BundleOption = None,
    output_dir: OutputOption = None,
    json: JsonOption = False,
    **options: Any,
) -> None:
    """Write the other parts to a melody of yours, which is kept note for note.

    With a recipe that knows parts, the others play beside the given one. With piano models, new notes lie below the given ones
    that sound, or above a given left hand. Length, bars, tempo and signatures are those of the file.
    """
    display = Display(json)
    with display.loading():
        from flows.cli import generate_command
        from flows.cli.models import Models
    generate_command.generate(display, Models(recipe, storage, model), options, output_dir, melody, part)


def register(app: App, group: str) -> None:
    """Add this sub-command to a group of the program."""
    app.command(rich_help_panel=group)(accompany)
