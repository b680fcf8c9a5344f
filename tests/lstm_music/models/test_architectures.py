"""What every architecture promises: what a prediction may depend on, and that steps and sequences agree."""

from typing import get_args

import numpy as np
import pytest

from lstm_music.encoding.places import PLACES
from lstm_music.encoding.streams import STREAMS
from lstm_music.models.spec import ModelSpec

ARCHITECTURES = get_args(ModelSpec.model_fields["architecture"].annotation)
COLUMNS = (*STREAMS, *PLACES)
TIME, BATCH = 6, 2


@pytest.fixture
def events():
    """Tokens [time, batch, columns] of the event before each, and of each."""
    drawn = np.random.default_rng(3).integers(0, 3, (TIME + 1, BATCH, len(COLUMNS)), np.int32)
    return drawn[:-1], drawn[1:]


def other_than(tokens, time, column):
    """Change the tokens of a column at one time."""
    changed = tokens.copy()
    changed[time, :, column] = (changed[time, :, column] + 1) % 4
    return changed


def logits_of(model, previous, current):
    import tensorflow as tf

    return model(tf.constant(model.rows(previous, current)), model.initial_state(BATCH))[0].numpy()


def test_a_recipe_may_name_every_architecture(tensorflow):
    from lstm_music.models import architectures

    assert tuple(architectures.ARCHITECTURES) == ARCHITECTURES


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("stream", STREAMS)
def test_a_prediction_knows_all_before_it_and_of_its_event_what_is_earlier_in_the_chain(build, events, name, stream):
    model = build(stream, architecture=name)
    previous, current = events
    logits = logits_of(model, previous, current)
    assert logits.shape[:2] == (TIME, BATCH)

    def changes(before, now):
        return (np.abs(logits_of(model, before, now) - logits).max((1, 2)) > 1e-6).tolist()

    for column, field in enumerate(COLUMNS):
        known = field in STREAMS[: STREAMS.index(stream)] or (field in PLACES and stream != STREAMS[0])
        assert changes(previous, other_than(current, 2, column)) == [False, False, *[known] * 4]
        assert changes(other_than(previous, 2, column), current) == [False, False, True, True, True, True]


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("layers", [1, 2])
def test_steps_one_after_another_give_the_logits_of_the_sequence(build, events, name, layers):
    import tensorflow as tf

    model = build("note", architecture=name, layers=layers)
    wanted = logits_of(model, *events)
    rows, states = tf.constant(model.rows(*events)), model.initial_state(BATCH)
    for time in range(TIME):
        logits, states = model.step(rows[time], states)
        np.testing.assert_allclose(logits, wanted[time], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_rows_are_the_same_made_of_arrays_and_of_tensors(build, events, name):
    import tensorflow as tf

    model = build("duration", architecture=name)
    rows = model.rows(*events)
    assert rows.dtype == np.int32
    assert np.array_equal(rows, model.rows(*map(tf.constant, events)))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_weights_follow_from_the_seed_and_the_stream(build, name):
    def first_weights(stream, seed):
        return build(stream, random_seed=seed, architecture=name).weights[1].numpy()

    assert np.array_equal(first_weights("note", 1), first_weights("note", 1))
    assert not np.array_equal(first_weights("note", 1), first_weights("note", 2))
    assert not np.array_equal(first_weights("note", 1), first_weights("duration", 1))


def test_the_two_layers_of_a_stack_begin_with_other_weights(build):
    model = build("offset", layers=2)
    assert not np.array_equal(model.stack[0].recurrent_kernel, model.stack[1].recurrent_kernel)


def test_dropout_drops_by_the_bytes_and_makes_up_for_what_is_gone(build, events):
    import tensorflow as tf

    model = build("offset", dropout=0.25)
    rows, states = tf.constant(model.rows(*events)), model.initial_state(BATCH)
    bias, kernel = model.head.bias.numpy(), model.head.kernel.numpy()
    bytes_ = np.random.default_rng(0).integers(0, 256, (1, TIME, BATCH, 8), np.uint8)
    hidden, _ = model.stack[0](rows, states[0])
    wanted = (hidden.numpy() * (bytes_[0] >= 64) / 0.75) @ kernel + bias
    np.testing.assert_allclose(model(rows, states, tf.constant(bytes_))[0], wanted, rtol=1e-5, atol=1e-5)
    gone, _ = model(rows, states, tf.constant(np.full_like(bytes_, 63)))
    np.testing.assert_allclose(gone, np.broadcast_to(bias, gone.shape), atol=1e-6)
