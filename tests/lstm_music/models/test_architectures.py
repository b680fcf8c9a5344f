"""What every architecture promises: what a prediction may depend on, what it costs, and where its weights begin."""

from typing import get_args

import numpy as np
import pytest
from model_columns import QUARTERS, SIZES

from lstm_music.encoding.echoes import ECHOES
from lstm_music.encoding.places import PLACES
from lstm_music.encoding.streams import STREAMS
from lstm_music.models.spec import MODELS, WINDOWED, ModelSpec

ARCHITECTURES = get_args(ModelSpec.model_fields["architecture"].annotation)
EVERY_MODEL = [(name, model) for name, models in MODELS.items() for model in models]
COLUMNS = (*STREAMS, *PLACES, *ECHOES)
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
    """The logits of all streams that a model predicts, [steps, batch, ids of all]."""
    import tensorflow as tf

    logits = model.logits(model.outputs(tf.constant(model.rows(previous, current))))
    return np.concatenate([values.numpy() for values in logits], -1)


def test_a_recipe_may_name_every_architecture(tensorflow):
    from lstm_music.models import architectures

    assert tuple(architectures.ARCHITECTURES) == ARCHITECTURES == tuple(MODELS)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_prediction_knows_all_before_it_and_of_its_event_what_is_earlier_in_the_chain(build, events, stream):
    model = build(stream)
    previous, current = events
    logits = logits_of(model, previous, current)
    assert logits.shape[:2] == (TIME, BATCH)

    def changes(before, now):
        return (np.abs(logits_of(model, before, now) - logits).max((1, 2)) > 1e-6).tolist()

    for column, field in enumerate(COLUMNS):
        known = field in STREAMS[: STREAMS.index(stream)] or (field in PLACES and stream != STREAMS[0])
        assert changes(previous, other_than(current, 2, column)) == [False, False, *[known] * 4]
        assert changes(other_than(previous, 2, column), current) == [False, False, True, True, True, True]


@pytest.mark.parametrize(("name", "model"), EVERY_MODEL)
def test_a_windowed_prediction_knows_the_window_of_the_streams_that_it_reads(build, events, name, model):
    if name not in WINDOWED:
        pytest.skip("its state goes on")
    reader = build(model, architecture=name)
    previous, current = events
    previous[2, :, : len(STREAMS)] = 5  # a value that is no number of quarters but another's
    logits = logits_of(reader, previous, current)
    assert logits.shape[:2] == (1, BATCH)
    for column, field in enumerate(COLUMNS):
        changed = np.abs(logits_of(reader, other_than(previous, 2, column), current) - logits).max()
        assert (changed > 1e-6) == (field in reader.predicts)
        assert np.array_equal(logits_of(reader, previous, other_than(current, 2, column)), logits)


@pytest.mark.parametrize("name", ["chained_lstm", "three_streams"])
def test_weights_follow_from_the_seed_and_the_stream(build, name):
    def first_weights(stream, seed):
        return build(stream, random_seed=seed, architecture=name).weights[1].numpy()

    assert np.array_equal(first_weights("note", 1), first_weights("note", 1))
    assert not np.array_equal(first_weights("note", 1), first_weights("note", 2))
    assert not np.array_equal(first_weights("note", 1), first_weights("duration", 1))


def test_the_two_layers_of_a_stack_begin_with_other_weights(build):
    model = build("offset", layers=2)
    assert not np.array_equal(model.stack[0].cell.recurrent_kernel, model.stack[1].cell.recurrent_kernel)


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


def keras_twin(model, inputs):
    """The layers that the report had, with the weights of a windowed model: LSTM → Dense (linear) → the outputs of the heads."""
    import keras

    lstm = keras.layers.LSTM(model.spec.units)
    lstm.build((None, None, inputs.shape[-1]))
    lstm.set_weights(model.lstm.get_weights())
    values = lstm(inputs) @ model.bottleneck.kernel + model.bottleneck.bias
    return [(values @ head.kernel + head.bias).numpy() for head in model.heads]


def one_hot(tokens, stream):
    return np.eye(SIZES[stream], dtype=np.float32)[tokens[..., STREAMS.index(stream)]]


