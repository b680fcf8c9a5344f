"""Scoring whole pieces is what stepping through them one event at a time gives, whatever is scored together."""

from itertools import pairwise

import numpy as np
import pytest
from inferred import inferred
from model_columns import WINDOW

from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, START, UNKNOWN
from lstm_music.encoding.windows import PieceSpan, Targets
from lstm_music.inference.exact import log_softmax
from lstm_music.models.spec import MODELS, WINDOWED


def by_steps(model, piece):
    """Give ln p of each target of a piece, END at last, and the likeliest value at each."""
    stepper, (stream,) = inferred(model), model.predicts
    rows = np.array([[START] * piece.shape[1], *piece.tolist(), [END] * piece.shape[1]], np.int32)[:, None]
    states, logs, guesses = stepper.after(rows[:1]), [], []
    for before, now in pairwise(rows):
        (logits,), states = stepper.step(before, now, states)
        logs.append(log_softmax(logits)[0, now[0, STREAMS.index(stream)]])
        guesses.append(SPECIAL_IDS + int(logits[0, SPECIAL_IDS:].argmax()))
    return np.array(logs), np.array(guesses)


@pytest.mark.parametrize("stream", STREAMS)
def test_scores_are_those_of_single_steps(build, tokens, stream, monkeypatch):
    from lstm_music.models import scoring

    monkeypatch.setattr(scoring, "CHUNK", 16)
    spans = [PieceSpan("a", 0, 40), PieceSpan("b", 50, 51), PieceSpan("c", 60, 75), PieceSpan("d", 60, 76)]
    model = build(stream)
    found = scoring.make_scorer(model, tokens)(Targets.of(spans))[stream]
    stepped = [by_steps(model, tokens[span.start : span.stop]) for span in spans]
    wanted = np.concatenate([logs[:-1] for logs, _ in stepped])
    np.testing.assert_allclose(found.log_probabilities, wanted, rtol=1e-5, atol=1e-5)
    assert found.guesses.tolist() == np.concatenate([guesses[:-1] for _, guesses in stepped]).tolist()
    if stream == STREAMS[0]:
        ends = [logs[-1] for logs, _ in stepped]
        np.testing.assert_allclose(found.end_log_probabilities, ends, rtol=1e-5, atol=1e-5)
    else:
        assert found.end_log_probabilities is None


@pytest.mark.parametrize("stream", STREAMS)
def test_some_events_cost_what_they_cost_among_all(build, tokens, spans, stream):
    from lstm_music.models import scoring

    scorer = scoring.make_scorer(build(stream), tokens)
    some = Targets.of(spans, 10, np.random.default_rng(0).random(len(tokens)) < 0.3)
    all_, found = scorer(Targets.of(spans))[stream], scorer(some)[stream]
    kept = np.isin(Targets.of(spans).places, some.places)
    assert 10 < kept.sum() < len(kept)
    assert found.end_log_probabilities is None
    np.testing.assert_allclose(found.log_probabilities, all_.log_probabilities[kept], rtol=1e-5, atol=1e-5)
    assert found.guesses.tolist() == all_.guesses[kept].tolist()


def test_scores_do_not_depend_on_chunks_or_on_what_is_scored_together(build, tokens, spans, monkeypatch):
    from lstm_music.models import scoring

    model, targets = build("note"), Targets.of(spans)
    together = scoring.make_scorer(model, tokens)(targets)["note"]
    monkeypatch.setattr(scoring, "CHUNK", 5)
    monkeypatch.setattr(scoring, "MAX_LOGITS", 5 * 40 * 2)  # two pieces at once
    apart = scoring.make_scorer(model, tokens)(targets)["note"]
    assert len(together.log_probabilities) == len(together.guesses) == len(targets.places)
    np.testing.assert_allclose(together.log_probabilities, apart.log_probabilities, rtol=1e-5, atol=1e-5)
    assert together.guesses.tolist() == apart.guesses.tolist()


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=() if one == "dual_head" else pytest.mark.operation) for one in sorted(WINDOWED)]
)
def test_with_a_window_a_score_is_that_of_the_window_alone(build, tokens, spans, monkeypatch, name):
    import tensorflow as tf

    from lstm_music.models import scoring

    monkeypatch.setattr(scoring, "WINDOWS_AT_ONCE", 16)
    for model_name in MODELS[name]:
        model = build(model_name, architecture=name)
        targets = Targets.of(spans, WINDOW)
        found = scoring.make_scorer(model, tokens)(targets)
        assert set(found) == set(model.predicts)
        for number, place in enumerate(targets.places.tolist()):
            window = np.int32(tokens[place - WINDOW : place, None])
            logits = model.logits(model.outputs(tf.constant(model.rows(window, window))))
            for stream, values in zip(model.predicts, logits, strict=True):
                logs = tf.nn.log_softmax(values)[0, 0].numpy()
                token = tokens[place, STREAMS.index(stream)]
                assert found[stream].log_probabilities[number] == pytest.approx(logs[token], abs=1e-5)
                assert found[stream].guesses[number] == SPECIAL_IDS + logs[SPECIAL_IDS:].argmax()
                assert found[stream].end_log_probabilities is None


def test_nats_count_ends_where_there_are_any_and_what_unknown_values_cost(tensorflow):
    from lstm_music.models.scoring import Predicted, score_held_out

    tokens = np.full((6, 2), SPECIAL_IDS)
    tokens[1, 1] = UNKNOWN
    targets = Targets.of([PieceSpan("a", 0, 2), PieceSpan("b", 3, 6)])
    logs = np.full(5, -2.0, np.float32)
    with_ends = {"offset": Predicted(logs, np.zeros(5), np.full(2, -2.0, np.float32))}
    without = {"note": Predicted(logs, np.zeros(5))}
    unknown = {"offset": 9.0, "note": 9.0}

    def nll(said):
        return score_held_out(lambda _: said, targets, tokens, ("offset", "note"), unknown).nll

    assert nll(with_ends) == pytest.approx(7 * 2 / 5)
    assert nll(without) == pytest.approx((5 * 2 + 9) / 5)
    assert nll(with_ends | without) == pytest.approx((12 * 2 + 9) / 5)


def test_a_right_guess_is_counted_once_and_unknown_is_never_right(tensorflow):
    from lstm_music.models.scoring import Predicted, score_held_out

    tokens = np.array([[3], [4], [UNKNOWN], [5]])
    targets = Targets.of([PieceSpan("a", 0, 4)])
    said = {"note": Predicted(np.zeros(4), np.array([3, 5, 3, 5]))}
    assert score_held_out(lambda _: said, targets, tokens, ("note",), {"note": 0.0}).accuracy == {"note": 0.5}


@pytest.mark.parametrize(("architecture", "name"), [("chained_lstm", "offset"), ("multi_label", "offset+note")])
def test_piece_after_piece_the_score_is_that_of_all_together(build, tokens, spans, monkeypatch, architecture, name):
    from lstm_music.models import scoring

    model = build(name, architecture=architecture)
    targets = Targets.of(spans, model.columns.window if model.spec.is_windowed else 0)
    scorer, unknown = scoring.make_scorer(model, tokens), dict.fromkeys(STREAMS, 3.0)
    whole = scoring.score_held_out(scorer, targets, tokens, STREAMS, unknown)
    monkeypatch.setattr(scoring, "EVENTS_AT_ONCE", 40)
    assert len(list(targets.parts(40))) > 1
    parts = scoring.score_held_out(scorer, targets, tokens, STREAMS, unknown)
    assert parts.nll == pytest.approx(whole.nll, rel=1e-6)
    assert parts.accuracy == whole.accuracy
