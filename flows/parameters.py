"""The parameters of flows, with the descriptions that the form in Prefect's UI shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import CoreSchema

from lstm_music import recipe
from lstm_music.recipe_files import recipe_names


@dataclass(frozen=True)
class Described:
    """The description of a parameter: Prefect drops that of a `Field`, and keeps that of a type."""

    text: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Add the text to the schema of the type."""
        return {**handler(schema), "description": self.text}


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
OutputCount = Annotated[int | None, Field(ge=1), Described("How many pieces. Empty: the recipe's number.")]
EventCount = Annotated[
    int | None, Field(ge=1), Described("The longest a piece may be, in events. Empty: the recipe's number.")
]
RandomSeed = Annotated[
    int | None, Field(ge=0), Described("Another number gives other music. Empty: the recipe's number.")
]

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

    temperature: str | None = Field(default=None, description="Higher is wilder: 0.9. 0 always takes the top value.")
    top_k: str | None = Field(default=None, description="Keep the k most probable values: 8. 0 keeps all.")
    top_p: str | None = Field(
        default=None, description="Keep the most probable values that together have this probability: 0.95."
    )
    min_p: str | None = Field(
        default=None, description="Drop values below this share of the top probability: 0.05. 0 drops none."
    )


class Prompt(Group):
    """The music that a piece continues."""

    prompt: str | None = Field(
        default=None,
        min_length=1,
        description="auto (a good place of a held-out piece), random, none, the name of a piece, or NAME:120 for its event 120.",
    )
    prompt_midi: Path | None = Field(default=None, description="A music file to continue, instead of a held-out piece.")
    composer: str | None = Field(default=None, description="Take prompts from held-out pieces of this composer only.")
    prompt_events: int | None = Field(
        default=None, ge=1, description="How many events are the prompt; of your own file its last ones."
    )
    prompt_bars: str | None = Field(
        default=None,
        description="Bars of your own file to continue, such as 1-8, instead of its last events; a pickup is bar 0.",
    )
    include_prompt: bool | None = Field(default=None, description="Whether a result begins with its prompt.")


class Limits(Group):
    """What bounds a piece."""

    bars: int | None = Field(
        default=None,
        ge=0,
        description="Each piece ends after so many bars, with the last barline. The prompt does not count.",
    )
    seconds: float | None = Field(
        default=None,
        ge=0,
        description="Each piece ends after so many seconds, at its tempo. The prompt does not count.",
    )
    pitch_range: str | None = Field(
        default=None, description="The lowest and the highest new note: C3-C6 (C4 is middle C) or 48-84."
    )
    min_events: int | None = Field(default=None, ge=1, description="The shortest a piece may be, in events.")
    max_quarters: float | None = Field(default=None, gt=0, description="The longest note or rest, in quarter lengths.")
    max_repeats: int | None = Field(
        default=None,
        ge=0,
        description="How often in a row a pattern may occur before the loop guard blocks it. 0 switches the guard off.",
    )
    any_pitch: bool | None = Field(
        default=None, description="Whether pitches may lie beyond those of the training pieces."
    )
    instruments: str | None = Field(
        default=None, description="Let only these parts play, of a recipe with parts: violin,viola,cello."
    )
    avoid_parallels: bool | None = Field(
        default=None, description="Whether to forbid parallel fifths, octaves and unisons, in a recipe with parts."
    )
    add_drums: bool | None = Field(
        default=None, description="Whether drums play in every bar; for models that learnt from music with drums."
    )


class Music(Group):
    """What the music is like."""

    tempo: float | None = Field(default=None, ge=0, description="Quarter notes per minute: 92. Empty: the prompt's.")
    meter: str | None = Field(
        default=None,
        description="The time signature: 3/4. Prompts are held-out pieces in this meter. Empty: the prompt's.",
    )
    key: str | None = Field(
        default=None, description="The key: A minor, Bb major. Prompts are transposed to it. Empty: the prompt's."
    )
    velocity: int | None = Field(
        default=None, ge=0, le=127, description="How loud all notes are, 1 to 127; not for recipes that learn it."
    )


class Output(Group):
    """What is rendered."""

    instrument: str | None = Field(
        default=None,
        description="What plays instead of the piano: violin, strings, or a number of General MIDI. Of a recipe with parts, one "
        "for each part: soprano=flute,alto=oboe.",
    )

    best_of: int | None = Field(
        default=None, ge=1, description="Make this many candidates per piece, and keep those with the smallest penalty."
    )
    audio: Literal["ogg", "mp3", "ogg,mp3", "none"] | None = Field(
        default=None, description="The forms of audio; the page plays the first."
    )
    sheet_music: bool | None = Field(
        default=None, description="Whether results are engraved, which takes seconds per piece."
    )
    stems: bool | None = Field(
        default=None,
        description="Whether each part of an ensemble gets audio of its own, so that the page can mute it.",
    )
    parts: bool | None = Field(default=None, description="Whether each part of an ensemble gets a PDF of its own.")
    soundfont: Path | None = Field(default=None, description="Render audio with this .sf2 or .sf3 file.")


SamplingGroup = Annotated[Sampling, Described("How the next value is chosen. Empty: as the recipe says.")]
PromptGroup = Annotated[Prompt, Described("The music that a piece continues. Empty: as the recipe says.")]
LimitsGroup = Annotated[Limits, Described("What bounds a piece. Empty: as the recipe says.")]
MusicGroup = Annotated[Music, Described("What the music is like. Empty: as the recipe and the prompt say.")]
OutputGroup = Annotated[Output, Described("What is rendered. Empty: as the recipe says.")]
