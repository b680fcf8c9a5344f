"""The library in a few calls: load a recipe, prepare, train, generate, accompany, rewrite, mirex. From `lstm_music`.

No call needs Prefect. Each finds what the storage already holds, and makes only what is missing. The errors are those of
`lstm_music.errors`; each docstring names the likely ones.
"""

from pathlib import Path
from typing import Any, Unpack

from lstm_music.options import GenerationOptions
from lstm_music.recipe import Recipe, load_recipe
from lstm_music.results import GeneratedMusic, PreparedMusic, TrainedModels
from lstm_music.sources.choice import chosen_source
from lstm_music.spelled_out import takes_options_of
from lstm_music.stages.current import Promoted, find_recipe, name_in, require_promoted
from lstm_music.stages.data import prepare as preparing
from lstm_music.stages.data.attempts import try_again
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.music import generation, index
from lstm_music.stages.music.likeness import asked_settings
from lstm_music.stages.music.mirex import answers, mirex_settings, write_answers
from lstm_music.stages.music.settings import GenerationSettings
from lstm_music.stages.training import curves, promotion, scorecard
from lstm_music.stages.training.side_by_side import Report, train_models
from lstm_music.store import ArtifactRef, Store

__all__ = [
    "GeneratedMusic",
    "PreparedMusic",
    "Recipe",
    "TrainedModels",
    "accompany",
    "generate",
    "load_recipe",
    "mirex",
    "prepare",
    "rewrite",
    "train",
]


def prepare(
    recipe: Recipe | str | Path, source: str | Path | None = None, storage: str | Path = "storage"
) -> PreparedMusic:
    """Ingest a source and make its tables, vocabularies and tokens.

    ```python
    dataset = prepare("demo", source="my_music")
    dataset.events  # a DataFrame, one row per event
    ```

    Args:
        recipe: A recipe, its name, or the path of a .toml file.
        source: `corpus`, `kaggle`, a folder, a zip, a file or a URL. None is the recipe's own source.
        storage: A folder, or a URL such as `s3://bucket/prefix`, that keeps every result.

    Raises:
        RecipeError: The recipe cannot be read.
        SourceError: The source does not exist or cannot be opened.
        NotEnoughMusicError: The source holds no music that can be read.

    """
    store = Store(storage)
    chosen = _recipe(store, recipe)
    with store.session():
        inputs = try_again(
            store, ingest(store, chosen, chosen_source(None if source is None else str(source), chosen.source))
        )
        prepared = preparing.prepare(store, chosen, inputs)
    return PreparedMusic(store, chosen, prepared)


def train(
    recipe: Recipe | str | Path,
    storage: str | Path = "storage",
    *,
    warm_start: bool = False,
    on_progress: Report | None = None,
) -> TrainedModels:
    """Train the models of a recipe on what was prepared last for it, score them, and promote them if they are not worse.

    The models train side by side, each in a process of its own. An interrupt stops them; the next call continues from their
    checkpoints.

    ```python
    models = train("demo", on_progress=lambda done: print(done["model"], done["epoch"]))
    models.scores  # a DataFrame: nats per event of the models and of the baselines
    ```

    Args:
        recipe: A recipe, its name, or the path of a .toml file.
        storage: The storage that `prepare` wrote to.
        warm_start: Start from the promoted models, and train for the recipe's `warm_epochs`.
        on_progress: Called after each training step, from one thread at a time, with `model`, `epoch`, `epochs`, `step`,
            `steps`, `loss` and `held_out` (nats per event).

    Raises:
        MissingArtifactError: Nothing was prepared for this recipe.
        NotEnoughMusicError: There is too little music to train on.
        TrainingError: A loss is not a number.

    """
    store = Store(storage)
    chosen = _recipe(store, recipe)
    inputs = preparing.last_prepared(store, chosen.name).inputs
    with store.session():
        dataset = preparing.prepare(store, chosen, inputs).dataset  # found, unless the recipe changed since
        starts = promotion.warm_starts(store, chosen, dataset) if warm_start else {}
        models = train_models(store, chosen, dataset, starts, on_progress)
        card = scorecard.evaluate(store, chosen, dataset, models)
        decision = promotion.promote(store, chosen, Promoted(dataset, models, card))
        curves.curves_of_card(store, chosen.name, card)
    return TrainedModels(store, chosen, models, card, decision)


@takes_options_of("generate")
def generate(
    recipe: Recipe | str | Path, storage: str | Path = "storage", **options: Unpack[GenerationOptions]
) -> GeneratedMusic:
    """Make music with the promoted models of a recipe, and a page to listen to it.

    An option that is None takes the recipe's value, if none is said below. The same options and `random_seed` give the same
    music.

    ```python
    music = generate("demo", num_outputs=2, temperature={"note": 0.8}, prompt="bwv26.6")
    music.midi  # the paths of the MIDI files; in a notebook, `music` shows players
    more = generate("demo", like="latest/2", variation=0.5)
    ```

    Args:
        recipe: A recipe, its name, or the path of a .toml file.
        storage: The storage that holds the trained models.
        **options: As `lstm_music.options` lists them.

    Raises:
        RecipeError: An option has a value that it does not take.
        MissingArtifactError: The recipe has no models in this storage.
        SourceError: The prompt, composer or soundfont does not exist.
        NotEnoughMusicError: No held-out piece is long enough for a prompt.

    """
    store = Store(storage)
    chosen = _recipe(store, recipe)
    settings = asked_settings(store, chosen, _name(store, chosen, recipe), options, spell=str)
    return GeneratedMusic.of(generation.describe_generation(store, _made(store, chosen, settings)))


