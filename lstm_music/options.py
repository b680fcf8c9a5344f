"""The options of making music, each said once: for the command line, for Python, and for the form in Prefect's UI.

To add one, add a field to `GenerationOptions`, and the setting itself to `GenerationSpec` or `RenderingSpec`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, TypedDict, get_type_hints

MUSIC, STEERING, BARS = "Music", "Tempo, key and range", "Bar by bar"
PROMPT, SAMPLING, OUTPUT = "Prompt", "Sampling", "Output"
"""The groups of these options in `--help`."""

Command = Literal["generate", "accompany", "rewrite", "mirex", "evaluate", "doctor"]
"""The sub-commands that take some of these options."""

GENERATE: tuple[Command, ...] = ("generate",)
WHOLE: tuple[Command, ...] = ("generate", "accompany")
MAKE: tuple[Command, ...] = ("generate", "accompany", "rewrite")
ALL: tuple[Command, ...] = ("generate", "accompany", "rewrite", "mirex", "evaluate")
MANY: tuple[Command, ...] = ("generate", "accompany", "rewrite", "mirex")
COMPARE: tuple[Command, ...] = ("generate", "evaluate")

RECIPE = "the recipe's"
"""What holds without most options."""


class Option(NamedTuple):
    """What people read of an option, and which sub-commands have it. Its name and its type in Python stand beside it.

    `default` says what holds without it; None says nothing. `defaults` has other words for some commands. `flags` are the names
    on the command line, if they do not follow from its name. `word` is the type there, if it is another than in Python.
    """

    group: str
    help: str
    commands: tuple[Command, ...]
    default: str | None = RECIPE
    defaults: Mapping[str, str] = MappingProxyType({})
    metavar: str = "N"
    minimum: int | None = None
    maximum: int | None = None
    flags: str = ""
    word: type | None = None


PerStream = float | str | Mapping[str, float]
"""One number for all streams, or a number per stream: `{"note": 0.7}` or `"note=0.7,offset=0.5"`."""


class GenerationOptions(TypedDict, total=False):
    """The options of `lstm-music generate` and `lstm_music.generate`, in the order of `--help`. None is as if left out."""

    num_outputs: Annotated[int | None, Option(MUSIC, "Number of pieces.", MANY, defaults={"mirex": "8"}, minimum=1)]
    bars: Annotated[
        int | None,
        Option(
            MUSIC,
            "Number of bars: each piece ends with the last barline. The prompt does not count.",
            GENERATE,
            default=None,
            minimum=1,
        ),
    ]
    seconds: Annotated[
        float | None,
        Option(
            MUSIC,
            "Length of each piece in seconds, at its tempo. The prompt does not count.",
            GENERATE,
            default=None,
            metavar="SECONDS",
        ),
    ]
    num_events: Annotated[int | None, Option(MUSIC, "Longest piece, in events (notes).", COMPARE, minimum=1)]
    min_events: Annotated[int | None, Option(MUSIC, "Shortest piece, in events (notes).", GENERATE, minimum=1)]
    best_of: Annotated[
        int | None,
        Option(
            MUSIC,
            "Make this many candidates per piece and keep the best: those with the lowest penalty, or of new bars in a file "
            "those that best lead to the music after them.",
            MANY,
            defaults={
                "accompany": "8, or more if the recipe says so",
                "rewrite": "64, or more if the recipe says so",
                "mirex": "1",
            },
            minimum=1,
        ),
    ]
    random_seed: Annotated[int | None, Option(MUSIC, "Another number gives other music.", ALL, minimum=0)]
    tempo: Annotated[
        float | None,
        Option(STEERING, "Quarter notes per minute, such as 92.", GENERATE, default="the prompt's", metavar="BPM"),
    ]
    meter: Annotated[
        str | None,
        Option(
            STEERING,
            "Time signature, such as 3/4: continue pieces in this meter, and stay in it.",
            GENERATE,
            default="the prompt's",
            metavar="METER",
        ),
    ]
    key: Annotated[
        str | None,
        Option(
            STEERING,
            "Key, such as 'A minor' or 'Bb major': the prompt is transposed to it; the music can still wander.",
            GENERATE,
            default="the prompt's",
            metavar="KEY",
        ),
    ]
    pitch_range: Annotated[
        str | None,
        Option(
            STEERING,
            "Lowest and highest new note, such as C3-C6 (C4 is middle C) or 48-84.",
            MAKE,
            default="that of the training pieces",
            metavar="LOW-HIGH",
            flags="--pitch-range --register",
        ),
    ]
    velocity: Annotated[
        int | None,
        Option(
            STEERING,
            "Loudness of all notes, from 1 to 127; 80 is mf. Not for recipes that learn it.",
            GENERATE,
            default="the prompt's",
            minimum=1,
            maximum=127,
        ),
    ]
    density: Annotated[
        float | None,
        Option(
            BARS,
            "How many notes begin in a bar, such as 6 for calm or 20 for busy music; needs models with controls.",
            GENERATE,
            default=None,
            minimum=1,
        ),
    ]
    polyphony: Annotated[
        float | None,
        Option(
            BARS,
            "How many notes sound at once, on average: 1 is a single line, 4 full chords.",
            GENERATE,
            default=None,
            minimum=1,
        ),
    ]
    mean_pitch: Annotated[
        str | None,
        Option(
            BARS, "Note around which the music lies, such as C4 (middle C).", GENERATE, default=None, metavar="NOTE"
        ),
    ]
    chords: Annotated[
        str | None,
        Option(
            BARS,
            "Chords, one for each bar, again and again: 'Am F C G'; 'Am F | C G' has two in a bar.",
            GENERATE,
            default=None,
            metavar="CHORDS",
        ),
    ]
    plan: Annotated[
        str | Path | Sequence[Mapping[str, Any]] | None,
        Option(
            BARS,
            "TOML or JSON file that asks for these things, and keys, bar by bar.",
            GENERATE,
            default=None,
            metavar="FILE",
            word=str,
        ),
    ]
    like: Annotated[
        str | None,
        Option(
            PROMPT,
            "Make more like this result, such as 3 or 2026-11-28_demo_1/3: its prompt and its settings, other notes.",
            GENERATE,
            default=None,
            metavar="RESULT",
        ),
    ]
    variation: Annotated[
        float | None,
        Option(
            PROMPT,
            "With --like, the share of its notes that stays, in whole bars: 0.5 keeps half of them, 1 all.",
            GENERATE,
            default=None,
            metavar="SHARE",
        ),
    ]
    prompt: Annotated[
        str | None,
        Option(
            PROMPT,
            "Music to continue: auto (a good place in a held-out piece), random (any place in one), none, the name of a piece, "
            "NAME:120 for its event 120, or a result such as latest/3.",
            GENERATE,
            metavar="PROMPT",
        ),
    ]
    prompt_midi: Annotated[
        str | Path | None,
        Option(
            PROMPT, "Continue this MIDI or score file from its end.", GENERATE, default=None, metavar="FILE", word=Path
        ),
    ]
    prompt_bars: Annotated[
        str | None,
        Option(
            PROMPT,
            "Bars of your own file to continue, such as 1-8, instead of its last notes; a pickup is bar 0.",
            GENERATE,
            default=None,
            metavar="BARS",
        ),
    ]
    composer: Annotated[
        str | None,
        Option(PROMPT, "Continue held-out pieces from this folder only, such as bach.", GENERATE, metavar="FOLDER"),
    ]
    prompt_events: Annotated[
        int | None,
        Option(PROMPT, "Length of the prompt, in events (notes); of your own file its last ones.", COMPARE, minimum=1),
    ]
    include_prompt: Annotated[
        bool | None,
        Option(
            PROMPT, "Whether each piece begins with its prompt.", GENERATE, flags="--include-prompt/--exclude-prompt"
        ),
    ]
    temperature: Annotated[
        PerStream | None,
        Option(
            SAMPLING,
            "Higher is more daring: 0.9, or per stream note=0.9,offset=0.7,duration=0.7; 0 takes the likeliest value.",
            ALL,
            metavar="NUMBERS",
            word=str,
        ),
    ]
    top_k: Annotated[
        PerStream | None,
        Option(
            SAMPLING,
            "Sample from the k likeliest values: 8, or note=8,offset=4; 0 keeps all.",
            ALL,
            metavar="NUMBERS",
            word=str,
        ),
    ]
    top_p: Annotated[
        PerStream | None,
        Option(
            SAMPLING,
            "Sample from the likeliest values that together have this probability: 0.95.",
            ALL,
            metavar="NUMBERS",
            word=str,
        ),
    ]
    min_p: Annotated[
        PerStream | None,
        Option(
            SAMPLING,
            "Drop values below this share of the top probability: 0.05 drops those below 5 %.",
            ALL,
            metavar="NUMBERS",
            word=str,
        ),
    ]
    max_repeats: Annotated[
        int | None, Option(SAMPLING, "How often a pattern may repeat in a row; 0 allows any number.", ALL, minimum=0)
    ]
    max_quarters: Annotated[
        float | None, Option(SAMPLING, "Longest note or rest, in quarter notes.", MAKE, metavar="QUARTERS")
    ]
    any_pitch: Annotated[
        bool | None,
        Option(
            SAMPLING,
            "Whether pitches may lie beyond those of the training pieces.",
            MAKE,
            flags="--any-pitch/--training-pitches",
        ),
    ]
    instruments: Annotated[
        str | None,
        Option(
            SAMPLING,
            "Let only these parts play, of a recipe with parts: violin,viola,cello.",
            WHOLE,
            metavar="NAMES",
        ),
    ]
    avoid_parallels: Annotated[
        bool | None,
        Option(
            SAMPLING,
            "Whether to forbid parallel fifths, octaves and unisons, in a recipe with parts.",
            MAKE,
            flags="--avoid-parallels/--allow-parallels",
        ),
    ]
    add_drums: Annotated[
        bool | None,
        Option(SAMPLING, "Whether drums play in every bar; for models that learnt from music with drums.", WHOLE),
    ]
    instrument: Annotated[
        str | None,
        Option(
            OUTPUT,
            "What plays instead of the piano: violin, strings, or a number of General MIDI; of a recipe with parts one for each "
            "part: soprano=flute,alto=oboe.",
            MAKE,
            metavar="NAME",
        ),
    ]
    audio: Annotated[
        str | Sequence[str] | None,
        Option(
            OUTPUT,
            "Audio formats: ogg, mp3, ogg,mp3 or none. The page plays the first one.",
            MAKE,
            metavar="FORMATS",
            word=str,
        ),
    ]
    sheet_music: Annotated[
        bool | None, Option(OUTPUT, "Whether to engrave sheet music, which takes seconds per piece.", MAKE)
    ]
    stems: Annotated[
        bool | None, Option(OUTPUT, "Whether to write the audio of each part, too, so that the page can mute it.", MAKE)
    ]
    parts: Annotated[
        bool | None, Option(OUTPUT, "Whether to write a PDF for each part of an ensemble, beside its score.", MAKE)
    ]
    soundfont: Annotated[
        str | Path | None,
        Option(
            OUTPUT,
            "Play with this .sf2 or .sf3 file.",
            (*MAKE, "doctor"),
            default="TimGM6mb.sf2",
            metavar="FILE",
            word=Path,
        ),
    ]


class Listed(NamedTuple):
    """An option of the table, with the type that it has in Python."""

    type: Any
    option: Option


OPTIONS: Mapping[str, Listed] = {
    name: Listed(hint.__origin__, *hint.__metadata__)
    for name, hint in get_type_hints(GenerationOptions, include_extras=True).items()
}
"""Name of an option → what the table says of it, in its order."""


def options_of(command: Command) -> dict[str, Listed]:
    """Give the options that a sub-command has, by their names."""
    return {name: listed for name, listed in OPTIONS.items() if command in listed.option.commands}


def flags_of(name: str) -> str:
    """Give the names of an option on the command line: `--top-k`, `--stems/--no-stems`, `--pitch-range --register`."""
    listed, word = OPTIONS[name], name.replace("_", "-")
    return listed.option.flags or (f"--{word}/--no-{word}" if listed.type == bool | None else f"--{word}")
