"""The `lstm-music` command: one sub-command a flow, and status, verify.

What fans out goes through its flow; what does one thing calls the library straight away and does not import Prefect.
Nothing heavy is imported before it is needed, so that `--help` answers at once.
"""

import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from flows.cli.display import Display
from flows.cli.generate_options import (
    AnyPitchOption,
    AudioOption,
    BestOfOption,
    ComposerOption,
    IncludePromptOption,
    MaxQuartersOption,
    MaxRepeatsOption,
    MinEventsOption,
    MinPOption,
    NumEventsOption,
    NumOutputsOption,
    PromptEventsOption,
    PromptMidiOption,
    PromptOption,
    RandomSeedOption,
    SheetMusicOption,
    SoundfontOption,
    TemperatureOption,
    TopKOption,
    TopPOption,
)
from flows.cli.interrupt import INTERRUPTED, interruptible
from flows.cli.options import (
    DaskSchedulerOption,
    InboxOption,
    JsonOption,
    OutputOption,
    RecipeOption,
    RunnerOption,
    SettleOption,
    SourceOption,
    StorageOption,
    WarmStartOption,
    WorkersOption,
)
from flows.cli.renamed import with_new_names
from lstm_music.errors import LstmMusicError

app = typer.Typer(
    name="lstm-music",
    help="Learn music from a pile of MIDI files and generate more of it.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

STORAGE = "storage"
SETTLE_SECONDS = 10.0
WORKERS = 2


@app.command()
def run(
    recipe: RecipeOption = "default",
    source: SourceOption = None,
    storage: StorageOption = STORAGE,
    runner: RunnerOption = None,
    workers: WorkersOption = None,
    dask_scheduler: DaskSchedulerOption = None,
    warm_start: WarmStartOption = False,
    json: JsonOption = False,
) -> None:
    """Do everything: take in music, prepare it, train, evaluate, generate."""
    from flows.cli import commands

    commands.run(Display(json), recipe, source, storage, (runner, workers, dask_scheduler), warm_start)


@app.command()
def ingest(
    recipe: RecipeOption = "default",
    source: SourceOption = None,
    storage: StorageOption = STORAGE,
    json: JsonOption = False,
) -> None:
    """Take in the files of a source, each content once."""
    from flows.cli import commands

    commands.ingest(Display(json), recipe, source, storage)


@app.command()
def prepare(
    recipe: RecipeOption = "default",
    source: SourceOption = None,
    storage: StorageOption = STORAGE,
    runner: RunnerOption = None,
    workers: WorkersOption = None,
    dask_scheduler: DaskSchedulerOption = None,
    json: JsonOption = False,
) -> None:
    """Read the music and make tables, vocabularies and tokens of it."""
    from flows.cli import commands

    commands.prepare(Display(json), recipe, source, storage, (runner, workers, dask_scheduler))


@app.command()
def train(
    recipe: RecipeOption = "default",
    source: SourceOption = None,
    storage: StorageOption = STORAGE,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            help="Train only this one, here: offset, note, duration, velocity, or offset+note where it is one model.",
        ),
    ] = None,
    runner: RunnerOption = None,
    workers: WorkersOption = None,
    dask_scheduler: DaskSchedulerOption = None,
    warm_start: WarmStartOption = False,
    json: JsonOption = False,
) -> None:
    """Train the models side by side on what was prepared (or on a --source), and promote them if they are not worse."""
    from flows.cli import commands

    if model is None:
        commands.train(Display(json), recipe, source, storage, (runner, workers, dask_scheduler), warm_start)
    else:
        commands.train_one(Display(json), recipe, source, storage, model, warm_start)


@app.command()
def reproduce(
    architectures: Annotated[
        list[str] | None,
        typer.Argument(help="Of the report: three_streams, notes_only, dual_head, multi_label [default: all]."),
    ] = None,
    source: SourceOption = None,
    storage: StorageOption = STORAGE,
    protocol: Annotated[
        list[str] | None, typer.Option("--protocol", help="Only this way of splitting: random_windows or by_piece.")
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            min=1,
            help="Epochs a model, at most; one that was trained for longer stays so [default: 150].",
        ),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="How many models are trained at once.")] = WORKERS,
    output_dir: OutputOption = None,
    json: JsonOption = False,
) -> None:
    """Reproduce the report that this project began with: its architectures, by its way of splitting and by whole pieces."""
    from flows.cli import commands

    commands.reproduce(Display(json), architectures or [], protocol or [], source, storage, budget, workers, output_dir)


