"""The settings of generation, in a recipe or on the command line."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from lstm_music.encoding.instruments import instruments_by_part, written
from lstm_music.encoding.streams import ALL_STREAMS, STREAMS
from lstm_music.errors import RecipeError
from lstm_music.generation.plan import PLANNED, Planned
from lstm_music.generation.steering import STEERING, Steering, read_note, read_register
from lstm_music.midi.general_midi import PROGRAMS


def parse_per_stream(text: str, what: str, streams: Sequence[str] = STREAMS) -> dict[str, float]:
    """Read `0.9`, one number for all `streams`, or `note=0.7,duration=0.2`, a number for each named stream.

    Raises RecipeError for anything else; `what` is the name of the option in its message.
    """
    expected = f"one number, or {','.join(f'{stream}=0.9' for stream in streams)}"
    numbers: dict[str, float] = {}
    for part in text.split(","):
        stream, _, number = part.rpartition("=")
        try:
            given = dict.fromkeys([stream.strip()] if stream else streams, float(number))
        except ValueError as error:
            raise RecipeError(f"{what}: expected {expected}, got {text!r}") from error
        if not given.keys() <= set(streams) or given.keys() & numbers.keys():
            raise RecipeError(f"{what}: expected {expected}, got {text!r}")
        numbers.update(given)
    return numbers


USUAL: Mapping[str, Any] = {"temperature": 0.95, "top_k": 0, "top_p": 0.98, "min_p": 0.0}
"""The default of each setting of a stream."""


def _of_streams(usual: float) -> BeforeValidator:
    """Take one number for every stream, and the default for part and velocity if a table leaves them out."""

    def spread(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return dict.fromkeys(ALL_STREAMS, value)
        if not set(STREAMS) <= set(value) <= set(ALL_STREAMS):
            raise ValueError(f"expected a number for each of {list(STREAMS)}, got numbers for {sorted(value)}")
        return {**dict.fromkeys(ALL_STREAMS[len(STREAMS) :], usual), **value}

    return BeforeValidator(spread)


Temperatures = Annotated[
    dict[str, Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]], _of_streams(USUAL["temperature"])
]
Counts = Annotated[dict[str, Annotated[int, Field(ge=0)]], _of_streams(USUAL["top_k"])]
Shares = Annotated[dict[str, Annotated[float, Field(gt=0, le=1)]], _of_streams(USUAL["top_p"])]
Floors = Annotated[dict[str, Annotated[float, Field(ge=0, lt=1)]], _of_streams(USUAL["min_p"])]

PER_STREAM = ("temperature", "top_k", "top_p", "min_p")
"""The settings that take one number, or one for each stream."""

OPTIONAL = (*STEERING, *PLANNED, "instruments", "avoid_parallels", "add_drums", "instrument", "in_sixteenths")
"""The settings of which nothing is written where they ask nothing: such settings keep the key that they had before."""

OF_TASKS = ("in_sixteenths",)
"""The settings that a sub-command decides, and that are no option."""

WITHOUT_PARTS = "avoid_parallels: needs a recipe with parts, and this one has none; leave it out"

AUTO, RANDOM, NONE = "auto", "random", "none"
"""The values of `prompt` that are no name of a piece."""

PIANO = PROGRAMS[0]
"""The instrument of results where no other is asked for."""


class GenerationSpec(Planned, Steering):
    """How music is made. The settings of `PER_STREAM` take one number, or one for each stream.

    `temperature` 0 always takes the likeliest value, 1 samples as the models learnt. `top_k` keeps the k likeliest values
    (0: all), `top_p` the likeliest values that together have this probability, `min_p` drops values below this share of the top
    probability. `max_repeats` is how many times in a row a pattern may come before the loop guard blocks it (0: no guard),
    `max_quarters` the longest note or silence, in quarter lengths. `any_pitch` allows pitches outside the range of the training
    pieces.

    `prompt` is `auto` (good places of held-out pieces), `random` (random places), `none` (the start of a piece), or the name of
    a piece, with `:N` for its event N. `composer` restricts held-out pieces to one composer. `best_of` makes that many times as
    many candidates as outputs, and keeps the best. `instruments` names the parts that may play, in a recipe with parts.
    `avoid_parallels` forbids parallel fifths, octaves and unisons between parts.
    `add_drums` lets drums play in every bar, if the models know drums.
    `instrument` is what plays instead of the piano, by its name in General MIDI, or what plays each part: `soprano=flute`.
    `in_sixteenths` lets new notes begin and end on sixteenths only, the first of them in the first bar.

    With `bars` or `seconds`, which exclude each other, the numbers of events have no part.
    """

    num_outputs: int = Field(default=4, ge=1, le=10_000)
    num_events: int = Field(default=256, ge=1, le=100_000)
    min_events: int = Field(default=64, ge=1, validate_default=True)
    prompt: str = Field(default=AUTO, min_length=1)
    prompt_events: int = Field(default=64, ge=1, le=100_000)
    include_prompt: bool = False
    composer: str = ""
    temperature: Temperatures = dict.fromkeys(ALL_STREAMS, USUAL["temperature"])
    top_k: Counts = dict.fromkeys(ALL_STREAMS, USUAL["top_k"])
    top_p: Shares = dict.fromkeys(ALL_STREAMS, USUAL["top_p"])
    min_p: Floors = dict.fromkeys(ALL_STREAMS, USUAL["min_p"])
    max_repeats: int = Field(default=4, ge=0, le=1000)
    max_quarters: float = Field(default=16, gt=0, le=10_000)
    any_pitch: bool = False
    best_of: int = Field(default=1, ge=1, le=1000)
    instruments: str = ""
    avoid_parallels: bool = False
    add_drums: bool = False
    instrument: str = ""
    in_sixteenths: bool = False

    @field_validator("min_events")
    @classmethod
    def _fit_num_events(cls, given: int, info: ValidationInfo) -> int:
        if given > info.data.get("num_events", given):
            raise ValueError(f"expected at most the num_events, {info.data['num_events']}")
        return given

    @field_validator("composer")
    @classmethod
    def _fit_prompt(cls, given: str, info: ValidationInfo) -> str:
        prompt = info.data.get("prompt", AUTO)
        if given and prompt not in {AUTO, RANDOM}:
            raise ValueError(
                f"goes with the prompt {AUTO!r} or {RANDOM!r} only, and the prompt is {prompt!r}; leave one out"
            )
        return given

    @field_validator("instrument")
    @classmethod
    def _be_of_general_midi(cls, given: str) -> str:
        try:
            found = instruments_by_part(given)
        except RecipeError as error:
            raise ValueError(str(error)) from error
        return "" if found == {"": PIANO} else written(found)

    @field_validator("max_repeats")
    @classmethod
    def _allow_a_note_to_come_again(cls, given: int) -> int:
        if given == 1:
            raise ValueError("expected 2 or more, or 0 for no limit: 1 would forbid every note to come again")
        return given

    @model_validator(mode="after")
    def _ask_one_thing(self) -> Self:
        if self.bars and self.seconds:
            raise ValueError("bars: excludes seconds, because both say where the music ends; leave one out")
        if self.pitch_range and self.mean_pitch:
            low, high = read_register(self.pitch_range)
            if not low <= read_note(self.mean_pitch) <= high:
                raise ValueError(
                    f"mean_pitch: expected a note in the pitch range, {self.pitch_range}, got {self.mean_pitch}"
                )
        if self.key and self.prompt == NONE:
            raise ValueError(
                "key: the prompt is moved to it, and with prompt 'none' there is nothing to move; leave one out"
            )
        return self

    @model_serializer(mode="wrap")
    def _leave_out_what_says_nothing(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        said: dict[str, Any] = serialise(self)
        return {name: value for name, value in said.items() if value or name not in OPTIONAL}

    def for_streams(self, streams: Sequence[str]) -> Self:
        """Leave out the settings of all other streams."""
        own = {name: {stream: getattr(self, name)[stream] for stream in streams} for name in PER_STREAM}
        return self.model_copy(update=own)

    def of_stream(self, name: str, stream: str) -> float:
        """Return a setting of `PER_STREAM` for a stream; the default if the recipe does not know this stream."""
        return float(getattr(self, name).get(stream, USUAL[name]))

    @property
    def candidates(self) -> int:
        """The number of candidates, of which the best `num_outputs` are kept."""
        return self.num_outputs * self.best_of
