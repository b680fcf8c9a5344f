"""The options of `lstm-music generate`: what each does, in the words of a musician."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.options import MUSIC, OUTPUT

SAMPLING, PROMPT, STEERING = "Sampling", "Prompt", "Tempo, key and range"
"""Further groups of options in `--help`."""


def _option(group: str, names: str, text: str, default: str | bool = "the recipe's", **settings: Any) -> Any:
    return typer.Option(
        *names.split(), help=text, rich_help_panel=group, show_default=default, **{"metavar": "N", **settings}
    )


NumOutputsOption = Annotated[int | None, _option(MUSIC, "--num-outputs", "Number of pieces.", min=1)]
BarsOption = Annotated[
    int | None,
    _option(
        MUSIC,
        "--bars",
        "Number of bars: each piece ends with the last barline. The prompt does not count.",
        False,
        min=1,
    ),
]
SecondsOption = Annotated[
    float | None,
    _option(
        MUSIC,
        "--seconds",
        "Length of each piece in seconds, at its tempo. The prompt does not count.",
        False,
        metavar="SECONDS",
    ),
]
NumEventsOption = Annotated[int | None, _option(MUSIC, "--num-events", "Longest piece, in events (notes).", min=1)]
MinEventsOption = Annotated[int | None, _option(MUSIC, "--min-events", "Shortest piece, in events (notes).", min=1)]
BestOfOption = Annotated[
    int | None,
    _option(MUSIC, "--best-of", "Make this many candidates per piece and keep those with the lowest penalty.", min=1),
]
RandomSeedOption = Annotated[int | None, _option(MUSIC, "--random-seed", "Another number gives other music.", min=0)]
TempoOption = Annotated[
    float | None,
    _option(STEERING, "--tempo", "Quarter notes per minute, such as 92.", "the prompt's", metavar="BPM"),
]
MeterOption = Annotated[
    str | None,
    _option(
        STEERING,
        "--meter",
        "Time signature, such as 3/4: continue pieces in this meter, and stay in it.",
        "the prompt's",
        metavar="METER",
    ),
]
KeyOption = Annotated[
    str | None,
    _option(
        STEERING,
        "--key",
        "Key, such as 'A minor' or 'Bb major': the prompt is transposed to it, and the music goes on there.",
        "the prompt's",
        metavar="KEY",
    ),
]
PitchRangeOption = Annotated[
    str | None,
    _option(
        STEERING,
        "--pitch-range --register",
        "Lowest and highest new note, such as C3-C6 (C4 is middle C) or 48-84.",
        "that of the training pieces",
        metavar="LOW-HIGH",
    ),
]
VelocityOption = Annotated[
    int | None,
    _option(
        STEERING,
        "--velocity",
        "Loudness of all notes, from 1 to 127; 80 is mf. Not for recipes that learn it.",
        "the prompt's",
        min=1,
        max=127,
    ),
]
TemperatureOption = Annotated[
    str | None,
    _option(
        SAMPLING,
        "--temperature",
        "Higher is more daring: 0.9, or per stream note=0.9,offset=0.7,duration=0.7; 0 takes the likeliest value.",
        metavar="NUMBERS",
    ),
]
TopKOption = Annotated[
    str | None,
    _option(
        SAMPLING,
        "--top-k",
        "Sample from the k likeliest values: 8, or note=8,offset=4; 0 keeps all.",
        metavar="NUMBERS",
    ),
]
TopPOption = Annotated[
    str | None,
    _option(
        SAMPLING,
        "--top-p",
        "Sample from the likeliest values that together have this probability: 0.95.",
        metavar="NUMBERS",
    ),
]
MinPOption = Annotated[
    str | None,
    _option(
        SAMPLING,
        "--min-p",
        "Drop values below this share of the top probability: 0.05 drops those below 5 %.",
        metavar="NUMBERS",
    ),
]
MaxRepeatsOption = Annotated[
    int | None,
    _option(SAMPLING, "--max-repeats", "How often a pattern may repeat in a row; 0 allows any number.", min=0),
]
MaxQuartersOption = Annotated[
    float | None, _option(SAMPLING, "--max-quarters", "Longest note or rest, in quarter notes.", metavar="QUARTERS")
]
AnyPitchOption = Annotated[
    bool | None,
    _option(
        SAMPLING,
        "--any-pitch/--training-pitches",
        "Whether pitches may lie beyond those of the training pieces.",
    ),
]
AvoidParallelsOption = Annotated[
    bool | None,
    _option(
        SAMPLING,
        "--avoid-parallels/--allow-parallels",
        "Whether to forbid parallel fifths, octaves and unisons, in a recipe with parts.",
    ),
]
InstrumentsOption = Annotated[
    str | None,
    _option(
        SAMPLING,
        "--instruments",
        "Let only these parts play, of a recipe with parts: violin,viola,cello.",
        metavar="NAMES",
    ),
]
AddDrumsOption = Annotated[
    bool | None,
    _option(
        SAMPLING,
        "--add-drums/--no-add-drums",
        "Whether drums play in every bar; for models that learnt from music with drums.",
    ),
]
InstrumentOption = Annotated[
    str | None,
    _option(
        OUTPUT,
        "--instrument",
        "What plays instead of the piano: violin, strings, or a number of General MIDI; of a recipe with parts one for each "
        "part: soprano=flute,alto=oboe.",
        metavar="NAME",
    ),
]
PromptOption = Annotated[
    str | None,
    _option(
        PROMPT,
        "--prompt",
        "Music to continue: auto (a good place in a held-out piece), random (any place in one), none, the name of a piece, "
        "NAME:120 for its event 120, or a result such as latest/3.",
        metavar="PROMPT",
    ),
]
LikeOption = Annotated[
    str | None,
    _option(
        PROMPT,
        "--like",
        "Make more like this result, such as 3 or 2026-11-28_demo_1/3: its prompt and its settings, other notes.",
        False,
        metavar="RESULT",
    ),
]
VariationOption = Annotated[
    float | None,
    _option(
        PROMPT,
        "--variation",
        "With --like, the share of its notes that stays, in whole bars: 0.5 keeps half of them, 1 all.",
        False,
        metavar="SHARE",
    ),
]
PromptMidiOption = Annotated[
    Path | None,
    _option(PROMPT, "--prompt-midi", "Continue this MIDI or score file from its end.", False, metavar="FILE"),
]
PromptBarsOption = Annotated[
    str | None,
    _option(
        PROMPT,
        "--prompt-bars",
        "Bars of your own file to continue, such as 1-8, instead of its last notes; a pickup is bar 0.",
        False,
        metavar="BARS",
    ),
]
ComposerOption = Annotated[
    str | None,
    _option(PROMPT, "--composer", "Continue held-out pieces from this folder only, such as bach.", metavar="FOLDER"),
]
PromptEventsOption = Annotated[
    int | None,
    _option(
        PROMPT, "--prompt-events", "Length of the prompt, in events (notes); of your own file its last ones.", min=1
    ),
]
IncludePromptOption = Annotated[
    bool | None,
    _option(PROMPT, "--include-prompt/--exclude-prompt", "Whether each piece begins with its prompt."),
]
AudioOption = Annotated[
    str | None,
    _option(
        OUTPUT, "--audio", "Audio formats: ogg, mp3, ogg,mp3 or none. The page plays the first one.", metavar="FORMATS"
    ),
]
SheetMusicOption = Annotated[
    bool | None,
    _option(OUTPUT, "--sheet-music/--no-sheet-music", "Whether to engrave sheet music, which takes seconds per piece."),
]
StemsOption = Annotated[
    bool | None,
    _option(
        OUTPUT, "--stems/--no-stems", "Whether to write the audio of each part, too, so that the page can mute it."
    ),
]
PartsOption = Annotated[
    bool | None,
    _option(OUTPUT, "--parts/--no-parts", "Whether to write a PDF for each part of an ensemble, beside its score."),
]
SoundfontOption = Annotated[
    Path | None, _option(OUTPUT, "--soundfont", "Play with this .sf2 or .sf3 file.", "TimGM6mb.sf2", metavar="FILE")
]
