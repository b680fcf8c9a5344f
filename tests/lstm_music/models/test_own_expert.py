"""The own echoes of a part say of its note and duration what the formula says, and a warm start learns to hear them."""

import numpy as np
import pytest
from model_columns import GRID, QUARTERS, STREAM_SIZES, WINDOW

from lstm_music.encoding.echoes import KINDS, LENGTHS, RANKS, echo_column, echo_sizes
from lstm_music.encoding.own_echoes import OWN, own_echo_sizes
from lstm_music.encoding.places import place_sizes
from lstm_music.models.columns import Columns
from lstm_music.models.spec import ModelSpec

STREAMS = {**STREAM_SIZES, "part": 5}
WITHOUT = {**STREAMS, **place_sizes(GRID), **echo_sizes(STREAMS, RANKS)}
SIZES = {**WITHOUT, **own_echo_sizes(STREAMS)}
NAMES = list(SIZES)
LEVELS = len(LENGTHS) + 1
TIME, BATCH = 6, 4


def build(stream, sizes=SIZES):
    from lstm_music.models.architectures import build_model

    return build_model(
        ModelSpec(units=8, experts=("piece",)), stream, Columns(tuple(STREAMS), sizes, QUARTERS, WINDOW), 3
    )


@pytest.fixture
def events():
    """Tokens of the event before each, and of each, [time, batch, columns]; few values, so that many echoes match."""
    rng = np.random.default_rng(3)
    drawn = np.stack([rng.integers(0, min(size, 5), (TIME + 1, BATCH), np.int32) for size in SIZES.values()], -1)
    for kind in (*KINDS, OWN):  # the longest run comes first
        places = [NAMES.index(echo_column(kind, rank, "length")) for rank in range(1, RANKS + 1)]
        drawn[..., places] = -np.sort(-drawn[..., places], -1)
    return drawn[:-1], drawn[1:]


def ln_p(stream, now):
    """Compute ln p of each id from the own echoes of an event, by the formula of `models.experts`."""
    from lstm_music.models.experts import DISCOUNT

    matches = []
    for rank in range(1, RANKS + 1):
        note, duration, length = (
            now[NAMES.index(echo_column(OWN, rank, one))] for one in ("note", "duration", "length")
        )
        if length and (stream == "note" or note == now[NAMES.index("note")]):
            matches.append((length, note if stream == "note" else duration))
    p = np.full(SIZES[stream], 1 / SIZES[stream])
    for length in range(1, len(LENGTHS) + 1):
        followed = [id_ for reached, id_ in matches if reached >= length]
        if followed:
            counts = np.bincount(followed, minlength=SIZES[stream])
            p = (np.maximum(counts - DISCOUNT, 0) + DISCOUNT * len(set(followed)) * p) / len(followed)
    return np.log(p)


@pytest.mark.parametrize("stream", ["note", "duration"])
def test_what_is_added_is_that_of_the_formula(tensorflow, events, stream):
    import tensorflow as tf

    model = build(stream)
    model.experts.close()
    rows = tf.constant(model.rows(*events))
    alone = model.outputs(rows).numpy()
    bias = np.zeros(model.experts.gate.bias.shape, np.float32)
    bias[-LEVELS:] = 0.5
    model.experts.gate.bias.assign(bias)
    found = model.outputs(rows).numpy() - alone
    spread = []
    for time, window in np.ndindex(TIME, BATCH):
        wanted = 0.5 * ln_p(stream, events[1][time, window])
        assert found[time, window] - found[time, window].mean() == pytest.approx(wanted - wanted.mean(), abs=1e-4)
        spread.append(np.ptp(wanted))
    assert max(spread) > 0.5


@pytest.mark.parametrize("stream", STREAMS)
def test_only_note_and_duration_read_them(tensorflow, events, stream):
    model = build(stream)
    previous, current = events
    before = model.rows(previous, current)
    wanted = {"note": {"note", "length"}, "duration": {"note", "duration", "length"}}.get(stream, set())
    read = set()
    for column in range(len(WITHOUT), len(SIZES)):
        changed = [tokens.copy() for tokens in events]
        for tokens in changed:
            tokens[..., column] = (tokens[..., column] + 1) % 4
        assert np.array_equal(model.rows(changed[0], current), before), NAMES[column]
        if not np.array_equal(model.rows(previous, changed[1]), before):
            read.add(NAMES[column].split("_")[-1])
    assert read == wanted


def test_a_warm_start_from_a_model_without_them_begins_with_closed_gates(tensorflow, events):
    from lstm_music.models.warm_start import EarlierModel, Moved, carry_over

    before, model = build("note", WITHOUT), build("note")
    same = {column: Moved.unchanged(size) for column, size in SIZES.items()}
    carry_over(EarlierModel({weight.path: weight.numpy() for weight in before.weights}, same), model)
    before.experts.close()
    wanted = before.outputs(np.asarray(before.rows(*(tokens[..., : len(WITHOUT)] for tokens in events)))).numpy()
    assert model.outputs(np.asarray(model.rows(*events))).numpy() == pytest.approx(wanted, abs=1e-6)
