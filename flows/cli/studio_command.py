"""The sub-command studio, which writes a page that composes by itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.bundling import require_no_storage
from flows.cli.display import Display
from flows.cli.help import App
from flows.cli.options import DEFAULT_STORAGE, JsonOption, RecipeOption, StorageOption
from lstm_music.options import OUTPUT

if TYPE_CHECKING:
    from lstm_music.recipe import Recipe
    from lstm_music.store import Store

ModelArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="MODEL",
        help="Bundle with the models: a file, or bach, which comes along.",
        show_default="the promoted models of the storage",
    ),
]
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
    model: ModelArgument = None,
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
    if model is None:
        display.result(of_storage(display, recipe, storage, output, soundfont))
        return
    require_no_storage(recipe, storage, "MODEL")
    display.result(of_bundle(display, model, output, soundfont))


def of_storage(
    display: Display, recipe_name: str | None, storage: str, output: Path, soundfont: Path | None
) -> dict[str, Any]:
    """Write the page of the promoted models of a recipe; give the report for `--json`."""
    from flows.cli.choosing import choose_recipe
    from lstm_music.store import Store

    store = Store(storage)
    return _write(display, store, choose_recipe(display, store, recipe_name, "promoted"), output, soundfont)


def of_bundle(display: Display, file: Path, output: Path, soundfont: Path | None) -> dict[str, Any]:
    """Write the page of the models in a bundle; give the report for `--json`."""
    from flows.cli.scratch import keep_caches_here
    from lstm_music.bundle.shipped import find_bundle
    from lstm_music.stages.bundle import importing

    keep_caches_here()
    with importing.opened(find_bundle(file)) as bundle:
        return _write(display, bundle.store, bundle.recipe, output, soundfont, file.stem)


def _write(
    display: Display, store: "Store", recipe: "Recipe", output: Path, soundfont: Path | None, name: str = ""
) -> dict[str, Any]:
    """Write the page of models called `name`, or as their recipe is. Raises StorageError where the file cannot be written."""
    from flows.cli.sizes import size
    from lstm_music.errors import StorageError
    from lstm_music.stages.current import require_promoted
    from lstm_music.stages.music.studio import make_studio
    from lstm_music.studio.page import studio_page

    current = require_promoted(store, recipe.name)
    if not output.absolute().parent.is_dir():
        raise StorageError(f"--output: {output.parent} is no folder; make it, or give another file")
    with display.doing("Taking the sounds from the soundfont"):
        page = studio_page(make_studio(store, recipe, current, soundfont, name)).encode("utf-8")
    try:
        output.write_bytes(page)
    except OSError as error:
        raise StorageError(f"--output: {output} cannot be written ({error.strerror}); give another file") from error
    display.log(f"Made {output}, {size(len(page))}: open it in a browser")
    return {"page": str(output), "bytes": len(page), "recipe": recipe.name}


def register(app: App, group: str) -> None:
    """Add this sub-command to a group of the program."""
    app.command(rich_help_panel=group)(studio)
