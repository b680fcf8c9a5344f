"""The sub-command rewrite, which writes bars of a file of yours anew."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.bundling import BundleOption
from flows.cli.display import Display
from flows.cli.generate_options import takes_options_of
from flows.cli.help import App
from flows.cli.options import DEFAULT_STORAGE, JsonOption, OutputOption, RecipeOption, StorageOption
from lstm_music.options import MUSIC

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="MIDI or score file with the bars.")]
RewriteBarsOption = Annotated[
    str,
    typer.Option(
        "--bars",
        metavar="FIRST-LAST",
        help="Bars to write anew, such as 9-12, or one bar, such as 9. A pickup is bar 0.",
        rich_help_panel=MUSIC,
    ),
]
PartOption = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="PART",
        help="Write one part anew and keep the others: its name, the number of its track, or right-hand or left-hand.",
        show_default="all parts",
        rich_help_panel=MUSIC,
    ),
]


@takes_options_of("rewrite", before="recipe")
def rewrite(
    file: FileArgument,
    bars: RewriteBarsOption,
    part: PartOption = None,
    recipe: RecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    model: BundleOption = None,
    output_dir: OutputOption = None,
    json: JsonOption = False,
    **options: Any,
) -> None:
    """Write some bars of a file of yours anew and keep all others, note for note.

    The new bars go on from the bars before them and lead to the bars after them. A note that sounds into them keeps sounding.
    With --part only one part of these bars is new, or one hand of a piano piece.
    """
    display = Display(json)
    with display.loading():
        from flows.cli import generate_command
        from flows.cli.models import Models
    generate_command.generate(display, Models(recipe, storage, model), options, output_dir, file, part, bars)


def register(app: App, group: str) -> None:
    """Add this sub-command to a group of the program."""
    app.command(rich_help_panel=group)(rewrite)
