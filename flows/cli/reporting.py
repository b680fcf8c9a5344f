"""The sub-commands that compare models: compare and reproduce."""

from typing import Annotated

import typer

from flows.cli.display import Display
from flows.cli.help import App
from flows.cli.options import DEFAULT_STORAGE, TRAINING, JsonOption, OutputOption, SourceOption, StorageOption

REPORT = "Compare models"
"""The group of these sub-commands in `lstm-music --help`."""

WORKERS = 2


def reproduce(
    architectures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ARCHITECTURE",
            help="Architectures of the report: three_streams, notes_only, dual_head, multi_label.",
            show_default="all",
        ),
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            "--protocol",
            metavar="PROTOCOL",
            help="Way of splitting: random_windows or by_piece.",
            show_default="both",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            metavar="N",
            min=1,
            help="Most epochs per model. A model that was trained for longer stays as it is.",
            show_default="150",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            "--workers", metavar="N", min=1, help="How many models to train at once.", rich_help_panel=TRAINING
        ),
    ] = WORKERS,
    source: SourceOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    output_dir: OutputOption = None,
    json: JsonOption = False,
) -> None:
    """Reproduce the report that this project began with.

    Its architectures are trained by its way of splitting, and by whole pieces.
    """
    from flows.cli import commands

    commands.reproduce(Display(json), architectures or [], protocol or [], source, storage, budget, workers, output_dir)


def compare(
    recipes: Annotated[
        list[str], typer.Argument(metavar="RECIPE...", help="Two or more trained recipes, by name or path.")
    ],
    storage: StorageOption = DEFAULT_STORAGE,
    output_dir: OutputOption = None,
    json: JsonOption = False,
) -> None:
    """Compare the promoted models of recipes: scores, size and learning curves side by side."""
    from flows.cli import compare_command

    compare_command.compare(Display(json), recipes, storage, output_dir)


def register(app: App) -> None:
    """Add these sub-commands to the program."""
    app.command(rich_help_panel=REPORT)(compare)
    app.command(rich_help_panel=REPORT)(reproduce)
