"""A model and its optimiser, and one compiled training step."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_music.encoding.controls import hide_controls
from lstm_music.encoding.windows import Batch, hide
from lstm_music.models.backend import compiled
from lstm_music.models.event_model import EventModel
from lstm_music.models.scoring import guesses
from lstm_music.models.spec import TrainingSpec


def learning_rate(spec: TrainingSpec, done: int, steps: int) -> float:
    """Give the learning rate after `done` of `steps`: it rises over the warm-up, then stays or falls along a cosine to zero."""
    warm = min(1.0, (done + 1) / max(spec.warmup_steps, 1))
    if spec.schedule == "constant":
        return spec.learning_rate * warm
    return spec.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * min(1.0, done / steps)))


class Learner:
    """Adam over a model's weights. All randomness in a step comes from the given generator."""

    def __init__(self, model: EventModel, spec: TrainingSpec) -> None:
        self.model = model
        self.optimizer = keras.optimizers.Adam(spec.learning_rate, global_clipnorm=spec.gradient_norm or None)
        self.optimizer.build(model.trainable_variables)
        self._compiled = {has_experts: self._compile(has_experts=has_experts) for has_experts in (False, True)}

    def step(
        self, batch: Batch, rate: float, rng: np.random.Generator, *, has_experts: bool = True
    ) -> tuple[float, float, np.ndarray]:
        """Train on one batch; return the sum of its losses, its number of targets, and the right guesses by stream.

        Without `has_experts` the gates of experts stay as they are, and experts say nothing.
        """
        model, self.optimizer.learning_rate = self.model, rate
        targets, mask = model.targets(batch).copy(), model.mask(batch)
        streams = len(model.columns.streams)  # the places and echoes behind them stay
        for tokens in (batch.previous, batch.current):
            tokens[..., :streams] = hide(tokens[..., :streams], model.spec.hidden_inputs, rng)
        hide_controls(batch, [*model.columns.controls.values()], rng)
        rows = model.rows(batch.previous, batch.current)
        shape = model.drop_shape(*batch.mask.shape) if model.spec.dropout else (0,)
        loss, right = self._compiled[has_experts](rows, targets, mask, rng.integers(0, 256, shape, np.uint8))
        return float(loss), float(mask.sum()), np.asarray(right)

    def _compile(self, *, has_experts: bool) -> Callable[..., Any]:
        model, optimizer = self.model, self.optimizer

        @compiled
        def train_step(rows: Any, targets: Any, mask: Any, drops: Any) -> Any:
            with tf.GradientTape() as tape:
                outputs = model.outputs(rows, drops if model.spec.dropout else None, has_experts=has_experts)
                loss = tf.reduce_sum(model.costs(outputs, targets) * mask)
                mean = loss / tf.maximum(tf.reduce_sum(mask), 1.0)
            variables = model.trainable_variables
            gradients = [  # the gates of experts that say nothing have none
                tf.zeros(variable.shape) if gradient is None else tf.convert_to_tensor(gradient)
                for gradient, variable in zip(tape.gradient(mean, variables), variables, strict=True)
            ]
            optimizer.apply(gradients, variables)
            model.observe(outputs, targets, mask)
            return loss, tf.stack(
                [_right(logits, targets[..., i], mask) for i, logits in enumerate(model.logits(outputs))]
            )

        return train_step

    def weights(self) -> list[np.ndarray]:
        """Copy the model's weights."""
        return [variable.numpy() for variable in self.model.weights]

    def slots(self) -> list[np.ndarray]:
        """Copy the slots of the optimiser."""
        return [variable.numpy() for variable in self.optimizer.variables]

    def load(self, weights: list[np.ndarray], slots: list[np.ndarray]) -> None:
        """Restore what `weights` and `slots` returned."""
        for variables, values in ((self.model.weights, weights), (self.optimizer.variables, slots)):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)


def _right(logits: Any, targets: Any, mask: Any) -> Any:
    """Count the targets whose value was the most probable one."""
    return tf.reduce_sum(tf.cast(guesses(logits) == targets, mask.dtype) * mask)
