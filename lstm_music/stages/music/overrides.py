"""Settings of one generation from the command line, a form or Python, which override the recipe's."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lstm_music.errors import RecipeError
from lstm_music.generation.spec import PER_STREAM, GenerationSpec, parse_per_stream
from lstm_music.generation.steering import read_bars
from lstm_music.recipe import Recipe, parse_recipe
from lstm_music.rendering.soundfont import require_soundfont
from lstm_music.rendering.spec import RenderingSpec
from lstm_music.stages.music.accompaniment import GIVEN_SETTINGS, accompanying
from lstm_music.stages.music.melody import Melody, spelled_part
from lstm_music.stages.music.prompt_files import read_prompt_midi
from lstm_music.stages.music.rewriting import Rewrite, rewriting
from lstm_music.stages.music.settings import GenerationSettings

SEEDS = 2**32
"""How many random seeds there are."""

Overrides = Mapping[str, Any]
"""Key of `[generation]` or `[rendering]` → its value; None leaves the recipe's.

A key of `PER_STREAM` takes a number, a mapping from streams to numbers, or either as text: `0.9`, `note=0.7,offset=0.5`.
`audio` takes a sequence of forms, or text: `ogg,mp3` or `none`.
"""


def as_option(name: str) -> str:
    """Spell a setting as the command line does: `num_events` → `--num-events`."""
    return f"--{name.replace('_', '-')}"


def overridden(
    recipe: Recipe, overrides: Overrides, renderings: Overrides, spell: Callable[[str], str] = as_option
) -> tuple[GenerationSpec, RenderingSpec]:
    """Give the recipe's settings with these in their place; `spell` writes the name of a setting in an error.

    Raises RecipeError for a value that a setting does not take.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    base = recipe.generation.model_dump()
    for name in given.keys() & set(PER_STREAM):
        numbers = parse_per_stream(_per_stream_text(given[name]), spell(name), recipe.model.streams)
        given[name] = {**base[name], **numbers}
    given |= _without_what_is_replaced(given, base, spell)
    if "num_events" in given and "min_events" not in given:
        given["min_events"] = min(base["min_events"], given["num_events"])
    rendering = {name: value for name, value in renderings.items() if value is not None}
    if "audio" in rendering:
        rendering["audio"] = _audio_forms(rendering["audio"])
    changed = {
        **recipe.model_dump(),
        "generation": {**base, **given},
        "rendering": {**recipe.rendering.model_dump(), **rendering},
    }
    parsed = parse_recipe(changed, "", lambda place: _spelled(place, spell))
    return parsed.generation, parsed.rendering


def settings_of(
    recipe: Recipe,
    name: str,
    overrides: Overrides,
    *,
    prompt_midi: Path | None = None,
    melody: Path | None = None,
    part: str | None = None,
    rewrite_bars: str | None = None,
    soundfont: Path | None = None,
    random_seed: int | None = None,
    spell: Callable[[str], str] = as_option,
) -> GenerationSettings:
    """Give the settings of one generation: the recipe's, known as `name`, with these in their place.

    With a `melody`, or a `part` of it, music is made around it, or its bars `rewrite_bars` are written anew.
    Raises RecipeError for a value that a setting does not take, for two settings that exclude each other, and for a recipe
    whose models are never promoted; SourceError for a prompt MIDI or soundfont that cannot be read.
    """
    require_promotable(recipe)
    if melody is not None:
        _require_undecided(overrides, spell)
        recipe = accompanying(recipe) if rewrite_bars is None else rewriting(recipe)
    if prompt_midi and (overrides.get("prompt") or overrides.get("composer")):
        others = f"{spell('prompt')} and {spell('composer')}"
        raise RecipeError(f"{spell('prompt_midi')}: excludes {others}, because the file is the prompt; leave them out")
    seed = recipe.random_seed if random_seed is None else random_seed
    if not 0 <= seed < SEEDS:
        raise RecipeError(f"{spell('random_seed')}: expected a whole number from 0 to {SEEDS - 1}, got {seed}")
    renderings = {key: value for key, value in overrides.items() if key in RenderingSpec.model_fields}
    spec, rendering = overridden(
        recipe, {key: value for key, value in overrides.items() if key not in renderings}, renderings, spell
    )
    if spec.prompt_bars and not prompt_midi:
        raise RecipeError(
            f"{spell('prompt_bars')}: takes bars of a file of yours; give it with {spell('prompt_midi')}, or leave it out"
        )
    if soundfont:
        require_soundfont(soundfont)
    return GenerationSettings(
        recipe=name,
        usual=recipe,
        spec=spec,
        rendering=rendering,
        random_seed=seed,
        prompt_midi=read_prompt_midi(prompt_midi, recipe.reading.repeats) if prompt_midi else None,
        soundfont=soundfont,
        prompt_midi_path=prompt_midi,
        melody=_melody(recipe, melody, part, rewrite_bars, spell) if melody else None,
        melody_path=melody,
    )


