"""The sub-command studio, which writes a page that composes by itself."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.display import Display
from flows.cli.help import App
from flows.cli.options import DEFAULT_STORAGE, JsonOption, RecipeOption, StorageOption
from lstm_music.options import OUTPUT

PageOption = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="FILE", help="Write the page to this file.", rich_help_panel=OUTPUT),
]
SoundfontOption = Annotated[
    Path | None,
    typer.Option(
        "--soundfont",
        metavar="FILE",
        help="Soundfont, .sf2 or .sf3, that the sounds of the page are taken from.",
        show_default="TimGM6mb",
        rich_help_panel=OUTPUT,
    ),
]


def studio(
    recipe: RecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    output: PageOption = Path("studio.html"),
    soundfont: SoundfontOption = None,
    json: JsonOption = False,
) -> None:
    """Write a page that composes by itself: one file with the models inside, which opens from the disk and works offline.

    The page plays without end, and makes marked bars anew.
    """
    display = Display(json)
    display.result(write_studio(display, recipe, storage, output, soundfont))


def write_studio(
    display: Display, recipe_name: str | None, storage: str, output: Path, soundfont: Path | None
) -> dict[str, Any]:
    """Write the page of the promoted models of a recipe; give the report for `--json`.

    Raises StorageError where the file cannot be written.
    """
    from flows.cli.choosing import choose_recipe
    from lstm_music.errors import StorageError
    from lstm_music.stages.current import require_promoted
    from lstm_music.stages.music.studio import make_studio
    from lstm_music.store import Store
    from lstm_music.studio.page import studio_page

    store = Store(storage)
    recipe = choose_recipe(display, store, recipe_name, "promoted")
    current = require_promoted(store, recipe.name)
    if not output.absolute().parent.is_dir():
        raise StorageError(f"--output: {output.parent} is no folder; make it, or give another file")
    display.log("Taking the sounds from the soundfont, which takes seconds")
    page = studio_page(make_studio(store, recipe, current, soundfont)).encode("utf-8")
    try:
        output.write_bytes(page)
    except OSError as error:
        raise StorageError(f"--output: {output} cannot be written ({error.strerror}); give another file") from error
    display.log(f"Made {output}, {len(page) / 1e6:.1f} MB: open it in a browser")
    return {"page": str(output), "bytes": len(page), "recipe": recipe.name}


def register(app: App, group: str) -> None:
    """Add this sub-command to a group of the program."""
    app.command(rich_help_panel=group)(studio)
