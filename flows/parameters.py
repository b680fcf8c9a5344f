"""The parameters of flows, with the words that the form in Prefect's UI shows of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from lstm_music import recipe


@dataclass(frozen=True)
class Says:
    """What a form says of a parameter: Prefect drops the description of a `Field`, and keeps that of a type."""

    text: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Add the text to the schema of the type."""
        return {**handler(schema), "description": self.text}


RecipeName = Annotated[str, Says("What to learn and how: demo, default, polyphony, seed, or the path of a .toml file.")]
SourceText = Annotated[
    str | None,
    Says(
        "Where music comes from: corpus, kaggle, kaggle:OWNER/NAME, a folder, a zip, a file or a URL. Empty: the recipe's own."
    ),
]
CollectionText = Annotated[
    str | None, Says("The music beside the inbox: as a source. Empty: what was prepared last for the recipe.")
]
StorageText = Annotated[
    str, Says("Where everything that is made is kept: a folder, or a URL such as s3://bucket/prefix.")
]
RunnerName = Annotated[recipe.RunnerName | None, Says("What parses files in parallel. Empty: as the recipe says.")]
WorkerCount = Annotated[
    int | None, Field(ge=1), Says("How many batches are parsed at once. Empty: as the recipe says.")
]
DaskScheduler = Annotated[
    str | None,
    Says("Address of a Dask scheduler, such as tcp://host:8786, for the runner dask. Empty: one of its own."),
]
InputsKey = Annotated[
    str | None, Says("For programs: the key of what was taken in before, instead of a source. Leave it empty.")
]
InboxText = Annotated[str | None, Says("Folder or URL that new music is put into. Empty: the folder inbox in storage.")]
SettleSeconds = Annotated[
    float, Field(ge=0), Says("How long a new file has to stay as it is before it is taken for whole.")
]
Fingerprint = Annotated[
    str | None, Says("For programs: which news of the inbox asked for this. What counts is what it holds at the start.")
]
WarmStart = Annotated[
    Literal["no", "yes", "if it fits"],
    Says("Begin with the models in use? yes: fail where they do not fit; if it fits: else begin from nothing."),
]
LogTo = Annotated[
    str | None, Says("Log the metrics of the training to tensorboard:DIR, mlflow or mlflow:URI. Empty: do not log.")
]
OutputCount = Annotated[int | None, Field(ge=1), Says("How many pieces. Empty: as the recipe says.")]
EventCount = Annotated[int | None, Field(ge=1), Says("Events of each piece, at most. Empty: as the recipe says.")]
TemperatureText = Annotated[
    str | None, Says("Higher is wilder: 0.9, or note=0.7,offset=0.7,duration=0.2. Empty: as the recipe says.")
]
ComposerName = Annotated[str | None, Says("Go on from held-out pieces of this composer. Empty: of any.")]
PromptMidi = Annotated[Path | None, Says("A MIDI file to go on from, instead of a held-out piece.")]
RandomSeed = Annotated[int | None, Field(ge=0), Says("Another number gives other music. Empty: the recipe's.")]
