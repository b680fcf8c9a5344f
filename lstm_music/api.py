"""The library in five calls: load a recipe, prepare, train, generate, rewrite. Import them from `lstm_music`.

No call needs Prefect. Each finds what the storage already holds, and makes only what is missing. The errors are those of
`lstm_music.errors`; each docstring names the likely ones.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lstm_music.recipe import Recipe, load_recipe
from lstm_music.results import GeneratedMusic, PreparedMusic, TrainedModels
from lstm_music.sources.choice import chosen_source
from lstm_music.stages.current import Promoted, find_recipe, name_in, require_promoted
from lstm_music.stages.data import prepare as preparing
from lstm_music.stages.data.attempts import try_again
from lstm_music.stages.data.ingest import ingest
from lstm_music.stages.music import generation, index
from lstm_music.stages.music.overrides import settings_of
from lstm_music.stages.training import curves, promotion, scorecard
from lstm_music.stages.training.side_by_side import Report, train_models
from lstm_music.store import Store

__all__ = [
    "GeneratedMusic",
    "PreparedMusic",
    "Recipe",
    "TrainedModels",
    "generate",
    "load_recipe",
    "prepare",
    "rewrite",
    "train",
]

PerStream = float | str | Mapping[str, float]
"""One number for all streams, or a number per stream: `{"note": 0.7}` or `"note=0.7,offset=0.5"`."""


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


def generate(
    recipe: Recipe | str | Path,
    storage: str | Path = "storage",
    *,
    num_outputs: int | None = None,
    bars: int | None = None,
    seconds: float | None = None,
    num_events: int | None = None,
    min_events: int | None = None,
    tempo: float | None = None,
    meter: str | None = None,
    key: str | None = None,
    pitch_range: str | None = None,
    velocity: int | None = None,
    random_seed: int | None = None,
    prompt: str | None = None,
    prompt_midi: str | Path | None = None,
    prompt_bars: str | None = None,
    composer: str | None = None,
    prompt_events: int | None = None,
    include_prompt: bool | None = None,
    temperature: PerStream | None = None,
    top_k: PerStream | None = None,
    top_p: PerStream | None = None,
    min_p: PerStream | None = None,
    max_repeats: int | None = None,
    max_quarters: float | None = None,
    any_pitch: bool | None = None,
    instruments: str | None = None,
    avoid_parallels: bool | None = None,
    add_drums: bool | None = None,
    instrument: str | None = None,
    best_of: int | None = None,
    audio: str | Sequence[str] | None = None,
    sheet_music: bool | None = None,
    stems: bool | None = None,
    parts: bool | None = None,
    soundfont: str | Path | None = None,
) -> GeneratedMusic:
    """Make music with the promoted models of a recipe, and a page to listen to it.

    A setting that is None takes the recipe's value. The same settings and `random_seed` give the same music.

    ```python
    music = generate("demo", num_outputs=2, temperature={"note": 0.8}, prompt="bwv26.6")
    music.midi  # the paths of the MIDI files; in a notebook, `music` shows players
    ```

    Args:
        recipe: A recipe, its name, or the path of a .toml file.
        storage: The storage that holds the trained models.
        num_outputs: How many pieces.
        bars: Each piece ends after so many bars, with the last barline; the prompt does not count. It excludes numbers of events.
        seconds: Each piece ends after so many seconds, at its tempo. The prompt does not count.
        num_events: The longest a piece may be, in events.
        min_events: The shortest a piece may be, in events.
        tempo: Quarter notes per minute; without it that of the prompt.
        meter: The time signature, `3/4`; prompts are held-out pieces in this meter.
        key: The key, `A minor` or `Bb major`; prompts are transposed to it.
        pitch_range: The lowest and the highest new note, `C3-C6` or `48-84`.
        velocity: How loud all notes are, 1 to 127; not for recipes that learn it.
        random_seed: Another number gives other music.
        prompt: `auto` (a good place of a held-out piece), `random`, `none`, the name of a piece, or `NAME:120` for its event 120.
        prompt_midi: A music file to continue, instead of a held-out piece.
        prompt_bars: Bars of `prompt_midi` to continue, `1-8`, instead of its last events; a pickup is bar 0.
        composer: Take prompts from held-out pieces of this composer only.
        prompt_events: How many events of a held-out piece are the prompt.
        include_prompt: Whether a result begins with its prompt.
        temperature: Higher is wilder; 0 always takes the top value.
        top_k: Keep the k most probable values; 0 keeps all.
        top_p: Keep the most probable values that together have this probability.
        min_p: Drop values below this share of the top probability.
        max_repeats: How often in a row a pattern may occur before the loop guard blocks it; 0 switches the guard off.
        max_quarters: The longest note or rest, in quarter lengths.
        any_pitch: Whether pitches may lie beyond those of the training pieces.
        instruments: The parts that may play, of a recipe with parts: `"violin, viola"`.
        avoid_parallels: Whether to forbid parallel fifths, octaves and unisons between parts, in a recipe with parts.
        add_drums: Whether drums play in every bar; for models that learnt from music with drums.
        instrument: What plays instead of the piano, `"violin"`, or each part: `"soprano=flute, alto=oboe"`.
        best_of: Make this many candidates per piece, and keep those with the smallest penalty.
        audio: The forms of audio, `["ogg", "mp3"]`; `[]` renders none.
        sheet_music: Whether results are engraved, which takes seconds per piece.
        stems: Whether each part of an ensemble gets audio of its own, so that the page can mute it.
        parts: Whether each part of an ensemble gets a PDF of its own.
        soundfont: Render audio with this .sf2 or .sf3 file.

    Raises:
        RecipeError: A setting has a value that it does not take.
        MissingArtifactError: The recipe has no models in this storage.
        SourceError: The prompt, composer or soundfont does not exist.
        NotEnoughMusicError: No held-out piece is long enough for a prompt.

    """
    overrides: dict[str, Any] = {
        "num_outputs": num_outputs,
        "bars": bars,
        "seconds": seconds,
        "tempo": tempo,
        "meter": meter,
        "key": key,
        "pitch_range": pitch_range,
        "velocity": velocity,
        "prompt_bars": prompt_bars,
        "num_events": num_events,
        "min_events": min_events,
        "prompt": prompt,
        "composer": composer,
        "prompt_events": prompt_events,
        "include_prompt": include_prompt,
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
        "best_of": best_of,
        "audio": audio,
        "sheet_music": sheet_music,
        "stems": stems,
        "parts": parts,
    }
    return _made(recipe, storage, overrides, random_seed=random_seed, prompt_midi=prompt_midi, soundfont=soundfont)


def rewrite(
    file: str | Path,
    bars: str,
    recipe: Recipe | str | Path,
    storage: str | Path = "storage",
    *,
    part: str | None = None,
    num_outputs: int | None = None,
    best_of: int | None = None,
    random_seed: int | None = None,
    soundfont: str | Path | None = None,
    **settings: Any,
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
        num_outputs: How many pieces.
        best_of: Write the bars so many times per piece, and keep those after which the music that follows is likeliest.
        random_seed: Another number gives other music.
        soundfont: Render audio with this .sf2 or .sf3 file.
        settings: Sampling, range and output, as `generate` takes them: `temperature`, `top_p`, `pitch_range`, `audio` and others.

    Raises:
        RecipeError: A setting has a value that it does not take.
        MissingArtifactError: The recipe has no models in this storage.
        SourceError: The file, its bars, its part or the soundfont does not exist.
        RejectedInputError: The file holds no music that these models can read.

    """
    return _made(
        recipe,
        storage,
        {**settings, "num_outputs": num_outputs, "best_of": best_of},
        random_seed=random_seed,
        melody=file,
        part=part,
        rewrite_bars=bars,
        soundfont=soundfont,
    )


def _made(
    recipe: Recipe | str | Path, storage: str | Path, overrides: Mapping[str, Any], **others: Any
) -> GeneratedMusic:
    """Make music with the promoted models; `others` are arguments of `settings_of`."""
    store = Store(storage)
    chosen = _recipe(store, recipe)
    files = {name: Path(others[name]) for name in ("prompt_midi", "melody", "soundfont") if others.get(name)}
    settings = settings_of(
        chosen,
        name_in(store, chosen, chosen.name if isinstance(recipe, Recipe) else str(recipe)),
        overrides,
        **{**others, **files},
        spell=str,
    )
    current = require_promoted(store, chosen.name)
    with store.session():
        ref = generation.generate(store, generation.Plan(settings, current.dataset, current.models))
        index.write_index(store)
    return GeneratedMusic.of(generation.describe_generation(store, ref))


def _recipe(store: Store, recipe: Recipe | str | Path) -> Recipe:
    return recipe if isinstance(recipe, Recipe) else find_recipe(store, str(recipe))
