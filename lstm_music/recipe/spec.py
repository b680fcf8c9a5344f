"""What a recipe says: the specs that lie beside their users, and what holds between them."""

from fnmatch import fnmatchcase
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from lstm_music import faults
from lstm_music.encoding.event_spec import EventSpec
from lstm_music.encoding.instruments import programs_by_part
from lstm_music.encoding.parts import without_drums
from lstm_music.encoding.splits import SplitSpec
from lstm_music.encoding.streams import ALL_STREAMS, PART, STREAMS, VELOCITY
from lstm_music.encoding.windows import WindowSpec
from lstm_music.errors import RecipeError
from lstm_music.generation.spec import PER_STREAM, WITHOUT_PARTS, GenerationSpec
from lstm_music.midi.general_midi import DRUMS
from lstm_music.models.spec import ModelSpec, OneModelSpec, TrainingSpec
from lstm_music.recipe.runner import RunnerName, RunnerSpec
from lstm_music.recipe.start import StartSpec
from lstm_music.rendering.spec import RenderingSpec
from lstm_music.scores.spec import InputReading, ReadingSpec

NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
SHA256 = r"^[0-9a-f]{64}$"


class PromotionSpec(BaseModel):
    """When new models are promoted: they are not significantly worse, by more than `tolerance` nats per event.

    `level` is that of the confidence interval of the difference between old and new models on the validation pieces.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tolerance: float = Field(default=0.0, ge=0)
    level: float = Field(default=0.95, gt=0, lt=1)


class Content(BaseModel):
    """One file, known by its bytes, wherever it lies; `name` is what a person calls it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str = Field(pattern=SHA256)


def _kind_of_included(value: object) -> str:
    return "pattern" if isinstance(value, str) else "content"


Included = Annotated[  # so that a fault of a content is not said to be that it is no pattern
    Annotated[str, Tag("pattern")] | Annotated[Content, Tag("content")], Discriminator(_kind_of_included)
]


