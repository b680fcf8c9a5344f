"""The recipe: everything that decides what is learnt and how, composed of the specs that lie beside their users."""

import difflib
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from lstm_music.encoding.events import EventSpec
from lstm_music.encoding.splits import SplitSpec
from lstm_music.encoding.windows import WindowSpec
from lstm_music.errors import RecipeError
from lstm_music.generation.spec import GenerationSpec
from lstm_music.models.spec import ModelSpec, TrainingSpec

RECIPES = Path(__file__).parents[1] / "recipes"


class PromotionSpec(BaseModel):
    """When new models take the place of the current ones: their validation NLL may be this many nats an event higher."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tolerance: float = Field(default=0.0, ge=0)


class Recipe(BaseModel):
    """One way to learn music, by its name. `include` and `exclude` are patterns of names such as `bach/*`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    random_seed: int = Field(default=1, ge=0, lt=2**32)
    source: str = "corpus"
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    events: EventSpec = EventSpec()
    split: SplitSpec = SplitSpec()
    windows: WindowSpec = WindowSpec()
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    promotion: PromotionSpec = PromotionSpec()
    generation: GenerationSpec = GenerationSpec()

    def takes(self, name: str) -> bool:
        """Say whether the recipe takes an input by its name."""
        return any(fnmatchcase(name, pattern) for pattern in self.include) and not any(
            fnmatchcase(name, pattern) for pattern in self.exclude
        )


def load_recipe(text: str) -> Recipe:
    """Read a recipe: the name of one that comes with the project, or the path of a TOML file.

    Raises RecipeError for one that is not there, is no TOML, or has a key or value that it may not have.
    """
    path = Path(text) if text.endswith(".toml") else RECIPES / f"{text}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(sorted(file.stem for file in RECIPES.glob("*.toml")))
        raise RecipeError(f"recipe {text!r}: not found; give one of {known}, or the path of a .toml file") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"recipe {text!r}: cannot be read as TOML ({error})") from error
    return parse_recipe(data, path.name)


def parse_recipe(data: dict[str, Any], where: str) -> Recipe:
    """Check what a recipe says; `where` is the name of its file in the error's sentence."""
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise RecipeError(f"{where}: {_sentence(error.errors()[0])}") from error


def _sentence(fault: ErrorDetails) -> str:
    """Say what is wrong with the first key that is."""
    place = ".".join(str(part) for part in fault["loc"] if isinstance(part, str | int))
    if fault["type"] == "extra_forbidden":
        return f"{place}: unknown key{_suggestion(fault['loc'])}"
    if fault["type"] == "missing":
        return f"{place}: missing, and every recipe needs it"
    received = "" if isinstance(fault["input"], dict) else f", got {fault['input']!r}"
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}{received}"


def _suggestion(place: tuple[int | str, ...]) -> str:
    """Find the keys that are right in this place, and the one that was probably meant."""
    model: type[BaseModel] = Recipe
    for part in place[:-1]:
        inner = model.model_fields[str(part)].annotation
        assert isinstance(inner, type)
        assert issubclass(inner, BaseModel)  # nothing else has keys of its own
        model = inner
    close = difflib.get_close_matches(str(place[-1]), list(model.model_fields), n=1)
    return f". Did you mean '{close[0]}'?" if close else f"; known are {', '.join(model.model_fields)}"
