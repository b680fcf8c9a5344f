"""The report's architectures: from a window of events, read from zero state, to the next event.

All four are LSTM → Dropout → Dense(128, linear) → heads; they differ in what they read and in what they predict. An input
that the report one-hot encoded is a row of the kernel here: the same product, without the zeros.

- `three_streams` (the report's fourth): three models, each reads and predicts its own stream.
- `notes_only` (its first): the note model of these alone.
- `dual_head` (its second): reads the note, one-hot, with the offset appended as a number of quarters; one head classifies the
  next note, the other is a regression of the next offset.
- `multi_label` (its third): reads note and offset in one vector, and classifies both at once: every label of either is on or off.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_music.encoding.vocabulary import SPECIAL_IDS
from lstm_music.encoding.windows import Batch
from lstm_music.models.chained import dropped
from lstm_music.models.columns import Columns
from lstm_music.models.inputs import window_rows
from lstm_music.models.lstm import LSTM, State
from lstm_music.models.spec import FLOOR, LEAST_VARIANCE, ModelSpec

BOTTLENECK_UNITS = 128  # of the report's Dense layer between the LSTM and the heads

VARIANCE_MOMENTUM = 0.99
QUARTERS_READ = "quarters"


class WindowedLSTM(keras.Model):  # type: ignore[misc]  # keras has no types
    """One stream, read and predicted; the base of the others, which change inputs and heads."""

    def __init__(self, spec: ModelSpec, predicts: tuple[str, ...], columns: Columns, random_seed: int) -> None:
        super().__init__(name=f"model_of_{'_and_'.join(predicts)}")
        self.experts = None
        self.spec, self.predicts, self.columns, self.random_seed = spec, predicts, columns, random_seed
        self.predicted = [columns.streams.index(stream) for stream in predicts]
        self.lstm = LSTM(self.kernel_rows, spec.units, random_seed, name="lstm")
        self.lstm.build()
        self.bottleneck = _dense(BOTTLENECK_UNITS, spec.units, "bottleneck", random_seed + 2)
        self.heads = self._make_heads()
        self.built = True

    @property
    def fields(self) -> tuple[str, ...]:
        """Name the rows of the kernel: one row for each id of a column, and one for a name that is not a column."""
        return self.predicts

    @property
    def kernel_rows(self) -> int:
        """The number of rows of the LSTM's kernel."""
        return sum(self.columns.sizes.get(name, 1) for name in self.fields)

    def _make_heads(self) -> list[Any]:
        return [
            _dense(self.head_units(stream), BOTTLENECK_UNITS, f"head_{stream}", self.random_seed + 3 + number)
            for number, stream in enumerate(self.predicts)
        ]

    def head_units(self, stream: str) -> int:
        """The number of outputs of a stream's head."""
        return self.columns.sizes[stream]

    def token_axes(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        """Give the axes along which the kernel and the heads have one number per id."""
        axes = {self.lstm.cell.kernel.path: (0, self.fields)}
        for stream, head in zip(self.predicts, self.heads, strict=True):
            if self.head_units(stream) == self.columns.sizes[stream]:
                axes |= {head.kernel.path: (1, (stream,)), head.bias.path: (0, (stream,))}
        return axes

    def rows(self, previous: np.ndarray, current: np.ndarray) -> np.ndarray:  # noqa: ARG002 - chained models read of it, too
        """Turn tokens, int [..., columns] of the previous event, into row numbers int [..., fields]."""
        return window_rows(self.spec, self.predicts, self.columns, previous)

    def targets(self, batch: Batch) -> np.ndarray:
        """Give the ids to predict, int [1, windows, streams]: those of the event after the window."""
        return batch.current[-1:][..., self.predicted]

    def mask(self, batch: Batch) -> np.ndarray:
        """Mark the targets that count, float [1, windows]."""
        return batch.is_event[-1:]

    def drop_shape(self, steps: int, windows: int) -> tuple[int, ...]:  # noqa: ARG002 - only the last step is dropped from
        """Give the shape of the random bytes that dropout uses for a batch."""
        return (windows, self.spec.units)

    def call(self, rows: Any, random_bytes: Any = None) -> tuple[Any, ...]:
        """Give the outputs of the heads, [1, batch, …] each, for row numbers [time, batch, fields]."""
        zeros = tf.zeros([rows.shape[1], self.spec.units])
        last = self._run(rows, (zeros, zeros))[-1]
        if random_bytes is not None:
            last = dropped(last, random_bytes, self.spec.dropout)
        values = self.bottleneck(last)[None]
        return tuple(head(values) for head in self.heads)

    def _run(self, rows: Any, state: State) -> Any:
        """Give the hidden states [time, batch, units]."""
        return self.lstm(rows, state)[0]

    def outputs(self, rows: Any, random_bytes: Any = None, *, has_experts: bool = False) -> Any:  # noqa: ARG002  it has none
        """Give the outputs of the heads for a batch of windows."""
        return self(rows, random_bytes)

    def costs(self, outputs: Any, targets: Any) -> Any:
        """Give what training minimises: nats of each target, [1, batch]."""
        return tf.nn.sparse_softmax_cross_entropy_with_logits(targets[..., 0], outputs[0])

    def logits(self, outputs: Any) -> tuple[Any, ...]:
        """Give logits [..., ids] for each stream that is predicted."""
        return tuple(outputs)

    def observe(self, outputs: Any, targets: Any, mask: Any) -> None:
        """Keep nothing."""


def _dense(units: int, inputs: int, name: str, seed: int) -> Any:
    layer = keras.layers.Dense(units, kernel_initializer=keras.initializers.GlorotUniform(seed), name=name)
    layer.build((None, inputs))
    return layer


class DualHead(WindowedLSTM):
    """Note and offset: a classification and a regression.

    `variance` is a running mean of the squared error of the offset in training. So the regression has a density, and with
    it a probability for each value of the vocabulary, which is what it is scored and sampled by.
    """

    def __init__(self, spec: ModelSpec, predicts: tuple[str, ...], columns: Columns, random_seed: int) -> None:
        super().__init__(spec, predicts, columns, random_seed)
        self.offset, self.note = predicts.index("offset"), predicts.index("note")
        self.variance = self.add_weight(shape=(), initializer="ones", trainable=False, name="variance")
        self.quarters = tf.constant(columns.offset_quarters)

    @property
    def fields(self) -> tuple[str, ...]:
        """The note, and the number of quarters."""
        return ("note", QUARTERS_READ)

    def head_units(self, stream: str) -> int:
        """One for the regression, one a note for the classification."""
        return 1 if stream == "offset" else super().head_units(stream)

    def _run(self, rows: Any, state: State) -> Any:
        quarters = tf.gather(self.quarters, rows[..., self.offset])
        by_offset = quarters[..., None] * tf.convert_to_tensor(self.lstm.cell.kernel)[-1]
        return self.lstm.run(self.lstm.gates(rows[..., self.note, None]) + by_offset, state)[0]

    def costs(self, outputs: Any, targets: Any) -> Any:
        """Nats of the note and squared error of the offset (quarters squared), added as Keras adds two losses."""
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(targets[..., self.note], outputs[self.note])
        return nats + self._squared_error(outputs, targets)

    def observe(self, outputs: Any, targets: Any, mask: Any) -> None:
        """Let the running variance follow a batch."""
        mean = tf.reduce_sum(self._squared_error(outputs, targets) * mask) / tf.maximum(tf.reduce_sum(mask), 1.0)
        self.variance.assign(VARIANCE_MOMENTUM * self.variance + (1 - VARIANCE_MOMENTUM) * mean)

    def _squared_error(self, outputs: Any, targets: Any) -> Any:
        return tf.square(outputs[self.offset][..., 0] - tf.gather(self.quarters, targets[..., self.offset]))

    def logits(self, outputs: Any) -> tuple[Any, ...]:
        """Give logits of note and offset: the offset's are the log of a normal density at each value, and a floor."""
        distance = outputs[self.offset] - self.quarters
        density = -tf.square(distance) / (2 * tf.maximum(tf.convert_to_tensor(self.variance), LEAST_VARIANCE))
        ids = np.arange(len(self.columns.offset_quarters))
        shares = tf.nn.softmax(tf.where(ids >= SPECIAL_IDS, density, -1e9))
        found = list(outputs)
        found[self.offset] = tf.math.log((1 - FLOOR) * shares + FLOOR / len(ids))
        return tuple(found)


class MultiLabel(WindowedLSTM):
    """Note and offset as labels of one vector, each on or off: binary cross-entropy over all of them.

    Given that exactly one label of a stream is on, the odds of each are its probability there: a softmax of the logits.
    """

    def costs(self, outputs: Any, targets: Any) -> Any:
        """Nats of all labels of a target, added up."""
        return sum(
            tf.reduce_sum(
                tf.nn.sigmoid_cross_entropy_with_logits(
                    tf.one_hot(targets[..., index], self.columns.sizes[stream]), outputs[index]
                ),
                -1,
            )
            for index, stream in enumerate(self.predicts)
        )
