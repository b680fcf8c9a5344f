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

from flows.cli import (
    accompanying,
    bundling,
    inspecting,
    mirex_command,
    order,
    reporting,
    rewriting,
    studio_command,
    upkeep,
)
from flows.cli.bundling import BundleOption
from flows.cli.display import Display
from flows.cli.evaluate_options import MusicOption, NumComparedOption, SplitOption
from flows.cli.extras import missing_for_training
from flows.cli.generate_options import takes_options_of
from flows.cli.help import CONTEXT, App, Group
from flows.cli.interrupt import INTERRUPTED, interruptible
from flows.cli.mistakes import sentence
from flows.cli.options import (
    DEFAULT_STORAGE,
    CompareOption,
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
    StartFromOption,
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

    Begin with `lstm-music generate --model bach`, or train: `lstm-music run --recipe demo`.
    """


@app.command(rich_help_panel=MAKE)
def run(
    source: SourceOption = None,
    recipe: NewRecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    warm_start: WarmStartOption = False,
    start_from: StartFromOption = None,
    compare_from_nothing: CompareOption = None,
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
    from flows.cli.starting import StartChoice

    start = StartChoice(warm_start, start_from, compare_from_nothing)
    commands.run(Display(json), recipe, source, storage, (runner, workers, dask_scheduler), start, log_to)


@app.command(rich_help_panel=MAKE)
@takes_options_of("generate", before="recipe")
def generate(
    recipe: RecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    model: BundleOption = None,
    output_dir: OutputOption = None,
    json: JsonOption = False,
    **options: Any,
) -> None:
    """Generate music with the promoted models, and a page to listen to it.

    Each option overrides the recipe.
    """
    display = Display(json)
    with display.loading():
        from flows.cli import generate_command
        from flows.cli.models import Models
    generate_command.generate(display, Models(recipe, storage, model), options, output_dir)


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
    start_from: StartFromOption = None,
    compare_from_nothing: CompareOption = None,
    log_to: LogToOption = None,
    runner: RunnerOption = None,
    workers: WorkersOption = None,
    dask_scheduler: DaskSchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Train the models side by side, and promote them if they are not worse."""
    from flows.cli import commands
    from flows.cli.starting import StartChoice

    start = StartChoice(warm_start, start_from, compare_from_nothing)
    if model is None:
        commands.train(Display(json), recipe, source, storage, (runner, workers, dask_scheduler), start, log_to)
    else:
        commands.train_one(Display(json), recipe, source, storage, model, start, log_to)


@app.command(rich_help_panel=STEPS)
@takes_options_of("evaluate", before="json")
def evaluate(
    recipe: RecipeOption = None,
    storage: StorageOption = DEFAULT_STORAGE,
    music: MusicOption = False,
    split: SplitOption = None,
    num_outputs: NumComparedOption = None,
    json: JsonOption = False,
    **options: Any,
) -> None:
    """Score the trained models and the baselines on pieces that they never saw, or compare generated music with them.

    The options for music need --music, and override the recipe.
    """
    from flows.cli import commands, music_command

    asked = {"num_outputs": num_outputs, **options}
    if music:
        music_command.evaluate_music(Display(json), recipe, storage, split or "validation", asked)
    else:
        music_command.refuse_without_music({"split": split, **asked})
        commands.evaluate(Display(json), recipe, storage)


accompanying.register(app, MAKE)
rewriting.register(app, MAKE)
mirex_command.register(app, MAKE)
studio_command.register(app, MAKE)
bundling.register(app)
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
        except ModuleNotFoundError as error:
            if (text := missing_for_training(error)) is None:
                raise
            sys.stderr.write(f"lstm-music: {text}\n")
            sys.exit(1)
        except OSError as error:
            if error.errno != errno.ENOSPC or error.filename:
                raise
            sys.stderr.write(f"lstm-music: standard output: cannot be written ({error.strerror})\n")  # of --help
            sys.exit(1)
