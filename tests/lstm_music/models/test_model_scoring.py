"""Scoring whole pieces is what stepping through them one event at a time gives, whatever is scored together."""

from itertools import pairwise

import numpy as np
import pytest

from lstm_music.encoding.streams import STREAMS
from lstm_music.encoding.vocabulary import END, SPECIAL_IDS, START, UNKNOWN
from lstm_music.encoding.windows import PieceSpan


def by_steps(model, piece):
    """Give ln p of each target of a piece, END at last, and the likeliest value at each."""
    import tensorflow as tf

    states, logs, guesses = model.initial_state(1), [], []
    rows = [[START] * piece.shape[1], *piece.tolist(), [END] * piece.shape[1]]
    for before, now in pairwise(rows):
        numbers = model.rows(np.array([before], np.int32), np.array([now], np.int32))
        logits, states = model.step(tf.constant(numbers), states)
        logits = logits.numpy()[0].astype(np.float64)
        logs.append(logits[now[model.place_in_chain]] - np.log(np.exp(logits).sum()))
        guesses.append(SPECIAL_IDS + int(logits[SPECIAL_IDS:].argmax()))
    return np.array(logs), np.array(guesses)


@pytest.mark.parametrize("stream", STREAMS)
def test_scores_are_those_of_single_steps(build, tokens, stream, monkeypatch):
    from lstm_music.models import scoring

    monkeypatch.setattr(scoring, "CHUNK", 16)
    spans = [PieceSpan("a", 0, 40), PieceSpan("b", 50, 51), PieceSpan("c", 60, 75), PieceSpan("d", 60, 76)]
    model = build(stream)
    found = scoring.make_scorer(model, tokens)(spans)
    for span, scores in zip(spans, found, strict=True):
        logs, guesses = by_steps(model, tokens[span.start : span.stop])
        np.testing.assert_allclose(scores.log_probabilities, logs, rtol=1e-5, atol=1e-5)
        assert scores.guesses.tolist() == guesses.tolist()


def test_scores_do_not_depend_on_chunks_or_on_what_is_scored_together(build, tokens, spans, monkeypatch):
    from lstm_music.models import scoring

    model = build("note")
    together = scoring.make_scorer(model, tokens)(spans)
    monkeypatch.setattr(scoring, "CHUNK", 5)
    monkeypatch.setattr(scoring, "MAX_LOGITS", 5 * 40 * 2)  # two pieces at once
    apart = scoring.make_scorer(model, tokens)(spans[::-1])[::-1]
    for one, other, span in zip(together, apart, spans, strict=True):
        assert len(one.log_probabilities) == len(one.guesses) == span.events + 1
        np.testing.assert_allclose(one.log_probabilities, other.log_probabilities, rtol=1e-5, atol=1e-5)
        assert one.guesses.tolist() == other.guesses.tolist()


def test_nats_count_ends_in_the_first_stream_and_what_unknown_values_cost(tensorflow):
    from lstm_music.models.scoring import PieceScore, nats_per_event

    tokens = np.full((6, 2), SPECIAL_IDS)
    tokens[1, 1] = UNKNOWN
    spans = [PieceSpan("a", 0, 2), PieceSpan("b", 3, 6)]
    scores = [PieceScore(np.full(count, -2.0, np.float32), np.zeros(count)) for count in (3, 4)]
    assert nats_per_event(scores, spans, tokens, 0, log_unknown=9.0) == pytest.approx(7 * 2 / 5)
    assert nats_per_event(scores, spans, tokens, 1, log_unknown=9.0) == pytest.approx((5 * 2 + 9) / 5)
