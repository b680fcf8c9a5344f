"""The sub-command rewrite, which writes bars of a file of yours anew."""

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.display import Display
from flows.cli.generate_options import (
    AnyPitchOption,
    AudioOption,
    AvoidParallelsOption,
    InstrumentOption,
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

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="MIDI or score file with the bars.")]
RewriteBarsOption = Annotated[
    str,
    typer.Option(
        "--bars",
        metavar="FIRST-LAST",
        help="Bars to write anew, such as 9-12, or one bar, such as 9. A pickup is bar 0.",
        rich_help_panel=MUSIC,
    ),
]
PartOption = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="PART",
        help="Write one part anew and keep the others: its name, the number of its track, or right-hand or left-hand.",
        show_default="all parts",
        rich_help_panel=MUSIC,
    ),
]
CandidatesOption = Annotated[
    int | None,
    typer.Option(
        "--best-of",
        metavar="N",
        min=1,
        help="Write the bars this many times per piece and keep those that best lead to the music after them.",
        show_default="64, or more if the recipe says so",
        rich_help_panel=MUSIC,
    ),
]


def rewrite(
    file: FileArgument,
    bars: RewriteBarsOption,
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
    avoid_parallels: AvoidParallelsOption = None,
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
    """Write some bars of a file of yours anew and keep all others, note for note.

    The new bars go on from the bars before them and lead to the bars after them. A note that sounds into them keeps sounding.
    With --part only one part of these bars is new, or one hand of a piano piece.
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
        "avoid_parallels": avoid_parallels,
        "instrument": instrument,
    }
    renderings = {"audio": audio, "sheet_music": sheet_music, "stems": stems, "parts": parts}
    files = commands.Files(melody=file, part=part, rewrite_bars=bars, soundfont=soundfont)
    commands.generate(Display(json), recipe, storage, overrides, renderings, files, random_seed, output_dir)


def register(app: App, group: str) -> None:
    """Add this sub-command to a group of the program."""
    app.command(rich_help_panel=group)(rewrite)