class Recipe(BaseModel):
    """One way to learn music, by its name.

    `include` and `exclude` are patterns of names such as `bach/*`; `include` may name single contents, too. `models` says
    what one model, by its name, has of its own. A `start` is that of a fine-tuned recipe, which the storage keeps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME)
    random_seed: int = Field(default=1, ge=0, lt=2**32)
    source: str = "corpus"
    include: tuple[Included, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    reading: ReadingSpec = ReadingSpec()
    events: EventSpec = EventSpec()
    split: SplitSpec = SplitSpec()
    windows: WindowSpec = WindowSpec()
    model: ModelSpec = Field(default=ModelSpec(), validate_default=True)
    training: TrainingSpec = TrainingSpec()
    models: dict[str, OneModelSpec] = {}
    promotion: PromotionSpec = PromotionSpec()
    generation: GenerationSpec = Field(default=GenerationSpec(), validate_default=True)
    rendering: RenderingSpec = RenderingSpec()
    runner: RunnerSpec = RunnerSpec()
    start: StartSpec | None = None

    @property
    def input_reading(self) -> InputReading:
        """How files are read: those that hold only drums are music where the events have drums."""
        return InputReading(**self.reading.model_dump(), drums_alone=DRUMS in self.events.part_alphabet)

    @property
    def first_target(self) -> int:
        """The position in a piece of the first event that is predicted: a window has to be full before it."""
        return self.windows.length if self.model.is_windowed else 0

    def of_model(self, name: str) -> Self:
        """Give the recipe by which one model is trained: what the model has of its own stands in `model` and `training`."""
        model, training = self.models.get(name, OneModelSpec()).of(self.model, self.training)
        return self.model_copy(update={"model": model, "training": training, "models": {}})

    @field_validator("model", mode="after")
    @classmethod
    def _have_a_stream_of_its_parts(cls, said: ModelSpec, info: ValidationInfo) -> ModelSpec:
        """Add the stream of the part where the events have parts, so that a recipe need not say it twice."""
        if "events" not in info.data:
            return said
        has_parts = info.data["events"].parts != "none"
        if PART in said.streams and not has_parts:
            raise ValueError(f"streams: {PART!r} needs events.parts = 'families', 'programs' or 'names'")
        if not has_parts or PART in said.streams:
            return said
        streams = tuple(stream for stream in ALL_STREAMS if stream in (*said.streams, PART))
        return ModelSpec.model_validate({**said.model_dump(), "streams": streams})

    @field_validator("generation", mode="wrap")
    @classmethod
    def _speak_of_its_streams(
        cls, said: Any, parse: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> GenerationSpec:
        """A setting of a stream is for a recipe that models it; without, nothing is said of it in the artifacts either."""
        streams = info.data["model"].streams if "model" in info.data else ALL_STREAMS
        for name in PER_STREAM if isinstance(said, dict) else ():
            for stream in ALL_STREAMS[len(STREAMS) :] if isinstance(said.get(name), dict) else ():
                if stream in said[name] and stream not in streams:
                    raise ValueError(f"{name}: {stream!r} is not among the streams of [model]")
        spec: GenerationSpec = parse(said)
        if spec.velocity and VELOCITY in streams and "model" in info.data:
            raise ValueError("velocity: these models choose how loud each note is; leave it out")
        return spec.for_streams(streams)

    @field_validator("generation", mode="wrap")
    @classmethod
    def _be_played_by_its_parts(
        cls, said: Any, parse: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> GenerationSpec:
        """Instruments, drums and parallels are for recipes whose events have the parts; one instrument is for those without."""
        spec: GenerationSpec = parse(said)
        if "events" not in info.data:
            return spec
        events: EventSpec = info.data["events"]
        if spec.avoid_parallels and events.parts == "none":
            raise ValueError(WITHOUT_PARTS)
        if spec.add_drums and DRUMS not in events.part_alphabet:
            raise ValueError(without_drums(events.part_alphabet))
        asked = (isinstance(said, dict) and said.get("instrument")) or spec.instrument  # the piano is "" in the spec
        try:
            programs_by_part(asked, events)
        except RecipeError as error:
            raise ValueError(str(error)) from error
        return spec

    @model_validator(mode="after")
    def _keep_experts_small(self) -> Self:
        """Experts lay out what they know by id, which takes gigabytes where every set of pitches has one."""
        if self.model.experts and self.events.chords == "pitch_set":
            raise ValueError(
                "model.experts: expected none with events.chords = 'pitch_set'; use 'per_note', or leave them out"
            )
        return self

    @model_validator(mode="after")
    def _ask_what_models_are_taught(self) -> Self:
        for control, option in self.generation.asks.items():
            if control not in self.model.controls:
                raise ValueError(f"{option}: needs {control!r} among the model.controls; add it there, and train again")
        return self

    @model_validator(mode="after")
    def _control_single_notes(self) -> Self:
        if self.model.controls and self.events.chords != "per_note":
            raise ValueError(
                f"model.controls: expected none with events.chords = {self.events.chords!r}; use 'per_note', or leave them out"
            )
        return self

    @model_validator(mode="after")
    def _name_models_of_the_architecture(self) -> Self:
        for name in self.models:
            if name not in self.model.models:
                raise ValueError(f"models.{name}: unknown model; expected {faults.one_of(list(self.model.models))}")
        return self

    @model_validator(mode="after")
    def _fit_the_architecture(self) -> Self:
        architecture = self.model.architecture
        if not self.model.is_windowed:
            if self.split.by == "random_windows":
                raise ValueError(
                    f"split.by 'random_windows' works with the report's architectures only, not with {architecture!r}"
                )
            return self
        if self.windows.shifts != (0,):
            raise ValueError(
                f"windows.transpose_from and transpose_to: expected 0, because {architecture!r} knows no transpositions"
            )
        if self.generation.prompt_events < self.windows.length:
            raise ValueError(
                f"generation.prompt_events: expected at least {self.windows.length}, the events of a window"
            )
        return self

    def run_by(self, name: RunnerName | None, workers: int | None, dask_scheduler: str | None) -> Self:
        """Give the recipe with the runner that was asked for: see `RunnerSpec.asked`."""
        return self.model_copy(update={"runner": self.runner.asked(name, workers, dask_scheduler)})

    @property
    def contents(self) -> dict[str, str]:
        """The contents that the recipe names, SHA-256 → name."""
        return {wanted.sha256: wanted.name for wanted in self.include if isinstance(wanted, Content)}

    def takes(self, name: str, sha256: str | None = None, book: str = "") -> bool:
        """Say whether the recipe takes an input by its name, or that of its book, or by its content where that is known."""
        names = (name, book) if book else (name,)
        patterns = [wanted for wanted in self.include if isinstance(wanted, str)]
        wanted = sha256 in self.contents or any(fnmatchcase(one, pattern) for one in names for pattern in patterns)
        return wanted and not any(fnmatchcase(one, pattern) for one in names for pattern in self.exclude)
