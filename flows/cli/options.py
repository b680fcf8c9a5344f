"""The options that several sub-commands have."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.cli.output_dir import local_folder
from lstm_music.options import MUSIC, OUTPUT
from lstm_music.recipe_files import recipe_names

STORAGE, RUNNING, TRAINING = "Storage", "Running", "Training"
"""Groups of options in `--help`, beside those of `lstm_music.options`."""

DEFAULT_STORAGE = "storage"

RECIPE_HELP = f"Name of a recipe ({', '.join(recipe_names())}, or one of the storage), or path of a .toml file."

ServedRecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="RECIPE",
        help=f"{RECIPE_HELP} Several: with commas between them.",
        show_default="every recipe with promoted models",
        autocompletion=recipe_names,
        rich_help_panel=STORAGE,
    ),
]
AgainOption = Annotated[bool, typer.Option("--again", help="Train even if nothing is new.", rich_help_panel=TRAINING)]
ForceOption = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Promote the new models even if they are worse, also those that were refused before.",
        rich_help_panel=TRAINING,
    ),
]
StorageOption = Annotated[
    str,
    typer.Option(
        "--storage",
        metavar="STORAGE",
        help="Folder or s3://bucket/prefix that holds everything that was made.",
        rich_help_panel=STORAGE,
    ),
]
RecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="RECIPE",
        help=RECIPE_HELP,
        show_default="the recipe trained last in the storage",
        autocompletion=recipe_names,
        rich_help_panel=STORAGE,
    ),
]
PreparedRecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="RECIPE",
        help=RECIPE_HELP,
        show_default="the recipe prepared last in the storage",
        autocompletion=recipe_names,
        rich_help_panel=STORAGE,
    ),
]
NewRecipeOption = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        metavar="RECIPE",
        help=RECIPE_HELP,
        show_default="with --source, or in an empty storage: default; else the recipe trained last",
        autocompletion=recipe_names,
        rich_help_panel=STORAGE,
    ),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="SOURCE",
        help="Where the music comes from: corpus, kaggle, kaggle:OWNER/NAME, a folder, a zip, a file or a URL.",
        show_default="the recipe's source",
        rich_help_panel=MUSIC,
    ),
]
CollectionOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="SOURCE",
        help="Music beside the inbox: corpus, kaggle, kaggle:OWNER/NAME, a folder, a zip, a file or a URL.",
        show_default="what was prepared last",
        rich_help_panel=MUSIC,
    ),
]
TrainingSourceOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        metavar="SOURCE",
        help="Train on this music: corpus, kaggle, kaggle:OWNER/NAME, a folder, a zip, a file or a URL.",
        show_default="what was prepared last",
        rich_help_panel=MUSIC,
    ),
]
Runner = Literal[
    "threads", "processes", "dask"
]  # the names of flows.engine.runners.RUNNERS, whose import takes seconds
RunnerOption = Annotated[
    Runner | None,
    typer.Option(
        "--runner",
        metavar="RUNNER",
        help="What parses files in parallel: threads, processes or dask. Dask also trains on its workers.",
        show_default="the recipe's",
        rich_help_panel=RUNNING,
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        help="How many batches of files to parse at once.",
        show_default="the recipe's",
        rich_help_panel=RUNNING,
    ),
]
DaskSchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--dask-scheduler",
        metavar="tcp://HOST:PORT",
        help="Dask scheduler for --runner dask.",
        show_default="a temporary one",
        rich_help_panel=RUNNING,
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print the result as one JSON object on the last line of standard output.",
        rich_help_panel=OUTPUT,
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output-dir",
        metavar="FOLDER",
        help="Also copy the files to this folder.",
        parser=local_folder,
        rich_help_panel=OUTPUT,
    ),
]
WarmStartOption = Annotated[
    bool,
    typer.Option(
        "--warm-start",
        help="Start from the promoted models and train for the recipe's warm_epochs only.",
        rich_help_panel=TRAINING,
    ),
]
StartFromOption = Annotated[
    str | None,
    typer.Option(
        "--start-from",
        metavar="MODELS",
        help="Fine-tune: start from the promoted models of another recipe in the storage, by its name, or from a bundle.",
        show_default="random weights",
        rich_help_panel=TRAINING,
    ),
]
CompareOption = Annotated[
    bool | None,
    typer.Option(
        "--compare-from-nothing/--no-compare-from-nothing",
        help="With --start-from, also train from random weights, to see what the start is worth.",
        show_default="for 50 files or fewer",
        rich_help_panel=TRAINING,
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Train only this model, in this process: offset, part, note, duration or velocity (or offset+note).",
        show_default="all",
        rich_help_panel=TRAINING,
    ),
]
LogToOption = Annotated[
    str | None,
    typer.Option(
        "--log-to",
        metavar="TRACKER",
        help="Log the metrics of the training to tensorboard:DIR, mlflow or mlflow:URI.",
        rich_help_panel=TRAINING,
    ),
]
InboxOption = Annotated[
    str | None,
    typer.Option(
        "--inbox",
        metavar="PLACE",
        help="Folder or URL that receives new music.",
        show_default="the folder inbox in the storage",
        rich_help_panel=MUSIC,
    ),
]
SettleOption = Annotated[
    float,
    typer.Option(
        "--settle-seconds",
        metavar="SECONDS",
        min=0,
        help="Seconds that a new file must stay unchanged to count as complete.",
        rich_help_panel=MUSIC,
    ),
]
