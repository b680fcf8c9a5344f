"""Numbers of the grid add up to the same bits in any order, for any number of outputs and threads."""

from fractions import Fraction
from math import fsum

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inferred import inferred
from model_columns import COLUMNS, SIZES
from threadpoolctl import threadpool_limits

from lstm_music.encoding.streams import STREAMS
from lstm_music.errors import TrainingError
from lstm_music.inference.exact import (
    LARGEST_WEIGHT,
    STEPS,
    exact_rows,
    exact_weights,
    largest_sums,
    log_softmax,
    nats_of,
    on_grid,
    require_small,
    sigmoid,
    softmax,
)
from lstm_music.inference.model import inference_model
from lstm_music.models.inputs import ChainedInputs
from lstm_music.models.spec import ModelSpec

UNITS = 64


def drawn(random_seed, *shape, scale=2.0):
    return on_grid(np.random.default_rng(random_seed).normal(0, scale, shape))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 600))
def test_sums_of_products_are_exact_in_any_order(random_seed, terms):
    one, other = drawn(random_seed, terms), drawn(random_seed + 1, terms)
    wanted = fsum(float(a) * float(b) for a, b in zip(one, other, strict=True))
    assert Fraction(wanted) == sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(one, other, strict=True))
    order = np.random.default_rng(random_seed).permutation(terms)
    for a, b in ((one, other), (one[order], other[order]), (one[::-1], other[::-1])):
        assert (a @ b, (a * b).sum(), np.cumsum(a * b)[-1]) == (wanted, wanted, wanted)


def test_sums_of_what_is_not_on_the_grid_depend_on_their_order():
    """So the test above can fail."""
    one, other = np.random.default_rng(1).normal(0, 2, (2, 600))
    orders = [np.random.default_rng(number).permutation(600) for number in range(20)]
    assert len({float(np.cumsum(one[order] * other[order])[-1]) for order in orders}) > 1


def test_the_grid_rounds_to_the_nearest_and_halves_to_the_even_one():
    steps = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 0.49, 0.51, -7.51, 3.0])
    assert (on_grid(steps / STEPS) * STEPS).tolist() == [0, 2, 2, 0, -2, 0, 1, -8, 3]


def test_weights_keep_what_float32_says_to_half_a_step():
    weights = np.random.default_rng(1).normal(0, 1, 1000).astype(np.float32)
    found = exact_weights(weights)
    assert found.dtype == np.float64
    assert np.abs(found - weights).max() <= 0.5 / STEPS
    assert np.array_equal(found * STEPS, np.round(found * STEPS))


@pytest.mark.parametrize("value", [LARGEST_WEIGHT, -LARGEST_WEIGHT, 1e30, np.inf, -np.inf, np.nan])
def test_weights_that_are_too_large_or_no_numbers_are_refused(value):
    assert exact_weights(np.array([0.5, LARGEST_WEIGHT - 1, 1 - LARGEST_WEIGHT])).shape == (3,)
    with pytest.raises(TrainingError, match="expected weights between -4096 and 4096"):
        exact_weights(np.array([0.5, value, 0.5]))


@pytest.mark.parametrize("value", [512, -512, 1e30, np.inf, np.nan])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_rows_whose_sums_could_overflow_are_refused(value, kind):
    assert exact_rows(np.array([511.5, -511.5, 1.5 / STEPS, 2.5 / STEPS], kind), 4).tolist() == [
        511.5 * STEPS,
        -511.5 * STEPS,
        2,
        2,
    ]
    with pytest.raises(TrainingError, match="expected 4 weights that add up to less than 2048"):
        exact_rows(np.array([0.5, value], kind), 4)


def test_models_whose_sums_might_not_be_exact_are_refused():
    kernel = np.array([[1023.0, 1.0]] * 4)
    assert (largest_sums(kernel), largest_sums(-kernel, 2.5)) == (4092, 10230)
    require_small("head", largest_sums(kernel), 4099.0)
    with pytest.raises(
        TrainingError, match="head: the weights are so large that sums may reach 8192, and are exact below 8192"
    ):
        require_small("head", largest_sums(kernel), 4100.0)


