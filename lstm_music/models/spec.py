"""The settings of models and their training in a recipe."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lstm_music.encoding.controls import CONTROLS
from lstm_music.encoding.streams import ALL_STREAMS, PART, STREAMS, VELOCITY

MODELS = {
    "chained_lstm": ("offset", "note", "duration"),
    "three_streams": ("offset", "note", "duration"),
    "notes_only": ("note",),
    "dual_head": ("offset+note",),
    "multi_label": ("offset+note",),
}
"""The models that each architecture trains, by name: the streams that a model predicts, joined by `+`.

With the part or the velocity among its streams, a chain has a model of it too.
"""

WINDOWED = frozenset({"three_streams", "notes_only", "dual_head", "multi_label"})
"""The report's architectures: they predict each event only from the window of events before it."""

WITH_KNOWN_FAULTS = frozenset({"dual_head", "multi_label"})
"""The architectures whose faults the report names: see `models/faults.py`."""

FLOOR = 0.01
"""The share of probability that the regression spreads evenly over all values: a squared error has no likelihood."""
LEAST_VARIANCE = 1e-4
"""The smallest variance of the regression of `dual_head`, quarters squared."""


def streams_of(model: str) -> tuple[str, ...]:
    """Give the streams that a model predicts, by its name."""
    return tuple(model.split("+"))


class ModelSpec(BaseModel):
    """One architecture and its size; all models of a recipe share it.

    `dropout` is the share of each layer's outputs that is dropped. `hidden_inputs` is the share of the streams' input tokens
    that is replaced by the unknown token. With `echoes`, chained models also read what followed the last time the piece
    sounded like this: it helps in pieces that repeat themselves, and harms with few and short pieces. `experts` are
    predictors that count, beside the head of chained models: see `lstm_music.models.experts`. `controls` are what chained models
    can be told of the music to come: see `lstm_music.encoding.controls`. `streams` are what a chain reads and predicts; a
    recipe with parts adds theirs. The report's architectures have neither part nor velocity.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Literal["chained_lstm", "three_streams", "notes_only", "dual_head", "multi_label"] = "chained_lstm"
    units: int = Field(default=256, ge=1, le=8192)
    layers: int = Field(default=1, ge=1, le=8)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    hidden_inputs: float = Field(default=0.1, ge=0, lt=1)
    echoes: bool = True
    experts: tuple[Literal["piece", "ngrams"], ...] = ()
    controls: tuple[Literal["ending", "key", "chord", "density", "polyphony", "mean_pitch"], ...] = ()
    streams: tuple[str, ...] = STREAMS

    @field_validator("streams")
    @classmethod
    def _be_a_chain(cls, streams: tuple[str, ...]) -> tuple[str, ...]:
        if not set(STREAMS) <= set(streams) or streams != tuple(stream for stream in ALL_STREAMS if stream in streams):
            raise ValueError(f"expected {list(STREAMS)}, optionally with {PART!r} and {VELOCITY!r} at the end")
        return streams

    @field_validator("controls")
    @classmethod
    def _be_in_order(cls, controls: tuple[str, ...]) -> tuple[str, ...]:
        """Write the same controls the same way, so that they have one key."""
        return tuple(control for control in CONTROLS if control in controls)

    @model_validator(mode="after")
    def _stack_only_what_stacks(self) -> Self:
        if self.is_windowed and self.layers > 1:
            raise ValueError(f"layers: expected 1 for the architecture {self.architecture!r}, got {self.layers}")
        if self.is_windowed and self.streams != STREAMS:
            raise ValueError(
                f"streams: the architecture {self.architecture!r} has no {self.streams[-1]}; use 'chained_lstm'"
            )
        if self.is_windowed and self.experts:
            raise ValueError(f"experts: the architecture {self.architecture!r} has none; use 'chained_lstm'")
        if self.is_windowed and self.controls:
            raise ValueError(f"controls: the architecture {self.architecture!r} has none; use 'chained_lstm'")
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the models that are trained."""
        return (*MODELS[self.architecture], *self.streams[len(STREAMS) :])

    @property
    def predicted(self) -> tuple[str, ...]:
        """The streams that the models predict together."""
        return tuple(stream for model in self.models for stream in streams_of(model))

    @property
    def is_windowed(self) -> bool:
        """Whether an event is predicted from a window of fixed length."""
        return self.architecture in WINDOWED


class TrainingSpec(BaseModel):
    """How a model is trained: Adam with a warm-up; the best weights are kept.

    After the warm-up the learning rate falls along a cosine to zero over all epochs, or stays constant (`schedule`). Training
    ends after `epochs`, or when the held-out NLL has not fallen for `patience` epochs. `gradient_norm` clips the norm of all
    gradients together; 0 does not clip. A training that starts from an earlier model has `warm_epochs` instead, at
    `warm_rate` times the learning rate: at a higher rate it first forgets. `most_events` limits the epochs of a large
    collection: to about so many events in total, and at least one epoch. The experts join after the share `experts_from` of all
    steps, with closed gates: where there is much music, a head that learnt without them is better in the end. A training that
    starts from an earlier model has them from its first step.

    An epoch goes through the music several times where that has fewer than `least_events` events, until it has as many: else an
    epoch of a few pieces is a few steps. Each time they are cut and transposed in another way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=12, ge=1, le=10_000)
    warm_epochs: int = Field(default=3, ge=1, le=10_000)
    warm_rate: float = Field(default=0.1, gt=0, le=1)
    most_events: int = Field(default=0, ge=0)
    least_events: int = Field(default=0, ge=0)
    patience: int = Field(default=3, ge=1)
    batch_size: int = Field(default=32, ge=1, le=65_536)
    learning_rate: float = Field(default=4e-3, gt=0, le=1)
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_steps: int = Field(default=50, ge=0)
    gradient_norm: float = Field(default=1.0, ge=0)
    experts_from: float = Field(default=0.0, ge=0, lt=1)

    def passes_of(self, events: int) -> int:
        """Give how often an epoch goes through so many events."""
        return max(1, -(-self.least_events // events))

    def epochs_of(self, events: int) -> int:
        """Give the largest number of epochs of a training on so many events."""
        if self.most_events == 0:
            return self.epochs
        return max(1, min(self.epochs, round(self.most_events / (events * self.passes_of(events)))))


class OneModelSpec(BaseModel):
    """The settings of a single model, in place of those of `model` and `training`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dropout: float | None = Field(default=None, ge=0, lt=1)
    hidden_inputs: float | None = Field(default=None, ge=0, lt=1)
    epochs: int | None = Field(default=None, ge=1, le=10_000)
    learning_rate: float | None = Field(default=None, gt=0, le=1)

    def of(self, model: ModelSpec, training: TrainingSpec) -> tuple[ModelSpec, TrainingSpec]:
        """Apply these settings over those of all models."""
        own = self.model_dump(exclude_none=True)
        changes = [{name: own[name] for name in own if name in type(spec).model_fields} for spec in (model, training)]
        return model.model_copy(update=changes[0]), training.model_copy(update=changes[1])
