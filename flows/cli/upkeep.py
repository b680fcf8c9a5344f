"""The sub-commands that look after what was made: watch, retrain, rollback, status, verify, doctor."""

from typing import Annotated, Any

import typer

from flows.cli.display import Display
from flows.cli.generate_options import takes_options_of
from flows.cli.help import App
from flows.cli.options import (
    DEFAULT_STORAGE,
    STORAGE,
    AgainOption,
    CollectionOption,
    DaskSchedulerOption,
    ForceOption,
    InboxOption,
    JsonOption,
    RecipeOption,
    RunnerOption,
    ServedRecipeOption,
    SettleOption,
    StorageOption,
    WorkersOption,
)

SETTLE_SECONDS = 10.0
NEW_MUSIC, UPKEEP = "New music", "Storage and machine"
"""The groups of these sub-commands in `lstm-music --help`."""


def watch(
    inbox: InboxOption = None,
    settle_seconds: SettleOption = SETTLE_SECONDS,
    recipe: ServedRecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Look into the inbox once and report what is new.

    With PREFECT_API_URL set, the news also go to that server, which starts a retraining.
    """
    from flows.cli import inbox_commands

    inbox_commands.watch(Display(json), recipe, inbox, storage, settle_seconds)


def retrain(
    source: CollectionOption = None,
    inbox: InboxOption = None,
    settle_seconds: SettleOption = SETTLE_SECONDS,
    again: AgainOption = False,
    force: ForceOption = False,
    recipe: ServedRecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    runner: RunnerOption = None,
    workers: WorkersOption = None,
    dask_scheduler: DaskSchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Retrain on all music if the inbox has news.

    Each recipe with promoted models is retrained, from these models on. The new models are promoted if they are not worse.
    """
    from flows.cli import inbox_commands

    inbox_commands.retrain(
        Display(json), recipe, source, inbox, storage, (runner, workers, dask_scheduler), settle_seconds, again, force
    )


def rollback(
    from_scorecard: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="KEY",
            help="Go back only if the models of this score card are promoted, so that a repeated command changes nothing.",
            rich_help_panel=STORAGE,
        ),
    ] = None,
    recipe: RecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Promote the previous models again.

    Each further rollback goes one promotion further back.
    """
    from flows.cli import inbox_commands

    inbox_commands.rollback(Display(json), recipe, storage, from_scorecard)


def status(
    disk: Annotated[
        bool, typer.Option("--disk", help="Also show how much space is used, by kind and by what needs it.")
    ] = False,
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Show what is prepared, what is in training and which models are promoted."""
    from flows.cli import commands

    commands.status(Display(json), storage, disk=disk)


def verify(storage: StorageOption = DEFAULT_STORAGE, json: JsonOption = False) -> None:
    """Check every file of the storage against its checksum, and that nothing is missing.

    What the promoted models, their history, the prepared data and the generations need is followed down to the music.
    """
    from flows.cli import commands

    commands.verify(Display(json), storage)


@takes_options_of("doctor", before="full")
def doctor(
    storage: StorageOption = DEFAULT_STORAGE,
    full: Annotated[
        bool, typer.Option("--full", help="Also import TensorFlow, and check every file as verify does: slower.")
    ] = False,
    json: JsonOption = False,
    **options: Any,
) -> None:
    """Check this machine and the storage, and say what to do about each problem.

    The exit code is 1 if a check finds a problem, else 0; warnings do not count.
    """
    from flows.cli import doctor_command

    doctor_command.doctor(Display(json), storage, options["soundfont"], full)


def register(app: App) -> None:
    """Add these sub-commands to the program."""
    for function, group in {
        watch: NEW_MUSIC,
        retrain: NEW_MUSIC,
        rollback: NEW_MUSIC,
        status: UPKEEP,
        verify: UPKEEP,
        doctor: UPKEEP,
    }.items():
        app.command(rich_help_panel=group)(function)