@app.command()
def evaluate(recipe: RecipeOption = "default", storage: StorageOption = STORAGE, json: JsonOption = False) -> None:
    """Say how good the trained models are on pieces that they never saw, beside baselines."""
    from flows.cli import commands

    commands.evaluate(Display(json), recipe, storage)


@app.command()
def generate(
    recipe: RecipeOption = "default",
    storage: StorageOption = STORAGE,
    num_outputs: NumOutputsOption = None,
    num_events: NumEventsOption = None,
    min_events: MinEventsOption = None,
    temperature: TemperatureOption = None,
    top_k: TopKOption = None,
    top_p: TopPOption = None,
    min_p: MinPOption = None,
    max_repeats: MaxRepeatsOption = None,
    max_quarters: MaxQuartersOption = None,
    any_pitch: AnyPitchOption = None,
    prompt: PromptOption = None,
    prompt_midi: PromptMidiOption = None,
    composer: ComposerOption = None,
    prompt_events: PromptEventsOption = None,
    include_prompt: IncludePromptOption = None,
    best_of: BestOfOption = None,
    audio: AudioOption = None,
    sheet_music: SheetMusicOption = None,
    soundfont: SoundfontOption = None,
    random_seed: RandomSeedOption = None,
    output_dir: OutputOption = None,
    json: JsonOption = False,
) -> None:
    """Make music with the models in use, and a page to listen to it."""
    from flows.cli import commands

    overrides = {
        "num_outputs": num_outputs,
        "num_events": num_events,
        "min_events": min_events,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "min_p": min_p,
        "max_repeats": max_repeats,
        "max_quarters": max_quarters,
        "any_pitch": any_pitch,
        "prompt": prompt,
        "composer": composer,
        "prompt_events": prompt_events,
        "include_prompt": include_prompt,
        "best_of": best_of,
    }
    renderings = {"audio": audio, "sheet_music": sheet_music}
    commands.generate(
        Display(json), recipe, storage, overrides, renderings, prompt_midi, soundfont, random_seed, output_dir
    )


@app.command()
def watch(
    recipe: RecipeOption = "default",
    inbox: InboxOption = None,
    storage: StorageOption = STORAGE,
    settle_seconds: SettleOption = SETTLE_SECONDS,
    json: JsonOption = False,
) -> None:
    """Say once what is new in the inbox; with a Prefect server, announce it there, which starts a retraining."""
    from flows.cli import inbox_commands

    inbox_commands.watch(Display(json), recipe, inbox, storage, settle_seconds)


@app.command()
def retrain(
    recipe: RecipeOption = "default",
    source: SourceOption = None,
    inbox: InboxOption = None,
    storage: StorageOption = STORAGE,
    runner: RunnerOption = None,
    workers: WorkersOption = None,
    dask_scheduler: DaskSchedulerOption = None,
    settle_seconds: SettleOption = SETTLE_SECONDS,
    json: JsonOption = False,
) -> None:
    """Learn what is new in the inbox with all other music, from the models in use on; promote models that are not worse."""
    from flows.cli import inbox_commands

    inbox_commands.retrain(
        Display(json), recipe, source, inbox, storage, (runner, workers, dask_scheduler), settle_seconds
    )


@app.command()
def rollback(recipe: RecipeOption = "default", storage: StorageOption = STORAGE, json: JsonOption = False) -> None:
    """Return to the models that were in use before; again, to the ones before those."""
    from flows.cli import inbox_commands

    inbox_commands.rollback(Display(json), recipe, storage)


@app.command()
def status(storage: StorageOption = STORAGE, json: JsonOption = False) -> None:
    """Say what is prepared, what is being trained, and which models are in use."""
    from flows.cli import commands

    commands.status(Display(json), storage)


@app.command()
def verify(storage: StorageOption = STORAGE, json: JsonOption = False) -> None:
    """Read every file of storage again and name those that are not what was written."""
    from flows.cli import commands

    commands.verify(Display(json), storage)


def main() -> None:
    """Run a command: 0 where it went well, else the exit code of its error (see lstm_music/errors.py) and one sentence."""
    with interruptible():
        try:
            code = app(with_new_names(sys.argv[1:] or ["--help"]), standalone_mode=False)
            if code == INTERRUPTED:  # typer's answer to a KeyboardInterrupt, which is for `interruptible`
                raise KeyboardInterrupt
            sys.exit(code)
        except TyperException as error:
            said = error.format_message().replace("Value error, ", "").rstrip(".")
            sys.stderr.write(f"lstm-music: {said} (`lstm-music --help` says what is right)\n")
            sys.exit(2)
        except LstmMusicError as error:
            sys.stderr.write(f"lstm-music: {error}\n")
            sys.exit(error.exit_code)
