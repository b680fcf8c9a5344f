"""The checkpoint of a training between two steps, so that a killed training continues where it stopped.

Everything random in a step follows from (random seed, epoch, step). So a checkpoint holds the weights, the optimiser's slots,
the best weights so far, the score of each epoch, the sums of the running epoch, and the seconds of training so far.
"""

import hashlib
import io
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

DIGEST_BYTES = 32  # SHA-256 of all before it, at the end of the file

START = -1
"""The epoch before the first, which people read as epoch 0."""


@dataclass
class EpochScore:
    """The result of one epoch: the training loss, the held-out NLL in nats per event, and the accuracies by stream.

    `epoch` counts from 0. That of the weights of an earlier model, before any training, is `START`. The last score may be that of
    a mixture: the share `start_share` is of those weights, the rest of trained ones, and `epoch` is the one after the last.
    Neither has a `loss`, which is None, or an `accuracy` on training music.
    """

    epoch: int
    loss: float | None
    held_out: float
    accuracy: dict[str, float] = field(default_factory=dict)
    held_out_accuracy: dict[str, float] = field(default_factory=dict)
    start_share: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Give a dictionary that JSON can hold; that of an epoch does not mention mixtures."""
        found = asdict(self)
        return found if self.start_share else {key: value for key, value in found.items() if key != "start_share"}


@dataclass
class RunningEpoch:
    """The sums of an epoch over the `steps` done so far: the loss, the number of targets, and the right guesses by stream."""

    steps: int = 0
    loss: float = 0.0
    targets: float = 0.0
    right: list[float] = field(default_factory=list)

    def add(self, loss: float, targets: float, right: Sequence[float]) -> None:
        """Count one more step."""
        before = self.right or [0.0] * len(right)
        self.right = [one + float(other) for one, other in zip(before, right, strict=True)]
        self.steps, self.loss, self.targets = self.steps + 1, self.loss + loss, self.targets + targets


@dataclass
class TrainingState:
    """The state of a training: `weights`, `slots` and `best` are lists of arrays in the model's own order.

    `history` has the finished and scored epochs, `running` the sums of the next epoch so far. `start` is the score of the
    earlier model that the training starts from, None where it starts from random weights. `seconds` is the time of training so
    far, over all processes; None where an earlier version wrote the checkpoint, which did not count it.
    """

    weights: list[np.ndarray]
    slots: list[np.ndarray]
    best: list[np.ndarray] = field(default_factory=list)
    history: list[EpochScore] = field(default_factory=list)
    running: RunningEpoch = field(default_factory=RunningEpoch)
    seconds: float | None = 0.0
    start: EpochScore | None = None

    @property
    def scores(self) -> list[EpochScore]:
        """The scores of all weights that may be the best: of the start, if there is one, and of each epoch."""
        return [*([self.start] if self.start else []), *self.history]

    @property
    def best_score(self) -> EpochScore | None:
        """The start or epoch with the smallest held-out NLL, the earliest of equals; None before the first."""
        return min(self.scores, key=lambda score: score.held_out, default=None)


def save_state(path: Path, state: TrainingState) -> None:
    """Write the state, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"{name}_{index:03d}": array
        for name in ("weights", "slots", "best")
        for index, array in enumerate(getattr(state, name))
    }
    history = [asdict(score) for score in state.history]
    start = {} if state.start is None else {"start": asdict(state.start)}
    scores = json.dumps({"history": history, "running": asdict(state.running), "seconds": state.seconds, **start})
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, scores=np.array(scores), **arrays)
    # Containers on several machines have equal process ids; a worker that was taken for lost may still train.
    temporary = path.with_suffix(f".{secrets.token_hex(4)}.tmp")
    with temporary.open("wb") as file:
        file.write(content.getbuffer())
        file.write(hashlib.sha256(content.getbuffer()).digest())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load_state(path: Path) -> TrainingState | None:
    """Read a state back; None where there is none, or where the file is damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    content, digest = data[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        return None
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = {
            name: [file[key] for key in sorted(file.files) if key.startswith(f"{name}_")]
            for name in ("weights", "slots", "best")
        }
        scores = json.loads(str(file["scores"]))
    history = [EpochScore(**score) for score in scores["history"]]
    running = RunningEpoch(**scores["running"])
    start = EpochScore(**scores["start"]) if "start" in scores else None
    return TrainingState(**arrays, history=history, running=running, seconds=scores.get("seconds"), start=start)
