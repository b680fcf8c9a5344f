"""The sub-command inspect, which looks at music files and needs neither a recipe nor a storage."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.display import Display
from flows.cli.help import App
from flows.cli.options import JsonOption
from flows.cli.upkeep import NEW_MUSIC


def inspect(
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Music files, folders or zips of this machine.")],
    svg: Annotated[
        Path | None,
        typer.Option("--svg", metavar="FILE", help="Draw the notes as a piano roll; further pieces get a number."),
    ] = None,
    compare_with: Annotated[
        str | None,
        typer.Option("--compare-with", metavar="FILE", help="Show how the notes of this file differ."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show what is read of music files: parts, bars, tempo, key, range and warnings.

    With `--json`, every note too. Nothing is stored.
    """
    from flows.cli import inspect_command

    inspect_command.show(Display(json), files, svg, compare_with)


def register(app: App) -> None:
    """Add this sub-command to the program."""
    app.command(rich_help_panel=NEW_MUSIC)(inspect)