def _require_undecided(overrides: Overrides, spell: Callable[[str], str]) -> None:
    """Raise RecipeError for a setting that the file decides of which music is kept."""
    for name in GIVEN_SETTINGS:
        if overrides.get(name):
            raise RecipeError(f"{spell(name)}: the file decides it, because its music is kept; leave it out")


def _melody(
    recipe: Recipe, path: Path, part: str | None, bars: str | None, spell: Callable[[str], str]
) -> Melody | Rewrite:
    """Read the file that is accompanied, or of which bars are rewritten; RecipeError for a text that names no bars."""
    own = spelled_part(part or "")
    if bars is None:
        return Melody(read_prompt_midi(path, recipe.reading.repeats), own)
    try:
        first, last = read_bars(bars)
    except ValueError as error:
        raise RecipeError(f"{spell('bars')}: {error}, got {bars!r}") from error
    wanted = str(first) if first == last else f"{first}-{last}"
    return Rewrite(read_prompt_midi(path, recipe.reading.repeats), own, wanted)


LENGTHS = ("bars", "seconds", "num_events", "min_events")
"""The settings of length: a number of bars or of seconds goes with no other."""


def _without_what_is_replaced(given: Overrides, base: Overrides, spell: Callable[[str], str]) -> dict[str, Any]:
    """Switch off the length that the recipe asks for where another is given; RecipeError for two that exclude each other."""
    asked = [name for name in LENGTHS if given.get(name)]
    exact = [name for name in asked if name in {"bars", "seconds"}]
    if exact and len(asked) > 1:
        other = next(name for name in asked if name != exact[0])
        raise RecipeError(
            f"{spell(exact[0])}: excludes {spell(other)}, because it says where the music ends; leave one out"
        )
    if {**base, **given}.get("prompt_bars") and given.get("prompt_events"):
        raise RecipeError(
            f"{spell('prompt_bars')}: excludes {spell('prompt_events')}, because the bars are the prompt; leave one out"
        )
    return {name: 0 for name in ("bars", "seconds") if asked and name not in asked and base.get(name)}


def require_promotable(recipe: Recipe) -> None:
    """Raise RecipeError for a recipe whose models are never promoted, so that no music can be made with them."""
    if recipe.split.by == "random_windows":
        raise RecipeError(
            f"recipe {recipe.name!r}: its split.by is 'random_windows' (leaky), so its models are never promoted; "
            "use split.by = 'hash'"
        )


def _per_stream_text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{stream}={number}" for stream, number in value.items())
    return str(value)


def _audio_forms(value: Any) -> list[str]:
    parts = [part.strip() for part in (value.split(",") if isinstance(value, str) else value)]
    return [] if parts == ["none"] else parts


def _spelled(place: tuple[int | str, ...], spell: Callable[[str], str]) -> str:
    """Spell a key of a recipe as the setting that overrides it, such as `--min-p`; its stream is not named."""
    return spell(str(place[1])) if len(place) > 1 else ""
