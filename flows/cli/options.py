"""The options that several sub-commands have."""

from pathlib import Path
from typing import Annotated, Literal

import typer

StorageOption = Annotated[
    str, typer.Option("--storage", help="Where everything that is made is kept: a folder, or s3://bucket/prefix.")
]
RecipeOption = Annotated[
    str,
    typer.Option(
        "--recipe",
        help="What to learn and how: demo, default, expressive, polyphony, seed, or the path of a .toml file.",
    ),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        help="Where music comes from: corpus, kaggle, kaggle:OWNER/NAME, a folder, a zip, a file, a URL [default: the recipe's].",
    ),
]
Runner = Literal[
    "threads", "processes", "dask"
]  # the names of flows.engine.runners.RUNNERS, whose import takes seconds
RunnerOption = Annotated[
    Runner | None, typer.Option("--runner", help="What parses files in parallel [default: the recipe's].")
]
WorkersOption = Annotated[
    int | None, typer.Option("--workers", min=1, help="How many batches are parsed at once [default: the recipe's].")
]
DaskSchedulerOption = Annotated[
    str | None,
    typer.Option("--dask-scheduler", help="Dask scheduler for --runner dask, as tcp://HOST:PORT [default: its own]."),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result as one JSON object, last on standard output.")
]
OutputOption = Annotated[Path | None, typer.Option("--output-dir", help="Copy what was made to this folder, too.")]
WarmStartOption = Annotated[
    bool,
    typer.Option("--warm-start", help="Begin with the models in use, and train for warm_epochs of the recipe only."),
]
LogToOption = Annotated[
    str | None,
    typer.Option("--log-to", help="Log the metrics of the training to tensorboard:DIR, mlflow or mlflow:URI."),
]
InboxOption = Annotated[
    str | None,
    typer.Option("--inbox", help="Folder or URL that new music is put into [default: the folder inbox in storage]."),
]
SettleOption = Annotated[
    float,
    typer.Option(
        "--settle-seconds", min=0, help="How long a new file has to stay as it is before it is taken for whole."
    ),
]
