"""The options of `lstm-music evaluate --music`."""

from typing import Annotated, Literal

import typer

COMPARISON = "Comparison of music"
"""A further group of options in `--help`."""

MusicOption = Annotated[
    bool,
    typer.Option(
        "--music",
        help="Generate pieces and compare them with held-out music, instead of scoring the models.",
        rich_help_panel=COMPARISON,
    ),
]
SplitOption = Annotated[
    Literal["validation", "test"] | None,
    typer.Option(
        "--split",
        metavar="SPLIT",
        help="The held-out pieces to compare with: validation, or test once all settings are chosen.",
        show_default="validation",
        rich_help_panel=COMPARISON,
    ),
]
NumComparedOption = Annotated[
    int | None,
    typer.Option(
        "--num-outputs",
        metavar="N",
        min=1,
        help="Number of pieces to generate.",
        show_default="64",
        rich_help_panel=COMPARISON,
    ),
]
