"""The training of one model: epochs over windows, scored on held-out pieces, the best weights kept."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from lstm_music.encoding.windows import (
    Batch,
    Targets,
    Tokens,
    WindowSpec,
    batches,
    epoch_windows,
    hide,
    next_event_batches,
    require_enough_music,
    shuffled,
)
from lstm_music.errors import TrainingError
from lstm_music.models.architectures import build_model
from lstm_music.models.checkpoint import EpochScore, TrainingState, load_state, save_state
from lstm_music.models.columns import Columns
from lstm_music.models.event_model import EventModel
from lstm_music.models.scoring import accuracies, guesses, make_scorer, nats_per_event
from lstm_music.models.spec import ModelSpec, TrainingSpec

REPORT_SECONDS = 0.5


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a training reads: one token array [events, columns] and which of its events are to be predicted.

    `transposition` is [shifts, note ids], the id that each note id moves to at each of `window.shifts`.
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
    """Where a training is now; the loss is what it minimises, a target, the NLL nats an event, `None` before one is known.

    `held_out` is the score of the last of `scored_epochs` epochs.
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
    seconds_left: float | None

    def to_json(self) -> dict[str, Any]:
        """Give a dictionary that JSON can hold."""
        return asdict(self)


Report = Callable[[TrainingProgress], None]


def train(
    data: TrainingData,
    name: str,
    model_spec: ModelSpec,
    spec: TrainingSpec,
    random_seed: int,
    *,
    checkpoint: Path | None = None,
    report: Report = lambda _progress: None,
) -> tuple[EventModel, list[EpochScore]]:
    """Train one model, by its name; give it with its best weights, and the score of each epoch.

    With a `checkpoint`, the state is kept there after every epoch, and a training that was killed goes on from it to the
    same weights. Raises TrainingError when the loss or the held-out NLL is not a number, NotEnoughMusicError where
    there is not one window to train on, or nothing to hold out.
    """
    require_enough_music(data.train, data.validation, data.window.length)
    model = build_model(model_spec, name, data.columns, random_seed)
    return _Training(data, name, model, spec, random_seed, checkpoint, report).run()


