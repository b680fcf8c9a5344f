"""Settings of one generation from the command line, a form or Python, which override the recipe's."""

import difflib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lstm_music.errors import RecipeError
from lstm_music.generation.plan import read_plan
from lstm_music.generation.spec import PER_STREAM, GenerationSpec, parse_per_stream
from lstm_music.generation.steering import read_bars
from lstm_music.options import OPTIONS, Command, options_of
from lstm_music.recipe import Recipe, parse_recipe
from lstm_music.rendering.soundfont import require_soundfont
from lstm_music.rendering.spec import RenderingSpec
from lstm_music.stages.music.accompaniment import accompanying
from lstm_music.stages.music.melody import Melody, spelled_part
from lstm_music.stages.music.prompt_files import PromptMidi, read_prompt_midi
from lstm_music.stages.music.rewriting import Rewrite, rewriting
from lstm_music.stages.music.settings import GenerationSettings

SEEDS = 2**32
"""How many random seeds there are."""

Options = Mapping[str, Any]
"""Name of an option (see `lstm_music.options`) → its value; None leaves the recipe's.

An option of `PER_STREAM` takes a number, a mapping from streams to numbers, or either as text: `0.9`, `note=0.7,offset=0.5`.
`audio` takes a sequence of forms, or text: `ogg,mp3` or `none`; `plan` a sequence of entries, or what `read_plan` reads.
"""


def as_option(name: str) -> str:
    """Spell a setting as the command line does: `num_events` → `--num-events`."""
    return f"--{name.replace('_', '-')}"


def overridden(
    recipe: Recipe, overrides: Options, renderings: Options, spell: Callable[[str], str] = as_option
) -> tuple[GenerationSpec, RenderingSpec]:
    """Give the recipe's settings with these in their place; `spell` writes the name of a setting in an error.

    Raises RecipeError for a value that a setting does not take.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    base = recipe.generation.model_dump()
    for name in given.keys() & set(PER_STREAM):
        numbers = parse_per_stream(_per_stream_text(given[name]), spell(name), recipe.model.streams)
        given[name] = {**base[name], **numbers}
    if isinstance(given.get("plan"), str | Path):
        given["plan"] = read_plan(str(given["plan"]))
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
    options: Options,
    *,
    melody: Path | Melody | None = None,
    part: str | None = None,
    rewrite_bars: str | None = None,
    prompt_midi: PromptMidi | None = None,
    spell: Callable[[str], str] = as_option,
) -> GenerationSettings:
    """Give the settings of one generation: the recipe's, known as `name`, with these options in their place.

    With a `melody`, or a `part` of it, music is made around it, or its bars `rewrite_bars` are written anew. A melody, or a
    `prompt_midi`, may have been read before.
    Raises RecipeError for a value that a setting does not take, for two settings that exclude each other, for an option that
    does not exist or that a melody excludes, and for a recipe whose models are never promoted; SourceError for a prompt MIDI or
    soundfont that cannot be read.
    """
    require_promotable(recipe)
    given = {name: value for name, value in options.items() if value is not None}
    is_rewrite = rewrite_bars is not None or isinstance(melody, Rewrite)
    _require_options("generate" if melody is None else "rewrite" if is_rewrite else "accompany", given, spell)
    path, soundfont = (_path(given.pop(name, None)) for name in ("prompt_midi", "soundfont"))
    if melody is not None:
        recipe = rewriting(recipe) if is_rewrite else accompanying(recipe)
    if path and (given.get("prompt") or given.get("composer")):
        others = f"{spell('prompt')} and {spell('composer')}"
        raise RecipeError(f"{spell('prompt_midi')}: excludes {others}, because the file is the prompt; leave them out")
    seed = given.pop("random_seed", recipe.random_seed)
    if not 0 <= seed < SEEDS:
        raise RecipeError(f"{spell('random_seed')}: expected a whole number from 0 to {SEEDS - 1}, got {seed}")
    renderings = {key: given.pop(key) for key in RenderingSpec.model_fields.keys() & given.keys()}
    spec, rendering = overridden(recipe, given, renderings, spell)
    if spec.prompt_bars and not (path or prompt_midi):
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
        prompt_midi=read_prompt_midi(path, recipe.reading.repeats) if path else prompt_midi,
        soundfont=soundfont,
        prompt_midi_path=path,
        melody=_melody(recipe, melody, part, rewrite_bars, spell) if isinstance(melody, Path) else melody,
        melody_path=melody if isinstance(melody, Path) else None,
    )


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


def _require_options(command: Command, given: Options, spell: Callable[[str], str]) -> None:
    """Raise RecipeError for an option that is not one, or that the command does not have."""
    for name in given.keys() - options_of(command).keys():
        if name in OPTIONS:
            raise RecipeError(f"{spell(name)}: lstm-music {command} does not take it; leave it out")
        close = difflib.get_close_matches(name, list(OPTIONS), n=1)
        raise RecipeError(f"{spell(name)}: unknown option." + (f" Did you mean {spell(close[0])}?" if close else ""))


def _path(value: str | Path | None) -> Path | None:
    return Path(value) if value else None


LENGTHS = ("bars", "seconds", "num_events", "min_events")
"""The settings of length: a number of bars or of seconds goes with no other."""


def _without_what_is_replaced(given: Options, base: Options, spell: Callable[[str], str]) -> dict[str, Any]:
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