@takes_options_of("accompany")
def accompany(
    melody: str | Path,
    recipe: Recipe | str | Path,
    storage: str | Path = "storage",
    *,
    part: str | None = None,
    **options: Unpack[GenerationOptions],
) -> GeneratedMusic:
    """Write the other parts to a melody, which is in every result note for note.

    ```python
    music = accompany("waltz.mid", "default", part="right", num_outputs=2)
    ```

    Args:
        melody: A MIDI or score file.
        recipe: A recipe, its name, or the path of a .toml file.
        storage: The storage that holds the trained models.
        part: Which part of the file is given: its name, the number of its track, or of a piano piece `right` or `left`. None is
            the first part, the right hand of two, or all notes.
        **options: As `lstm_music.options` lists them.

    Raises:
        RecipeError: An option has a value that it does not take, or the models cannot accompany.
        MissingArtifactError: The recipe has no models in this storage.
        SourceError: The melody, its part or the soundfont does not exist.
        RejectedInputError: The melody has no note that the models know.

    """
    store = Store(storage)
    chosen = _recipe(store, recipe)
    name = _name(store, chosen, recipe)
    settings = asked_settings(store, chosen, name, options, melody=Path(melody), part=part, spell=str)
    return GeneratedMusic.of(generation.describe_generation(store, _made(store, chosen, settings)))


@takes_options_of("rewrite")
def rewrite(
    file: str | Path,
    bars: str,
    /,
    recipe: Recipe | str | Path,
    storage: str | Path = "storage",
    *,
    part: str | None = None,
    **options: Unpack[GenerationOptions],
) -> GeneratedMusic:
    """Write some bars of a music file anew; every other note, and all else of the file, stays as it was.

    ```python
    music = rewrite("waltz.mid", "9-12", "demo", part="right", num_outputs=2)
    music.outputs[0]["rewritten"]  # how likely the music after the bars is, beside how likely it was
    ```

    Args:
        file: A MIDI or score file.
        bars: The bars, `"9-12"` or `"9"`; a pickup is bar 0.
        recipe: A recipe, its name, or the path of a .toml file.
        storage: The storage that holds the trained models.
        part: Rewrite this part only: its name, the number of its track, or `"right"` or `"left"` of a piano piece.
        **options: As `lstm_music.options` lists them.

    Raises:
        RecipeError: An option has a value that it does not take.
        MissingArtifactError: The recipe has no models in this storage.
        SourceError: The file, its bars, its part or the soundfont does not exist.
        RejectedInputError: The file holds no music that these models can read.

    """
    store = Store(storage)
    chosen = _recipe(store, recipe)
    of_file: dict[str, Any] = {"melody": Path(file), "part": part, "rewrite_bars": bars}
    settings = asked_settings(store, chosen, _name(store, chosen, recipe), options, **of_file, spell=str)
    return GeneratedMusic.of(generation.describe_generation(store, _made(store, chosen, settings)))


@takes_options_of("mirex")
def mirex(
    prompt_json: str | Path,
    recipe: Recipe | str | Path,
    storage: str | Path = "storage",
    *,
    output_dir: str | Path,
    **options: Unpack[GenerationOptions],
) -> list[Path]:
    """Continue a prompt of the MIREX task by twelve bars; return the paths of the samples, the best first.

    Args:
        prompt_json: A file with four bars of 4/4 in sixteenths (see `lstm_music.scores.mirex`).
        recipe: A recipe, its name, or the path of a .toml file. Its models know piano music as single notes.
        storage: The storage that holds the trained models.
        output_dir: The folder for `sample_01.json` and so on.
        **options: As `lstm_music.options` lists them.

    Raises:
        RecipeError: An option has a value that it does not take, or the models know no piano music as single notes.
        MissingArtifactError: The recipe has no models in this storage.
        SourceError: The prompt does not exist.
        RejectedInputError: The file is no prompt of the task.
        StorageError: The folder has other samples, or cannot be written.

    """
    store = Store(storage)
    chosen = _recipe(store, recipe)
    settings = mirex_settings(chosen, _name(store, chosen, recipe), Path(prompt_json), options, spell=str)
    ref = _made(store, chosen, settings)
    return write_answers(Path(output_dir), [data for _, data in answers(store, ref)])


def _made(store: Store, recipe: Recipe, settings: GenerationSettings) -> ArtifactRef:
    current = require_promoted(store, recipe.name)
    with store.session():
        ref = generation.generate(store, generation.Plan(settings, current.dataset, current.models))
        index.write_index(store)
    return ref


def _name(store: Store, chosen: Recipe, recipe: Recipe | str | Path) -> str:
    return name_in(store, chosen, chosen.name if isinstance(recipe, Recipe) else str(recipe))


def _recipe(store: Store, recipe: Recipe | str | Path) -> Recipe:
    return recipe if isinstance(recipe, Recipe) else find_recipe(store, str(recipe))
