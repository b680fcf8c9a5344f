"""What is wished for on the command line or in a form, put over what the recipe says."""

from collections.abc import Mapping
from typing import Any

from lstm_music.generation.spec import PER_STREAM, GenerationSpec, parse_per_stream
from lstm_music.recipe import Recipe, parse_recipe
from lstm_music.rendering.spec import RenderingSpec

Overrides = Mapping[str, Any]


def overridden(recipe: Recipe, overrides: Overrides, renderings: Overrides) -> tuple[GenerationSpec, RenderingSpec]:
    """Put what was said over what the recipe says; what is None was not said."""
    given = {name: value for name, value in overrides.items() if value is not None}
    base = recipe.generation.model_dump()
    for name in PER_STREAM:
        if name in given:
            numbers = parse_per_stream(given[name], f"--{name.replace('_', '-')}", recipe.model.streams)
            given[name] = {**base[name], **numbers}
    if "num_events" in given and "min_events" not in given:
        given["min_events"] = min(base["min_events"], given["num_events"])
    rendering = {name: value for name, value in renderings.items() if value is not None}
    if "audio" in rendering:
        rendering["audio"] = [
            form.strip() for form in rendering["audio"].split(",") if form.strip() not in {"", "none"}
        ]
    changed = {
        **recipe.model_dump(),
        "generation": {**base, **given},
        "rendering": {**recipe.rendering.model_dump(), **rendering},
    }
    parsed = parse_recipe(changed, "", _option)
    return parsed.generation, parsed.rendering


def _option(place: tuple[int | str, ...]) -> str:
    """Spell a key of a recipe as the option that overrides it, such as `--min-p note`; no key in a sentence about two of them."""
    name, *streams = [part for part in place[1:] if isinstance(part, str)] or [""]
    return " ".join([f"--{name.replace('_', '-')}", *streams]) if name else ""