@pytest.mark.parametrize(("name", "model"), [each for each in EVERY_MODEL if each[0] in WINDOWED])
def test_reading_rows_of_the_kernel_is_reading_what_the_report_encoded(build, events, name, model):
    import tensorflow as tf

    reader = build(model, architecture=name)
    previous, current = events
    if name == "dual_head":
        quarters = QUARTERS[previous[..., STREAMS.index("offset")]]
        inputs = np.concatenate([one_hot(previous, "note"), quarters[..., None]], -1)
    else:
        inputs = np.concatenate([one_hot(previous, stream) for stream in reader.predicts], -1)
    wanted = keras_twin(reader, inputs.transpose(1, 0, 2))
    found = reader.outputs(tf.constant(reader.rows(previous, current)))
    for mine, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine[0], theirs, rtol=1e-4, atol=1e-5)


def targets_of(tokens, streams):
    return np.stack([tokens[-1:, :, STREAMS.index(stream)] for stream in streams], -1)


def test_two_heads_cost_the_nats_of_the_note_and_the_squared_error_of_the_offset(build, events):
    import tensorflow as tf

    model = build("offset+note", architecture="dual_head")
    previous, current = events[0] + 3, events[1] + 3
    offset, note = model.outputs(tf.constant(model.rows(previous, current)))
    targets = targets_of(current, model.predicts)
    quarters, logs = QUARTERS[targets[0, :, 0]], tf.nn.log_softmax(note)[0].numpy()
    wanted = -logs[np.arange(BATCH), targets[0, :, 1]] + (offset[0, :, 0].numpy() - quarters) ** 2
    np.testing.assert_allclose(model.costs((offset, note), tf.constant(targets))[0], wanted, rtol=1e-5)


def test_a_regression_thinks_the_nearest_value_the_likeliest_and_nothing_impossible(build, events):
    import tensorflow as tf

    model = build("offset+note", architecture="dual_head")
    model.variance.assign(0.01)
    logits, _ = model.logits((tf.constant([[0.3], [9.0]]), tf.zeros((2, SIZES["note"]))))
    shares = np.exp(logits.numpy())
    np.testing.assert_allclose(shares.sum(-1), 1, rtol=1e-5)
    assert shares.argmax(-1).tolist() == [4, 6]  # a quarter of a quarter; the longest there is
    assert shares.min() >= 0.01 / SIZES["offset"] * 0.999


def test_the_variance_follows_the_squared_error(build, events):
    import tensorflow as tf

    model = build("offset+note", architecture="dual_head")
    targets = np.full((1, BATCH, 2), 6)  # a whole quarter
    for _ in range(2000):
        model.observe((tf.constant([[[1.5], [99.0]]]), None), tf.constant(targets), tf.constant([[1.0, 0.0]]))
    assert float(model.variance) == pytest.approx(0.25, rel=1e-3)


def test_labels_cost_what_being_on_or_off_does_for_each(build, events):
    import tensorflow as tf

    model = build("offset+note", architecture="multi_label")
    previous, current = events[0] + 3, events[1] + 3
    outputs = model.outputs(tf.constant(model.rows(previous, current)))
    targets, wanted = targets_of(current, model.predicts), np.zeros(BATCH)
    for index, values in enumerate(outputs):
        on = 1 / (1 + np.exp(-values[0].numpy().astype(np.float64)))
        truth = np.eye(on.shape[-1])[targets[0, :, index]]
        wanted -= (truth * np.log(on) + (1 - truth) * np.log(1 - on)).sum(-1)
    np.testing.assert_allclose(model.costs(outputs, tf.constant(targets))[0], wanted, rtol=1e-4)


def first_rows(model):
    """The row of the kernel that stands for the first id of each field."""
    return np.cumsum([0, *(SIZES[field] for field in model.fields[:-1])])


@pytest.mark.parametrize("stream", STREAMS)
def test_echoes_are_read_where_the_recipe_says_so(build, tokens, stream):
    """Without them the kernel has no rows for them, and what is read is otherwise the same."""
    with_echoes, without = build(stream), build(stream, echoes=False)
    before, now = (tokens[None, part].astype(np.int32) for part in (slice(4), slice(1, 5)))
    rows, fewer = (model.rows(before, now) - first_rows(model) for model in (with_echoes, without))
    kept = [place for place, field in enumerate(with_echoes.fields) if field not in ECHOES]
    assert np.array_equal(rows[..., kept], fewer)
    assert without.fields == tuple(with_echoes.fields[place] for place in kept)
    assert set(with_echoes.fields) - set(without.fields) == set(ECHOES)
