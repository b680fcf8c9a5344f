"""An LSTM whose backward pass is written by hand, for XLA on a CPU: the weights and the mathematics of `keras.layers.LSTM`.

Two things make it faster than the stock layer: an input of tokens is a sum of rows of the kernel (the product with one-hot
vectors, without them), and the gradient of the recurrent kernel is one large product instead of one small one a step.
On a GPU the layer hands over to the stock one, which runs cuDNN's. The gates stand in Keras's order: input, forget, cell, output.
Sequences are time-major.
"""

from typing import Any

import keras
import tensorflow as tf

from lstm_music.models.backend import has_gpu

State = tuple[Any, Any]


def lstm_sequence(inputs: Any, recurrent_kernel: Any, hidden: Any, cell: Any, mask: Any = None) -> Any:
    """Run an LSTM over time.

    `inputs` float32 [time, batch, 4·units] is what the gates get from outside, bias added; `recurrent_kernel` is
    [units, 4·units]; `hidden` and `cell`, [batch, units], are the state before. Where `mask`, [time, batch], is 0 the state stays
    as it was, and so does the output, which is the hidden state. Returns the hidden states [time, batch, units] and the state
    after. The gradient is backpropagation through time (Hochreiter & Schmidhuber 1997,
    with the full gradient of Graves & Schmidhuber 2005), as tested against `keras.layers.LSTM`.
    """
    counts = None if mask is None else tf.cast(mask, inputs.dtype)[..., None]
    return _sequence(counts)(inputs, recurrent_kernel, hidden, cell)


def _sequence(counts: Any) -> Any:
    """Give the run over time, with its gradient, for a mask [time, batch, 1] of zeros and ones, or for none."""

    @tf.custom_gradient
    def run(inputs: Any, recurrent_kernel: Any, hidden: Any, cell: Any) -> Any:
        steps, batch, units = inputs.shape[0], tf.shape(inputs)[1], recurrent_kernel.shape[0]

        def array(width: int) -> Any:
            return tf.TensorArray(inputs.dtype, size=steps, element_shape=[inputs.shape[1], width])

        def forward(step: Any, h: Any, c: Any, hs: Any, cs: Any, gates: Any) -> Any:
            new_h, new_c, gate = _cell(inputs[step] + h @ recurrent_kernel, c)
            h, c = (new_h, new_c) if counts is None else _where(counts[step], (new_h, new_c), (h, c))
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
                d_h, kept_h, kept_c = d_h + d_hs[step], 0.0, 0.0
                if counts is not None:  # what a masked step passes on, it gets back whole
                    kept_h, kept_c = (1 - counts[step]) * d_h, (1 - counts[step]) * d_c
                    d_h, d_c = counts[step] * d_h, counts[step] * d_c
                d_gates, d_c = _cell_gradient(gates[step], cs[step], cells_before[step], d_h, d_c)
                return count + 1, d_gates @ transposed + kept_h, d_c + kept_c, d_inputs.write(step, d_gates)

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

    return run


def sum_of_rows(kernel: Any, rows: Any) -> Any:
    """Add up rows of `kernel`, float [rows, width], for their numbers, int [time, batch, fields]; give [time, batch, width].

    The gradient is added up in place, a field after another. TensorFlow's own would first write the gradient of every row that
    was read, `fields` times what the sum takes, and then add it up: four times the time for 14 fields (measured).
    """

    @tf.custom_gradient
    def add(kernel: Any) -> Any:
        fields = rows.shape[-1]

        def gradient(d_sum: Any) -> Any:
            by_field = tf.reshape(tf.transpose(rows, [2, 0, 1]), [fields, -1, 1])
            updates = tf.reshape(d_sum, [-1, kernel.shape[1]])

            def add_field(field: Any, d_kernel: Any) -> Any:
                return field + 1, tf.tensor_scatter_nd_add(d_kernel, by_field[field], updates)

            start = (0, tf.zeros(kernel.shape, kernel.dtype))
            _, d_kernel = tf.while_loop(lambda field, _: field < fields, add_field, start, maximum_iterations=fields)
            return d_kernel

        return tf.add_n([tf.gather(kernel, rows[..., field]) for field in range(fields)]), gradient

    return add(kernel)


