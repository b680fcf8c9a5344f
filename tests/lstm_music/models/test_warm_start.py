"""A warm start: what belongs to a value follows the value, what is new begins as the unknown value, and nothing else changes."""

import numpy as np
import pytest
from model_columns import COLUMNS, SIZES

from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN, Vocabulary
from lstm_music.errors import MismatchError
from lstm_music.models.spec import MODELS

EVERY_MODEL = [(architecture, model) for architecture, models in MODELS.items() for model in models]


def vocabulary(stream, *values):
    return Vocabulary(stream, values, (1,) * len(values), 1.0)


def test_ids_are_found_by_their_values(tensorflow):
    from lstm_music.models.warm_start import Moved

    before, now = vocabulary("offset", "0", "1/2", "1", "2"), vocabulary("offset", "0", "1/4", "1", "3/2", "2", "3")
    moved = Moved.between(before, now)
    assert (moved.old_size, moved.new_size) == (before.size, now.size)
    ids = {int(old): int(new) for old, new in zip(moved.old, moved.new, strict=True)}
    named = {before.values[old - SPECIAL_IDS]: now.values[new - SPECIAL_IDS] for old, new in ids.items() if old > 2}
    assert named == {"0": "0", "1": "1", "2": "2"}
    assert [ids[special] for special in range(SPECIAL_IDS)] == list(range(SPECIAL_IDS))


@pytest.fixture
def earlier(build):
    """Give an earlier model of other weights, and the same ids but for those of `stream`, which went one further, as a model."""
    from lstm_music.models.warm_start import EarlierModel, Moved

    def make(name, stream, **spec):
        model = build(name, random_seed=8, **spec)
        model.set_weights(
            [np.arange(weight.size, dtype=np.float32).reshape(weight.shape) for weight in model.get_weights()]
        )
        moved = {column: Moved.unchanged(size) for column, size in SIZES.items()}
        size = SIZES[stream]
        moved[stream] = Moved(np.arange(size - 1), np.arange(1, size), size, size)
        return model, EarlierModel({weight.path: weight.numpy() for weight in model.weights}, moved)

    return make


@pytest.mark.parametrize(("architecture", "name"), EVERY_MODEL)
def test_with_the_same_values_every_weight_is_carried_over(build, earlier, architecture, name):
    from lstm_music.models.warm_start import EarlierModel, Moved, carry_over

    before, start = earlier(name, "note", architecture=architecture)
    model = build(name, architecture=architecture)
    same = EarlierModel(start.weights, {column: Moved.unchanged(size) for column, size in SIZES.items()})
    carry_over(same, model)
    for weight, wanted in zip(model.get_weights(), before.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, wanted)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(("architecture", "name"), EVERY_MODEL)
def test_a_model_that_was_carried_over_says_of_the_moved_ids_what_it_said_before(
    build, earlier, architecture, name, stream
):
    """The same music in the new ids: the same logits, but for the one id that is new."""
    import tensorflow as tf

    from lstm_music.models.warm_start import carry_over

    before, start = earlier(name, stream, architecture=architecture)
    before.set_weights(
        [np.random.default_rng(3).normal(0, 0.3, w.shape).astype(np.float32) for w in before.get_weights()]
    )
    model = build(name, architecture=architecture)
    carry_over(type(start)({weight.path: weight.numpy() for weight in before.weights}, start.moved), model)
    column = STREAMS.index(stream)
    rng = np.random.default_rng(4)
    sizes = [SIZES[name] - 1 for name in SIZES]  # the last id of each went nowhere
    old = rng.integers(0, sizes, (COLUMNS.window, 2, len(sizes))).astype(np.int32)
    new = old.copy()
    new[..., column] += 1
    if architecture == "dual_head" and stream == "offset":  # it reads and gives quarters, not ids
        new = old
    said = [
        one.logits(one.outputs(tf.constant(one.rows(tokens, tokens)))) for one, tokens in ((before, old), (model, new))
    ]
    for predicted, was, now in zip(model.predicts, *said, strict=True):
        moved = predicted == stream and not (architecture == "dual_head" and stream == "offset")
        np.testing.assert_allclose(
            now[..., 1:] if moved else now, was[..., :-1] if moved else was, rtol=1e-4, atol=1e-5
        )


def test_what_is_new_begins_as_what_was_unknown(build, earlier):
    from lstm_music.models.warm_start import carry_over

    before, start = earlier("offset", "offset")
    model = build("offset")
    carry_over(start, model)
    np.testing.assert_array_equal(model.head.kernel[:, 0], before.head.kernel[:, UNKNOWN])
    np.testing.assert_array_equal(model.head.bias[0], before.head.bias[UNKNOWN])
    np.testing.assert_array_equal(model.stack[0].cell.kernel[0], before.stack[0].cell.kernel[UNKNOWN])
    np.testing.assert_array_equal(model.head.kernel[:, 1], before.head.kernel[:, 0])


def test_columns_that_do_not_fill_the_weights_are_refused(build, earlier):
    from lstm_music.models.warm_start import EarlierModel, Moved, carry_over

    _, start = earlier("note", "note")
    with pytest.raises(MismatchError, match="expected weights for"):
        carry_over(EarlierModel(start.weights, {**start.moved, "offset": Moved.unchanged(3)}), build("note"))


def test_other_weights_are_refused(build, earlier):
    from lstm_music.models.warm_start import carry_over

    _, start = earlier("note", "note")
    with pytest.raises(MismatchError, match=r"expected the weights .*head.*, got head"):
        carry_over(start, build("note", layers=2))
    with pytest.raises(MismatchError, match=r"expected the weights .*head.*, got head"):
        carry_over(start, build("offset+note", architecture="dual_head"))
