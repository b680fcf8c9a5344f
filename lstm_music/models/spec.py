"""What a recipe may say about models and their training."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lstm_music.encoding.streams import STREAMS, VELOCITY, WITH_VELOCITY

MODELS = {
    "chained_lstm": ("offset", "note", "duration"),
    "three_streams": ("offset", "note", "duration"),
    "notes_only": ("note",),
    "dual_head": ("offset+note",),
    "multi_label": ("offset+note",),
}
"""The models that each architecture trains, by name: the streams that a model predicts, joined by `+`.

A chain with the velocity has a model of that, too.
"""

WINDOWED = frozenset({"three_streams", "notes_only", "dual_head", "multi_label"})
"""The report's architectures: each event is predicted from the window of events before it, and from nothing older."""

WITH_KNOWN_FAULTS = frozenset({"dual_head", "multi_label"})
"""Those whose faults the report names: see `models/faults.py`."""


def streams_of(model: str) -> tuple[str, ...]:
    """The streams that a model predicts, by its name."""
    return tuple(model.split("+"))


class ModelSpec(BaseModel):
    """One architecture and its size; all models of a recipe share it.

    `dropout` is the share of each layer's outputs that is dropped; `hidden_inputs` the share of the streams' input
    tokens that is replaced by the unknown token. With `echoes`, chained models also read what followed when the piece last
    sounded as it does now: worth much in pieces that repeat themselves, and less than nothing in few and short ones.
    `streams` are what a chain reads and predicts, in its order; the report's architectures know no velocity.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Literal["chained_lstm", "three_streams", "notes_only", "dual_head", "multi_label"] = "chained_lstm"
    units: int = Field(default=256, ge=1, le=8192)
    layers: int = Field(default=1, ge=1, le=8)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    hidden_inputs: float = Field(default=0.1, ge=0, lt=1)
    echoes: bool = True
    streams: tuple[str, ...] = STREAMS

    @field_validator("streams")
    @classmethod
    def _be_a_chain(cls, streams: tuple[str, ...]) -> tuple[str, ...]:
        if streams not in {STREAMS, WITH_VELOCITY}:
            raise ValueError(f"have to be {list(STREAMS)}, and {VELOCITY!r} may stand behind them")
        return streams

    @model_validator(mode="after")
    def _stack_only_what_stacks(self) -> Self:
        if self.is_windowed and self.layers > 1:
            raise ValueError(f"layers {self.layers}: the architecture {self.architecture!r} has one layer")
        if self.is_windowed and VELOCITY in self.streams:
            raise ValueError(f"streams: the architecture {self.architecture!r} knows no velocity")
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the models to train."""
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

    The learning rate then falls along a cosine to zero over all epochs, or stays (`schedule`). Training ends after `epochs`,
    or when the held-out NLL has not fallen for `patience` epochs. `gradient_norm` is what the norm of all gradients
    together is clipped to; 0 does not clip. A training that begins with an earlier model has `warm_epochs` instead, and rises
    to `warm_rate` times the learning rate: a higher one forgets at first what that model had learnt. With
    `most_events` a large collection has fewer epochs: as many as come closest to so many events, and at least one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=12, ge=1, le=10_000)
    warm_epochs: int = Field(default=3, ge=1, le=10_000)
    warm_rate: float = Field(default=0.1, gt=0, le=1)
    most_events: int = Field(default=0, ge=0)
    patience: int = Field(default=3, ge=1)
    batch_size: int = Field(default=32, ge=1, le=65_536)
    learning_rate: float = Field(default=4e-3, gt=0, le=1)
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_steps: int = Field(default=50, ge=0)
    gradient_norm: float = Field(default=1.0, ge=0)

    def epochs_of(self, events: int) -> int:
        """Give the most epochs of a training on so many events."""
        if self.most_events == 0:
            return self.epochs
        return max(1, min(self.epochs, round(self.most_events / events)))


class OneModelSpec(BaseModel):
    """What one model of a recipe has of its own, in place of what `model` and `training` say for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dropout: float | None = Field(default=None, ge=0, lt=1)
    hidden_inputs: float | None = Field(default=None, ge=0, lt=1)
    epochs: int | None = Field(default=None, ge=1, le=10_000)
    learning_rate: float | None = Field(default=None, gt=0, le=1)

    def of(self, model: ModelSpec, training: TrainingSpec) -> tuple[ModelSpec, TrainingSpec]:
        """Put it over what is said for all models."""
        own = self.model_dump(exclude_none=True)
        changes = [{name: own[name] for name in own if name in type(spec).model_fields} for spec in (model, training)]
        return model.model_copy(update=changes[0]), training.model_copy(update=changes[1])
