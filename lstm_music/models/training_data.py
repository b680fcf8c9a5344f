"""What a training gets, and what it reports while it runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_music.encoding.windows import Targets, Tokens, WindowSpec
from lstm_music.models.checkpoint import EpochScore
from lstm_music.models.columns import Columns


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The input of a training: one token array [events, columns], and which of its events are targets.

    `transposition`, int [shifts, note ids], is the id that each note id moves to at each of `window.shifts`.
    """

    tokens: Tokens
    train: Targets
    validation: Targets
    columns: Columns
    log_unknown: Mapping[str, float]
    transposition: npt.NDArray[np.int64]
    window: WindowSpec


@dataclass(frozen=True)
class TrainingProgress:
    """The progress of a training.

    `loss` is what training minimises, per target. `held_out` and `best` are NLL in nats per event on the held-out pieces: of
    the last of `scored_epochs` epochs and of the best one. They begin with the earlier model that a training starts from; without
    one they are None before the first epoch. `seconds` is the time of training so far (None: unknown), `seconds_left` an upper
    limit. `history` has the scores of the start and all epochs at the end of an epoch,
    else nothing.
    """

    model: str
    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    scored_epochs: int
    held_out: float | None
    best: float | None
    seconds: float | None
    seconds_left: float | None
    history: tuple[EpochScore, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give a dictionary that JSON can hold."""
        return asdict(self)
