"""The state of a training between two steps, so that one that was killed goes on where it was.

Everything random in a step follows from (random seed, epoch, step), so that what is kept is the weights, the optimiser's
slots, the best weights so far, the scores, and what the running epoch gave so far.
"""

import hashlib
import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

DIGEST_BYTES = 32  # SHA-256 of all before it, at the end of the file


@dataclass
class EpochScore:
    """What one epoch gave: the loss of training, the held-out NLL in nats per event, and the accuracies by stream."""

    epoch: int
    loss: float
    held_out: float
    accuracy: dict[str, float] = field(default_factory=dict)
    held_out_accuracy: dict[str, float] = field(default_factory=dict)


@dataclass
class RunningEpoch:
    """What an epoch gave in the `steps` that are done: sums over its targets of the loss, and by stream of right guesses."""

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
    """Where a training is: `weights`, `slots` and `best` are lists of arrays in the model's own order.

    `history` has the epochs that are done and scored, `running` what the next one gave so far.
    """

    weights: list[np.ndarray]
    slots: list[np.ndarray]
    best: list[np.ndarray] = field(default_factory=list)
    history: list[EpochScore] = field(default_factory=list)
    running: RunningEpoch = field(default_factory=RunningEpoch)

    @property
    def best_score(self) -> EpochScore | None:
        """The epoch with the smallest held-out NLL, the earliest of equals; None before the first."""
        return min(self.history, key=lambda score: score.held_out, default=None)


def save_state(path: Path, state: TrainingState) -> None:
    """Write the state, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"{name}_{index:03d}": array
        for name in ("weights", "slots", "best")
        for index, array in enumerate(getattr(state, name))
    }
    scores = json.dumps({"history": [asdict(score) for score in state.history], "running": asdict(state.running)})
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, scores=np.array(scores), **arrays)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content.getbuffer())
        file.write(hashlib.sha256(content.getbuffer()).digest())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load_state(path: Path) -> TrainingState | None:
    """Read a state back; None where there is none, or its bytes are not those that were written."""
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
    return TrainingState(**arrays, history=history, running=RunningEpoch(**scores["running"]))
