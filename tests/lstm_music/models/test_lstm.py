"""The LSTM layer against `keras.layers.LSTM` with the same weights: outputs, states and every gradient."""

import itertools

import numpy as np
import pytest

TIME, BATCH, INPUTS, UNITS = 7, 3, 5, 4


@pytest.fixture
def layer(tensorflow):
    from lstm_music.models.lstm import LSTM

    layer = LSTM(INPUTS, UNITS, random_seed=3, name="ours")
    layer.build()
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(0, 0.7, weight.shape).astype(np.float32) for weight in layer.weights])
    return layer


@pytest.fixture
def reference(layer):
    import keras

    reference = keras.layers.LSTM(UNITS, return_sequences=True, return_state=True)
    reference.build((BATCH, TIME, INPUTS))
    reference.set_weights(layer.get_weights())
    return reference


@pytest.fixture
def inputs():
    import tensorflow as tf

    rng = np.random.default_rng(1)
    return [
        tf.constant(rng.normal(0, 1, shape), tf.float32)
        for shape in ((TIME, BATCH, INPUTS), (BATCH, UNITS), (BATCH, UNITS))
    ]


@pytest.fixture
def loss_weights():
    """Factors that make the loss depend on every output and on both states after, each in another way."""
    rng = np.random.default_rng(2)
    return [
        rng.normal(0, 1, shape).astype(np.float32) for shape in ((TIME, BATCH, UNITS), (BATCH, UNITS), (BATCH, UNITS))
    ]


