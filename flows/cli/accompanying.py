"""The sub-command accompany, which makes music around music of your own."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.display import Display
from flows.cli.generate_options import (
    AddDrumsOption,
    AnyPitchOption,
    AudioOption,
    AvoidParallelsOption,
    InstrumentOption,
    InstrumentsOption,
    MaxQuartersOption,
    MaxRepeatsOption,
    MinPOption,
    NumOutputsOption,
    PartsOption,
    PitchRangeOption,
    RandomSeedOption,
    SheetMusicOption,
    SoundfontOption,
    StemsOption,
    TemperatureOption,
    TopKOption,
    TopPOption,
)
from flows.cli.help import App
from flows.cli.options import DEFAULT_STORAGE, MUSIC, JsonOption, OutputOption, RecipeOption, StorageOption

MelodyArgument = Annotated[Path, typer.Argument(metavar="MELODY", help="MIDI or score file to accompany.")]
PartOption = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="PART",
        help="Which part of the file is given: its name, the number of its track, or of a piano piece right or left.",
        show_default="the first part, the right hand of two, or all notes",
        rich_help_panel=MUSIC,
    ),
]
CandidatesOption = Annotated[
    int | None,
    typer.Option(
        "--best-of",
        metavar="N",
        min=1,
        help="Make this many candidates per piece and keep those with the lowest penalty.",
        show_default="8, or more if the recipe says so",
        rich_help_panel=MUSIC,
    ),
]


def accompany(
    melody: MelodyArgument,
    part: PartOption = None,
    num_outputs: NumOutputsOption = None,
    best_of: CandidatesOption = None,
    random_seed: RandomSeedOption = None,
    pitch_range: PitchRangeOption = None,
    temperature: TemperatureOption = None,
    top_k: TopKOption = None,
    top_p: TopPOption = None,
    min_p: MinPOption = None,
    max_repeats: MaxRepeatsOption = None,
    max_quarters: MaxQuartersOption = None,
    any_pitch: AnyPitchOption = None,
    instruments: InstrumentsOption = None,
    avoid_parallels: AvoidParallelsOption = None,
    add_drums: AddDrumsOption = None,
    recipe: RecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    instrument: InstrumentOption = None,
    audio: AudioOption = None,
    sheet_music: SheetMusicOption = None,
    stems: StemsOption = None,
    parts: PartsOption = None,
    soundfont: SoundfontOption = None,
    output_dir: OutputOption = None,
    json: JsonOption = False,
) -> None:
    """Write the other parts to a melody of yours, which is kept note for note.

    With a recipe that knows parts, the others play beside the given one. With piano models, new notes lie below the given ones
    that sound, or above a given left hand. Length, bars, tempo and signatures are those of the file.
    """
    from flows.cli import commands

    overrides: dict[str, Any] = {
        "num_outputs": num_outputs,
        "best_of": best_of,
        "pitch_range": pitch_range,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "max_repeats": max_repeats,
        "max_quarters": max_quarters,
        "any_pitch": any_pitch,
        "instruments": instruments,
        "avoid_parallels": avoid_parallels,
        "add_drums": add_drums,
        "instrument": instrument,
    }
    renderings = {"audio": audio, "sheet_music": sheet_music, "stems": stems, "parts": parts}
    files = commands.Files(melody=melody, part=part, soundfont=soundfont)
    commands.generate(Display(json), recipe, storage, overrides, renderings, files, random_seed, output_dir)


def register(app: App, group: str) -> None:
    """Add this sub-command to a group of the program."""
    app.command(rich_help_panel=group)(accompany)
