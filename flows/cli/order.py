"""The sub-commands that put a storage in order. Without `--apply` they say what they would do, and change nothing."""

from typing import Annotated

import typer

from flows.cli.display import Display
from flows.cli.help import App
from flows.cli.options import DEFAULT_STORAGE, RUNNING, STORAGE, JsonOption, StorageOption
from flows.cli.upkeep import UPKEEP

ApplyOption = Annotated[
    bool,
    typer.Option(
        "--apply", help="Do it. Without this option, only report what would be done.", rich_help_panel=RUNNING
    ),
]


def repair(
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            "--recipe",
            metavar="RECIPE",
            help="Also look for what this recipe made, by its name or the path of its .toml file. May be given again.",
            rich_help_panel=STORAGE,
        ),
    ] = None,
    apply: ApplyOption = False,
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Tell a lost or damaged current.json again: which models are promoted, and what is prepared.

    It is read off the artifacts. What current.json still says stays as it is.
    """
    from flows.cli import order_commands

    order_commands.repair(Display(json), storage, recipe or [], apply=apply)


def register(app: App) -> None:
    """Add these sub-commands to the program."""
    for function in (repair,):
        app.command(rich_help_panel=UPKEEP)(function)
