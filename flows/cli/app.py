"""The `lstm-music` command: one sub-command a flow, and status, verify, doctor.

What fans out goes through its flow; what does one thing calls the library straight away and does not import Prefect.
Nothing heavy is imported before it is needed, so that `--help` answers at once.
"""

import errno
import sys
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from flows.cli import accompanying, inspecting, order, reporting, rewriting, upkeep
from flows.cli.display import Display
from flows.cli.evaluate_options import MusicOption, NumComparedOption, SplitOption
from flows.cli.generate_options import (
    AddDrumsOption,
    AnyPitchOption,
    AudioOption,
    AvoidParallelsOption,
    BarsOption,
    BestOfOption,
    ComposerOption,
    IncludePromptOption,
    InstrumentOption,
    InstrumentsOption,
    KeyOption,
    MaxQuartersOption,
    MaxRepeatsOption,
    MeterOption,
    MinEventsOption,
    MinPOption,
    NumEventsOption,
    NumOutputsOption,
    PartsOption,
    PitchRangeOption,
    PromptBarsOption,
    PromptEventsOption,
    PromptMidiOption,
    PromptOption,
    RandomSeedOption,
    SecondsOption,
    SheetMusicOption,
    SoundfontOption,
    StemsOption,
    TemperatureOption,
    TempoOption,
    TopKOption,
    TopPOption,
    VelocityOption,
)
from flows.cli.help import CONTEXT, App, Group
from flows.cli.interrupt import INTERRUPTED, interruptible
from flows.cli.mistakes import sentence
from flows.cli.options import (
    DEFAULT_STORAGE,
    DaskSchedulerOption,
    JsonOption,
    LogToOption,
    ModelOption,
    NewRecipeOption,
    OutputOption,
    PreparedRecipeOption,
    RecipeOption,
    RunnerOption,
    SourceOption,
    StorageOption,
    TrainingSourceOption,
    WarmStartOption,
    WorkersOption,
)
from flows.cli.renamed import with_new_names
from flows.cli.scratch import own_temporary_folder
from flows.cli.streams import nothing_left_to_print, show_every_character
from lstm_music.errors import LstmMusicError

