"""The options of `lstm-music generate`: what each does, in the words of a musician."""

from pathlib import Path
from typing import Annotated

import typer

NumOutputsOption = Annotated[int | None, typer.Option("--num-outputs", min=1, help="How many pieces to make.")]
NumEventsOption = Annotated[int | None, typer.Option("--num-events", min=1, help="How long each may be, in events.")]
MinEventsOption = Annotated[
    int | None, typer.Option("--min-events", min=1, help="How long each is at least, in events.")
]
TemperatureOption = Annotated[
    str | None,
    typer.Option(
        "--temperature",
        help="How daring: 0.9, or one each as note=0.9,offset=0.7,duration=0.7 (velocity=…); 0 is not at all.",
    ),
]
TopKOption = Annotated[
    str | None,
    typer.Option("--top-k", help="Choose among the k likeliest values only: 8, or note=8,…; 0 is all of them."),
]
TopPOption = Annotated[
    str | None, typer.Option("--top-p", help="Choose among the likeliest that together have this probability: 0.95.")
]
MinPOption = Annotated[
    str | None,
    typer.Option("--min-p", help="Never choose what is less than this share as likely as the likeliest: 0.05."),
]
MaxRepeatsOption = Annotated[
    int | None,
    typer.Option(
        "--max-repeats", min=0, help="How often in a row a pattern may come before another note has to; 0 is no guard."
    ),
]
MaxQuartersOption = Annotated[
    float | None, typer.Option("--max-quarters", help="The longest note or silence, in quarter notes.")
]
AnyPitchOption = Annotated[
    bool | None,
    typer.Option("--any-pitch/--training-pitches", help="Allow pitches beyond those of the training pieces."),
]
PromptOption = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        help="What to go on from: auto (a good place of a piece that was not learnt), random, none, or the name of a "
        "piece, or of one and an event in it as NAME:120.",
    ),
]
ComposerOption = Annotated[
    str | None, typer.Option("--composer", help="Go on from pieces of this composer only: the name of their folder.")
]
BestOfOption = Annotated[
    int | None,
    typer.Option("--best-of", min=1, help="Make so many times as much music, and keep the smallest penalty."),
]
AudioOption = Annotated[
    str | None, typer.Option("--audio", help="Forms of audio: ogg, mp3, ogg,mp3 or none; the page plays the first.")
]
SheetMusicOption = Annotated[
    bool | None,
    typer.Option("--sheet-music/--no-sheet-music", help="Whether results are engraved, which takes seconds."),
]
SoundfontOption = Annotated[
    Path | None, typer.Option("--soundfont", help="Play with the sounds of this .sf2 or .sf3 file.")
]
PromptMidiOption = Annotated[
    Path | None, typer.Option("--prompt-midi", help="Go on from this file instead of a held-out piece.")
]
PromptEventsOption = Annotated[
    int | None, typer.Option("--prompt-events", min=1, help="How many events of a held-out piece to start from.")
]
IncludePromptOption = Annotated[
    bool | None,
    typer.Option("--include-prompt/--exclude-prompt", help="Whether a result begins with its prompt."),
]
RandomSeedOption = Annotated[
    int | None, typer.Option("--random-seed", min=0, help="Another number gives other music [default: the recipe's].")
]