class _Training:
    def __init__(
        self,
        data: TrainingData,
        name: str,
        model: EventModel,
        spec: TrainingSpec,
        random_seed: int,
        checkpoint: Path | None,
        report: Report,
    ) -> None:
        self.data, self.name, self.model, self.spec, self.random_seed = data, name, model, spec, random_seed
        self.checkpoint, self.report = checkpoint, report
        self.place = data.columns.streams.index(model.predicts[0])  # so that side by side models draw other numbers
        self.score = make_scorer(model, data.tokens)
        self.optimizer = keras.optimizers.Adam(spec.learning_rate, global_clipnorm=spec.gradient_norm or None)
        self.optimizer.build(model.trainable_variables)
        self.steps = self._steps_of_an_epoch()
        self.train_step = self._compiled_step()
        self.state = self._resumed() or TrainingState(self._weights(), self._slots())
        self.seconds_a_step: float | None = None

    def run(self) -> tuple[EventModel, list[EpochScore]]:
        """Train epoch after epoch until there are no more, or patience is over."""
        for epoch in range(len(self.state.history), self.spec.epochs):
            if self._out_of_patience():
                break
            loss, accuracy = self._run_epoch(epoch)
            held_out, held_out_accuracy = self._held_out()
            self._require_number(held_out, epoch, "held-out NLL")
            self._keep(EpochScore(epoch, loss, held_out, accuracy, held_out_accuracy))
            self._tell(epoch, self.steps, loss)
        for variable, best in zip(self.model.weights, self.state.best, strict=True):
            variable.assign(best)
        return self.model, self.state.history

    def _run_epoch(self, epoch: int) -> tuple[float, dict[str, float]]:
        """Train on every target once; give the mean loss a target, and the accuracy of each stream while it was trained on."""
        rng = np.random.default_rng([self.random_seed, epoch, self.place, 1])
        total, count, started, told = 0.0, 0.0, time.monotonic(), 0.0
        right = np.zeros(len(self.model.predicts))
        for step, batch in enumerate(self._batches(epoch)):
            self.optimizer.learning_rate = self._learning_rate(epoch, step)
            loss, targets, correct = self._step(batch, rng)
            self._require_number(loss, epoch, "loss")
            total, count, right = total + loss, count + targets, right + correct
            now = time.monotonic()
            if step == 0:  # compiling is no part of a step
                started = now
            else:
                self.seconds_a_step = (now - started) / step
            if now - told >= REPORT_SECONDS and step + 1 < self.steps:  # the last is told with its score
                told = now
                self._tell(epoch, step + 1, total / max(count, 1.0))
        return total / count, dict(zip(self.model.predicts, (right / count).tolist(), strict=True))

    def _batches(self, epoch: int) -> Iterator[Batch]:
        """Cut the training pieces into the batches of one epoch, as the architecture reads them."""
        data, size = self.data, self.spec.batch_size
        if self.model.spec.is_windowed:
            places = shuffled(data.train.places, self.random_seed, epoch)
            return next_event_batches(data.tokens, places, length=data.window.length, batch_size=size)
        return batches(
            data.tokens,
            data.train.spans,
            epoch_windows(data.train.spans, data.window.length, self.random_seed, epoch),
            length=data.window.length,
            batch_size=size,
            note_column=data.columns.streams.index("note"),
            transposition=data.transposition,
            first_shift=data.window.transpose_from,
        )

    def _steps_of_an_epoch(self) -> int:
        train = self.data.train
        if self.model.spec.is_windowed:
            return -(-len(train.places) // self.spec.batch_size)
        windows = epoch_windows(train.spans, self.data.window.length, self.random_seed, 0)
        return -(-len(windows.piece) // self.spec.batch_size)

    def _step(self, batch: Batch, rng: np.random.Generator) -> tuple[float, float, np.ndarray]:
        """Train on one batch; give the sum of its losses, its number of targets, and how many were right by stream."""
        share, targets, mask = self.model.spec.hidden_inputs, self.model.targets(batch).copy(), self.model.mask(batch)
        streams = len(self.data.columns.streams)  # the places behind them stay
        for tokens in (batch.previous, batch.current):
            tokens[..., :streams] = hide(tokens[..., :streams], share, rng)
        rows = self.model.rows(batch.previous, batch.current)
        shape = self.model.drop_shape(*batch.mask.shape)
        drops = rng.integers(0, 256, shape, np.uint8) if self.model.spec.dropout else np.zeros((0,), np.uint8)
        loss, right = self.train_step(rows, targets, mask, drops)
        return float(loss), float(mask.sum()), np.asarray(right)

    def _compiled_step(self) -> Callable[..., Any]:
        model, optimizer = self.model, self.optimizer

        @tf.function(jit_compile=True)
        def train_step(rows: Any, targets: Any, mask: Any, drops: Any) -> Any:
            with tf.GradientTape() as tape:
                outputs = model.outputs(rows, drops if model.spec.dropout else None)
                loss = tf.reduce_sum(model.costs(outputs, targets) * mask)
                mean = loss / tf.maximum(tf.reduce_sum(mask), 1.0)
            gradients = tape.gradient(mean, model.trainable_variables)
            optimizer.apply([tf.convert_to_tensor(gradient) for gradient in gradients], model.trainable_variables)
            model.observe(outputs, targets, mask)
            return loss, tf.stack(
                [_right(logits, targets[..., i], mask) for i, logits in enumerate(model.logits(outputs))]
            )

        return train_step  # type: ignore[no-any-return]  # tensorflow has no types

    def _learning_rate(self, epoch: int, step: int) -> float:
        """Rise over the warm-up, then stay, or fall along a cosine to zero at the end of the last epoch."""
        done = epoch * self.steps + step
        warm = min(1.0, (done + 1) / max(self.spec.warmup_steps, 1))
        if self.spec.schedule == "constant":
            return self.spec.learning_rate * warm
        share = min(1.0, done / (self.spec.epochs * self.steps))
        return self.spec.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * share))

    def _held_out(self) -> tuple[float, dict[str, float]]:
        data = self.data
        predicted = self.score(data.validation)
        nats = nats_per_event(predicted, data.validation, data.tokens, data.columns.streams, data.log_unknown)
        return nats, accuracies(predicted, data.validation, data.tokens, data.columns.streams)

    def _require_number(self, value: float, epoch: int, what: str) -> None:
        if not math.isfinite(value):
            raise TrainingError(
                f"{self.name} model: the {what} is {value} in epoch {epoch + 1}, so training stopped and nothing was "
                f"published; a learning rate below {self.spec.learning_rate} would be right",
            )

    def _keep(self, score: EpochScore) -> None:
        """Add an epoch's score; its weights are the best so far if no epoch before was as good. Write the checkpoint."""
        best = self.state.best_score
        weights = self._weights()
        self.state.history.append(score)
        if best is None or score.held_out < best.held_out:
            self.state.best = weights
        self.state.weights, self.state.slots = weights, self._slots()
        if self.checkpoint is not None:
            save_state(self.checkpoint, self.state)

    def _out_of_patience(self) -> bool:
        best = self.state.best_score
        return best is not None and len(self.state.history) - 1 - best.epoch >= self.spec.patience

    def _resumed(self) -> TrainingState | None:
        """Load the checkpoint, if there is one, into the model and the optimiser.

        One of a training that was allowed more epochs, and took them, is left as it is.
        """
        state = load_state(self.checkpoint) if self.checkpoint is not None else None
        if state is not None and len(state.history) > self.spec.epochs:
            self.checkpoint = state = None
        if state is not None:
            for variables, values in ((self.model.weights, state.weights), (self.optimizer.variables, state.slots)):
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)
        return state

    def _weights(self) -> list[np.ndarray]:
        return [variable.numpy() for variable in self.model.weights]

    def _slots(self) -> list[np.ndarray]:
        return [variable.numpy() for variable in self.optimizer.variables]

    def _tell(self, epoch: int, step: int, loss: float) -> None:
        best = self.state.best_score
        left = (self.spec.epochs - epoch) * self.steps - step
        self.report(
            TrainingProgress(
                model=self.name,
                epoch=epoch + 1,
                epochs=self.spec.epochs,
                step=step,
                steps=self.steps,
                loss=loss,
                scored_epochs=len(self.state.history),
                held_out=self.state.history[-1].held_out if self.state.history else None,
                best=best.held_out if best else None,
                seconds_left=None if self.seconds_a_step is None else self.seconds_a_step * left,
            ),
        )


def _right(logits: Any, targets: Any, mask: Any) -> Any:
    """Count the targets whose value was thought the likeliest."""
    return tf.reduce_sum(tf.cast(guesses(logits) == targets, mask.dtype) * mask)
