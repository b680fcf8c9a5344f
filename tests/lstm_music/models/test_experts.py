"""Experts say what the formula says, of what is known, and a training learns to trust them."""

import numpy as np
import pytest
from model_columns import GRID, QUARTERS, SHAPES, STREAM_SIZES, WINDOW

from lstm_music.encoding.echoes import KINDS, LENGTHS, RANKS, echo_column, echo_sizes, echo_tokens
from lstm_music.encoding.guesses import GUESS_COLUMNS, GUESSES, ODDS_STEP, PARTS, guess_sizes
from lstm_music.encoding.ngrams import ORDERS
from lstm_music.encoding.places import PLACES, place_sizes, place_tokens
from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.windows import PieceSpan, Targets, WindowSpec
from lstm_music.models.columns import Columns
from lstm_music.models.inputs import KINDS as READ
from lstm_music.models.spec import ModelSpec, TrainingSpec

SIZES = {**STREAM_SIZES, **place_sizes(GRID), **echo_sizes(STREAM_SIZES, RANKS), **guess_sizes(STREAM_SIZES)}
COLUMNS = Columns(STREAMS, SIZES, QUARTERS, WINDOW)
NAMES = list(SIZES)
TIME, BATCH, UNITS = 5, 3, 8


@pytest.fixture(scope="module")
def build(tensorflow):
    """Build a model with experts whose weights all matter."""
    from lstm_music.models.architectures import build_model

    def make(stream, **spec):
        model = build_model(ModelSpec(units=UNITS, experts=("piece", "ngrams"), **spec), stream, COLUMNS, 3)
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
    for kind in KINDS:  # the longest run comes first
        places = [NAMES.index(echo_column(kind, rank, "length")) for rank in range(1, RANKS + 1)]
        drawn[..., places] = -np.sort(-drawn[..., places], -1)
    return drawn[:-1], drawn[1:]


def added_by_hand(layer, stream, hidden, before, now):
    """Compute what is added to the logits of one event, directly from the formula of the module; up to a constant."""
    from lstm_music.models.experts import DISCOUNT

    place, gates = STREAMS.index(stream), hidden @ layer.gate.kernel.numpy() + layer.gate.bias.numpy()
    gates, of_ngrams = gates[: -len(ORDERS) - 1], gates[-len(ORDERS) - 1 :]
    gates = gates.reshape(len(READ[stream]), len(LENGTHS) + 1)
    added = np.zeros(SIZES[stream])
    row = before if stream == "offset" else now
    guess = row[[NAMES.index(f"{stream}_{part}") for part in PARTS]]
    for id_ in range(SIZES[stream]):
        odds = guess[GUESSES : 2 * GUESSES][guess[:GUESSES] == id_]
        added[id_] = of_ngrams[guess[-1]] * ODDS_STEP * odds.max(initial=0)
    for kind, name in enumerate(READ[stream]):
        matches = []
        for rank in range(1, RANKS + 1):
            echo = {part: before[NAMES.index(echo_column(name, rank, part))] for part in (*STREAMS, "length")}
            if echo["length"] and all(echo[known] == now[NAMES.index(known)] for known in STREAMS[:place]):
                matches.append((echo["length"], echo[stream]))
        p = np.full(SIZES[stream], 1 / SIZES[stream])
        for length in range(1, len(LENGTHS) + 1):
            followed = [id_ for reached, id_ in matches if reached >= length]
            if followed:
                counts = np.bincount(followed, minlength=SIZES[stream])
                p = (np.maximum(counts - DISCOUNT, 0) + DISCOUNT * len(set(followed)) * p) / len(followed)
        added += gates[kind, max((length for length, _ in matches), default=0)] * np.log(p)
    return added


@pytest.mark.parametrize("stream", STREAMS)
def test_what_is_added_is_that_of_the_formula(build, events, stream):
    import tensorflow as tf

    model = build(stream)
    rows = tf.constant(model.rows(*events))
    logits, _ = model(rows, model.initial_state(BATCH))
    hidden = model.stack[0](rows[..., : len(model.fields)], model.initial_state(BATCH)[0])[0].numpy()
    alone = model.head(hidden).numpy()
    spread = []
    for time, window in np.ndindex(TIME, BATCH):
        before, now = (tokens[time, window] for tokens in events)
        wanted = added_by_hand(model.experts, stream, hidden[time, window], before, now)
        found = logits[time, window].numpy() - alone[time, window]
        assert found - found.mean() == pytest.approx(wanted - wanted.mean(), abs=1e-4)
        spread.append(np.ptp(wanted))
    assert max(spread) > 0.5


