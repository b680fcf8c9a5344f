"""What a recipe may say about models and their training."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ModelSpec(BaseModel):
    """One architecture and its size; the three models share it.

    `dropout` is the share of each layer's outputs that is dropped; `hidden_inputs` the share of input tokens that is
    replaced by the unknown token.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Literal["chained_lstm"] = "chained_lstm"
    units: int = Field(default=256, ge=1, le=8192)
    layers: int = Field(default=1, ge=1, le=8)
    dropout: float = Field(default=0.2, ge=0, lt=1)
    hidden_inputs: float = Field(default=0.1, ge=0, lt=1)


class TrainingSpec(BaseModel):
    """How a model is trained: Adam, a warm-up, then a cosine to zero over all epochs; the best weights are kept.

    Training ends after `epochs`, or when the held-out NLL has not fallen for `patience` epochs. `gradient_norm` is what the
    norm of all gradients together is clipped to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(default=12, ge=1, le=10_000)
    patience: int = Field(default=3, ge=1)
    batch_size: int = Field(default=32, ge=1, le=65_536)
    learning_rate: float = Field(default=4e-3, gt=0, le=1)
    warmup_steps: int = Field(default=50, ge=0)
    gradient_norm: float = Field(default=1.0, gt=0)
