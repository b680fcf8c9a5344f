"""The votes of experts are what the formula says, of what is known, and training, scoring and single steps see the same."""

import numpy as np
import pytest
from model_columns import GRID, QUARTERS, SHAPES, STREAM_SIZES, WINDOW

from lstm_music.encoding.echoes import KINDS, LENGTHS, RANKS, echo_column, echo_sizes, echo_tokens
from lstm_music.encoding.places import place_sizes
from lstm_music.encoding.streams import STREAMS
from lstm_music.models.columns import Columns
from lstm_music.models.spec import ModelSpec

SIZES = {**STREAM_SIZES, **place_sizes(GRID), **echo_sizes(STREAM_SIZES, RANKS)}
COLUMNS = Columns(STREAMS, SIZES, QUARTERS, WINDOW)
NAMES = list(SIZES)
TIME, BATCH, UNITS = 5, 3, 8


@pytest.fixture(scope="module")
def build(tensorflow):
    """Build a model with experts whose weights all matter."""
    from lstm_music.models.architectures import build_model

    def make(stream, **spec):
        model = build_model(ModelSpec(units=UNITS, experts=("piece",), **spec), stream, COLUMNS, 3)
        rng = np.random.default_rng(4)
        for variable in model.weights:
            variable.assign(rng.normal(0, 0.5, variable.shape).astype(np.float32))
        return model

    return make


@pytest.fixture(scope="module")
def events():
    """Tokens of the event before each, and of each, [time, batch, columns]."""
    rng = np.random.default_rng(3)
    drawn = np.stack([rng.integers(0, min(size, 6), (TIME + 1, BATCH), np.int32) for size in SIZES.values()], -1)
    return drawn[:-1], drawn[1:]


def votes_by_hand(layer, stream, hidden, before, now):
    """Compute what the votes add to the logits of one event, directly from the formula of the module."""
    place = STREAMS.index(stream)
    gates = hidden @ layer.gate.kernel.numpy() + layer.gate.bias.numpy()
    gates = gates.reshape(len(KINDS), *[2] * place, len(LENGTHS) + 1)
    ranks = layer.rank.numpy().reshape(len(KINDS), RANKS)
    heard = np.zeros(SIZES[stream])
    for kind, name in enumerate(KINDS):
        for rank in range(RANKS):
            echo = {part: before[NAMES.index(echo_column(name, rank + 1, part))] for part in (*STREAMS, "length")}
            agrees = [int(echo[known] == now[NAMES.index(known)]) for known in STREAMS[:place]]
            if echo["length"]:
                heard[echo[stream]] += np.exp(gates[(kind, *agrees, echo["length"])] + ranks[kind, rank])
    return np.log1p(heard)


@pytest.mark.parametrize("stream", STREAMS)
def test_votes_are_those_of_the_formula(build, events, stream):
    import tensorflow as tf

    model = build(stream)
    rows = tf.constant(model.rows(*events))
    logits, _ = model(rows, model.initial_state(BATCH))
    hidden = model.stack[0](rows[..., : len(model.fields)], model.initial_state(BATCH)[0])[0].numpy()
    alone = model.head(hidden).numpy()
    for time, window in np.ndindex(TIME, BATCH):
        before, now = (tokens[time, window] for tokens in events)
        wanted = votes_by_hand(model.experts, stream, hidden[time, window], before, now)
        assert wanted.max() > 0.1
        assert logits[time, window].numpy() - alone[time, window] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("stream", STREAMS)
def test_nothing_votes_for_what_is_not_known_yet(build, events, stream):
    import tensorflow as tf

    model = build(stream)
    previous, current = events

    def logits(now):
        return model.outputs(tf.constant(model.rows(previous, now))).numpy()

    for column, name in enumerate(NAMES):
        changed = current.copy()
        changed[2, :, column] = (changed[2, :, column] + 1) % 4
        differs = np.abs(logits(changed) - logits(current)).max((1, 2)) > 1e-6
        if name not in STREAMS[: STREAMS.index(stream)] and name not in model.fields[len(model.read) :]:
            assert not differs.any(), name


@pytest.mark.parametrize("stream", STREAMS)
def test_steps_give_what_a_run_gives(build, events, stream):
    import tensorflow as tf

    model = build(stream, layers=2)
    rows = tf.constant(model.rows(*events))
    whole, states = model(rows, model.initial_state(BATCH))[0].numpy(), model.initial_state(BATCH)
    for time in range(TIME):
        read = model.rows(*(tf.constant(tokens[time]) for tokens in events))
        found, states = model.step(read, states)
        assert found.numpy() == pytest.approx(whole[time], abs=1e-5)


def test_what_comes_again_is_learnt_sooner_with_experts(tensorflow):
    """A theme of random notes, and the same in another key: no weight can know it, its echoes do."""
    from lstm_music.encoding.places import place_tokens
    from lstm_music.encoding.windows import PieceSpan, Targets, WindowSpec
    from lstm_music.models.spec import TrainingSpec
    from lstm_music.models.training import TrainingData, train

    rng = np.random.default_rng(5)
    pieces = []
    for _ in range(12):
        theme = np.stack([np.full(24, 4), rng.integers(10, 30, 24), np.full(24, 4)], 1)
        streams = np.concatenate([theme, np.add(theme, [0, rng.integers(-4, 5), 0])])
        places = place_tokens(np.zeros(len(streams)), GRID)
        pieces.append(np.concatenate([streams, places, echo_tokens(streams, SHAPES, ranks=RANKS)], 1))
    spans = tuple(PieceSpan(str(place), 48 * place, 48 * place + 48) for place in range(12))
    data = TrainingData(
        np.concatenate(pieces).astype(np.uint16),
        Targets.of(spans[:9]),
        Targets.of(spans[9:]),
        COLUMNS,
        dict.fromkeys(STREAMS, 0.0),
        np.arange(SIZES["note"])[None],
        WindowSpec(length=WINDOW, transpose_from=0, transpose_to=0),
    )
    spec = TrainingSpec(epochs=6, batch_size=4, learning_rate=0.02)
    best = {}
    for experts in ((), ("piece",)):
        _, history = train(data, "note", ModelSpec(units=UNITS, experts=experts), spec, 1)
        best[experts] = min(epoch.held_out for epoch in history)
    assert best["piece",] < best[()] - 0.5
