"""The models that make music say what the trained ones say: event by event in numpy, or over a whole sequence in TensorFlow."""

import numpy as np
import pytest
from inferred import inferred
from model_columns import COLUMNS, GRID, QUARTERS, STREAM_SIZES, WINDOW

from lstm_music.encoding.controls import CONTROLS
from lstm_music.encoding.controls import SIZES as CONTROL_SIZES
from lstm_music.encoding.echoes import KINDS, RANKS, echo_column, echo_sizes
from lstm_music.encoding.guesses import guess_sizes
from lstm_music.encoding.own_echoes import OWN, OWN_ECHOES, own_echo_sizes
from lstm_music.encoding.places import place_sizes
from lstm_music.encoding.streams import ALL_STREAMS, PART, STREAMS, heard
from lstm_music.inference.exact import softmax
from lstm_music.models.columns import Columns
from lstm_music.models.spec import MODELS, WINDOWED, ModelSpec

EXPERTS = ("piece", "ngrams")
CHAINED = {
    "plain": {},
    "two layers": {"layers": 2},
    "without echoes": {"echoes": False},
    "experts": {"experts": EXPERTS},
    "parts and own echoes": {"streams": (*STREAMS, PART), "experts": ("piece",)},
    "controls": {"controls": CONTROLS},
    "everything": {"streams": ALL_STREAMS, "layers": 2, "experts": EXPERTS, "controls": CONTROLS},
}
EVENTS, PROMPT, OUTPUTS = 40, 30, 3  # a prompt is longer than the window


def columns_of(spec):
    """The columns that models of a recipe read."""
    sizes = {stream: {**STREAM_SIZES, "part": 5, "velocity": 9}[stream] for stream in spec.streams}
    sounding = {stream: sizes[stream] for stream in heard(spec.streams)}
    has_piece = "piece" in spec.experts
    known = echo_sizes(sounding, RANKS if has_piece else 1)
    known |= own_echo_sizes(sounding) if has_piece and PART in sounding else {}
    known |= guess_sizes(sounding) if "ngrams" in spec.experts else {}
    known |= {name: CONTROL_SIZES[name] for name in spec.controls}
    return Columns(spec.streams, {**sizes, **place_sizes(GRID), **known}, QUARTERS, WINDOW)


def some_events(columns):
    """Draw tokens [events + 1, outputs, columns], few values of each, so that echoes match; two outputs have one prompt."""
    rng, names = np.random.default_rng(3), [*columns.sizes]
    shape = (EVENTS + 1, OUTPUTS)
    tokens = np.stack([rng.integers(0, min(size, 6), shape, np.int32) for size in columns.sizes.values()], -1)
    for kind in (*KINDS, *([OWN] if OWN_ECHOES[0] in names else [])):  # the longest run comes first
        lengths = [echo_column(kind, rank, "length") for rank in range(1, RANKS + 1)]
        places = [names.index(name) for name in lengths if name in names]
        tokens[..., places] = -np.sort(-tokens[..., places], -1)
    tokens[: PROMPT + 1, 2] = tokens[: PROMPT + 1, 0]
    return tokens


def with_random_weights(spec, name, columns):
    """Build a model whose weights all matter."""
    from lstm_music.models.architectures import build_model

    model, rng = build_model(spec, name, columns, 3), np.random.default_rng(4)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.8, weight.shape).astype(np.float32))
    if spec.architecture == "dual_head":
        model.variance.assign(0.3)
    return model


def stepped(model, tokens):
    """The probabilities of each stream at the events behind the prompts, [events, outputs, ids] each."""
    state, found = model.after(tokens[: PROMPT + 1]), []
    for previous, current in zip(tokens[PROMPT:-1], tokens[PROMPT + 1 :], strict=True):
        logits, state = model.step(previous, current, state)
        found.append([softmax(values) for values in logits])
    return [np.array(of_stream) for of_stream in zip(*found, strict=True)]


def over_the_sequence(model, tokens):
    """The same, by the model of TensorFlow."""
    rows = model.rows(tokens[:-1], tokens[1:])
    ends = range(PROMPT + 1, EVENTS + 1)
    if not model.spec.is_windowed:
        return [softmax(values.numpy().astype(np.float64))[PROMPT:] for values in model.logits(model.outputs(rows))]
    windows = [model.logits(model.outputs(rows[end - WINDOW : end])) for end in ends]
    return [
        np.array([softmax(values.numpy()[0].astype(np.float64)) for values in of_stream])
        for of_stream in zip(*windows, strict=True)
    ]


def assert_agree(spec, name, columns):
    tokens, model = some_events(columns), with_random_weights(spec, name, columns)
    found, wanted = stepped(inferred(model), tokens), over_the_sequence(model, tokens)
    assert len(found) == len(wanted) == len(model.predicts)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.shape == theirs.shape == (EVENTS - PROMPT, OUTPUTS, ours.shape[-1])
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)
        assert np.ptp(theirs, 0).max() > 0.02, "what models say depends on the event"


@pytest.mark.parametrize("case", CHAINED)
def test_chained_models_say_what_tensorflow_says_of_every_stream(tensorflow, case):
    spec = ModelSpec(units=8, **CHAINED[case])
    columns = columns_of(spec)
    for stream in spec.streams:
        assert_agree(spec, stream, columns)


@pytest.mark.parametrize(("architecture", "name"), [(one, name) for one in sorted(WINDOWED) for name in MODELS[one]])
def test_windowed_models_say_what_tensorflow_says(tensorflow, architecture, name):
    assert_agree(ModelSpec(units=8, architecture=architecture), name, COLUMNS)


@pytest.mark.parametrize("architecture", MODELS)
def test_a_prompt_read_at_once_is_one_read_event_by_event(tensorflow, architecture):
    spec = ModelSpec(units=8, architecture=architecture)
    model = inferred(with_random_weights(spec, MODELS[architecture][-1], COLUMNS))
    tokens = some_events(COLUMNS)
    state = model.after(tokens[: WINDOW + 2])
    for previous, current in zip(tokens[WINDOW + 1 : PROMPT], tokens[WINDOW + 2 : PROMPT + 1], strict=True):
        _, state = model.step(previous, current, state)
    at_once = model.after(tokens[: PROMPT + 1])
    now, then = (model.step(tokens[PROMPT], tokens[PROMPT], one)[0] for one in (state, at_once))
    assert [logits.tobytes() for logits in now] == [logits.tobytes() for logits in then]
