"""What a recipe, or a person on the command line, may say about generation."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from lstm_music.encoding.streams import STREAMS, VELOCITY, WITH_VELOCITY
from lstm_music.errors import RecipeError


def parse_per_stream(text: str, what: str, streams: Sequence[str] = STREAMS) -> dict[str, float]:
    """Read `0.9`, one number for all `streams`, or `note=0.7,duration=0.2`, a number each for those that are named.

    Raises RecipeError for anything else; `what` is the name of the option in its sentence.
    """
    right = f"one number, or {','.join(f'{stream}=0.9' for stream in streams)}"
    numbers: dict[str, float] = {}
    for part in text.split(","):
        stream, _, number = part.rpartition("=")
        try:
            given = dict.fromkeys([stream.strip()] if stream else streams, float(number))
        except ValueError as error:
            raise RecipeError(f"{what}: got {text!r}, where {right} would be right") from error
        if not given.keys() <= set(streams) or given.keys() & numbers.keys():
            raise RecipeError(f"{what}: got {text!r}, where {right} would be right")
        numbers.update(given)
    return numbers


USUAL: Mapping[str, Any] = {"temperature": 0.95, "top_k": 0, "top_p": 0.98, "min_p": 0.0}
"""What each setting of a stream is where nothing is said."""


def _of_streams(usual: float) -> BeforeValidator:
    """Let one number stand for every stream, and the usual one for the velocity where a table leaves it out."""

    def spread(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return dict.fromkeys(WITH_VELOCITY, value)
        if not set(STREAMS) <= set(value) <= set(WITH_VELOCITY):
            raise ValueError(f"names {sorted(value)}, where each of {list(STREAMS)} needs a number")
        return {VELOCITY: usual, **value}

    return BeforeValidator(spread)


Temperatures = Annotated[
    dict[str, Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]], _of_streams(USUAL["temperature"])
]
Counts = Annotated[dict[str, Annotated[int, Field(ge=0)]], _of_streams(USUAL["top_k"])]
Shares = Annotated[dict[str, Annotated[float, Field(gt=0, le=1)]], _of_streams(USUAL["top_p"])]
Floors = Annotated[dict[str, Annotated[float, Field(ge=0, lt=1)]], _of_streams(USUAL["min_p"])]

PER_STREAM = ("temperature", "top_k", "top_p", "min_p")
"""The settings that take one number, or one for each stream."""

AUTO, RANDOM, NONE = "auto", "random", "none"
"""What `prompt` may be beside the name of a piece."""


class GenerationSpec(BaseModel):
    """How music is made. The settings of `PER_STREAM` take one number, or one for each stream.

    `temperature` 0 always takes the likeliest value, 1 is what the models learnt. `top_k` keeps the k likeliest values
    (0: all of them), `top_p` the likeliest ones that together have this probability, `min_p` those that are at least this
    share as likely as the likeliest. `max_repeats` is how many times in a row a pattern may be heard before the loop guard leads
    the music out of it (0: as often as it likes), `max_quarters` the longest note or silence, in quarter lengths.

    `prompt` is `auto` (good places of held-out pieces), `random` (any places of them), `none` (from the start of a
    piece), or a piece by its name, and `:N` for its event N; `composer` takes held-out pieces of this composer only. Of
    `best_of` times as many outputs as asked for, the best are kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_outputs: int = Field(default=4, ge=1, le=10_000)
    num_events: int = Field(default=256, ge=1, le=100_000)
    min_events: int = Field(default=64, ge=1)
    prompt: str = Field(default=AUTO, min_length=1)
    prompt_events: int = Field(default=64, ge=1, le=100_000)
    include_prompt: bool = False
    composer: str = ""
    temperature: Temperatures = dict.fromkeys(WITH_VELOCITY, USUAL["temperature"])
    top_k: Counts = dict.fromkeys(WITH_VELOCITY, USUAL["top_k"])
    top_p: Shares = dict.fromkeys(WITH_VELOCITY, USUAL["top_p"])
    min_p: Floors = dict.fromkeys(WITH_VELOCITY, USUAL["min_p"])
    max_repeats: int = Field(default=4, ge=0, le=1000)
    max_quarters: float = Field(default=16, gt=0)
    any_pitch: bool = False
    best_of: int = Field(default=1, ge=1, le=1000)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.min_events > self.num_events:
            raise ValueError(f"min_events {self.min_events} is above num_events {self.num_events}")
        if self.composer and self.prompt not in {AUTO, RANDOM}:
            raise ValueError(
                f"composer {self.composer!r} chooses among held-out pieces, and prompt {self.prompt!r} is no choice; "
                f"prompt {AUTO!r} or {RANDOM!r} would be right"
            )
        if self.max_repeats == 1:
            raise ValueError(
                "max_repeats 1 would forbid every note to come again; 2 or more, or 0 for no guard, would be right"
            )
        return self

    def for_streams(self, streams: Sequence[str]) -> Self:
        """Leave out what is said of other streams than these."""
        own = {name: {stream: getattr(self, name)[stream] for stream in streams} for name in PER_STREAM}
        return self.model_copy(update=own)

    def of_stream(self, name: str, stream: str) -> float:
        """Give a setting of `PER_STREAM` for a stream; the usual one where the recipe does not know this stream."""
        return float(getattr(self, name).get(stream, USUAL[name]))

    @property
    def candidates(self) -> int:
        """How many outputs are made, to keep the best `num_outputs` of them."""
        return self.num_outputs * self.best_of
