"""The training of one model: epochs over windows, each scored on held-out pieces; the best weights are kept.

A training that starts from an earlier model scores that one first, and at the end mixtures of its weights with the best ones:
what lies between both is often better than either (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). So the best
weights are no worse than those that the training started from.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from lstm_music.encoding.controls import moved_controls
from lstm_music.encoding.windows import (
    Batch,
    EpochWindows,
    batches,
    epoch_windows,
    next_event_batches,
    require_enough_music,
    shuffled,
)
from lstm_music.errors import TrainingError
from lstm_music.models.architectures import build_model
from lstm_music.models.checkpoint import START, EpochScore, RunningEpoch, TrainingState, load_state, save_state
from lstm_music.models.event_model import EventModel
from lstm_music.models.learner import Learner, learning_rate
from lstm_music.models.scoring import make_scorer, score_held_out
from lstm_music.models.spec import ModelSpec, TrainingSpec
from lstm_music.models.training_data import TrainingData, TrainingProgress
from lstm_music.models.warm_start import EarlierModel, carry_over

REPORT_SECONDS = 0.5
LEARNT = 1e-3  # nats per event: below this there is nothing left to learn
START_SHARES = (0.1, 0.2, 0.3, 0.5, 0.75)
"""The shares of an earlier model in the mixtures that are tried."""
CHECKPOINT_SECONDS = 20.0  # a kill loses at most this much; writing a checkpoint takes a tenth of a second


Report = Callable[[TrainingProgress], None]


def train(
    data: TrainingData,
    name: str,
    model_spec: ModelSpec,
    spec: TrainingSpec,
    random_seed: int,
    *,
    earlier: EarlierModel | None = None,
    checkpoint: Path | None = None,
    report: Report = lambda _progress: None,
) -> tuple[EventModel, list[EpochScore]]:
    """Train one model, by its name; return it with its best weights, and the score of each epoch.

    Training starts from the weights of an `earlier` model where there is one, else from random weights. The scores then begin
    with that of the earlier model, and end with that of its mixture with the best weights, if that is better.

    With a `checkpoint`, the state is written there every few seconds and after every epoch. A killed training continues from it
    to the same weights, bit for bit. Raises TrainingError when the loss or the held-out NLL is not a number,
    NotEnoughMusicError where there is no window to train on or nothing held out.
    """
    require_enough_music(data.train, data.validation, data.window.length)
    model = build_model(model_spec, name, data.columns, random_seed)
    start = None
    if earlier is not None:
        carry_over(earlier, model)
        start = [variable.numpy() for variable in model.weights]
        spec = spec.model_copy(update={"experts_from": 0.0})
    elif model.experts and spec.experts_from:
        model.experts.close()
    return _Training(data, name, model, spec, random_seed, checkpoint, report).run(start)


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
        self.learner = Learner(model, spec)
        self.moved = {
            column: found
            for name, column in data.columns.controls.items()
            if (found := moved_controls(name, data.window.shifts)) is not None
        }
        self.epochs, self.passes = spec.epochs_of(data.train.events), spec.passes_of(data.train.events)
        self.steps = self._steps_of_an_epoch()
        self.state = self._resumed() or TrainingState(self.learner.weights(), self.learner.slots())
        self.kept = self.counted = time.monotonic()
        self.seconds_per_step: float | None = None

    def run(self, start: list[np.ndarray] | None) -> tuple[EventModel, list[EpochScore]]:
        """Train epoch after epoch, up to the last one or until training is over; `start` has the weights of an earlier model."""
        if start is not None and self.state.start is None:
            self.state.start, self.state.best = self._score_of(START, None, {}), start
        for epoch in range(len(self.state.history), self.epochs):
            if self._is_over():
                break
            self._run_epoch(epoch)
            self._score(epoch)
            self._report(epoch, self.steps)
        scores = [*self.state.scores, *([] if start is None else self._mix(start))]
        self._assign(self.state.best)
        return self.model, scores

    def _mix(self, start: list[np.ndarray]) -> list[EpochScore]:
        """Mix the weights of the start with the best ones, or with the last ones where the start is the best.

        Give the score of the best mixture if it is better; its weights are then the best.
        """
        best = self.state.best_score
        assert best is not None
        tuned = self.learner.weights() if best.epoch == START else self.state.best
        found = []
        for share in START_SHARES:
            mixture = [share * one + (1 - share) * other for one, other in zip(start, tuned, strict=True)]
            self._assign(mixture)
            score = replace(self._score_of(len(self.state.history), None, {}), start_share=share)
            if score.held_out < best.held_out:
                best, self.state.best, found = score, mixture, [score]
        return found

    def _assign(self, weights: list[np.ndarray]) -> None:
        for variable, value in zip(self.model.weights, weights, strict=True):
            variable.assign(value)

    def _run_epoch(self, epoch: int) -> None:
        """Train on every target once or several times, or on those left where a kill interrupted the epoch."""
        running = self.state.running
        first, started, reported = running.steps, time.monotonic(), 0.0
        for step, batch in enumerate(self._batches(epoch, first), first):
            rng = np.random.default_rng([self.random_seed, epoch, self.place, 1, step])
            done, steps = epoch * self.steps + step, self.epochs * self.steps
            rate = learning_rate(self.spec, done, steps)
            has_experts = done >= self.spec.experts_from * steps
            loss, targets, right = self.learner.step(batch, rate, rng, has_experts=has_experts)
            self._require_number(loss, epoch, "loss")
            running.add(loss, targets, right.tolist())
            now = time.monotonic()
            if step == first:  # compiling is no part of a step
                started = now
            else:
                self.seconds_per_step = (now - started) / (step - first)
            if now - self.kept >= CHECKPOINT_SECONDS:
                self._keep()
            if now - reported >= REPORT_SECONDS and step + 1 < self.steps:  # the last step is reported with its score
                reported = now
                self._report(epoch, step + 1)

    def _batches(self, epoch: int, first: int) -> Iterator[Batch]:
        """Cut the training pieces into the batches of one epoch, as the architecture reads them, starting at batch `first`."""
        data, size = self.data, self.spec.batch_size
        if self.model.spec.is_windowed:
            places = [shuffled(data.train.places, self.random_seed, one) for one in self._passes(epoch)]
            left = np.concatenate(places)[first * size :]
            return next_event_batches(data.tokens, left, length=data.window.length, batch_size=size)
        return batches(
            data.tokens,
            data.train.spans,
            self._windows(epoch).after(first * size),
            length=data.window.length,
            batch_size=size,
            note_columns=data.columns.note_columns,
            transposition=data.transposition,
            first_shift=data.window.transpose_from,
            moved=self.moved,
        )

    def _passes(self, epoch: int) -> range:
        """Number the passes through the training pieces that an epoch has, over all epochs."""
        return range(epoch * self.passes, (epoch + 1) * self.passes)

    def _windows(self, epoch: int) -> EpochWindows:
        spans, length = self.data.train.spans, self.data.window.length
        return EpochWindows.joined(epoch_windows(spans, length, self.random_seed, one) for one in self._passes(epoch))

    def _steps_of_an_epoch(self) -> int:
        is_windowed = self.model.spec.is_windowed
        windows = self.passes * self.data.train.events if is_windowed else len(self._windows(0).piece)
        return -(-windows // self.spec.batch_size)

    def _score(self, epoch: int) -> None:
        """Add an epoch's score, keep its weights if no epoch before was as good, and write the checkpoint."""
        running, best = self.state.running, self.state.best_score
        accuracy = {
            stream: count / running.targets for stream, count in zip(self.model.predicts, running.right, strict=True)
        }
        score = self._score_of(epoch, running.loss / running.targets, accuracy)
        self.state.history.append(score)
        self.state.running = RunningEpoch()
        if best is None or score.held_out < best.held_out:
            self.state.best = self.learner.weights()
        self._keep()

    def _score_of(self, epoch: int, loss: float | None, accuracy: dict[str, float]) -> EpochScore:
        """Score the held-out pieces with the weights as they are; `loss` and `accuracy` are those of the epoch's training."""
        data = self.data
        held_out = score_held_out(self.score, data.validation, data.tokens, data.columns.streams, data.log_unknown)
        self._require_number(held_out.nll, epoch, "held-out NLL")
        return EpochScore(epoch, loss, held_out.nll, accuracy, held_out.accuracy)

    def _require_number(self, value: float, epoch: int, what: str) -> None:
        if not math.isfinite(value):
            raise TrainingError(
                f"{self.name} model: the {what} is {value} in epoch {epoch + 1}, so training stopped and published nothing; "
                f"set a training.learning_rate below {self.spec.learning_rate}",
            )

    def _keep(self) -> None:
        """Write the checkpoint."""
        self.state.weights, self.state.slots = self.learner.weights(), self.learner.slots()
        self._count_seconds()
        if self.checkpoint is not None:
            save_state(self.checkpoint, self.state)
        self.kept = time.monotonic()

    def _count_seconds(self) -> None:
        """Add the time since it was last counted."""
        now = time.monotonic()
        if self.state.seconds is not None:
            self.state.seconds += now - self.counted
        self.counted = now

    def _is_over(self) -> bool:
        """Whether patience is over, or nothing is left to learn, as in music whose durations are all the same.

        Patience begins with the epoch in which experts join, if they are late. The start does not count: a training that is near
        its best forgets first, and finds more when its rate falls.
        """
        best = min(self.state.history, key=lambda score: score.held_out, default=None)
        if best is None:
            return False
        since = max(best.epoch, math.ceil(self.spec.experts_from * self.epochs) - 1 if self.model.experts else 0)
        return best.held_out < LEARNT or len(self.state.history) - 1 - since >= self.spec.patience

    def _resumed(self) -> TrainingState | None:
        """Load the checkpoint, if there is one, into the model and the optimiser.

        A checkpoint with more epochs than this training has stays as it is, and training starts from the beginning.
        """
        state = load_state(self.checkpoint) if self.checkpoint is not None else None
        if state is not None and len(state.history) > self.epochs:
            self.checkpoint = state = None
        if state is not None:
            self.learner.load(state.weights, state.slots)
        return state

    def _report(self, epoch: int, step: int) -> None:
        self._count_seconds()
        best, running = self.state.best_score, self.state.running
        left = (self.epochs - epoch) * self.steps - step
        self.report(
            TrainingProgress(
                model=self.name,
                epoch=epoch + 1,
                epochs=self.epochs,
                step=step,
                steps=self.steps,
                loss=running.loss / running.targets if running.targets else _loss_of(self.state.history[-1]),
                scored_epochs=len(self.state.history),
                held_out=self.state.scores[-1].held_out if self.state.scores else None,
                best=best.held_out if best else None,
                seconds=self.state.seconds,
                seconds_left=None if self.seconds_per_step is None else self.seconds_per_step * left,
                history=tuple(self.state.scores) if step == self.steps else (),
            ),
        )


def _loss_of(score: EpochScore) -> float:
    assert score.loss is not None  # only the start has none
    return score.loss