def weights_of_two_layers(spec, stream):
    """Small weights by name, drawn by chance."""
    inputs, width = ChainedInputs(spec, stream, COLUMNS), 4 * spec.units
    shapes = {
        "lstm_1/kernel": (inputs.kernel_rows, width),
        "lstm_2/kernel": (spec.units, width),
        **{f"lstm_{layer}/recurrent_kernel": (spec.units, width) for layer in (1, 2)},
        **{f"lstm_{layer}/bias": (width,) for layer in (1, 2)},
        "head/kernel": (spec.units, COLUMNS.sizes[stream]),
        "head/bias": (COLUMNS.sizes[stream],),
    }
    return {name: drawn(1, *shape, scale=0.1).astype(np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("name", "value"),
    [("lstm_1/recurrent_kernel", 2000), ("lstm_1/kernel", 2047), ("lstm_2/kernel", 2047), ("head/kernel", 4000)],
)
def test_every_layer_of_a_model_is_looked_at(name, value):
    spec = ModelSpec(units=5, layers=2)
    weights = weights_of_two_layers(spec, STREAMS[1])
    assert inference_model(spec, STREAMS[1], COLUMNS, weights).predicts == (STREAMS[1],)
    weights[name][:, 0] = value
    with pytest.raises(TrainingError, match="this model cannot make the same music on every machine"):
        inference_model(spec, STREAMS[1], COLUMNS, weights)


def test_the_nats_of_a_choice_are_those_of_its_probability():
    logits, chosen = np.random.default_rng(1).normal(0, 5, (30, 7)), np.arange(30) % 7
    assert np.array_equal(nats_of(logits, chosen), -log_softmax(logits)[np.arange(30), chosen])


def test_probabilities_are_those_of_their_definitions_also_where_exponentials_overflow():
    logits = np.array([[1.0, 2.0, 3.0], [1e4, 0.0, -1e4]])
    shares = np.exp([1.0, 2.0, 3.0]) / np.exp([1.0, 2.0, 3.0]).sum()
    np.testing.assert_allclose(softmax(logits), [shares, [1, 0, 0]], rtol=1e-14)
    np.testing.assert_allclose(log_softmax(logits), [np.log(shares), [0, -1e4, -2e4]], rtol=1e-14)
    found = sigmoid(np.array([-1e4, 0, 1, 1e4]))
    np.testing.assert_allclose(found, [0, 0.5, 1 / (1 + np.exp(-1)), 1], rtol=1e-14, atol=1e-300)


@pytest.fixture(scope="module")
def model(tensorflow):
    """A model of two layers whose products are wide enough to be divided among threads."""
    from lstm_music.models.architectures import build_model

    return inferred(build_model(ModelSpec(units=UNITS, layers=2), STREAMS[1], COLUMNS, 3))


def said(model, tokens):
    """The logits [events, outputs, ids] of the second half of tokens [events, outputs, columns], after the first half."""
    half = len(tokens) // 2
    state, found = model.after(tokens[:half]), []
    for previous, current in zip(tokens[half - 1 : -1], tokens[half:], strict=True):
        (logits,), state = model.step(previous, current, state)
        found.append(logits)
    return np.array(found)


@pytest.fixture(scope="module")
def tokens():
    rng = np.random.default_rng(5)
    return np.stack([rng.integers(0, size, (8, 65), np.int32) for size in SIZES.values()], -1)


def test_one_output_is_made_of_the_same_bits_alone_and_among_64_others(model, tokens):
    together = said(model, tokens)
    assert together.shape == (4, 65, SIZES[STREAMS[1]])
    assert len(np.unique(together[-1], axis=0)) == 65
    for one in (0, 31, 64):
        assert said(model, tokens[:, [one]]).tobytes() == together[:, [one]].tobytes()
    assert said(model, tokens[:, ::-1]).tobytes() == together[:, ::-1].tobytes()


def test_outputs_that_have_read_the_same_share_a_state_until_they_differ(model, tokens):
    alike = np.repeat(tokens[:, :1], 12, axis=1)
    alike[6:, 4:8] = tokens[6:, 1:2]  # four go another way, then each of them its own
    alike[7:, 4:8] = tokens[7:, 2:6]
    together = said(model, alike)
    assert len(np.unique(together[-1], axis=0)) == 5
    for one in (0, 4, 5, 11):
        assert said(model, alike[:, [one]]).tobytes() == together[:, [one]].tobytes()


def test_the_number_of_threads_changes_no_bit(model, tokens):
    found = []
    for threads in (1, 2, 3):
        with threadpool_limits(threads, "blas"):
            found.append(said(model, tokens).tobytes())
    assert found[0] == found[1] == found[2]
