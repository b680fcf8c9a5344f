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

WaitOption = Annotated[
    bool, typer.Option("--wait", help="Wait until no other command uses the storage.", rich_help_panel=RUNNING)
]
ResultArgument = Annotated[
    str,
    typer.Argument(metavar="RESULT", help="A generation: its name (2026-11-28_demo_1), latest, its key, or a path."),
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


def prune(
    apply: ApplyOption = False,
    keep_history: Annotated[
        int,
        typer.Option(
            "--keep-history",
            metavar="N",
            min=0,
            help="Earlier promotions per recipe that stay, for rollback.",
            rich_help_panel=STORAGE,
        ),
    ] = 1,
    older_than: Annotated[
        float,
        typer.Option(
            "--older-than",
            metavar="DAYS",
            min=0,
            help="Remove only what was written at least this many days ago.",
            rich_help_panel=STORAGE,
        ),
    ] = 14.0,
    below: Annotated[
        str | None,
        typer.Option(
            "--below",
            metavar="SIZE",
            help="Remove only as much, the oldest first, as brings the storage below a size such as 500MB or 2GB.",
            show_default="no limit",
            rich_help_panel=STORAGE,
        ),
    ] = None,
    wait: WaitOption = False,
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Remove what nothing needs any more.

    The promoted models stay with all that they were made from, and with their music. So do prepared data and kept results.
    """
    from flows.cli import order_commands

    order_commands.prune(Display(json), storage, (keep_history, older_than, below), apply=apply, wait=wait)


def keep(
    result: ResultArgument,
    release: Annotated[
        bool, typer.Option("--release", help="Let it go like any other result.", rich_help_panel=STORAGE)
    ] = False,
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Keep a generation, with all that it was made from, whatever is promoted later."""
    from flows.cli import order_commands

    order_commands.keep(Display(json), storage, result, release=release)


def lineage(
    result: Annotated[
        str | None,
        typer.Argument(
            metavar="RESULT",
            help="A generation: its name (2026-11-28_demo_1), latest, its key, or a path.",
            show_default="latest",
        ),
    ] = None,
    piece: Annotated[
        str | None,
        typer.Option(
            "--piece",
            metavar="NAME",
            help="Instead, list everything that a piece is in, or was learnt by: its name or SHA-256.",
            rich_help_panel=STORAGE,
        ),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Show where a result comes from: models, training pieces with their licences, and versions.

    A page with all of it is written to the folder lineage of the storage.
    """
    from flows.cli import lineage_commands

    if piece is None:
        lineage_commands.lineage(Display(json), storage, result or "latest")
    else:
        lineage_commands.touched(Display(json), storage, piece)


def forget(
    piece: Annotated[str, typer.Argument(metavar="PIECE", help="Name of a piece, or SHA-256 of its file.")],
    apply: ApplyOption = False,
    wait: WaitOption = False,
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Remove a piece and everything that was learnt from it, and never ingest it again."""
    from flows.cli import lineage_commands

    lineage_commands.forget(Display(json), storage, piece, apply=apply, wait=wait)


def migrate(
    apply: ApplyOption = False,
    wait: WaitOption = False,
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Convert a storage that an earlier version of lstm-music wrote. Nothing trains again."""
    from flows.cli import order_commands

    order_commands.migrate(Display(json), storage, apply=apply, wait=wait)


def register(app: App) -> None:
    """Add these sub-commands to the program."""
    for function in (prune, keep, repair, lineage, forget, migrate):
        app.command(rich_help_panel=UPKEEP)(function)