def results(run, inputs, weights, loss_weights):
    """Give outputs, states, and the gradients by the inputs, the initial states and the weights."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        found = run(*inputs)
        loss = tf.add_n([tf.reduce_sum(part * factor) for part, factor in zip(found, loss_weights, strict=True)])
    return found, tape.gradient(loss, [*inputs, *weights])


def assert_all_close(found, wanted):
    """Nothing is further from what is wanted than a millionth of the largest number in it."""
    for one, other in zip(found, wanted, strict=True):
        largest = np.abs(np.asarray(other)).max()
        assert largest > 0.1
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6 * largest)


def ours(layer, mask=None):
    def run(values, hidden, cell):
        outputs, (last_hidden, last_cell) = layer(values, (hidden, cell), mask=mask)
        return outputs, last_hidden, last_cell

    return run


def kerases(reference, mask=None):
    import tensorflow as tf

    def run(values, hidden, cell):
        outputs, last_hidden, last_cell = reference(
            tf.transpose(values, [1, 0, 2]),
            initial_state=[hidden, cell],
            mask=None if mask is None else tf.transpose(tf.cast(mask, tf.bool)),
        )
        return tf.transpose(outputs, [1, 0, 2]), last_hidden, last_cell

    return run


MASK = np.array([[1, 1, 1], [1, 0, 1], [0, 0, 1], [1, 0, 1], [1, 1, 1], [1, 1, 0], [0, 1, 0]], np.float32)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "XLA"])
def test_outputs_states_and_gradients_are_those_of_keras(layer, reference, inputs, loss_weights, compiled, mask):
    import tensorflow as tf

    def all_of_it(*values):
        return results(ours(layer, mask), list(values), layer.weights, loss_weights)

    found, gradients = tf.function(all_of_it, jit_compile=True)(*inputs) if compiled else all_of_it(*inputs)
    wanted, wanted_gradients = results(kerases(reference, mask), inputs, reference.weights, loss_weights)
    assert len(gradients) == 6
    assert_all_close([*found, *gradients], [*wanted, *wanted_gradients])


def test_a_mask_of_a_step_passes_it_over(layer, inputs):
    """What Keras aside a mask means: the state after is that of the steps that count."""
    values, *state = inputs
    counts = np.array([1, 0, 1, 1, 0, 1, 0], np.float32)
    outputs, after = layer(values, tuple(state), mask=np.tile(counts[:, None], [1, BATCH]))
    wanted, wanted_after = layer(np.asarray(values)[counts == 1], tuple(state))
    assert_all_close([np.asarray(outputs)[counts == 1], *after], [wanted, *wanted_after])
    np.testing.assert_array_equal(outputs[1], outputs[0])
    nothing, same = layer(values, tuple(state), mask=np.zeros((TIME, BATCH), np.float32))
    np.testing.assert_array_equal(nothing, np.broadcast_to(state[0], nothing.shape))
    assert_all_close(same, state)


def test_the_stock_way_of_a_gpu_gives_the_same(layer, inputs, loss_weights):
    """On a GPU the layer hands over to Keras; here that runs on the CPU, with the same weights."""
    import tensorflow as tf

    from lstm_music.models.lstm import LSTM

    stock = LSTM(INPUTS, UNITS, random_seed=3, name="stock", stock=True)
    stock.build()
    stock.set_weights(layer.get_weights())
    found, gradients = results(ours(stock), inputs, stock.weights, loss_weights)
    wanted, wanted_gradients = results(ours(layer), inputs, layer.weights, loss_weights)
    assert_all_close([*found, *gradients], [*wanted, *wanted_gradients])
    rows = tf.constant(np.random.default_rng(4).integers(0, INPUTS, (TIME, BATCH, 2)).astype(np.int32))
    by_row, state = stock(rows, tuple(inputs[1:]))
    wanted, wanted_state = layer(rows, tuple(inputs[1:]))
    assert_all_close([by_row, *state], [wanted, *wanted_state])
    masked = [each(rows, tuple(inputs[1:]), mask=1 - MASK) for each in (stock, layer)]  # the first step, too
    assert_all_close([masked[0][0], *masked[0][1]], [masked[1][0], *masked[1][1]])


def test_weights_are_written_and_read_as_those_of_keras(layer, reference, tmp_path):
    """A file of weights does not say which of the two layers wrote it."""
    import keras

    def model_of(lstm):
        model = keras.Model()
        model.lstm, model.built = lstm, True
        return model

    for number, (writer, reader) in enumerate(itertools.permutations([layer, reference])):
        file = tmp_path / f"{number}.weights.h5"
        wanted = [np.random.default_rng(number).normal(0, 1, weight.shape) for weight in writer.weights]
        writer.set_weights(wanted)
        model_of(writer).save_weights(file)
        reader.set_weights([0 * weight for weight in wanted])
        model_of(reader).load_weights(file)
        for weight, value in zip(reader.get_weights(), wanted, strict=True):
            np.testing.assert_array_equal(weight, value.astype(np.float32))


def test_the_gradient_is_that_of_small_differences(layer, inputs, loss_weights):
    """Keras aside: move the initial cell and the first input a little, and the loss moves as the gradient says."""
    import tensorflow as tf

    _, gradients = results(ours(layer), inputs, layer.weights, loss_weights)

    def loss(moved):
        found = ours(layer)(*moved)
        return sum(
            float(np.sum(np.asarray(part, np.float64) * factor))
            for part, factor in zip(found, loss_weights, strict=True)
        )

    for which in range(3):
        direction = np.random.default_rng(which).normal(0, 1, inputs[which].shape).astype(np.float32)
        moved = [
            [value + sign * 1e-2 * direction if place == which else value for place, value in enumerate(inputs)]
            for sign in (1, -1)
        ]
        slope = (loss(moved[0]) - loss(moved[1])) / 2e-2
        assert slope == pytest.approx(float(tf.reduce_sum(gradients[which] * direction)), rel=2e-2, abs=2e-2)


def test_row_numbers_mean_the_sum_of_one_hot_vectors(layer, inputs):
    rows = np.random.default_rng(4).integers(0, INPUTS, (TIME, BATCH, 2)).astype(np.int32)
    import tensorflow as tf

    one_hot = tf.reduce_sum(tf.one_hot(rows, INPUTS), 2)
    by_row, states = layer(tf.constant(rows), tuple(inputs[1:]))
    by_vector, states_by_vector = layer(one_hot, tuple(inputs[1:]))
    np.testing.assert_allclose(by_row, by_vector, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(states, states_by_vector, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("way", ["eager", "graph", "XLA"])
@pytest.mark.parametrize("fields", [1, 3])
def test_the_gradient_of_summed_rows_is_that_of_tensorflow_to_the_bit(tensorflow, way, fields):
    """Rows come up many times, and in more than one field; some never do."""
    import tensorflow as tf

    from lstm_music.models.lstm import sum_of_rows

    rng = np.random.default_rng(6)
    kernel = tf.constant(rng.normal(0, 1, (9, 4)).astype(np.float32))
    rows = tf.constant(rng.integers(0, 8, (TIME, BATCH, fields)).astype(np.int32))
    factors = rng.normal(0, 1, (TIME, BATCH, 4)).astype(np.float32)

    def stock_sum(kernel, rows):
        return tf.add_n([tf.gather(kernel, rows[..., field]) for field in range(rows.shape[-1])])

    def both(kernel, rows):
        found = []
        for add in (sum_of_rows, stock_sum):
            with tf.GradientTape() as tape:
                tape.watch(kernel)
                total = add(kernel, rows)
                loss = tf.reduce_sum(total * factors)
            found += [total, tf.convert_to_tensor(tape.gradient(loss, kernel))]
        return found

    run = both if way == "eager" else tf.function(both, jit_compile=way == "XLA")
    total, gradient, wanted_total, wanted = run(kernel, rows)
    np.testing.assert_array_equal(total, wanted_total)
    np.testing.assert_array_equal(gradient, wanted)
    assert np.abs(gradient[:8]).min() > 0
    np.testing.assert_array_equal(gradient[8], 0)


def test_weights_begin_as_in_keras_and_follow_from_the_seed(tensorflow):
    from lstm_music.models.lstm import LSTM

    layers = [LSTM(INPUTS, UNITS, seed, name="a") for seed in (1, 1, 2)]
    for layer in layers:
        layer.build()
    first, same, other = (layer.get_weights() for layer in layers)
    assert all(np.array_equal(*pair) for pair in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[1], other[1])
    kernel, recurrent, bias = first
    assert np.abs(kernel).max() <= np.sqrt(6 / (INPUTS + 4 * UNITS))
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(UNITS), atol=1e-5)
    assert bias.tolist() == [0] * UNITS + [1] * UNITS + [0] * 2 * UNITS


def test_rows_begin_so_that_an_input_of_some_fields_has_the_variance_1(tensorflow):
    import tensorflow as tf

    from lstm_music.models.lstm import LSTM

    layer = LSTM(300, 64, 1, name="a", fields=8)
    layer.build()
    rows = tf.constant(np.random.default_rng(0).integers(0, 300, (50, 4, 8)).astype(np.int32))
    inputs = np.asarray(layer.gates(rows)) - np.asarray(layer.cell.bias)
    assert inputs.std() == pytest.approx(1, rel=0.1)