def _cell(gates: Any, cell: Any) -> tuple[Any, Any, Any]:
    """Turn gate inputs [batch, 4·units] and a cell into (hidden, cell, activated gates)."""
    i, f, g, o = tf.split(gates, 4, 1)
    i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
    cell = f * cell + i * g
    return o * tf.tanh(cell), cell, tf.concat([i, f, g, o], 1)


def _cell_gradient(gates: Any, cell: Any, cell_before: Any, d_h: Any, d_c: Any) -> tuple[Any, Any]:
    """Give the gradients by the gate inputs of a step, [batch, 4·units], and by the cell before it."""
    i, f, g, o = tf.split(gates, 4, 1)
    squashed = tf.tanh(cell)
    d_c = d_c + d_h * o * (1 - squashed * squashed)
    by_gate = [
        d_c * g * i * (1 - i),
        d_c * cell_before * f * (1 - f),
        d_c * i * (1 - g * g),
        d_h * squashed * o * (1 - o),
    ]
    return tf.concat(by_gate, 1), d_c * f


def _where(counts: Any, new: State, old: State) -> State:
    """Take the new state where a step counts, the old one where it is masked."""
    h, c = (counts * after + (1 - counts) * before for after, before in zip(new, old, strict=True))
    return h, c


class LSTM(keras.layers.LSTM):  # type: ignore[misc]  # keras has no types
    """`keras.layers.LSTM` with its weights, under its names, and on a CPU with a way of computing of its own.

    Where inputs are row numbers, `fields` says how many: their rows begin so that their sum has the variance 1 (LeCun
    et al. 1998). Keras would count all rows, and start with inputs that are too small to matter for many steps. With
    `stock` the layer computes as Keras does; by default it does so on a GPU, where that is cuDNN.
    """

    def __init__(
        self,
        inputs: int,
        units: int,
        random_seed: int,
        name: str,
        *,
        fields: int | None = None,
        stock: bool | None = None,
    ) -> None:
        initializers = keras.initializers
        super().__init__(
            units,
            return_sequences=True,
            return_state=True,
            kernel_initializer=initializers.GlorotUniform(random_seed)
            if fields is None
            else initializers.RandomNormal(stddev=fields**-0.5, seed=random_seed),
            recurrent_initializer=initializers.Orthogonal(seed=random_seed + 1),
            name=name,
        )
        self.inputs = inputs
        self.stock = has_gpu() if stock is None else stock

    def build(self, _input_shape: Any = None) -> None:
        """Make the weights, with seeds; the forget gate's bias is 1."""
        super().build((None, None, self.inputs))

    def call(self, inputs: Any, state: State, mask: Any = None) -> tuple[Any, State]:
        """Run over `inputs`: row numbers, int [time, batch, fields], or values, float [time, batch, inputs].

        `mask`, [time, batch], is 0 (False) for steps to be passed over. Returns the hidden states [time, batch, units] and the
        state after.
        """
        if not self.stock or mask is not None:  # cuDNN passes over no steps but those at the end
            return self.run(self.gates(inputs), state, mask)
        if inputs.dtype.is_integer:  # cuDNN multiplies by the kernel itself, so it gets vectors with a 1 for each row
            inputs = tf.add_n([tf.one_hot(inputs[..., field], self.inputs) for field in range(inputs.shape[-1])])
        outputs, hidden, cell = super().call(tf.transpose(inputs, [1, 0, 2]), initial_state=list(state))
        return tf.transpose(outputs, [1, 0, 2]), (hidden, cell)

    def run(self, gates: Any, state: State, mask: Any = None) -> tuple[Any, State]:
        """Run over what the gates get from outside, float [time, batch, 4·units], bias added: see `gates`."""
        recurrent = tf.convert_to_tensor(self.cell.recurrent_kernel)
        outputs, hidden, cell = lstm_sequence(gates, recurrent, *state, mask=mask)
        return outputs, (hidden, cell)

    def gates(self, inputs: Any) -> Any:
        """Give what the gates get from `inputs`, bias added: the sum of the kernel's rows, or the product with it."""
        kernel, bias = tf.convert_to_tensor(self.cell.kernel), tf.convert_to_tensor(self.cell.bias)
        if inputs.dtype.is_integer:
            return sum_of_rows(kernel, inputs) + bias
        return tf.tensordot(inputs, kernel, 1) + bias
