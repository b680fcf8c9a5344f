"""What a model thinks of whole pieces: each event once, with all of its piece's past as context."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from lstm_music.encoding.vocabulary import SPECIAL_IDS, UNKNOWN
from lstm_music.encoding.windows import PieceSpan, Tokens, blank_batch, fill
from lstm_music.models.architectures import ChainedLSTM

CHUNK = 128
MAX_LOGITS = 1 << 24  # held at once


@dataclass(frozen=True, eq=False, slots=True)
class PieceScore:
    """One piece, one stream: ln p of each target's id, float32 [events + 1] (the end last), and the likeliest value's id."""

    log_probabilities: np.ndarray
    guesses: np.ndarray


Scorer = Callable[[Sequence[PieceSpan]], list[PieceScore]]


def make_scorer(model: ChainedLSTM, tokens: Tokens) -> Scorer:
    """Compile the scoring of pieces in `tokens`; state is carried from the start of a piece to its end."""
    ids = model.head.units
    together = int(np.clip(MAX_LOGITS // (CHUNK * ids), 1, 64))

    @tf.function(jit_compile=True)
    def score_chunk(rows: Any, targets: Any, states: Any) -> Any:
        logits, states = model(rows, states)
        costs = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
        guesses = tf.argmax(logits[..., SPECIAL_IDS:], -1, tf.int32) + SPECIAL_IDS
        return -costs, guesses, states

    def score_group(spans: Sequence[PieceSpan]) -> list[PieceScore]:
        states = model.initial_state(together)
        longest = max(span.events + 1 for span in spans)
        logs, guesses = [], []
        for first in range(0, longest, CHUNK):
            batch = blank_batch(CHUNK, together, tokens.shape[1])
            for column, span in enumerate(spans):
                count = min(CHUNK, span.events + 1 - first)
                if count > 0:
                    fill(batch, column, tokens, span, first, count)
            targets = batch.current[..., model.place_in_chain]
            log, guess, states = score_chunk(model.rows(batch.previous, batch.current), targets, states)
            logs.append(log.numpy())
            guesses.append(guess.numpy())
        log, guess = np.concatenate(logs), np.concatenate(guesses)
        return [
            PieceScore(log[: span.events + 1, column], guess[: span.events + 1, column])
            for column, span in enumerate(spans)
        ]

    def score(spans: Sequence[PieceSpan]) -> list[PieceScore]:
        order = sorted(range(len(spans)), key=lambda index: -spans[index].events)
        found: dict[int, PieceScore] = {}
        for begin in range(0, len(order), together):
            group = order[begin : begin + together]
            found.update(zip(group, score_group([spans[index] for index in group]), strict=True))
        return [found[index] for index in range(len(spans))]

    return score


def nats_per_event(
    scores: Sequence[PieceScore], spans: Sequence[PieceSpan], tokens: Tokens, column: int, *, log_unknown: float
) -> float:
    """Sum what the targets of one stream cost, in nats an event: ends count in the first stream, unknown values their share."""
    nats, events = 0.0, 0
    for score, span in zip(scores, spans, strict=True):
        counted = span.events + 1 if column == 0 else span.events
        nats -= float(score.log_probabilities[:counted].sum(dtype=np.float64))
        nats += log_unknown * int((tokens[span.start : span.stop, column] == UNKNOWN).sum())
        events += span.events
    return nats / events