app = App(
    name="lstm-music",
    cls=Group,
    context_settings=CONTEXT,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

MAKE, STEPS = "Make music", "Step by step"
"""The groups of these sub-commands in `lstm-music --help`."""


def _show_version(is_asked: bool) -> None:
    if is_asked:
        print(f"lstm-music {metadata.version('lstm-music')}")  # noqa: T201 - the answer
        raise typer.Exit


@app.callback()
def program(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Learn music from a pile of MIDI files and generate more of it.

    Begin with `lstm-music run --recipe demo`, then `lstm-music generate`.
    """


@app.command(rich_help_panel=MAKE)
def run(
    source: SourceOption = None,
    recipe: NewRecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    warm_start: WarmStartOption = False,
    log_to: LogToOption = None,
    runner: RunnerOption = None,
    workers: WorkersOption = None,
    dask_scheduler: DaskSchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Do everything: ingest, prepare, train, evaluate, generate.

    Finished work is found and not done again.
    """
    from flows.cli import commands

    commands.run(Display(json), recipe, source, storage, (runner, workers, dask_scheduler), warm_start, log_to)


@app.command(rich_help_panel=MAKE)
def generate(
    num_outputs: NumOutputsOption = None,
    bars: BarsOption = None,
    seconds: SecondsOption = None,
    num_events: NumEventsOption = None,
    min_events: MinEventsOption = None,
    best_of: BestOfOption = None,
    random_seed: RandomSeedOption = None,
    tempo: TempoOption = None,
    meter: MeterOption = None,
    key: KeyOption = None,
    pitch_range: PitchRangeOption = None,
    velocity: VelocityOption = None,
    prompt: PromptOption = None,
    prompt_midi: PromptMidiOption = None,
    prompt_bars: PromptBarsOption = None,
    composer: ComposerOption = None,
    prompt_events: PromptEventsOption = None,
    include_prompt: IncludePromptOption = None,
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
    """Generate music with the promoted models, and a page to listen to it.

    Each option overrides the recipe.
    """
    from flows.cli import commands

    overrides: dict[str, Any] = {
        "num_outputs": num_outputs,
        "bars": bars,
        "seconds": seconds,
        "num_events": num_events,
        "min_events": min_events,
        "tempo": tempo,
        "meter": meter,
        "key": key,
        "pitch_range": pitch_range,
        "velocity": velocity,
        "prompt_bars": prompt_bars,
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
        "prompt": prompt,
        "composer": composer,
        "prompt_events": prompt_events,
        "include_prompt": include_prompt,
        "best_of": best_of,
    }
    renderings = {"audio": audio, "sheet_music": sheet_music, "stems": stems, "parts": parts}
    files = commands.Files(prompt_midi=prompt_midi, soundfont=soundfont)
    commands.generate(Display(json), recipe, storage, overrides, renderings, files, random_seed, output_dir)


@app.command(rich_help_panel=STEPS)
def ingest(
    source: SourceOption = None,
    recipe: NewRecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Copy the files of a source into the storage, each content once."""
    from flows.cli import commands

    commands.ingest(Display(json), recipe, source, storage)


@app.command(rich_help_panel=STEPS)
def prepare(
    source: SourceOption = None,
    recipe: NewRecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    runner: RunnerOption = None,
    workers: WorkersOption = None,
    dask_scheduler: DaskSchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Parse the music and make tables, vocabularies and tokens of it."""
    from flows.cli import commands

    commands.prepare(Display(json), recipe, source, storage, (runner, workers, dask_scheduler))


@app.command(rich_help_panel=STEPS)
def train(
    source: TrainingSourceOption = None,
    recipe: PreparedRecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    model: ModelOption = None,
    warm_start: WarmStartOption = False,
    log_to: LogToOption = None,
    runner: RunnerOption = None,
    workers: WorkersOption = None,
    dask_scheduler: DaskSchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Train the models side by side, and promote them if they are not worse."""
    from flows.cli import commands

    if model is None:
        commands.train(Display(json), recipe, source, storage, (runner, workers, dask_scheduler), warm_start, log_to)
    else:
        commands.train_one(Display(json), recipe, source, storage, model, warm_start, log_to)


@app.command(rich_help_panel=STEPS)
def evaluate(
    recipe: RecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    music: MusicOption = False,
    split: SplitOption = None,
    num_outputs: NumComparedOption = None,
    num_events: NumEventsOption = None,
    prompt_events: PromptEventsOption = None,
    random_seed: RandomSeedOption = None,
    temperature: TemperatureOption = None,
    top_k: TopKOption = None,
    top_p: TopPOption = None,
    min_p: MinPOption = None,
    max_repeats: MaxRepeatsOption = None,
    json: JsonOption = False,
) -> None:
    """Score the trained models and the baselines on pieces that they never saw, or compare generated music with them.

    The options for music need --music, and override the recipe.
    """
    from flows.cli import commands, music_command

    overrides: dict[str, Any] = {
        "num_outputs": num_outputs,
        "num_events": num_events,
        "prompt_events": prompt_events,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "max_repeats": max_repeats,
    }
    if music:
        music_command.evaluate_music(Display(json), recipe, storage, split or "validation", overrides, random_seed)
    else:
        music_command.refuse_without_music({"split": split, "random_seed": random_seed, **overrides})
        commands.evaluate(Display(json), recipe, storage)


accompanying.register(app, MAKE)
rewriting.register(app, MAKE)
upkeep.register(app)
inspecting.register(app)
order.register(app)
reporting.register(app)


def main() -> None:
    """Run a command: 0 where it went well, else the exit code of its error (see lstm_music/errors.py) and one sentence."""
    words = with_new_names(sys.argv[1:] or ["--help"])
    show_every_character()
    with own_temporary_folder(), interruptible(), nothing_left_to_print():
        try:
            code = app(words, standalone_mode=False)
            if code == INTERRUPTED:  # typer's answer to a KeyboardInterrupt, which is for `interruptible`
                raise KeyboardInterrupt
            sys.exit(code)
        except TyperException as error:
            sys.stderr.write(f"lstm-music: {sentence(error, words, app.names)}\n")
            sys.exit(2)
        except LstmMusicError as error:
            sys.stderr.write(f"lstm-music: {error}\n")
            sys.exit(error.exit_code)
        except OSError as error:
            if error.errno != errno.ENOSPC or error.filename:
                raise
            sys.stderr.write(f"lstm-music: standard output: cannot be written ({error.strerror})\n")  # of --help
            sys.exit(1)
