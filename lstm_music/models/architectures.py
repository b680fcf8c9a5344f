"""The architectures that a recipe may name.

An architecture says how probable the next value of its own stream is, given all that came before. To add one, write a class
with what `ChainedLSTM` has in public, give it a name in `ARCHITECTURES` and in `ModelSpec.architecture`: the tests iterate
over the names.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lstm_music.encoding.places import PLACES
from lstm_music.models.lstm import LSTM, State
from lstm_music.models.spec import ModelSpec

States = list[State]


class ChainedLSTM(keras.Model):  # type: ignore[misc]  # keras has no types
    """A stack of LSTMs that reads all of the event before, and of this event what comes earlier in the chain.

    `streams` is the chain, `sizes` the number of ids of each column of the tokens: the streams, and behind them the places,
    which are known with the first stream. The first layer's kernel has one row for each id of each field that is read: first
    the columns of the event before, then those of this event.
    """

    def __init__(
        self, spec: ModelSpec, stream: str, streams: Sequence[str], sizes: Mapping[str, int], random_seed: int
    ) -> None:
        super().__init__(name=f"model_of_{stream}")
        self.spec, self.stream = spec, stream
        self.place_in_chain = list(streams).index(stream)
        self.streams = len(streams)
        earlier = [*streams[: self.place_in_chain], *(PLACES if self.place_in_chain else ())]
        fields = [sizes[name] for name in [*streams, *PLACES, *earlier]]
        self.first_rows = np.concatenate([[0], np.cumsum(fields)[:-1]]).astype(np.int32)
        inputs = [sum(fields), *[spec.units] * (spec.layers - 1)]
        self.stack = [
            LSTM(width, spec.units, random_seed + 10 * layer, name=f"lstm_{layer + 1}")
            for layer, width in enumerate(inputs)
        ]
        self.head = keras.layers.Dense(
            sizes[stream], kernel_initializer=keras.initializers.GlorotUniform(random_seed + 2), name="head"
        )
        for layer in self.stack:
            layer.build()
        self.head.build((None, spec.units))
        self.built = True

    def rows(self, previous: Any, current: Any) -> Any:
        """Turn tokens, int [..., columns] of the event before and of this one, into row numbers int [..., fields]."""
        together = np.concatenate if isinstance(previous, np.ndarray) else tf.concat
        places = [current[..., self.streams :]] if self.place_in_chain else []
        return together([previous, current[..., : self.place_in_chain], *places], -1) + self.first_rows

    def initial_state(self, batch: int) -> States:
        """Give the state at the start of a piece or a window: zeros."""
        return [(tf.zeros([batch, self.spec.units]), tf.zeros([batch, self.spec.units])) for _ in self.stack]

    def call(self, rows: Any, states: States, random_bytes: Any = None) -> tuple[Any, States]:
        """Give logits [time, batch, ids] for row numbers [time, batch, fields], and the states after.

        `random_bytes`, uint8 [layers, time, batch, units], decide what dropout drops; without them nothing is. They come from
        outside because random numbers made inside XLA take longer than the whole rest of a training step (measured).
        """
        values, after = rows, []
        for layer, state in enumerate(states):
            values, new = self.stack[layer](values, state)
            after.append(new)
            if random_bytes is not None:
                values = self._dropped(values, random_bytes[layer])
        return self.head(values), after

    def step(self, rows: Any, states: States) -> tuple[Any, States]:
        """Give the logits [batch, ids] of one event for row numbers [batch, fields], and the states after."""
        values, after = rows, []
        for layer, state in zip(self.stack, states, strict=True):
            after.append(layer.step(values, state))
            values = after[-1][0]
        return self.head(values), after

    def _dropped(self, values: Any, random_bytes: Any) -> Any:
        threshold = round(256 * self.spec.dropout)
        kept = tf.cast(random_bytes >= tf.constant(threshold, tf.uint8), values.dtype)
        return values * kept * (256 / (256 - threshold))


ARCHITECTURES = {"chained_lstm": ChainedLSTM}


def build_model(
    spec: ModelSpec, stream: str, streams: Sequence[str], sizes: Mapping[str, int], random_seed: int
) -> ChainedLSTM:
    """Make the model of one stream, with weights that follow from the random seed and the stream's place in the chain."""
    seed = int(np.random.SeedSequence([random_seed, list(streams).index(stream)]).generate_state(1)[0] >> 4)
    return ARCHITECTURES[spec.architecture](spec, stream, streams, sizes, seed)
