"""The sub-commands that give trained models away: export and import."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.display import Display
from flows.cli.help import App
from flows.cli.interrupt import say_nothing_is_kept
from flows.cli.options import DEFAULT_STORAGE, STORAGE, JsonOption, StorageOption
from lstm_music.errors import RecipeError
from lstm_music.options import OUTPUT

SHARE = "Give models away"
"""The group of these sub-commands in `lstm-music --help`."""


def _without_storage(file: Path | None) -> Path | None:
    """Take the file of a bundle; an interrupt is said to have kept nothing from here on, before anything is loaded."""
    if file is not None:
        say_nothing_is_kept()
    return file


BundleOption = Annotated[
    Path | None,
    typer.Option(
        "--model",
        metavar="FILE",
        help="Bundle with the models, instead of a storage: a file, or bach, which comes along.",
        callback=_without_storage,
        rich_help_panel=STORAGE,
    ),
]


def require_no_storage(recipe: str | None, storage: str, what: str = "--model") -> None:
    """Refuse a recipe or a storage beside a bundle, which has its own."""
    for flag, is_given in (("--recipe", recipe is not None), ("--storage", storage != DEFAULT_STORAGE)):
        if is_given:
            raise RecipeError(f"{what}: names a bundle, which has its own recipe and storage, so it excludes {flag}")


def export(
    recipe: Annotated[
        str | None,
        typer.Argument(
            metavar="RECIPE",
            help="The recipe whose promoted models are given away: its name, or the path of its .toml file.",
            show_default="the recipe trained last in the storage",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The bundle to write.",
            show_default="RECIPE.lstm, here",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    with_copy_index: Annotated[
        bool,
        typer.Option(
            "--with-copy-index",
            help="Also give the index of copies: it holds the training pieces, as events.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    licence: Annotated[
        str,
        typer.Option(
            "--licence",
            metavar="NAME",
            help="Licence of the weights in the model card, such as cc-by-4.0.",
            rich_help_panel=OUTPUT,
        ),
    ] = "unknown",
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Write the promoted models of a recipe to one file, with all that generation needs.

    The file holds no code and no training piece.
    """
    from flows.cli import bundle_commands

    bundle_commands.export(Display(json), recipe, storage, output, with_copy_index=with_copy_index, licence=licence)


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A bundle that export wrote, or bach, which comes along.")
    ],
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="Name of the recipe in the storage.",
            show_default="that in the bundle",
            rich_help_panel=STORAGE,
        ),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Put the models of a bundle into the storage, as promoted models of its recipe."""
    from flows.cli import bundle_commands

    bundle_commands.import_(Display(json), file, storage, name or "")


def register(app: App) -> None:
    """Add these sub-commands to the program."""
    app.command(rich_help_panel=SHARE)(export)
    app.command("import", rich_help_panel=SHARE)(import_)
