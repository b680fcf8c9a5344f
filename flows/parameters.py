"""The parameters of flows, with the descriptions that the form in Prefect's UI shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema

from lstm_music import recipe
from lstm_music.options import OPTIONS
from lstm_music.recipe_files import recipe_names


@dataclass(frozen=True)
class Described:
    """The description of a parameter: Prefect drops that of a `Field`, and keeps that of a type."""

    text: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Add the text to the schema of the type."""
        return {**handler(schema), "description": self.text}


def _text(name: str) -> str:
    """Say what an option of generation does, in the words of `--help`."""
    option = OPTIONS[name].option
    return option.help + (f" Empty: {option.default}." if option.default else "")


def _option(name: str, **bounds: Any) -> Any:
    """Give the field of an option, which is empty by default."""
    return Field(default=None, description=_text(name), **bounds)


_RECIPES = ", ".join(recipe_names())

RecipeName = Annotated[str, Described(f"The recipe: {_RECIPES}, or the path of a .toml file.")]
TrainedRecipe = Annotated[
    str | None,
    Described(
        f"A recipe that has promoted models: {_RECIPES}, one of the storage, or the path of a .toml file. "
        "Empty: the one that was trained last in this storage."
    ),
]
SourceText = Annotated[
    str | None,
    Described(
        "Where the music comes from: corpus, kaggle, kaggle:OWNER/NAME, a folder, a zip, a file or a URL. "
        "Empty: the recipe's source."
    ),
]
CollectionText = Annotated[
    str | None,
    Described("The source of the music that the inbox adds to. Empty: what was prepared last for this recipe."),
]
StorageText = Annotated[str, Described("Where results are kept: a folder, or a URL such as s3://bucket/prefix.")]
HistoryCount = Annotated[int, Field(ge=0), Described("Earlier promotions of each recipe that stay, for a rollback.")]
AgeDays = Annotated[float, Field(ge=0), Described("Only what was written at least this many days ago is removed.")]
RunnerName = Annotated[
    recipe.RunnerName | None,
    Described("What parses files in parallel; dask also trains on its workers. Empty: the recipe's runner."),
]
WorkerCount = Annotated[
    int | None, Field(ge=1), Described("How many batches are parsed at once. Empty: the recipe's number.")
]
DaskScheduler = Annotated[
    str | None,
    Described(
        "The address of a Dask scheduler, such as tcp://host:8786. Empty: the run starts its own for runner dask."
    ),
]
ServedRecipes = Annotated[
    str | list[str] | None,
    Described(
        f"The recipes that learn the inbox: {_RECIPES}, others of the storage, or paths of .toml files; a list, or names with "
        "commas between them. Empty: every recipe with promoted models."
    ),
]
InboxText = Annotated[
    str | None, Described("The folder or URL where you put new music. Empty: the folder inbox in the storage.")
]
SettleSeconds = Annotated[
    float, Field(ge=0), Described("How many seconds a new file must stay unchanged before it is ingested.")
]
WarmStart = Annotated[
    Literal["no", "yes", "if it fits"],
    Described(
        "Whether training starts from the promoted models. yes: fail if they do not fit; if it fits: else start from zero."
    ),
]
TrainAgain = Annotated[bool, Described("Train even if nothing is new.")]
ForcePromotion = Annotated[bool, Described("Promote the new models even if they are worse.")]
LogTo = Annotated[
    str | None,
    Described("Log the metrics of the training to tensorboard:DIR, mlflow or mlflow:URI. Empty: do not log."),
]
OutputCount = Annotated[int | None, Field(ge=1), Described(_text("num_outputs"))]
EventCount = Annotated[int | None, Field(ge=1), Described(_text("num_events"))]
RandomSeed = Annotated[int | None, Field(ge=0), Described(_text("random_seed"))]

# The form does not show these; programs set them.
InputsKey = SkipJsonSchema[str | None]
"""The key of inputs that were ingested before, instead of a source."""

Fingerprint = SkipJsonSchema[str | None]
"""Which news of the inbox started the run; it tells the runs apart in Prefect's list."""


class Group(BaseModel):
    """Settings that the form shows together; an empty one leaves the recipe's value."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sampling(Group):
    """How the next value is chosen. Each takes one number, or one per stream: note=0.7,offset=0.7,duration=0.2."""

    temperature: str | None = _option("temperature")
    top_k: str | None = _option("top_k")
    top_p: str | None = _option("top_p")
    min_p: str | None = _option("min_p")


class Prompt(Group):
    """The music that a piece continues."""

    prompt: str | None = _option("prompt", min_length=1)
    prompt_midi: Path | None = _option("prompt_midi")
    composer: str | None = _option("composer")
    prompt_events: int | None = _option("prompt_events", ge=1)
    prompt_bars: str | None = _option("prompt_bars")
    include_prompt: bool | None = _option("include_prompt")
    like: str | None = _option("like", min_length=1)
    variation: float | None = _option("variation", ge=0, le=1)


class Limits(Group):
    """What bounds a piece."""

    bars: int | None = _option("bars", ge=0)
    seconds: float | None = _option("seconds", ge=0)
    pitch_range: str | None = _option("pitch_range")
    min_events: int | None = _option("min_events", ge=1)
    max_quarters: float | None = _option("max_quarters", gt=0)
    max_repeats: int | None = _option("max_repeats", ge=0)
    any_pitch: bool | None = _option("any_pitch")
    instruments: str | None = _option("instruments")
    avoid_parallels: bool | None = _option("avoid_parallels")
    add_drums: bool | None = _option("add_drums")


class Music(Group):
    """What the music is like."""

    tempo: float | None = _option("tempo", ge=0)
    meter: str | None = _option("meter")
    key: str | None = _option("key")
    velocity: int | None = _option("velocity", ge=0, le=127)
    density: float | None = _option("density", ge=0)
    polyphony: float | None = _option("polyphony", ge=0)
    mean_pitch: str | None = _option("mean_pitch")
    chords: str | None = _option("chords")
    plan: str | None = _option("plan")


class Output(Group):
    """What is rendered."""

    instrument: str | None = _option("instrument")
    best_of: int | None = _option("best_of", ge=1)
    audio: Literal["ogg", "mp3", "ogg,mp3", "none"] | None = _option("audio")
    sheet_music: bool | None = _option("sheet_music")
    stems: bool | None = _option("stems")
    parts: bool | None = _option("parts")
    soundfont: Path | None = _option("soundfont")


SamplingGroup = Annotated[Sampling, Described("How the next value is chosen. Empty: as the recipe says.")]
PromptGroup = Annotated[Prompt, Described("The music that a piece continues. Empty: as the recipe says.")]
LimitsGroup = Annotated[Limits, Described("What bounds a piece. Empty: as the recipe says.")]
MusicGroup = Annotated[Music, Described("What the music is like. Empty: as the recipe and the prompt say.")]
OutputGroup = Annotated[Output, Described("What is rendered. Empty: as the recipe says.")]
