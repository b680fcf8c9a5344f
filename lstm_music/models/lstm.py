"""An LSTM whose backward pass is written by hand, for XLA on a CPU: the weights and the mathematics of `keras.layers.LSTM`.

Two things make it faster than the stock layer: an input of tokens is a sum of rows of the kernel (the product with one-hot
vectors, without them), and the gradient of the recurrent kernel is one large product instead of one small one a step.
The gates stand in Keras's order: input, forget, cell, output. Sequences are time-major.
"""

from typing import Any

import keras
import tensorflow as tf

State = tuple[Any, Any]


@tf.custom_gradient
def lstm_sequence(inputs: Any, recurrent_kernel: Any, hidden: Any, cell: Any) -> Any:
    """Run an LSTM over time.

    `inputs` float32 [time, batch, 4·units] is what the gates get from outside, bias added; `recurrent_kernel` is
    [units, 4·units]; `hidden` and `cell`, [batch, units], are the state before. Returns the hidden states
    [time, batch, units] and the state after. The gradient is backpropagation through time (Hochreiter & Schmidhuber 1997,
    with the full gradient of Graves & Schmidhuber 2005), as tested against `keras.layers.LSTM`.
    """
    steps, batch, units = inputs.shape[0], tf.shape(inputs)[1], recurrent_kernel.shape[0]

    def array(width: int) -> Any:
        return tf.TensorArray(inputs.dtype, size=steps, element_shape=[inputs.shape[1], width])

    def forward(step: Any, h: Any, c: Any, hs: Any, cs: Any, gates: Any) -> Any:
        h, c, gate = _cell(inputs[step] + h @ recurrent_kernel, c)
        return step + 1, h, c, hs.write(step, h), cs.write(step, c), gates.write(step, gate)

    start = (0, hidden, cell, array(units), array(units), array(4 * units))
    _, last_h, last_c, hs, cs, gates = tf.while_loop(
        lambda step, *_: step < steps, forward, start, maximum_iterations=steps
    )
    hs, cs, gates = hs.stack(), cs.stack(), gates.stack()

    def gradient(d_hs: Any, d_last_h: Any, d_last_c: Any) -> Any:
        cells_before = tf.concat([cell[None], cs[:-1]], 0)
        transposed = tf.transpose(recurrent_kernel)

        def backward(count: Any, d_h: Any, d_c: Any, d_inputs: Any) -> Any:
            step = steps - 1 - count
            i, f, g, o = tf.split(gates[step], 4, 1)
            squashed = tf.tanh(cs[step])
            d_h = d_h + d_hs[step]
            d_c = d_c + d_h * o * (1 - squashed * squashed)
            d_gates = tf.concat(
                [
                    d_c * g * i * (1 - i),
                    d_c * cells_before[step] * f * (1 - f),
                    d_c * i * (1 - g * g),
                    d_h * squashed * o * (1 - o),
                ],
                1,
            )
            return count + 1, d_gates @ transposed, d_c * f, d_inputs.write(step, d_gates)

        _, d_hidden, d_cell, d_inputs = tf.while_loop(
            lambda count, *_: count < steps,
            backward,
            (0, d_last_h, d_last_c, array(4 * units)),
            maximum_iterations=steps,
        )
        d_inputs = d_inputs.stack()
        before = tf.concat([hidden[None], hs[:-1]], 0)
        d_kernel = tf.matmul(
            tf.reshape(before, [steps * batch, units]),
            tf.reshape(d_inputs, [steps * batch, 4 * units]),
            transpose_a=True,
        )
        return d_inputs, d_kernel, d_hidden, d_cell

    return (hs, last_h, last_c), gradient


def _cell(gates: Any, cell: Any) -> tuple[Any, Any, Any]:
    """Turn gate inputs [batch, 4·units] and a cell into (hidden, cell, activated gates)."""
    i, f, g, o = tf.split(gates, 4, 1)
    i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
    cell = f * cell + i * g
    return o * tf.tanh(cell), cell, tf.concat([i, f, g, o], 1)


class LSTM(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """The layer: weights `kernel` [inputs, 4·units], `recurrent_kernel` [units, 4·units] and `bias` [4·units], as in Keras."""

    def __init__(self, inputs: int, units: int, random_seed: int, name: str) -> None:
        super().__init__(name=name)
        self.inputs, self.units, self.random_seed = inputs, units, random_seed

    def build(self, _input_shape: Any = None) -> None:
        """Make the weights: Keras's initialisers, with seeds; the forget gate's bias is 1."""
        units, seed = self.units, self.random_seed
        self.kernel = self.add_weight(
            shape=(self.inputs, 4 * units), initializer=keras.initializers.GlorotUniform(seed), name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            shape=(units, 4 * units), initializer=keras.initializers.Orthogonal(seed=seed + 1), name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(4 * units,), initializer="zeros", name="bias")
        self.bias.assign(tf.concat([tf.zeros(units), tf.ones(units), tf.zeros(2 * units)], 0))

    def call(self, inputs: Any, state: State) -> tuple[Any, State]:
        """Run over `inputs`: row numbers, int [time, batch, fields], or values, float [time, batch, inputs].

        Returns the hidden states [time, batch, units] and the state after.
        """
        return self.run(self.gates(inputs), state)

    def run(self, gates: Any, state: State) -> tuple[Any, State]:
        """Run over what the gates get from outside, float [time, batch, 4·units], bias added: see `gates`."""
        outputs, hidden, cell = lstm_sequence(gates, tf.convert_to_tensor(self.recurrent_kernel), *state)
        return outputs, (hidden, cell)

    def step(self, inputs: Any, state: State) -> State:
        """Take one step without a gradient: `inputs` is [batch, fields] or [batch, inputs]."""
        hidden, cell = state
        hidden, cell, _ = _cell(self.gates(inputs) + hidden @ tf.convert_to_tensor(self.recurrent_kernel), cell)
        return hidden, cell

    def gates(self, inputs: Any) -> Any:
        """Give what the gates get from `inputs`, bias added: the sum of the kernel's rows, or the product with it."""
        if inputs.dtype.is_integer:
            rows = tf.convert_to_tensor(self.kernel)
            return tf.add_n([tf.gather(rows, inputs[..., field]) for field in range(inputs.shape[-1])]) + self.bias
        return tf.tensordot(inputs, self.kernel, 1) + self.bias