@pytest.mark.parametrize("stream", STREAMS)
def test_no_expert_knows_what_is_not_known_yet(build, events, stream):
    """Each column in turn is changed at one event, all of them in one batch; the first rows of the batch have no change."""
    import tensorflow as tf

    model = build(stream)
    previous, current = (np.tile(tokens, (1, 1 + len(NAMES), 1)) for tokens in events)
    for column in range(len(NAMES)):
        own = slice(BATCH * (1 + column), BATCH * (2 + column))
        current[2, own, column] = (current[2, own, column] + 1) % 4
    logits = model.outputs(tf.constant(model.rows(previous, current))).numpy().reshape(TIME, 1 + len(NAMES), BATCH, -1)
    differs = np.abs(logits[:, 1:] - logits[:, :1]).max((0, 2, 3)) > 1e-6
    known = {*STREAMS[: STREAMS.index(stream)]}
    if stream != "offset":  # its guesses stand with the event before
        known |= {*PLACES, *(f"{stream}_{part}" for part in PARTS)}
    assert {name for name, is_changed in zip(NAMES, differs, strict=True) if is_changed} <= known
    assert differs[[NAMES.index(name) for name in STREAMS[: STREAMS.index(stream)]]].all()


@pytest.mark.parametrize("stream", STREAMS)
def test_a_training_that_starts_from_a_model_without_experts_starts_with_what_it_says(build, events, stream):
    import tensorflow as tf

    from lstm_music.models.architectures import build_model
    from lstm_music.models.warm_start import EarlierModel, Moved, carry_over

    before, model = build_model(ModelSpec(units=UNITS), stream, COLUMNS, 7), build(stream)
    same = {column: Moved.unchanged(size) for column, size in SIZES.items()}
    carry_over(EarlierModel({weight.path: weight.numpy() for weight in before.weights}, same), model)
    said, was = (one.outputs(tf.constant(one.rows(*events))).numpy() for one in (model, before))
    assert said == pytest.approx(was, abs=1e-6)


@pytest.fixture(scope="module")
def data(tensorflow):
    """Themes of random notes, and each again in another key: no weight can know them, their echoes do."""
    from lstm_music.models.training_data import TrainingData

    rng = np.random.default_rng(5)
    pieces = []
    for _ in range(12):
        theme = np.stack([np.full(24, 4), rng.integers(10, 30, 24), np.full(24, 4)], 1)
        streams = np.concatenate([theme, np.add(theme, [0, rng.integers(-4, 5), 0])])
        places = place_tokens(np.zeros(len(streams)), GRID)
        no_guesses = np.zeros((len(streams), len(GUESS_COLUMNS)), np.int64)
        pieces.append(np.concatenate([streams, places, echo_tokens(streams, SHAPES, ranks=RANKS), no_guesses], 1))
    spans = tuple(PieceSpan(str(place), 48 * place, 48 * place + 48) for place in range(12))
    return TrainingData(
        np.concatenate(pieces).astype(np.uint16),
        Targets.of(spans[:9]),
        Targets.of(spans[9:]),
        COLUMNS,
        dict.fromkeys(STREAMS, 0.0),
        np.arange(SIZES["note"])[None],
        WindowSpec(length=WINDOW, transpose_from=0, transpose_to=0),
    )


def trained(data, experts, **options):
    """Train a note model; give it and the scores of its epochs."""
    from lstm_music.models.training import train

    settings = {"epochs": 6, "batch_size": 4, "learning_rate": 0.02, **options.pop("spec", {})}
    model = ModelSpec(units=UNITS, experts=experts)
    return train(data, "note", model, TrainingSpec(**settings), 1, **options)


@pytest.mark.operation  # a test below shows the same with late experts
def test_what_comes_again_is_learnt_sooner_with_experts(data):
    best = {}
    for experts in ((), ("piece",)):
        _, history = trained(data, experts)
        best[experts] = min(epoch.held_out for epoch in history)
    assert best["piece",] < best[()] - 0.5


@pytest.mark.operation
def test_experts_that_join_late_change_nothing_before(data):
    """Up to the epoch in which they join, a training is that of the head alone; then it learns to trust them."""
    spec = {"epochs": 4, "experts_from": 0.5, "patience": 1}
    _, alone = trained(data, (), spec={**spec, "patience": 9})
    model, history = trained(data, ("piece",), spec=spec)
    for one, other in zip(history[:2], alone[:2], strict=True):
        assert (one.loss, one.held_out) == pytest.approx((other.loss, other.held_out), rel=1e-4)
    assert history[-1].held_out < alone[-1].held_out - 0.1
    assert model.experts.gate.bias.numpy().any()


def test_a_training_that_was_stopped_as_experts_joined_goes_on_to_the_same_weights(
    data, tmp_path, monkeypatch, uncompiled
):
    from lstm_music.models import training

    spec = {"epochs": 2, "experts_from": 0.5}
    whole, wanted = trained(data, ("piece",), spec=spec)
    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    checkpoint = tmp_path / "note.npz"
    for stop_at in ((1, 3), (2, 1), (2, 4)):

        def stop(progress, stop_at=stop_at):
            if (progress.epoch, progress.step) == stop_at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            trained(data, ("piece",), spec=spec, checkpoint=checkpoint, report=stop)
    model, history = trained(data, ("piece",), spec=spec, checkpoint=checkpoint)
    assert history == wanted
    for weight, other in zip(model.weights, whole.weights, strict=True):
        assert np.array_equal(weight.numpy(), other.numpy())
