"""The architecture `chained_lstm`: each model reads all streams, and the models are chained at each event."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_music.encoding.windows import Batch
from lstm_music.models.columns import Columns
from lstm_music.models.experts import Experts
from lstm_music.models.inputs import ChainedInputs
from lstm_music.models.lstm import LSTM, State
from lstm_music.models.spec import ModelSpec

States = list[State]


class ChainedLSTM(keras.Model):  # type: ignore[misc]  # keras has no types
    """A stack of LSTMs that reads the whole previous event, and the streams of this event that are earlier in the chain.

    It has a target at every step, and carries its state from the start of a piece to its end. What it reads of the tokens its
    `reads` say: see `lstm_music.models.inputs`.
    """

    def __init__(self, spec: ModelSpec, predicts: tuple[str, ...], columns: Columns, random_seed: int) -> None:
        (stream,) = predicts
        super().__init__(name=f"model_of_{stream}")
        self.spec, self.predicts, self.columns = spec, predicts, columns
        self.reads = ChainedInputs(spec, stream, columns)
        self.target = columns.streams.index(stream)
        self.fields = self.reads.fields
        widths = [self.reads.kernel_rows, *[spec.units] * (spec.layers - 1)]
        self.stack = [
            LSTM(
                width,
                spec.units,
                random_seed + 10 * layer,
                name=f"lstm_{layer + 1}",
                fields=None if layer else len(self.fields),
            )
            for layer, width in enumerate(widths)
        ]
        self.head = keras.layers.Dense(
            columns.sizes[stream], kernel_initializer=keras.initializers.GlorotUniform(random_seed + 2), name="head"
        )
        read = self.reads.experts
        self.experts = Experts(read, columns.sizes[stream], spec.units) if read else None
        for layer in self.stack:
            layer.build()
        self._begin_without_controls()
        self.head.build((None, spec.units))
        self.built = True

    def rows(self, previous: np.ndarray, current: np.ndarray) -> np.ndarray:
        """Turn tokens, int [..., columns] of the previous event and of this one, into what the model reads, int [..., read]."""
        return self.reads.rows(previous, current)

    def _begin_without_controls(self) -> None:
        """Let controls say nothing at the start of a training, so that it begins as one without."""
        rows = sum(self.columns.sizes[name] for name in self.spec.controls)
        if rows:
            kernel = self.stack[0].cell.kernel
            kernel.assign(np.concatenate([kernel.numpy()[:-rows], np.zeros((rows, kernel.shape[1]), np.float32)]))

    def targets(self, batch: Batch) -> np.ndarray:
        """Give the ids to predict, int [time, windows, 1]."""
        return batch.current[..., self.target, None]

    def mask(self, batch: Batch) -> np.ndarray:
        """Mark the targets that count, float [time, windows]: the end of a piece is a target of the first stream."""
        return batch.is_event if self.reads.has_offset else batch.mask

    def drop_shape(self, steps: int, windows: int) -> tuple[int, ...]:
        """Give the shape of the random bytes that dropout uses for a batch."""
        return (len(self.stack), steps, windows, self.spec.units)

    def initial_state(self, batch: int) -> States:
        """Give the state at the start of a piece or a window: zeros."""
        return [(tf.zeros([batch, self.spec.units]), tf.zeros([batch, self.spec.units])) for _ in self.stack]

    def token_axes(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        """Give the axes along which the first kernel and the head have a number for each id."""
        (stream,) = self.predicts
        head = {self.head.kernel.path: (1, (stream,)), self.head.bias.path: (0, (stream,))}
        return {self.stack[0].cell.kernel.path: (0, self.fields), **head}

    def call(
        self, rows: Any, states: States, random_bytes: Any = None, *, has_experts: bool = True
    ) -> tuple[Any, States]:
        """Give logits [time, batch, ids] for what `rows` gives, [time, batch, read], and the states after.

        `random_bytes`, uint8 [layers, time, batch, units], decide what dropout drops; without them it drops nothing. They come
        from outside, because random numbers inside XLA take longer than the rest of a training step (measured).
        """
        values, after = rows[..., : len(self.fields)], []
        for layer, state in enumerate(states):
            values, new = self.stack[layer](values, state)
            after.append(new)
            if random_bytes is not None:
                values = dropped(values, random_bytes[layer], self.spec.dropout)
        return self._said(values, rows, has_experts=has_experts), after

    def _said(self, values: Any, rows: Any, *, has_experts: bool = True) -> Any:
        """Give the logits [..., ids] for the outputs of the last LSTM, [..., units], and what was read."""
        logits = self.head(values)
        if self.experts is None or not has_experts:
            return logits
        return self.experts(logits, values, rows[..., len(self.fields) :])

    def outputs(self, rows: Any, random_bytes: Any = None, *, has_experts: bool = True) -> Any:
        """Give the logits of a batch of windows."""
        return self(rows, self.initial_state(rows.shape[1]), random_bytes, has_experts=has_experts)[0]

    def costs(self, outputs: Any, targets: Any) -> Any:
        """Give what training minimises: nats of each target, [time, batch]."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(targets[..., 0], outputs)

    def logits(self, outputs: Any) -> tuple[Any, ...]:
        """Give logits [..., ids] for each stream that is predicted."""
        return (outputs,)

    def observe(self, outputs: Any, targets: Any, mask: Any) -> None:
        """Keep nothing."""


def dropped(values: Any, random_bytes: Any, share: float) -> Any:
    """Set a `share` (in 256ths) of the values to 0, chosen by the random bytes, and scale up the others."""
    threshold = round(256 * share)
    kept = tf.cast(random_bytes >= tf.constant(threshold, tf.uint8), values.dtype)
    return values * kept * (256 / (256 - threshold))
